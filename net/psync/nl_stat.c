// SPDX-License-Identifier: GPL-2.0-only
/* Netlink operations on the namespace's counters. */

#include "nl.h"

static const char * const psync_nl_counter_texts[PSYNC_MIB_MAX] = {
#define X(name, counter, text)	[PSYNC_MIB_##name] = (text),
	PSYNC_COUNTERS(X)
#undef X
};

static const char * const psync_nl_drop_texts[PSYNC_DROP_MAX] = {
#define X(name, counter, text)	[PSYNC_DROP_##name] = (text),
	PSYNC_DROPS(X)
#undef X
};

/* A counter as it is reported. */
struct psync_nl_stat {
	const char	*name;
	const char	*text;
	u32		kind;
	u64		value;
};

/* Counters first, then drops, whose entry 0 is none. */
#define PSYNC_NL_STATS	(PSYNC_MIB_MAX + PSYNC_DROP_MAX - 1)

static void psync_nl_stat_at(const struct psync_mib *sum, unsigned int i,
			     struct psync_nl_stat *stat)
{
	if (i < PSYNC_MIB_MAX) {
		stat->name = psync_counter_names[i];
		stat->text = psync_nl_counter_texts[i];
		stat->kind = PSYNC_STAT_KIND_GOOD;
		stat->value = sum->counters[i];
		return;
	}
	i -= PSYNC_MIB_MAX - 1;
	stat->name = psync_drop_names[i];
	stat->text = psync_nl_drop_texts[i];
	stat->kind = PSYNC_STAT_KIND_DROP;
	stat->value = sum->drops[i];
}

static int psync_nl_stat_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_nl_stat *stat = object;

	if (nla_put_string(skb, PSYNC_A_STAT_NAME, stat->name) ||
	    nla_put_u32(skb, PSYNC_A_STAT_KIND, stat->kind) ||
	    nla_put_u64_64bit(skb, PSYNC_A_STAT_VALUE, stat->value,
			      PSYNC_A_STAT_PAD) ||
	    nla_put_string(skb, PSYNC_A_STAT_TEXT, stat->text))
		return -EMSGSIZE;
	return 0;
}

/**
 * psync_nl_stat_get_doit - PSYNC_CMD_STAT_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct nlattr *name = info->attrs[PSYNC_A_STAT_NAME];
	struct psync_nl_stat stat;
	struct psync_mib sum;
	unsigned int i;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_STAT_NAME)) {
		GENL_SET_ERR_MSG(info, "counter name missing");
		return -EINVAL;
	}
	psync_mib_sum(pnet, &sum);
	for (i = 0; i < PSYNC_NL_STATS; i++) {
		psync_nl_stat_at(&sum, i, &stat);
		if (!strcmp(stat.name, nla_data(name)))
			return psync_nl_reply(info, PSYNC_CMD_STAT_GET, 0,
					      psync_nl_stat_fill, &stat);
	}
	NL_SET_ERR_MSG_ATTR(info->extack, name, "no such counter");
	return -ENOENT;
}

/**
 * psync_nl_stat_get_dumpit - PSYNC_CMD_STAT_GET, all
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL.
 */
int psync_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_nl_stat stat;
	struct psync_mib sum;
	int err;

	err = psync_nl_dump_plain(cb, PSYNC_A_STAT_NAME);
	if (err)
		return err;
	psync_mib_sum(pnet, &sum);
	for (; cur->last < PSYNC_NL_STATS; cur->last++) {
		psync_nl_stat_at(&sum, cur->last, &stat);
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_STAT_GET,
					psync_nl_stat_fill, &stat);
		if (err)
			break;
	}
	return skb->len ?: err;
}
