// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of input, taken apart and kept until they are said: in their order, each
 * when the word it waits for was heard.  Commands need no room to be sent, and
 * may be what gives others some; so those overtake lines that only wait for that.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

/* What is wrong with a line, said when it is its turn. */
static int say_bad(struct say_line *line, const char *format, const char *word)
{
	/* One of the two formats below. */
	if (asprintf(&line->bad, format, word) < 0) {
		line->bad = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* "@WORD text", "@"several words" text", "@@text" for a text with an '@'. */
static int say_parse_wait(struct say_line *line)
{
	char *s = line->text, *end;

	if (s[0] != '@')
		return 0;
	if (s[1] == '@') {
		line->text++;
		line->len--;
		return 0;
	}
	s++;
	end = *s == '"' ? strchr(++s, '"') : strchr(s, ' ');
	if (!end || end == s)
		return say_bad(line, "script: \"%s\" is not @WORD and a text",
			       line->text);
	*end++ = '\0';
	end += strspn(end, " ");
	line->len -= (size_t)(end - line->text);
	line->text = end;
	if (!line->len)
		return say_bad(line, "script: nothing to say after @%s", s);
	line->wait = s;
	return 0;
}

/* "/command", "//text" for a text with a '/'. */
static void say_parse_command(struct say_line *line)
{
	if (line->bad || line->text[0] != '/')
		return;
	line->text++;
	line->len--;
	line->command = line->text[0] != '/';
}

static int say_add(struct say *say, const char *text, size_t len)
{
	struct say_line *line = &say->line[say->n];
	int err = 0;

	*line = (struct say_line){ .space = malloc(len + 1), .len = len };
	if (!line->space)
		return -ENOMEM;
	say->n++;
	memcpy(line->space, text, len + 1);
	line->text = line->space;
	if (say->script)
		err = say_parse_wait(line);
	say_parse_command(line);
	return err;
}

int say_fill(struct say *say)
{
	size_t len;
	char *text;
	int err;

	while (say_hungry(say) && (text = line_next(&say->in, &len))) {
		err = len ? say_add(say, text, len) : 0;
		if (err)
			return err;
	}
	return 0;
}

static bool say_was_heard(const struct say *say, const char *what)
{
	size_t i;

	for (i = 0; i < say->nheard; i++)
		if (strstr(say->heard[i], what))
			return true;
	return false;
}

struct say_line *say_next(struct say *say, bool blocked)
{
	struct say_line *line;

	for (line = say->line; line < say->line + say->n; line++) {
		if (line->wait && !say_was_heard(say, line->wait))
			return NULL;
		/* What is wrong ends a script: not before what it follows. */
		if (!blocked || line->command)
			return line;
		if (line->bad)
			return NULL;
	}
	return NULL;
}

void say_done(struct say *say, struct say_line *line)
{
	size_t left = (size_t)(say->line + say->n - line) - 1;

	free(line->space);
	free(line->bad);
	memmove(line, line + 1, left * sizeof(*line));
	say->n--;
}

int say_hear(struct say *say, const char *text, size_t len)
{
	char **more, *copy;

	if (!say->script)
		return 0;
	more = realloc(say->heard, (say->nheard + 1) * sizeof(*more));
	if (more)
		say->heard = more;
	/* A zero within the text ends it here; scripts are text. */
	copy = more ? strndup(text, len) : NULL;
	if (!copy)
		return -ENOMEM;
	say->heard[say->nheard++] = copy;
	return 0;
}

const char *say_waits(const struct say *say)
{
	return say->n ? say->line[0].wait : NULL;
}

bool say_hungry(const struct say *say)
{
	return say->n < SAY_AHEAD;
}

bool say_over(const struct say *say)
{
	return say->in.eof && !say->n && say->in.used == say->in.len;
}

void say_free(struct say *say)
{
	size_t i;

	while (say->n)
		say_done(say, say->line);
	for (i = 0; i < say->nheard; i++)
		free(say->heard[i]);
	free(say->heard);
	free(say->in.buffer);
}
