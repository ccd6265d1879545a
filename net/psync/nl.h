/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the netlink interface share. */
#ifndef _PSYNC_NL_H
#define _PSYNC_NL_H

#include <net/genetlink.h>

#include "nl_gen.h"
#include "psync.h"

extern struct genl_family psync_nl_family;

/* The largest message: a conversation of 1,024 with pids and numbers. */
#define PSYNC_NL_MSG_MAX	(20 * 1024)

/**
 * struct psync_nl_cursor - where a dump goes on, in netlink_callback.ctx
 * @last: key of the last object reported, 0 to begin; views, remotes and
 *	counters: of the first not reported
 * @serial: views, remotes and graph: psync_conv.serial of the conversation
 * @name: links: name of the last one
 */
struct psync_nl_cursor {
	u64	last;
	u64	serial;
	char	name[PSYNC_NAME_LEN];
};

static inline struct psync_nl_cursor *
psync_nl_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct psync_nl_cursor) > sizeof(cb->ctx));
	return (struct psync_nl_cursor *)cb->ctx;
}

/**
 * typedef psync_nl_fill_t - put the attributes of an object into a message
 * @skb: message
 * @object: the object
 *
 * Takes what locks it needs and allocates nothing.
 * Return: 0, -EMSGSIZE, or another error to report instead.
 */
typedef int (*psync_nl_fill_t)(struct sk_buff *skb, const void *object);

/* netlink.c */
int psync_nl_reply(struct genl_info *info, u8 cmd, size_t room,
		   psync_nl_fill_t fill, const void *object);
int psync_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		      psync_nl_fill_t fill, const void *object);
void psync_nl_changed(struct psync_net *pnet, u8 cmd, size_t room,
		      psync_nl_fill_t fill, const void *object);
void psync_nl_dump_config(struct netlink_callback *cb,
			  const struct psync_net *pnet);
int psync_nl_dump_plain(struct netlink_callback *cb, int maxattr);

/**
 * struct psync_nl_addr - address attributes, alike in links and peers
 * @mac: or NULL
 * @ip4: or NULL
 * @ip6: or NULL
 * @port: or NULL
 */
struct psync_nl_addr {
	const struct nlattr	*mac;
	const struct nlattr	*ip4;
	const struct nlattr	*ip6;
	const struct nlattr	*port;
};

/* nl_link.c */
int psync_nl_addr_get(const struct psync_nl_addr *from,
		      struct psync_addr *addr, struct netlink_ext_ack *extack);

/* nl_conv.c */
struct psync_conv *psync_nl_dump_conv_get(struct psync_net *pnet,
					  struct netlink_callback *cb,
					  const struct nlattr *cid);

#endif /* _PSYNC_NL_H */
