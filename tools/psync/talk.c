// SPDX-License-Identifier: GPL-2.0-only
/* Taking part in a conversation: what send, recv and chat have in common. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "print.h"
#include "talk.h"

#define TALK_PREDS	1024
/* No packet carries more, whatever our own limit is. */
#define TALK_ROOM	65536

int64_t talk_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int talk_fail(const struct talk *talk, const char *what, int err)
{
	if (err == -EAFNOSUPPORT)
		return cli_refused(talk->cli, err, NULL);
	return cli_fail_errno(talk->cli, err, "%s: %s", what, strerror(-err));
}

/* What is known of a conversation from its socket. */
static int talk_setup(struct talk *talk)
{
	int err = psync_get_info(talk->fd, &talk->info);

	if (err)
		return talk_fail(talk, "about the conversation", err);
	err = psync_participants(talk->fd, &talk->pids);
	if (err < 0)
		return talk_fail(talk, "participants", err);
	talk->pid = talk->pids[talk->info.index];
	talk->room = talk->info.max_body > TALK_ROOM ? talk->info.max_body :
						       TALK_ROOM;
	talk->text = malloc(talk->room);
	talk->preds = malloc(TALK_PREDS * sizeof(*talk->preds));
	if (!talk->text || !talk->preds)
		return talk_fail(talk, "memory", -ENOMEM);
	return EXIT_OK;
}

static int talk_find_group(struct cli *cli, const char *word,
			   uint32_t *number)
{
	struct ipc_group *group = NULL;
	struct ipc *ipc = NULL;
	int err, status;

	err = ipc_open(&ipc);
	if (err)
		return cli_refused(cli, err, NULL);
	status = print_find_group(cli, ipc, word, &group);
	if (group) {
		*number = group->number;
		ipc_group_free(group, 1);
	}
	ipc_close(ipc);
	return status;
}

int talk_join(struct talk *talk, struct cli *cli, const char *group,
	      uint32_t number, uint32_t port)
{
	uint32_t id = 0;
	int status;

	talk->cli = cli;
	talk->fd = -1;
	status = talk_find_group(cli, group, &id);
	if (status)
		return status;
	talk->fd = talk->restart ? psync_rejoin(id, number, port, 0) :
				   psync_join(id, number, port);
	if (talk->fd == -EMSGSIZE)
		return cli_fail_errno(cli, -EMSGSIZE,
				      "the link to a member carries too little, even for fragments");
	if (talk->fd < 0)
		return cli_refused(cli, talk->fd, NULL);
	return talk_setup(talk);
}

int talk_accept(struct talk *talk, struct cli *cli, int fd)
{
	memset(talk, 0, sizeof(*talk));
	talk->cli = cli;
	talk->fd = fd;
	return talk_setup(talk);
}

void talk_close(struct talk *talk)
{
	if (talk->fd >= 0)
		close(talk->fd);
	if (talk->log)
		fclose(talk->log);
	free(talk->pids);
	free(talk->text);
	free(talk->preds);
}

/* Seconds since 1970 as a JSON number. */
static void talk_json_time(struct json *j)
{
	struct timespec now;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, sizeof(text), "%lld.%06ld", (long long)now.tv_sec,
		 now.tv_nsec / 1000);
	json_raw(j, "time", text);
}

void talk_json_open(const struct talk *talk, struct json *j, const char *dir)
{
	char text[TEXT_CID];

	json_open(j, NULL, '{');
	talk_json_time(j);
	json_text(j, "dir", dir);
	json_text(j, "cid", text_of_cid(talk->info.cid, text));
}

static void talk_json_joined(const struct talk *talk, FILE *out)
{
	struct json j = { .out = out };
	char text[TEXT_PID];

	talk_json_open(talk, &j, "joined");
	json_u64(&j, "group", talk->info.group);
	json_u64(&j, "number", talk->info.number);
	json_u64(&j, "index", talk->info.index);
	if (talk->restart)
		json_bool(&j, "restart", true);
	json_text(&j, "pid", text_of_pid(&talk->pid, text));
	print_pids_json(&j, "participants", talk->pids,
			talk->info.participants);
	json_close(&j, '}');
	json_end(&j);
}

void talk_joined(const struct talk *talk)
{
	char cid[TEXT_CID], pid[TEXT_PID];

	if (talk->log)
		talk_json_joined(talk, talk->log);
	if (talk->cli->json) {
		talk_json_joined(talk, stdout);
		return;
	}
	fprintf(stderr, "psync: conversation %s of %" PRIu32
		", we are %" PRIu32 " = %s%s\n", text_of_cid(talk->info.cid, cid),
		talk->info.participants, talk->info.index,
		text_of_pid(&talk->pid, pid), talk->restart ?
		", back: what is kept of what was said comes first" : "");
}

/* A message to be told of. */
struct talk_message {
	const char		*dir;
	uint64_t		mid;
	const struct psync_pid	*sender;
	const uint64_t		*preds;
	uint32_t		npreds;
	const char		*text;
	size_t			len;
};

static void talk_json_message(const struct talk *talk, FILE *out,
			      const struct talk_message *m)
{
	struct json j = { .out = out };
	char text[TEXT_MID];

	talk_json_open(talk, &j, m->dir);
	json_text(&j, "mid", text_of_mid(m->mid, text));
	json_text(&j, "sender", text_of_pid(m->sender, text));
	print_mids_json(&j, "preds", m->preds, m->npreds);
	json_bytes(&j, "text", m->text, m->len);
	json_close(&j, '}');
	json_end(&j);
}

static void talk_print_message(const struct talk *talk,
			       const struct talk_message *m)
{
	char text[TEXT_MID], pid[TEXT_PID];
	uint32_t i;

	printf("%s <%s> ", text_of_mid(m->mid, text),
	       text_of_pid(m->sender, pid));
	text_print(stdout, m->text, m->len);
	for (i = 0; talk->show_preds && i < m->npreds; i++)
		printf("%s%s", i ? ", " : "  (after ",
		       text_of_mid(m->preds[i], text));
	puts(talk->show_preds && m->npreds ? ")" : "");
	fflush(stdout);
}

static void talk_tell(const struct talk *talk, const struct talk_message *m,
		      bool print)
{
	if (talk->log)
		talk_json_message(talk, talk->log, m);
	if (talk->cli->json)
		talk_json_message(talk, stdout, m);
	else if (print)
		talk_print_message(talk, m);
}

int talk_send(struct talk *talk, const char *text, size_t len)
{
	struct talk_message m = {
		.dir = "sent", .sender = &talk->pid, .text = text, .len = len,
	};
	uint64_t *preds = NULL;
	int err;

	err = psync_send(talk->fd, text, len, &m.mid);
	if (err == -EAGAIN)
		return err;
	if (err == -EMSGSIZE)
		return cli_fail_errno(talk->cli, err,
				      "a message of %zu bytes is too long (limit %"
				      PRIu32 ")", len, talk->info.max_body);
	if (err)
		return cli_refused(talk->cli, err, NULL);
	/* Old nodes may be freed at once: then it has none to name. */
	err = psync_prev(talk->fd, m.mid, &preds);
	if (err > 0) {
		m.preds = preds;
		m.npreds = (uint32_t)err;
	}
	talk_tell(talk, &m, !talk->quiet_own);
	free(preds);
	return EXIT_OK;
}

FILE *talk_json_out(const struct talk *talk, int i)
{
	if (!i)
		return talk->log;
	return talk->cli->json ? stdout : NULL;
}

struct print_names talk_names(const struct talk *talk)
{
	return (struct print_names){
		.pids = talk->pids, .n = talk->info.participants,
		.own = talk->info.index,
	};
}

static void talk_tell_event(const struct talk *talk,
			    const struct psync_event *ev)
{
	struct print_names names = talk_names(talk);
	struct json j = {};
	int i;

	for (i = 0; i < TALK_JSON_OUTS; i++) {
		j.out = talk_json_out(talk, i);
		if (!j.out)
			continue;
		talk_json_open(talk, &j, "event");
		print_event_json(&j, "event", ev, &names);
		json_close(&j, '}');
		json_end(&j);
	}
	if (!talk->cli->json) {
		fflush(stdout);
		print_event(stderr, ev, &names);
	}
}

int talk_recv(struct talk *talk, int *status)
{
	struct talk_message m = { .dir = "received" };

	talk->len = psync_recv(talk->fd, talk->text, talk->room, &talk->got,
			       talk->preds, TALK_PREDS);
	if (talk->len == -EAGAIN || talk->len == -EINTR)
		return 0;
	if (talk->len < 0) {
		*status = cli_refused(talk->cli, talk->len, NULL);
		return -1;
	}
	if (talk->got.kind == PSYNC_RECEIVED_NOTHING)
		return -1;
	if (talk->got.kind == PSYNC_RECEIVED_EVENT) {
		talk_tell_event(talk, &talk->got.event);
		return 2;
	}
	m.mid = talk->got.mid;
	m.sender = &talk->got.sender;
	m.preds = talk->preds;
	m.npreds = talk->got.npreds;
	m.text = talk->text;
	m.len = (size_t)talk->len;
	talk_tell(talk, &m, true);
	return 1;
}

bool line_read(struct line_reader *reader)
{
	char *more;
	ssize_t n;

	if (reader->used) {
		reader->len -= reader->used;
		memmove(reader->buffer, reader->buffer + reader->used,
			reader->len);
		reader->used = 0;
	}
	/* One byte stays for a zero. */
	if (reader->room - reader->len < 2) {
		more = realloc(reader->buffer, reader->room * 2 + 4096);
		if (!more)
			return false;
		reader->buffer = more;
		reader->room = reader->room * 2 + 4096;
	}
	n = read(reader->fd, reader->buffer + reader->len,
		 reader->room - reader->len - 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	reader->eof = !n;
	reader->len += (size_t)n;
	return true;
}

char *line_next(struct line_reader *reader, size_t *len)
{
	char *line = reader->buffer + reader->used, *end;
	size_t left = reader->len - reader->used;

	if (!left)
		return NULL;
	end = memchr(line, '\n', left);
	if (!end && !reader->eof)
		return NULL;
	*len = end ? (size_t)(end - line) : left;
	reader->used += *len + (end ? 1 : 0);
	line[*len] = '\0';
	return line;
}
