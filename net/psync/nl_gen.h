/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/psync.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_PSYNC_GEN_H
#define _LINUX_PSYNC_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/psync_netlink.h>

extern const struct nla_policy psync_site_get_nl_policy[PSYNC_A_SITE_ID + 1];

extern const struct nla_policy psync_site_set_nl_policy[PSYNC_A_SITE_ID + 1];

extern const struct nla_policy psync_link_get_nl_policy[PSYNC_A_LINK_NAME + 1];

extern const struct nla_policy psync_link_add_nl_policy[PSYNC_A_LINK_PORT + 1];

extern const struct nla_policy psync_link_set_nl_policy[PSYNC_A_LINK_PORT + 1];

extern const struct nla_policy psync_link_del_nl_policy[PSYNC_A_LINK_NAME + 1];

extern const struct nla_policy psync_peer_get_nl_policy[PSYNC_A_PEER_SITE + 1];

extern const struct nla_policy psync_peer_add_nl_policy[PSYNC_A_PEER_PORT + 1];

extern const struct nla_policy psync_peer_set_nl_policy[PSYNC_A_PEER_PORT + 1];

extern const struct nla_policy psync_peer_del_nl_policy[PSYNC_A_PEER_SITE + 1];

extern const struct nla_policy psync_group_get_nl_policy[PSYNC_A_GROUP_NAME + 1];

extern const struct nla_policy psync_group_add_nl_policy[PSYNC_A_GROUP_SLOW_MS + 1];

extern const struct nla_policy psync_group_set_nl_policy[PSYNC_A_GROUP_SLOW_MS + 1];

extern const struct nla_policy psync_group_del_nl_policy[PSYNC_A_GROUP_NAME + 1];

extern const struct nla_policy psync_conv_get_nl_policy[PSYNC_A_CONV_CID + 1];

extern const struct nla_policy psync_view_get_nl_policy[PSYNC_A_VIEW_INDEX + 1];

extern const struct nla_policy psync_graph_get_nl_policy[PSYNC_A_NODE_MID + 1];

extern const struct nla_policy psync_stat_get_nl_policy[PSYNC_A_STAT_NAME + 1];

extern const struct nla_policy psync_remote_get_nl_policy[PSYNC_A_REMOTE_SITE + 1];

/* Ops table for psync */
extern const struct genl_ops psync_nl_ops[19];

int psync_nl_site_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_site_set_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_link_add_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_link_del_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_peer_add_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_group_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_group_add_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_group_set_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_group_del_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_conv_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_conv_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_view_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_view_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_graph_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_graph_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int psync_nl_remote_get_doit(struct sk_buff *skb, struct genl_info *info);
int psync_nl_remote_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

enum {
	PSYNC_NLGRP_EVENTS,
};

#endif /* _LINUX_PSYNC_GEN_H */
