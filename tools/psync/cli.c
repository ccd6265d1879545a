// SPDX-License-Identifier: GPL-2.0-only
/* Arguments, options and errors of all commands. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "text.h"

static void cli_say_json(const char *command, enum cli_exit status, int err,
			 const char *text)
{
	const char *name = err ? strerrorname_np(-err) : NULL;
	struct json j = { .out = stderr };

	json_open(&j, NULL, '{');
	json_text(&j, "error", text);
	if (*command)
		json_text(&j, "command", command);
	json_u64(&j, "exit", status);
	if (name)
		json_text(&j, "errno", name);
	json_close(&j, '}');
	json_end(&j);
}

int cli_say(const struct cli *cli, enum cli_exit status, int err,
	    const char *format, ...)
{
	char command[64] = "", *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	fflush(stdout);
	if (cli->noun)
		snprintf(command, sizeof(command), "%s%s%s", cli->noun,
			 cli->verb ? " " : "", cli->verb ? cli->verb : "");
	if (cli->json)
		cli_say_json(command, status, err,
			     text ? text : "out of memory");
	else
		fprintf(stderr, "psync: %s%s%s\n", command,
			*command ? ": " : "", text ? text : "out of memory");
	free(text);
	return status;
}

/* What some errors mean here that strerror() does not say. */
static const char *cli_meaning(int err)
{
	switch (-err) {
	case EPERM:
		return "needs CAP_NET_ADMIN (root) in this network namespace";
	case EAFNOSUPPORT:
		return "psync is not in this kernel: modprobe psync";
	case ENETDOWN:
		return "this namespace has no site id: psync site set ID";
	case EHOSTUNREACH:
		return "a member's site is no peer: psync peer add";
	case EADDRNOTAVAIL:
		return "this site is no member of the group";
	case EADDRINUSE:
		return "the port is in use";
	case EACCES:
		return "that port is no member of the group";
	case EBUSY:
		return "that participant is in this conversation already";
	case ENFILE:
		return "too many conversations (sysctl net.psync.convs_max)";
	case ESTALE:
		return "others go on without you, who left or were masked out for good: psync chat --restart comes back";
	}
	return strerror(-err);
}

int cli_refused(const struct cli *cli, int err, const char *reason)
{
	enum cli_exit status = EXIT_REFUSED;

	/* With a reason it was the module that said so. */
	if (err == -EAFNOSUPPORT && !reason)
		status = EXIT_NO_MODULE;
	return cli_say(cli, status, err, "%s",
		       reason ? reason : cli_meaning(err));
}

/* How many edits lead from one word to the other; rows of a small table. */
static size_t cli_distance(const char *a, const char *b)
{
	size_t n = strlen(b), i, j, diagonal, above, row[64];

	if (strlen(a) > 60 || n > 60)
		return 60;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[n];
}

const char *cli_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t least = 3, far;

	for (; *words; words++) {
		far = cli_distance(word, *words);
		if (far < least && far < strlen(*words)) {
			least = far;
			best = *words;
		}
	}
	return best;
}

static int cli_unknown_option(const struct cli *cli, const char *word,
			      const struct cli_option *options)
{
	const char *names[32] = { "--json", "--help" };
	const char *near;
	int n;

	for (n = 2; options && options->name && n < 31; options++)
		names[n++] = options->name;
	near = cli_nearest(word, names);
	if (near)
		return cli_fail(cli, EXIT_USAGE,
				"no option %s, did you mean %s?", word, near);
	return cli_fail(cli, EXIT_USAGE, "no option %s (psync help %s)", word,
			cli->noun);
}

static int cli_option_value(const struct cli *cli,
			    const struct cli_option *option, const char *word)
{
	uint32_t max = UINT32_MAX;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)option->value = true;
		return EXIT_OK;
	case OPTION_TEXT:
		*(const char **)option->value = word;
		return EXIT_OK;
	case OPTION_NUMBER:
	case OPTION_PORT:
		if (option->type == OPTION_PORT)
			max = CLI_PORT_MAX;
		if (text_u32(word, 1, max, option->value))
			return EXIT_OK;
		return cli_fail(cli, EXIT_USAGE,
				"%s takes a number from 1 to %" PRIu32
				", not \"%s\"", option->name, max, word);
	case OPTION_SECONDS:
		if (text_seconds(word, option->value))
			return EXIT_OK;
		return cli_fail(cli, EXIT_USAGE,
				"%s takes seconds from 0 to %d, not \"%s\"",
				option->name, TEXT_SECONDS_MAX, word);
	}
	return EXIT_USAGE;
}

static const struct cli_option *cli_find_option(const struct cli_option *option,
						const char *name)
{
	for (; option && option->name; option++)
		if (!strcmp(option->name, name))
			return option;
	return NULL;
}

int cli_options(struct cli *cli, const struct cli_option *options)
{
	const struct cli_option *option;
	int from, to = 0, status;
	const char *word;

	for (from = 0; from < cli->n; from++) {
		word = cli->arg[from];
		if (!strcmp(word, "--")) {
			from++;
			break;
		}
		/* A lone dash and negative numbers are no options. */
		if (word[0] != '-' || word[1] != '-') {
			cli->arg[to++] = cli->arg[from];
			continue;
		}
		option = cli_find_option(options, word);
		if (!option)
			return cli_unknown_option(cli, word, options);
		if (option->type != OPTION_FLAG && ++from == cli->n)
			return cli_fail(cli, EXIT_USAGE, "%s needs %s", word,
					option->arg);
		status = cli_option_value(cli, option, cli->arg[from]);
		if (status)
			return status;
	}
	for (; from < cli->n; from++)
		cli->arg[to++] = cli->arg[from];
	cli->n = to;
	return EXIT_OK;
}

const char *cli_next(struct cli *cli)
{
	if (!cli->n)
		return NULL;
	cli->n--;
	return *cli->arg++;
}

const char *cli_need(struct cli *cli, const char *what)
{
	if (!cli->n) {
		cli_fail(cli, EXIT_USAGE, "%s missing (psync help %s)", what,
			 cli->noun);
		return NULL;
	}
	return cli_next(cli);
}

int cli_end(const struct cli *cli)
{
	if (!cli->n)
		return EXIT_OK;
	return cli_fail(cli, EXIT_USAGE, "\"%s\" is one too many (psync help %s)",
			cli->arg[0], cli->noun);
}

int cli_number(const struct cli *cli, const char *what, const char *word,
	       uint32_t max, uint32_t *value)
{
	if (text_u32(word, 1, max, value))
		return EXIT_OK;
	return cli_fail(cli, EXIT_USAGE, "%s is a number from 1 to %" PRIu32
			", not \"%s\"", what, max, word);
}

int cli_pairs(struct cli *cli, const char *const *words, const char **values)
{
	const char *word, *near;
	int i;

	while ((word = cli_next(cli))) {
		for (i = 0; words[i] && strcmp(words[i], word); i++)
			;
		if (!words[i]) {
			near = cli_nearest(word, words);
			return cli_fail(cli, EXIT_USAGE,
					"\"%s\" means nothing here%s%s%s",
					word, near ? ", did you mean " : "",
					near ? near : "", near ? "?" : "");
		}
		if (values[i])
			return cli_fail(cli, EXIT_USAGE, "%s twice", word);
		values[i] = cli_next(cli);
		if (!values[i])
			return cli_fail(cli, EXIT_USAGE,
					"%s needs a value", word);
	}
	return EXIT_OK;
}
