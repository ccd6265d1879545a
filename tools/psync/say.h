/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to be said: lines that wait, for others' words or for room. */
#ifndef PSYNC_SAY_H
#define PSYNC_SAY_H

#include <stdbool.h>
#include <stddef.h>

#include "talk.h"

/* Lines that are read before the first of them was said. */
#define SAY_AHEAD	64

/**
 * struct say_line - a line of input
 * @space: its memory
 * @text: what is to be said, or a command without its slash
 * @len: its length
 * @wait: not before this was heard; NULL: at once
 * @command: it is one
 * @bad: what is wrong with it, or NULL
 */
struct say_line {
	char	*space;
	char	*text;
	size_t	len;
	char	*wait;
	bool	command;
	char	*bad;
};

/**
 * struct say - input
 * @in: where it comes from
 * @script: lines may wait for words
 * @line: those that were read and not said
 * @n: how many
 * @heard: texts that were heard, while a script may ask
 * @nheard: how many
 */
struct say {
	struct line_reader	in;
	bool			script;
	struct say_line		line[SAY_AHEAD];
	size_t			n;
	char			**heard;
	size_t			nheard;
};

/* Takes what was read apart, as far as there is room: 0 or -ENOMEM. */
int say_fill(struct say *say);

/*
 * What is to be done now, or NULL: the first line, unless it waits for a word;
 * while nothing more can be sent (@blocked), the first command before a line
 * that does.
 */
struct say_line *say_next(struct say *say, bool blocked);

/* It is done. */
void say_done(struct say *say, struct say_line *line);

/* A message was heard: 0 or -ENOMEM. */
int say_hear(struct say *say, const char *text, size_t len);

/* The word that the first line waits for, or NULL. */
const char *say_waits(const struct say *say);

/* There is room for more lines. */
bool say_hungry(const struct say *say);

/* Everything was said, and nothing more comes. */
bool say_over(const struct say *say);

void say_free(struct say *say);

#endif /* PSYNC_SAY_H */
