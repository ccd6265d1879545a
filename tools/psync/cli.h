/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share: the table of nouns, arguments, errors. */
#ifndef PSYNC_CLI_H
#define PSYNC_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_VERSION	"1.0"
#define CLI_JSON	1	/* version of what --json prints */

enum cli_exit {
	EXIT_OK		= 0,
	EXIT_REFUSED	= 1,	/* the kernel, a peer or the file system */
	EXIT_USAGE	= 2,
	EXIT_NO_MODULE	= 3,
	EXIT_TIME	= 4,	/* what was waited for did not happen */
};

/**
 * struct cli - one run of the program
 * @noun: command for messages
 * @verb: its verb, or NULL
 * @json: --json was given
 * @n: arguments after noun and verb, without options
 * @arg: they
 */
struct cli {
	const char	*noun;
	const char	*verb;
	bool		json;
	int		n;
	char		**arg;
};

enum cli_option_type {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char * */
	OPTION_NUMBER,	/* uint32_t, not zero */
	OPTION_PORT,	/* uint32_t, one that can be bound */
	OPTION_SECONDS,	/* int, milliseconds */
};

/**
 * struct cli_option - an option of a command
 * @name: with its dashes
 * @type: what follows it and where @value points to
 * @value: filled in by cli_options(); as it was when the option is absent
 * @arg: name of what follows, for help
 * @text: for help
 */
struct cli_option {
	const char		*name;
	enum cli_option_type	type;
	void			*value;
	const char		*arg;
	const char		*text;
};

/**
 * struct cli_verb - something a noun can do
 * @name: verb, or NULL when the noun has just one
 * @args: synopsis
 * @text: one line
 * @words: what may follow, for completion: words and classes (%link, %peer,
 *	%group, %conv, %dev, %file, %command), separated by blanks
 * @options: ended by an empty one, or NULL
 * @run: does it; returns enum cli_exit
 */
struct cli_verb {
	const char		*name;
	const char		*args;
	const char		*text;
	const char		*words;
	const struct cli_option	*options;
	int			(*run)(struct cli *cli);
};

/**
 * struct cli_noun - a command
 * @name: its name
 * @text: one line
 * @examples: for help, ended by NULL
 * @verbs: ended by an empty one; the first is done when no verb is given and
 *	it needs no arguments
 * @more: further lines of help, or NULL
 */
struct cli_noun {
	const char		*name;
	const char		*text;
	const char		*const *examples;
	const struct cli_verb	*verbs;
	const char		*more;
};

extern const struct cli_noun noun_site, noun_link, noun_peer, noun_group,
	noun_conv, noun_graph, noun_stat, noun_send, noun_recv, noun_chat,
	noun_monitor, noun_version, noun_completion, noun_help;

/* nouns.c */
extern const struct cli_noun *const cli_nouns[];
const struct cli_noun *cli_noun_find(const char *name);
/* There is none of that name: says which is near.  EXIT_USAGE. */
int cli_noun_unknown(struct cli *cli, const char *name);

/* cli.c */

/* Ports from 0x80000000 on are automatic ones. */
#define CLI_PORT_MAX	0x7fffffffu

/*
 * Prints "psync: noun verb: ..." and a newline on stderr, with --json an object;
 * @err is negative, or 0 when no errno goes with it.  Returns @status.
 */
int cli_say(const struct cli *cli, enum cli_exit status, int err,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));

#define cli_fail(cli, status, ...)	cli_say(cli, status, 0, __VA_ARGS__)
#define cli_fail_errno(cli, err, ...) \
	cli_say(cli, EXIT_REFUSED, err, __VA_ARGS__)

/* A command was refused: @err is negative, @reason may be NULL. */
int cli_refused(const struct cli *cli, int err, const char *reason);

/* Takes the options out of the arguments; EXIT_OK or EXIT_USAGE. */
int cli_options(struct cli *cli, const struct cli_option *options);

/* The next argument, or NULL; takes it away. */
const char *cli_next(struct cli *cli);

/* The next argument, which must be there, or says that @what is missing. */
const char *cli_need(struct cli *cli, const char *what);

/* Nothing may be left: EXIT_OK or EXIT_USAGE. */
int cli_end(const struct cli *cli);

/* "@what is a number from 1 to @max", or it says so: EXIT_OK or EXIT_USAGE. */
int cli_number(const struct cli *cli, const char *what, const char *word,
	       uint32_t max, uint32_t *value);

/*
 * Takes "WORD VALUE" pairs: @words is ended by NULL, @values has as many
 * entries.  EXIT_OK or EXIT_USAGE.
 */
int cli_pairs(struct cli *cli, const char *const *words, const char **values);

/* The word nearest to @word, or NULL if none is near. */
const char *cli_nearest(const char *word, const char *const *words);

/* change.c: runs a verb, and with --json tells what it has changed */
bool change_is(const struct cli_verb *verb);
int change_run(struct cli *cli, const struct cli_verb *verb);

/* help.c */
void help_all(void);
/* Of the command of that name: EXIT_OK or EXIT_USAGE. */
int help_on(struct cli *cli, const char *name);

/* complete.c: candidates for the last of @n words, one per line */
int complete(int n, char **words);

#endif /* PSYNC_CLI_H */
