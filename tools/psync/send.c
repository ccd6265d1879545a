// SPDX-License-Identifier: GPL-2.0-only
/* psync send */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "talk.h"

static uint32_t send_port;
static int send_wait;
static bool send_preds;

static const struct cli_option send_options[] = {
	{ "--port", OPTION_PORT, &send_port, "P",
	  "which of the group's ports here we are" },
	{ "--reply-timeout", OPTION_SECONDS, &send_wait, "S",
	  "then print replies until none came for S seconds" },
	{ "--preds", OPTION_FLAG, &send_preds, NULL, "print predecessors" },
	{}
};

/* All words are one message. */
static int send_words(struct talk *talk, struct cli *cli)
{
	size_t room = 1, at = 0;
	char *text;
	int i, status;

	for (i = 0; i < cli->n; i++)
		room += strlen(cli->arg[i]) + 1;
	text = malloc(room);
	if (!text)
		return cli_refused(cli, -ENOMEM, NULL);
	for (i = 0; i < cli->n; i++)
		at += (size_t)snprintf(text + at, room - at, "%s%s",
				       i ? " " : "", cli->arg[i]);
	status = talk_send(talk, text, at);
	free(text);
	return status;
}

/* Each line of stdin is a message. */
static int send_lines(struct talk *talk)
{
	struct line_reader in = { .fd = STDIN_FILENO };
	int status = EXIT_OK;
	size_t len;
	char *line;

	do {
		if (!line_read(&in))
			status = cli_fail(talk->cli, EXIT_REFUSED,
					  "cannot read stdin");
		while (!status && (line = line_next(&in, &len)))
			if (len)
				status = talk_send(talk, line, len);
	} while (!status && !in.eof);
	free(in.buffer);
	return status;
}

/* Until nothing has come for a while. */
static int send_replies(struct talk *talk)
{
	struct pollfd fd = { .fd = talk->fd, .events = POLLIN };
	int status = EXIT_OK;

	while (send_wait && poll(&fd, 1, send_wait) > 0)
		if (talk_recv(talk, &status) < 0)
			break;
	return status;
}

static int send_run(struct cli *cli)
{
	const char *group = cli_need(cli, "group");
	struct talk talk = {};
	int status;

	if (!group)
		return EXIT_USAGE;
	status = talk_join(&talk, cli, group, 0, send_port);
	talk.show_preds = send_preds;
	if (!status) {
		talk_joined(&talk);
		status = cli->n ? send_words(&talk, cli) : send_lines(&talk);
	}
	if (!status)
		status = send_replies(&talk);
	talk_close(&talk);
	return status;
}

const struct cli_noun noun_send = {
	.name = "send",
	.text = "open a new conversation of a group and say something",
	.examples = (const char *const[]) {
		"psync send demo hello world", "date | psync send 7",
		"psync send demo --reply-timeout 2 anybody there", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "GROUP [TEXT...]",
		  "send TEXT, or without it each line of stdin, as a message",
		  "%group", send_options, send_run },
		{}
	},
	.more = "The others wait with psync recv.",
};
