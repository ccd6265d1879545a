// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/psync.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "nl_gen.h"

#include <uapi/linux/psync_netlink.h>

/* PSYNC_CMD_SITE_GET - do */
const struct nla_policy psync_site_get_nl_policy[PSYNC_A_SITE_ID + 1] = {
	[PSYNC_A_SITE_ID] = { .type = NLA_U32, },
};

/* PSYNC_CMD_SITE_SET - do */
const struct nla_policy psync_site_set_nl_policy[PSYNC_A_SITE_ID + 1] = {
	[PSYNC_A_SITE_ID] = { .type = NLA_U32, },
};

/* PSYNC_CMD_LINK_GET - do */
const struct nla_policy psync_link_get_nl_policy[PSYNC_A_LINK_NAME + 1] = {
	[PSYNC_A_LINK_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
};

/* PSYNC_CMD_LINK_ADD - do */
const struct nla_policy psync_link_add_nl_policy[PSYNC_A_LINK_PORT + 1] = {
	[PSYNC_A_LINK_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_LINK_KIND] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[PSYNC_A_LINK_DEV] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_LINK_ETHERTYPE] = NLA_POLICY_MIN(NLA_U16, 1536),
	[PSYNC_A_LINK_IP4] = { .type = NLA_BE32, },
	[PSYNC_A_LINK_IP6] = NLA_POLICY_EXACT_LEN(16),
	[PSYNC_A_LINK_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PSYNC_CMD_LINK_SET - do */
const struct nla_policy psync_link_set_nl_policy[PSYNC_A_LINK_PORT + 1] = {
	[PSYNC_A_LINK_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_LINK_DEV] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_LINK_ETHERTYPE] = NLA_POLICY_MIN(NLA_U16, 1536),
	[PSYNC_A_LINK_IP4] = { .type = NLA_BE32, },
	[PSYNC_A_LINK_IP6] = NLA_POLICY_EXACT_LEN(16),
	[PSYNC_A_LINK_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PSYNC_CMD_LINK_DEL - do */
const struct nla_policy psync_link_del_nl_policy[PSYNC_A_LINK_NAME + 1] = {
	[PSYNC_A_LINK_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
};

/* PSYNC_CMD_PEER_GET - do */
const struct nla_policy psync_peer_get_nl_policy[PSYNC_A_PEER_SITE + 1] = {
	[PSYNC_A_PEER_SITE] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* PSYNC_CMD_PEER_ADD - do */
const struct nla_policy psync_peer_add_nl_policy[PSYNC_A_PEER_PORT + 1] = {
	[PSYNC_A_PEER_SITE] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_PEER_LINK] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_PEER_MAC] = NLA_POLICY_EXACT_LEN(6),
	[PSYNC_A_PEER_IP4] = { .type = NLA_BE32, },
	[PSYNC_A_PEER_IP6] = NLA_POLICY_EXACT_LEN(16),
	[PSYNC_A_PEER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PSYNC_CMD_PEER_SET - do */
const struct nla_policy psync_peer_set_nl_policy[PSYNC_A_PEER_PORT + 1] = {
	[PSYNC_A_PEER_SITE] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_PEER_LINK] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_PEER_MAC] = NLA_POLICY_EXACT_LEN(6),
	[PSYNC_A_PEER_IP4] = { .type = NLA_BE32, },
	[PSYNC_A_PEER_IP6] = NLA_POLICY_EXACT_LEN(16),
	[PSYNC_A_PEER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PSYNC_CMD_PEER_DEL - do */
const struct nla_policy psync_peer_del_nl_policy[PSYNC_A_PEER_SITE + 1] = {
	[PSYNC_A_PEER_SITE] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* PSYNC_CMD_GROUP_GET - do */
const struct nla_policy psync_group_get_nl_policy[PSYNC_A_GROUP_NAME + 1] = {
	[PSYNC_A_GROUP_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
};

/* PSYNC_CMD_GROUP_ADD - do */
const struct nla_policy psync_group_add_nl_policy[PSYNC_A_GROUP_SLOW_MS + 1] = {
	[PSYNC_A_GROUP_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_GROUP_PIDS] = NLA_POLICY_MAX_LEN(PSYNC_PIDS_LEN_MAX),
	[PSYNC_A_GROUP_SLOW] = { .type = NLA_U32, },
	[PSYNC_A_GROUP_SLOW_MS] = { .type = NLA_U32, },
};

/* PSYNC_CMD_GROUP_SET - do */
const struct nla_policy psync_group_set_nl_policy[PSYNC_A_GROUP_SLOW_MS + 1] = {
	[PSYNC_A_GROUP_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
	[PSYNC_A_GROUP_PIDS] = NLA_POLICY_MAX_LEN(PSYNC_PIDS_LEN_MAX),
	[PSYNC_A_GROUP_SLOW] = { .type = NLA_U32, },
	[PSYNC_A_GROUP_SLOW_MS] = { .type = NLA_U32, },
};

/* PSYNC_CMD_GROUP_DEL - do */
const struct nla_policy psync_group_del_nl_policy[PSYNC_A_GROUP_NAME + 1] = {
	[PSYNC_A_GROUP_NUMBER] = NLA_POLICY_MIN(NLA_U32, 1),
	[PSYNC_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = PSYNC_NAME_MAX, },
};

/* PSYNC_CMD_CONV_GET - do */
const struct nla_policy psync_conv_get_nl_policy[PSYNC_A_CONV_CID + 1] = {
	[PSYNC_A_CONV_CID] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* PSYNC_CMD_VIEW_GET - do */
const struct nla_policy psync_view_get_nl_policy[PSYNC_A_VIEW_INDEX + 1] = {
	[PSYNC_A_VIEW_CID] = NLA_POLICY_MIN(NLA_U64, 1),
	[PSYNC_A_VIEW_INDEX] = NLA_POLICY_MAX(NLA_U32, 1023),
};

/* PSYNC_CMD_GRAPH_GET - do */
const struct nla_policy psync_graph_get_nl_policy[PSYNC_A_NODE_MID + 1] = {
	[PSYNC_A_NODE_CID] = NLA_POLICY_MIN(NLA_U64, 1),
	[PSYNC_A_NODE_MID] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* PSYNC_CMD_STAT_GET - do */
const struct nla_policy psync_stat_get_nl_policy[PSYNC_A_STAT_NAME + 1] = {
	[PSYNC_A_STAT_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* PSYNC_CMD_REMOTE_GET - do */
const struct nla_policy psync_remote_get_nl_policy[PSYNC_A_REMOTE_SITE + 1] = {
	[PSYNC_A_REMOTE_CID] = NLA_POLICY_MIN(NLA_U64, 1),
	[PSYNC_A_REMOTE_SITE] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for psync */
const struct genl_ops psync_nl_ops[19] = {
	{
		.cmd		= PSYNC_CMD_SITE_GET,
		.doit		= psync_nl_site_get_doit,
		.policy		= psync_site_get_nl_policy,
		.maxattr	= PSYNC_A_SITE_ID,
	},
	{
		.cmd		= PSYNC_CMD_SITE_SET,
		.doit		= psync_nl_site_set_doit,
		.policy		= psync_site_set_nl_policy,
		.maxattr	= PSYNC_A_SITE_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_LINK_GET,
		.doit		= psync_nl_link_get_doit,
		.dumpit		= psync_nl_link_get_dumpit,
		.policy		= psync_link_get_nl_policy,
		.maxattr	= PSYNC_A_LINK_NAME,
	},
	{
		.cmd		= PSYNC_CMD_LINK_ADD,
		.doit		= psync_nl_link_add_doit,
		.policy		= psync_link_add_nl_policy,
		.maxattr	= PSYNC_A_LINK_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_LINK_SET,
		.doit		= psync_nl_link_set_doit,
		.policy		= psync_link_set_nl_policy,
		.maxattr	= PSYNC_A_LINK_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_LINK_DEL,
		.doit		= psync_nl_link_del_doit,
		.policy		= psync_link_del_nl_policy,
		.maxattr	= PSYNC_A_LINK_NAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_PEER_GET,
		.doit		= psync_nl_peer_get_doit,
		.dumpit		= psync_nl_peer_get_dumpit,
		.policy		= psync_peer_get_nl_policy,
		.maxattr	= PSYNC_A_PEER_SITE,
	},
	{
		.cmd		= PSYNC_CMD_PEER_ADD,
		.doit		= psync_nl_peer_add_doit,
		.policy		= psync_peer_add_nl_policy,
		.maxattr	= PSYNC_A_PEER_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_PEER_SET,
		.doit		= psync_nl_peer_set_doit,
		.policy		= psync_peer_set_nl_policy,
		.maxattr	= PSYNC_A_PEER_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_PEER_DEL,
		.doit		= psync_nl_peer_del_doit,
		.policy		= psync_peer_del_nl_policy,
		.maxattr	= PSYNC_A_PEER_SITE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_GROUP_GET,
		.doit		= psync_nl_group_get_doit,
		.dumpit		= psync_nl_group_get_dumpit,
		.policy		= psync_group_get_nl_policy,
		.maxattr	= PSYNC_A_GROUP_NAME,
	},
	{
		.cmd		= PSYNC_CMD_GROUP_ADD,
		.doit		= psync_nl_group_add_doit,
		.policy		= psync_group_add_nl_policy,
		.maxattr	= PSYNC_A_GROUP_SLOW_MS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_GROUP_SET,
		.doit		= psync_nl_group_set_doit,
		.policy		= psync_group_set_nl_policy,
		.maxattr	= PSYNC_A_GROUP_SLOW_MS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_GROUP_DEL,
		.doit		= psync_nl_group_del_doit,
		.policy		= psync_group_del_nl_policy,
		.maxattr	= PSYNC_A_GROUP_NAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PSYNC_CMD_CONV_GET,
		.doit		= psync_nl_conv_get_doit,
		.dumpit		= psync_nl_conv_get_dumpit,
		.policy		= psync_conv_get_nl_policy,
		.maxattr	= PSYNC_A_CONV_CID,
	},
	{
		.cmd		= PSYNC_CMD_VIEW_GET,
		.doit		= psync_nl_view_get_doit,
		.dumpit		= psync_nl_view_get_dumpit,
		.policy		= psync_view_get_nl_policy,
		.maxattr	= PSYNC_A_VIEW_INDEX,
	},
	{
		.cmd		= PSYNC_CMD_GRAPH_GET,
		.doit		= psync_nl_graph_get_doit,
		.dumpit		= psync_nl_graph_get_dumpit,
		.policy		= psync_graph_get_nl_policy,
		.maxattr	= PSYNC_A_NODE_MID,
	},
	{
		.cmd		= PSYNC_CMD_STAT_GET,
		.doit		= psync_nl_stat_get_doit,
		.dumpit		= psync_nl_stat_get_dumpit,
		.policy		= psync_stat_get_nl_policy,
		.maxattr	= PSYNC_A_STAT_NAME,
	},
	{
		.cmd		= PSYNC_CMD_REMOTE_GET,
		.doit		= psync_nl_remote_get_doit,
		.dumpit		= psync_nl_remote_get_dumpit,
		.policy		= psync_remote_get_nl_policy,
		.maxattr	= PSYNC_A_REMOTE_SITE,
	},
};

static const struct genl_multicast_group psync_nl_mcgrps[] = {
	[PSYNC_NLGRP_EVENTS] = { "events", },
};
