// SPDX-License-Identifier: GPL-2.0-only
/* psync chat */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
 * @in: what is to be said
 * @script: lines of @in may wait for others
 * @line: line to be said next, or NULL
 * @len: its length
 * @wait: it waits for this to be heard, or NULL
 * @heard: texts received, each with its length, while a script may ask
 * @nheard: how many
 * @seen: messages sent and received
 * @until_count: --until N, or 0
 * @until_text: --until TEXT, or NULL
 * @until_seen: it was
 * @blocked: the socket took no more
 */
struct chat {
	struct cli		*cli;
	struct talk		talk;
	struct line_reader	in;
	bool			script;
	char			*line;
	size_t			len;
	char			*wait;
	char			**heard;
	size_t			nheard;
	uint64_t		seen;
	uint64_t		until_count;
	const char		*until_text;
	bool			until_seen;
	bool			blocked;
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

static int chat_hear(struct chat *chat)
{
	struct talk *talk = &chat->talk;
	char **more, *copy;

	chat_saw(chat, talk->text, (size_t)talk->len);
	if (!chat->script)
		return EXIT_OK;
	more = realloc(chat->heard, (chat->nheard + 1) * sizeof(*more));
	if (more)
		chat->heard = more;
	/* A zero within the text ends it here; scripts are text. */
	copy = more ? strndup(talk->text, (size_t)talk->len) : NULL;
	if (!copy)
		return cli_refused(chat->cli, -ENOMEM, NULL);
	chat->heard[chat->nheard++] = copy;
	return EXIT_OK;
}

static bool chat_was_heard(const struct chat *chat, const char *what)
{
	size_t i;

	for (i = 0; i < chat->nheard; i++)
		if (strstr(chat->heard[i], what))
			return true;
	return false;
}

/* "@WORD text", "@"several words" text", "@@text" for a text with an '@'. */
static int chat_parse_script(struct chat *chat)
{
	char *s = chat->line, *end;

	chat->wait = NULL;
	if (!chat->script || s[0] != '@')
		return EXIT_OK;
	if (s[1] == '@') {
		chat->line++;
		chat->len--;
		return EXIT_OK;
	}
	s++;
	end = *s == '"' ? strchr(++s, '"') : strchr(s, ' ');
	if (!end || end == s)
		return cli_fail(chat->cli, EXIT_USAGE,
				"script: \"%s\" is not @WORD and a text",
				chat->line);
	*end++ = '\0';
	end += strspn(end, " ");
	chat->wait = s;
	chat->len -= (size_t)(end - chat->line);
	chat->line = end;
	if (!chat->len)
		return cli_fail(chat->cli, EXIT_USAGE,
				"script: nothing to say after @%s", s);
	return EXIT_OK;
}

/* Says lines as long as there are some and the socket takes them. */
static int chat_say(struct chat *chat)
{
	int status;

	chat->blocked = false;
	for (;;) {
		while (!chat->line || !chat->len) {
			chat->line = line_next(&chat->in, &chat->len);
			if (!chat->line)
				return EXIT_OK;
			status = chat->len ? chat_parse_script(chat) : EXIT_OK;
			if (status)
				return status;
		}
		if (chat->wait && !chat_was_heard(chat, chat->wait))
			return EXIT_OK;
		status = talk_send(&chat->talk, chat->line, chat->len);
		if (status == -EAGAIN) {
			chat->blocked = true;
			return EXIT_OK;
		}
		if (status)
			return status;
		chat_saw(chat, chat->line, chat->len);
		chat->line = NULL;
	}
}

/* Everything that is there; -1: the conversation is over. */
static int chat_take(struct chat *chat, int *status)
{
	int got;

	while (!*status && (got = talk_recv(&chat->talk, status)) > 0)
		if (got == 1)
			*status = chat_hear(chat);
	return *status ? 0 : got;
}

static bool chat_done(const struct chat *chat)
{
	if (chat->until_count)
		return chat->seen >= chat->until_count;
	if (chat->until_text)
		return chat->until_seen;
	return chat->in.eof && !chat->line;
}

/* Waits for something to do, at most so long; -1 and errno, or as poll(). */
static int chat_poll(struct chat *chat, int timeout)
{
	struct pollfd fds[2] = {
		{ .fd = chat->talk.fd, .events = POLLIN },
		{ .fd = chat->in.fd, .events = POLLIN },
	};
	int n;

	if (chat->blocked)
		fds[0].events |= POLLOUT;
	/* A line that waits is said before another is read. */
	if (chat->in.eof || chat->line)
		fds[1].fd = -1;
	n = poll(fds, 2, timeout);
	if (n > 0 && fds[1].revents && !line_read(&chat->in)) {
		cli_fail(chat->cli, EXIT_REFUSED, "cannot read: %s",
			 strerror(errno));
		chat->in.eof = true;
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
		if (!left)
			return cli_fail(chat->cli, EXIT_TIME,
					"the time is over, %" PRIu64
					" messages were seen%s%s", chat->seen,
					chat->wait ? ", waiting for " : "",
					chat->wait ? chat->wait : "");
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
	chat->script = chat_script;
	chat->in.fd = STDIN_FILENO;
	if (chat_script && strcmp(chat_script, "-")) {
		chat->in.fd = open(chat_script, O_RDONLY | O_CLOEXEC);
		if (chat->in.fd < 0)
			return cli_fail(chat->cli, EXIT_REFUSED, "%s: %s",
					chat_script, strerror(errno));
	}
	if (chat_log) {
		chat->talk.log = fopen(chat_log, "ae");
		if (!chat->talk.log)
			return cli_fail(chat->cli, EXIT_REFUSED, "%s: %s",
					chat_log, strerror(errno));
	}
	terminal = isatty(chat->in.fd);
	/* One who types sees the own lines already. */
	chat->talk.quiet_own = terminal;
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
	size_t i;

	if (!group || cli_end(cli))
		return EXIT_USAGE;
	chat.talk.fd = -1;
	status = chat_setup(&chat);
	if (!status)
		status = chat_join(&chat, group);
	if (!status)
		status = chat_loop(&chat);
	talk_close(&chat.talk);
	for (i = 0; i < chat.nheard; i++)
		free(chat.heard[i]);
	free(chat.heard);
	free(chat.in.buffer);
	return status;
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
	.more = "In a script a line is a text, or an answer: \"@WORD text\" is said when a\n"
		"message with WORD has been received (@\"some words\" likewise; @@ begins a\n"
		"text with an @).  Without --until the end of input is the end; from a pipe,\n"
		"one second after the last message.",
};
