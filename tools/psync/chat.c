// SPDX-License-Identifier: GPL-2.0-only
/* psync chat */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "say.h"
#include "talk.h"
#include "text.h"

/* What the site keeps at most for those who come back (PSYNC_HISTORY). */
#define CHAT_HISTORY	(1 << 20)

static uint32_t chat_number = 1, chat_port;
static const char *chat_script, *chat_until, *chat_log;
static int chat_linger = -1, chat_timeout;
static bool chat_preds, chat_restart;

static const struct cli_option chat_options[] = {
	{ "--number", OPTION_NUMBER, &chat_number, "N",
	  "conversation number: all who say the same one meet (1)" },
	{ "--port", OPTION_PORT, &chat_port, "P",
	  "which of the group's ports here we are" },
	{ "--restart", OPTION_FLAG, &chat_restart, NULL,
	  "come back after a crash: hear again what is kept" },
	{ "--script", OPTION_TEXT, &chat_script, "FILE",
	  "say what is in FILE (-: stdin), with answers" },
	{ "--until", OPTION_TEXT, &chat_until, "N|TEXT",
	  "stay until N messages, or one with TEXT, were seen" },
	{ "--linger", OPTION_SECONDS, &chat_linger, "S",
	  "then stay until nothing came for S seconds" },
	{ "--timeout", OPTION_SECONDS, &chat_timeout, "S",
	  "leave after S seconds (exit 4)" },
	{ "--log", OPTION_TEXT, &chat_log, "FILE",
	  "append what happens as lines of JSON" },
	{ "--preds", OPTION_FLAG, &chat_preds, NULL, "print predecessors" },
	{}
};

/**
 * struct chat - a run of psync chat
 * @cli: command
 * @talk: the participant
 * @say: what is to be said
 * @command: what commands need to know
 * @seen: messages sent and received
 * @until_count: --until N, or 0
 * @until_text: --until TEXT, or NULL
 * @until_seen: it was
 * @blocked: the socket took no more
 * @watched: somebody who types sees what is refused
 * @refused: status of the last command that was, where nobody does
 */
struct chat {
	struct cli		*cli;
	struct talk		talk;
	struct say		say;
	struct command		command;
	uint64_t		seen;
	uint64_t		until_count;
	const char		*until_text;
	bool			until_seen;
	bool			blocked;
	bool			watched;
	int			refused;
};

static bool chat_contains(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what));
}

/* A message went by, in either direction. */
static void chat_saw(struct chat *chat, const char *text, size_t len)
{
	chat->seen++;
	if (chat->until_text && chat_contains(text, len, chat->until_text))
		chat->until_seen = true;
}

static int chat_memory(const struct chat *chat, int err)
{
	return err ? cli_refused(chat->cli, err, NULL) : EXIT_OK;
}

static int chat_hear(struct chat *chat)
{
	struct talk *talk = &chat->talk;

	chat_saw(chat, talk->text, (size_t)talk->len);
	return chat_memory(chat, say_hear(&chat->say, talk->text,
					  (size_t)talk->len));
}

/* A script ends with what is refused; who types goes on. */
static int chat_command(struct chat *chat, const char *line)
{
	int status = command_run(&chat->command, line);

	if (!status || chat->say.script)
		return status;
	if (!chat->watched)
		chat->refused = status;
	return EXIT_OK;
}

static int chat_do(struct chat *chat, const struct say_line *line)
{
	int status;

	if (line->bad)
		return cli_fail(chat->cli, EXIT_USAGE, "%s", line->bad);
	if (line->command)
		return chat_command(chat, line->text);
	status = talk_send(&chat->talk, line->text, line->len);
	if (!status)
		chat_saw(chat, line->text, line->len);
	return status;
}

/* Does what lines say as long as there are some and the socket takes them. */
static int chat_say(struct chat *chat)
{
	struct say_line *line;
	int status;

	chat->blocked = false;
	for (;;) {
		status = chat_memory(chat, say_fill(&chat->say));
		if (status)
			return status;
		line = say_next(&chat->say, chat->blocked);
		if (!line)
			return EXIT_OK;
		status = chat_do(chat, line);
		if (status == -EAGAIN) {
			chat->blocked = true;
			continue;
		}
		if (status)
			return status;
		say_done(&chat->say, line);
	}
}

/* Everything that is there; -1: the conversation is over. */
static int chat_take(struct chat *chat, int *status)
{
	int got;

	while (!*status && (got = talk_recv(&chat->talk, status)) > 0)
		*status = got == 1 ? chat_hear(chat) :
			  chat_memory(chat, command_event(&chat->command,
						&chat->talk.got.event));
	return *status ? 0 : got;
}

static bool chat_done(const struct chat *chat)
{
	if (chat->until_count)
		return chat->seen >= chat->until_count;
	if (chat->until_text)
		return chat->until_seen;
	return say_over(&chat->say);
}

/* Waits for something to do, at most so long; -1 and errno, or as poll(). */
static int chat_poll(struct chat *chat, int timeout)
{
	struct pollfd fds[2] = {
		{ .fd = chat->talk.fd, .events = POLLIN },
		{ .fd = chat->say.in.fd, .events = POLLIN },
	};
	int n;

	if (chat->blocked)
		fds[0].events |= POLLOUT;
	if (chat->say.in.eof || !say_hungry(&chat->say))
		fds[1].fd = -1;
	n = poll(fds, 2, timeout);
	if (n > 0 && fds[1].revents && !line_read(&chat->say.in)) {
		cli_fail(chat->cli, EXIT_REFUSED, "cannot read: %s",
			 strerror(errno));
		chat->say.in.eof = true;
		return -1;
	}
	return n;
}

/* What is left of --timeout, -1 if there is none. */
static int chat_left(int64_t begin)
{
	int64_t left;

	if (!chat_timeout)
		return -1;
	left = begin + chat_timeout - talk_clock();
	return left > 0 ? (int)left : 0;
}

static int chat_linger_on(struct chat *chat)
{
	struct pollfd fd = { .fd = chat->talk.fd, .events = POLLIN };
	int status = EXIT_OK;

	while (!status && chat_linger && poll(&fd, 1, chat_linger) > 0)
		if (chat_take(chat, &status) < 0)
			break;
	return status;
}

static int chat_loop(struct chat *chat)
{
	int64_t begin = talk_clock();
	int status = EXIT_OK, left;
	const char *wait;

	for (;;) {
		/* What was heard comes into the context of what is said. */
		if (chat_take(chat, &status) < 0)
			return status;
		if (!status)
			status = chat_say(chat);
		if (status)
			return status;
		if (chat_done(chat))
			return chat_linger_on(chat);
		left = chat_left(begin);
		wait = say_waits(&chat->say);
		if (!left)
			return cli_fail(chat->cli, EXIT_TIME,
					"the time is over, %" PRIu64
					" messages were seen%s%s", chat->seen,
					wait ? ", waiting for " : "",
					wait ? wait : "");
		if (chat_poll(chat, left) < 0 && errno != EINTR)
			return EXIT_REFUSED;
	}
}

/* --until N or TEXT, --script, --log, and what follows from a terminal. */
static int chat_setup(struct chat *chat)
{
	bool terminal;

	if (chat_until && !*chat_until)
		return cli_fail(chat->cli, EXIT_USAGE, "--until what?");
	if (chat_until && !text_u64(chat_until, &chat->until_count))
		chat->until_text = chat_until;
	chat->say.script = chat_script;
	chat->say.in.fd = STDIN_FILENO;
	if (chat_script && strcmp(chat_script, "-")) {
		chat->say.in.fd = open(chat_script, O_RDONLY | O_CLOEXEC);
		if (chat->say.in.fd < 0)
			return cli_fail(chat->cli, EXIT_REFUSED, "%s: %s",
					chat_script, strerror(errno));
	}
	if (chat_log) {
		chat->talk.log = fopen(chat_log, "ae");
		if (!chat->talk.log)
			return cli_fail(chat->cli, EXIT_REFUSED, "%s: %s",
					chat_log, strerror(errno));
	}
	terminal = isatty(chat->say.in.fd);
	/* One who types sees the own lines already. */
	chat->talk.quiet_own = terminal;
	chat->watched = terminal;
	chat->talk.show_preds = chat_preds;
	if (chat_linger < 0)
		chat_linger = terminal || chat_until ? 0 : 1000;
	return EXIT_OK;
}

/* Joins, and keeps what is said for whoever comes back. */
static int chat_join(struct chat *chat, const char *group)
{
	struct talk *talk = &chat->talk;
	int status, err;

	talk->restart = chat_restart;
	status = talk_join(talk, chat->cli, group, chat_number, chat_port);
	if (status)
		return status;
	err = psync_set_history(talk->fd, CHAT_HISTORY);
	if (!err && fcntl(talk->fd, F_SETFL, O_NONBLOCK) < 0)
		err = -errno;
	if (err)
		return cli_refused(chat->cli, err, NULL);
	talk_joined(talk);
	return EXIT_OK;
}

static int chat_run(struct cli *cli)
{
	const char *group = cli_need(cli, "group");
	struct chat chat = { .cli = cli };
	int status;

	if (!group || cli_end(cli))
		return EXIT_USAGE;
	chat.talk.fd = -1;
	chat.command.talk = &chat.talk;
	status = chat_setup(&chat);
	if (!status)
		status = chat_join(&chat, group);
	if (!status)
		status = chat_loop(&chat);
	talk_close(&chat.talk);
	command_free(&chat.command);
	say_free(&chat.say);
	return status ? status : chat.refused;
}

const struct cli_noun noun_chat = {
	.name = "chat",
	.text = "meet the others of a group and talk",
	.examples = (const char *const[]) {
		"psync chat demo", "psync chat demo --number 2 --preds",
		"psync chat demo --restart",
		"psync chat demo --script lines.txt --until 6 --log chat.log",
		NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "GROUP",
		  "send lines of stdin, print what all send as it comes",
		  "%group", chat_options, chat_run },
		{}
	},
	.more = "A line that begins with / is a command: /mask HOST does not wait for a\n"
		"participant any more, /unmask HOST does again, /masks says who is masked out\n"
		"by whom; HOST is SITE:PORT, or SITE.  //text says a text with a /.\n\n"
		"In a script a line is a text, or an answer: \"@WORD text\" is said when a\n"
		"message with WORD has been received (@\"some words\" likewise; @@ begins a\n"
		"text with an @).  Without --until the end of input is the end; from a pipe,\n"
		"one second after the last message.",
};
