// SPDX-License-Identifier: GPL-2.0-only
/* psync recv */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"
#include "text.h"

static uint32_t recv_count;
static int recv_timeout;
static const char *recv_reply;
static bool recv_preds;

static const struct cli_option recv_options[] = {
	{ "--count", OPTION_NUMBER, &recv_count, "N",
	  "leave after N messages" },
	{ "--timeout", OPTION_SECONDS, &recv_timeout, "S",
	  "leave after S seconds (exit 4 if --count was not reached)" },
	{ "--reply", OPTION_TEXT, &recv_reply, "TEXT",
	  "answer each message with TEXT" },
	{ "--preds", OPTION_FLAG, &recv_preds, NULL, "print predecessors" },
	{}
};

#define RECV_BACKLOG	128

/**
 * struct recv_state - the listener and what it accepted
 * @cli: command
 * @fds: to poll: the listener first
 * @talks: conversations; entry i goes with @fds[i + 1]
 * @n: how many
 * @heard: messages so far
 */
struct recv_state {
	struct cli	*cli;
	struct pollfd	*fds;
	struct talk	*talks;
	int		n;
	uint32_t	heard;
};

static int recv_accept(struct recv_state *s)
{
	size_t room = (size_t)s->n + 1;
	struct talk *talks;
	struct pollfd *fds;
	int fd, status;

	fd = accept4(s->fds[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return errno == EAGAIN || errno == EINTR ? EXIT_OK :
			cli_refused(s->cli, -errno, NULL);
	fds = realloc(s->fds, (room + 1) * sizeof(*fds));
	if (fds)
		s->fds = fds;
	talks = realloc(s->talks, room * sizeof(*talks));
	if (talks)
		s->talks = talks;
	if (!fds || !talks) {
		close(fd);
		return cli_refused(s->cli, -ENOMEM, NULL);
	}
	status = talk_accept(&talks[s->n], s->cli, fd);
	talks[s->n].show_preds = recv_preds;
	s->n++;
	fds[s->n].fd = fd;
	fds[s->n].events = POLLIN;
	fds[s->n].revents = 0;
	if (!status)
		talk_joined(&talks[s->n - 1]);
	return status;
}

/* All that is there in one conversation. */
static int recv_take(struct recv_state *s, int i)
{
	struct talk *talk = &s->talks[i];
	int got, status = EXIT_OK;

	while ((got = talk_recv(talk, &status)) > 0) {
		if (got == 2)
			continue;
		s->heard++;
		if (recv_reply)
			status = talk_send(talk, recv_reply,
					   strlen(recv_reply));
		/* No room for the answer now: it is not owed. */
		if (status == -EAGAIN)
			status = EXIT_OK;
		if (status || (recv_count && s->heard == recv_count))
			break;
	}
	/* Over or broken: it must not be polled any more. */
	if (got < 0)
		s->fds[i + 1].fd = -1;
	return status;
}

static int recv_loop(struct recv_state *s)
{
	int64_t end = talk_clock() + recv_timeout, left = -1;
	int i, n, status = EXIT_OK;

	while (!status && !(recv_count && s->heard >= recv_count)) {
		if (recv_timeout) {
			left = end - talk_clock();
			if (left <= 0)
				return recv_count ? EXIT_TIME : EXIT_OK;
		}
		n = s->n;
		if (poll(s->fds, (nfds_t)n + 1, (int)left) < 0 &&
		    errno != EINTR)
			return cli_refused(s->cli, -errno, NULL);
		for (i = 0; !status && i < n; i++)
			if (s->fds[i + 1].revents)
				status = recv_take(s, i);
		if (!status && s->fds[0].revents)
			status = recv_accept(s);
	}
	return status;
}

static int recv_run(struct cli *cli)
{
	struct recv_state s = { .cli = cli };
	const char *word = cli_need(cli, "port");
	int fd, i, status;
	uint32_t port;

	if (!word || cli_end(cli))
		return EXIT_USAGE;
	if (cli_number(cli, "a port", word, CLI_PORT_MAX, &port))
		return EXIT_USAGE;
	fd = psync_listen(port, RECV_BACKLOG);
	if (fd < 0)
		return cli_refused(cli, fd, NULL);
	s.fds = calloc(1, sizeof(*s.fds));
	if (!s.fds)
		return cli_refused(cli, -ENOMEM, NULL);
	s.fds[0].fd = fd;
	s.fds[0].events = POLLIN;
	if (!cli->json)
		fprintf(stderr, "psync: listening on port %" PRIu32 "\n", port);
	status = recv_loop(&s);
	if (status == EXIT_TIME)
		cli_fail(cli, status, "%" PRIu32 " of %" PRIu32
			 " messages came in time", s.heard, recv_count);
	for (i = 0; i < s.n; i++)
		talk_close(&s.talks[i]);
	close(fd);
	free(s.talks);
	free(s.fds);
	return status;
}

const struct cli_noun noun_recv = {
	.name = "recv",
	.text = "wait for conversations that others open and print what is said",
	.examples = (const char *const[]) {
		"psync recv 100", "psync recv 100 --count 1 --timeout 10",
		"psync recv 100 --reply \"I am here\"", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "PORT", "listen on the port, accept all", "",
		  recv_options, recv_run },
		{}
	},
};
