/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking part in a conversation: what send, recv and chat have in common. */
#ifndef PSYNC_TALK_H
#define PSYNC_TALK_H

#include <libpsync.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli.h"
#include "print.h"

/**
 * struct talk - one participant in one conversation
 * @cli: for messages and --json
 * @fd: the socket
 * @info: about the conversation, as it was when opened
 * @pid: who we are
 * @pids: the participants
 * @restart: come back to what we took part in before; before talk_join()
 * @log: gets lines of JSON, too, or NULL
 * @quiet_own: do not print messages we sent
 * @show_preds: print predecessors
 * @text: message received last
 * @room: most bytes of it
 * @len: its bytes
 * @got: about it
 * @preds: its predecessors
 */
struct talk {
	struct cli		*cli;
	int			fd;
	struct psync_info	info;
	struct psync_pid	pid;
	struct psync_pid	*pids;
	bool			restart;
	FILE			*log;
	bool			quiet_own;
	bool			show_preds;
	char			*text;
	size_t			room;
	int			len;
	struct psync_received	got;
	uint64_t		*preds;
};

/* Joins a group's conversation, by number or name; EXIT_OK or what was said. */
int talk_join(struct talk *talk, struct cli *cli, const char *group,
	      uint32_t number, uint32_t port);

/* Takes over what accept() returned. */
int talk_accept(struct talk *talk, struct cli *cli, int fd);

void talk_close(struct talk *talk);

/* Says (on stderr, as JSON on stdout, in the log) that we take part. */
void talk_joined(const struct talk *talk);

/* Sends and prints.  EXIT_OK, what was said, or -EAGAIN: not now. */
int talk_send(struct talk *talk, const char *text, size_t len);

/*
 * Receives into @talk and prints: 1 a message, 2 an event, 0 nothing now or
 * (-1) ever any more; EXIT_* of a failure that was said is returned in
 * @status.
 */
int talk_recv(struct talk *talk, int *status);

/* For what is told beside messages: the names, and where lines of JSON go. */
struct print_names talk_names(const struct talk *talk);

#define TALK_JSON_OUTS	2

/* Of TALK_JSON_OUTS places, the log and stdout; NULL: not there. */
FILE *talk_json_out(const struct talk *talk, int i);

/* Begins such a line; the caller goes on and closes it. */
void talk_json_open(const struct talk *talk, struct json *j, const char *dir);

/* "-" or nothing is stdin.  A line at a time, with what is there already. */
struct line_reader {
	int	fd;
	char	*buffer;
	size_t	len, room;	/* read, and space */
	size_t	used;		/* handed out */
	bool	eof;
};

/* After poll() said so: reads once; false when that failed. */
bool line_read(struct line_reader *reader);

/*
 * A line without its end, or NULL when none is complete.  At the end of input
 * what is left is a line.  Good until the next call of either.
 */
char *line_next(struct line_reader *reader, size_t *len);

/* Milliseconds that only grow. */
int64_t talk_clock(void);

#endif /* PSYNC_TALK_H */
