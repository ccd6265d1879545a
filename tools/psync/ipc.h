/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel can be asked and told, without saying how: a list, get, set
 * and subscribe per object.  Functions return 0 or a count, or a negative
 * errno; then ipc_reason() may say in words what the kernel had against it.
 */
#ifndef PSYNC_IPC_H
#define PSYNC_IPC_H

#include <linux/psync.h>
#include <linux/psync_netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define IPC_NAME	(PSYNC_NAME_MAX + 1)

struct ipc;

struct ipc_site {
	uint32_t	id;
	uint64_t	incarnation;
	uint16_t	family;
	uint32_t	users;
};

struct ipc_link {
	char			name[IPC_NAME];
	uint32_t		kind;		/* enum psync_link_kind */
	char			dev[IPC_NAME];
	uint32_t		ifindex;
	uint16_t		ethertype;
	struct text_addr	local;
	bool			up;
	uint64_t		rx_packets;
	uint64_t		tx_packets;
};

struct ipc_peer {
	uint32_t		site;
	char			link[IPC_NAME];
	struct text_addr	addr;
	uint64_t		incarnation;
	uint64_t		candidate;
	uint32_t		parked;
};

struct ipc_group {
	uint32_t		number;
	char			name[IPC_NAME];
	uint64_t		digest;
	uint32_t		n;
	struct psync_pid	*pids;
	struct psync_slow	slow;
	bool			has_slow;	/* requests: policy and ms */
	bool			has_slow_ms;	/* are to be changed */
};

struct ipc_conv {
	uint64_t		cid;
	uint32_t		state;		/* enum psync_conv_state */
	uint32_t		group;
	uint32_t		number;
	uint64_t		digest;
	uint32_t		site;
	uint32_t		opening;
	uint32_t		n;		/* 0 in an embryo */
	struct psync_pid	*pids;
	uint64_t		*seqs;
	uint32_t		views;
	uint32_t		sites;
	uint32_t		confirmed;
	uint32_t		nodes;
	uint64_t		attached;
	uint32_t		held;
	uint32_t		early;
	uint64_t		body_bytes;
	uint32_t		depth;
	uint32_t		unheld;
	uint64_t		lacking;
	uint64_t		charged;
	uint64_t		owed;
	struct psync_slow	slow;
	uint32_t		blocker_site;
	uint32_t		blocker;	/* index and one */
	uint64_t		window;
	uint64_t		flight;
};

/* Bytes of a set of participants: bit i % 8 of byte i / 8. */
#define IPC_SET			128

struct ipc_view {
	uint32_t		index;
	uint32_t		port;
	uint32_t		binding;
	bool			accepted;
	uint32_t		outstanding;
	uint64_t		count;
	uint32_t		leaves;
	uint8_t			masked[IPC_SET];	/* whom it masks out */
	uint8_t			agreed[IPC_SET];	/* ... all of them do */
	uint8_t			masked_by[IPC_SET];
	uint8_t			asked[IPC_SET];		/* to be masked in */
};

struct ipc_remote {
	uint32_t		site;
	uint64_t		incarnation;
	uint32_t		opening;
	bool			heard;
	bool			absent;
	bool			moved;
	bool			suspect;
	uint32_t		lacks;
	uint32_t		asked;
	uint64_t		rtt;		/* ns */
	uint64_t		rtt_var;
	uint32_t		credit_bytes;
	uint32_t		credit_msgs;
	uint64_t		flight_bytes;
	uint32_t		flight_msgs;
};

struct ipc_node {
	uint64_t		mid;
	uint64_t		ordinal;
	uint32_t		sender;
	uint32_t		wave;
	uint32_t		npreds;
	uint64_t		*preds;
	uint32_t		body_len;
	uint32_t		flags;		/* enum psync_node_flags */
};

struct ipc_stat {
	char			name[32];
	uint32_t		kind;		/* enum psync_stat_kind */
	uint64_t		value;
	char			text[128];
};

/**
 * struct ipc_change - what a subscriber is told
 * @cmd: PSYNC_CMD_*_NTF, or 0: some notifications were lost
 * @site: SITE_NTF
 * @link: LINK_*_NTF; of a deleted one only the name
 * @peer: PEER_*_NTF; of a deleted one only the site
 * @group: GROUP_*_NTF; of a deleted one only the number
 * @event: EVENT_NTF
 */
struct ipc_change {
	uint32_t		cmd;
	union {
		struct ipc_site		site;
		struct ipc_link		link;
		struct ipc_peer		peer;
		struct ipc_group	group;
		struct psync_event	event;
	};
};

/* ipc.c: how */
int ipc_open(struct ipc **ipc);		/* -EAFNOSUPPORT: no module */
void ipc_close(struct ipc *ipc);
const char *ipc_reason(const struct ipc *ipc);

/* ipc_object.c: what */
int ipc_site_get(struct ipc *ipc, struct ipc_site *site);
int ipc_site_set(struct ipc *ipc, uint32_t id);

/* Lists are given to free(), those of groups, conversations and nodes to
 * their own functions.
 */
int ipc_link_list(struct ipc *ipc, struct ipc_link **links);
int ipc_link_add(struct ipc *ipc, const struct ipc_link *link);
/* What is zero stays as it is; the kind is zero, since it cannot change. */
int ipc_link_set(struct ipc *ipc, const struct ipc_link *link);
int ipc_link_del(struct ipc *ipc, const char *name);

int ipc_peer_list(struct ipc *ipc, struct ipc_peer **peers);
int ipc_peer_add(struct ipc *ipc, const struct ipc_peer *peer);
int ipc_peer_set(struct ipc *ipc, const struct ipc_peer *peer);
int ipc_peer_del(struct ipc *ipc, uint32_t site);

int ipc_group_list(struct ipc *ipc, struct ipc_group **groups);
void ipc_group_free(struct ipc_group *groups, int n);
int ipc_group_add(struct ipc *ipc, const struct ipc_group *group);
int ipc_group_set(struct ipc *ipc, const struct ipc_group *group);
int ipc_group_del(struct ipc *ipc, uint32_t number, const char *name);

int ipc_conv_list(struct ipc *ipc, struct ipc_conv **convs);
void ipc_conv_free(struct ipc_conv *convs, int n);
int ipc_view_list(struct ipc *ipc, uint64_t cid, struct ipc_view **views);
int ipc_remote_list(struct ipc *ipc, uint64_t cid, struct ipc_remote **remotes);
int ipc_node_list(struct ipc *ipc, uint64_t cid, struct ipc_node **nodes);
void ipc_node_free(struct ipc_node *nodes, int n);

int ipc_stat_list(struct ipc *ipc, struct ipc_stat **stats);

/* Subscribe to changes and events; then wait for ipc_watch_fd() to be readable
 * and take what came.  ipc_watch_next() returns 1, or 0 when there is nothing
 * (more) to take; ipc_change_free() frees what a change points to.
 */
int ipc_watch(struct ipc *ipc);
int ipc_watch_fd(const struct ipc *ipc);
int ipc_watch_next(struct ipc *ipc, struct ipc_change *change);
void ipc_change_free(struct ipc_change *change);

#endif /* PSYNC_IPC_H */
