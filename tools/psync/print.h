/* SPDX-License-Identifier: GPL-2.0-only */
/* What several commands print or parse alike. */
#ifndef PSYNC_PRINT_H
#define PSYNC_PRINT_H

#include "cli.h"
#include "ipc.h"
#include "json.h"

/* link.c, peer.c, group.c */
void print_link_json(struct json *j, const char *name,
		     const struct ipc_link *link);
void print_peer_json(struct json *j, const char *name,
		     const struct ipc_peer *peer);
void print_group_json(struct json *j, const char *name,
		      const struct ipc_group *group);

/* The longest name of a participant, with the zero: a pid, and that it is us. */
#define PRINT_NAME	(TEXT_PID + 8)

/**
 * struct print_names - what the participants of a conversation are called
 * @pids: they
 * @n: how many
 * @own: which of them we are
 */
struct print_names {
	const struct psync_pid	*pids;
	uint32_t		n;
	uint32_t		own;
};

/* event.c: @names is NULL where it is not known who the participants are */
void print_event(FILE *out, const struct psync_event *ev,
		 const struct print_names *names);
void print_event_json(struct json *j, const char *name,
		      const struct psync_event *ev,
		      const struct print_names *names);
/* "2:100", "1:100 (us)" or "participant 2", of PRINT_NAME bytes at most. */
const char *print_participant(const struct print_names *names, uint32_t index,
			      char *out);

/* print.c */
void print_pids_json(struct json *j, const char *name,
		     const struct psync_pid *pids, uint32_t n);
void print_mids_json(struct json *j, const char *name, const uint64_t *mids,
		     uint32_t n);

/* A UDP port; NULL gives 0.  EXIT_OK or EXIT_USAGE. */
int print_parse_port(const struct cli *cli, const char *word, uint16_t *port);

/* What to say when something that names a link failed; EXIT_OK if @err is 0. */
int print_link_refused(const struct cli *cli, struct ipc *ipc, int err,
		       const char *link);

/*
 * A group by number or name; to be freed with ipc_group_free(group, 1).
 * EXIT_OK, or what was printed.
 */
int print_find_group(const struct cli *cli, struct ipc *ipc, const char *word,
		     struct ipc_group **group);

/* Is it the beginning of a conversation id (or NULL)?  EXIT_OK or EXIT_USAGE. */
int print_parse_conv(const struct cli *cli, const char *word);

/*
 * A conversation by the beginning of its id, or, when @word is NULL, the only
 * one.  Copied out of the list; its arrays live as long as that.
 */
int print_find_conv(const struct cli *cli, const char *word,
		    const struct ipc_conv *convs, int n,
		    const struct ipc_conv **conv);

#endif /* PSYNC_PRINT_H */
