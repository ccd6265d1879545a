// SPDX-License-Identifier: GPL-2.0-only
/* Netlink operations on groups. */

#include "nl.h"

static int psync_nl_group_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_group *group = object;

	if (nla_put_u32(skb, PSYNC_A_GROUP_NUMBER, group->number) ||
	    nla_put_string(skb, PSYNC_A_GROUP_NAME, group->name) ||
	    nla_put(skb, PSYNC_A_GROUP_PIDS, group->n * sizeof(*group->pids),
		    group->pids) ||
	    nla_put_u64_64bit(skb, PSYNC_A_GROUP_DIGEST, group->digest,
			      PSYNC_A_GROUP_PAD) ||
	    nla_put_u32(skb, PSYNC_A_GROUP_SLOW, group->slow.policy) ||
	    nla_put_u32(skb, PSYNC_A_GROUP_SLOW_MS, group->slow.ms))
		return -EMSGSIZE;
	return 0;
}

static size_t psync_nl_group_room(const struct psync_group *group)
{
	return group->n * sizeof(*group->pids);
}

/* The group an operation is about, or an ERR_PTR with the reason told. */
static const struct psync_group *psync_nl_group_keyed(struct psync_net *pnet,
						      struct genl_info *info)
{
	struct nlattr *number = info->attrs[PSYNC_A_GROUP_NUMBER];
	struct nlattr *name = info->attrs[PSYNC_A_GROUP_NAME];
	const struct psync_group *group;

	lockdep_assert_held(&pnet->lock);
	if (!number == !name) {
		GENL_SET_ERR_MSG(info, "say which group by number or by name");
		return ERR_PTR(-EINVAL);
	}
	if (number)
		group = psync_group_find_rcu(pnet, nla_get_u32(number));
	else
		group = psync_group_find_name(pnet, nla_data(name));
	if (!group) {
		GENL_SET_ERR_MSG(info, "no such group");
		return ERR_PTR(-ENOENT);
	}
	return group;
}

/**
 * psync_nl_group_get_doit - PSYNC_CMD_GROUP_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_group_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	const struct psync_group *group;
	int err;

	mutex_lock(&pnet->lock);
	group = psync_nl_group_keyed(pnet, info);
	if (IS_ERR(group))
		err = PTR_ERR(group);
	else
		err = psync_nl_reply(info, PSYNC_CMD_GROUP_GET,
				     psync_nl_group_room(group),
				     psync_nl_group_fill, group);
	mutex_unlock(&pnet->lock);
	return err;
}

/**
 * psync_nl_group_get_dumpit - PSYNC_CMD_GROUP_GET, all by number
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL.
 */
int psync_nl_group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	const struct psync_group *group;
	int err;

	err = psync_nl_dump_plain(cb, PSYNC_A_GROUP_NAME);
	if (err)
		return err;
	mutex_lock(&pnet->lock);
	psync_nl_dump_config(cb, pnet);
	while ((group = psync_group_next(pnet, cur->last))) {
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_GROUP_GET,
					psync_nl_group_fill, group);
		if (err)
			break;
		cur->last = group->number;
	}
	mutex_unlock(&pnet->lock);
	return skb->len ?: err;
}

/* A group as requested: what is absent is NULL. */
struct psync_nl_group {
	u32			number;
	const char		*name;
	const struct psync_pid	*pids;
	u32			n;
	struct nlattr		*policy;
	struct nlattr		*ms;
	struct psync_slow	slow;
};

/* How long a member may hold back the others. */
static int psync_nl_group_parse_slow(struct genl_info *info,
				     struct psync_nl_group *want)
{
	want->policy = info->attrs[PSYNC_A_GROUP_SLOW];
	want->ms = info->attrs[PSYNC_A_GROUP_SLOW_MS];
	if (want->policy)
		want->slow.policy = nla_get_u32(want->policy);
	if (want->ms)
		want->slow.ms = nla_get_u32(want->ms);
	if (want->slow.policy <= PSYNC_SLOW_MASK)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, want->policy,
			    "slow is block, skip, suspect or mask");
	return -EINVAL;
}

static int psync_nl_group_parse(struct genl_info *info,
				struct psync_nl_group *want)
{
	struct nlattr *name = info->attrs[PSYNC_A_GROUP_NAME];
	struct nlattr *pids = info->attrs[PSYNC_A_GROUP_PIDS];
	int err;

	memset(want, 0, sizeof(*want));
	err = psync_nl_group_parse_slow(info, want);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_GROUP_NUMBER)) {
		GENL_SET_ERR_MSG(info, "group number missing");
		return -EINVAL;
	}
	want->number = nla_get_u32(info->attrs[PSYNC_A_GROUP_NUMBER]);
	if (name)
		want->name = nla_data(name);
	if (!pids)
		return 0;
	if (!nla_len(pids) || nla_len(pids) % sizeof(*want->pids)) {
		NL_SET_ERR_MSG_ATTR(info->extack, pids,
				    "members are not a list of pids");
		return -EINVAL;
	}
	want->pids = nla_data(pids);
	want->n = nla_len(pids) / sizeof(*want->pids);
	return 0;
}

static void psync_nl_group_changed(struct psync_net *pnet, u8 cmd, u32 number)
{
	const struct psync_group *group = psync_group_find_rcu(pnet, number);

	psync_nl_changed(pnet, cmd, psync_nl_group_room(group),
			 psync_nl_group_fill, group);
}

/**
 * psync_nl_group_add_doit - PSYNC_CMD_GROUP_ADD
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_group_add() returned.
 */
int psync_nl_group_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_nl_group want;
	char name[PSYNC_NAME_LEN];
	int err;

	err = psync_nl_group_parse(info, &want);
	if (err)
		return err;
	if (!want.pids) {
		GENL_SET_ERR_MSG(info, "members missing");
		return -EINVAL;
	}
	if (!want.name) {
		snprintf(name, sizeof(name), "g%u", want.number);
		want.name = name;
	}
	mutex_lock(&pnet->lock);
	err = psync_group_add(pnet, want.number, want.name, want.pids, want.n,
			      &want.slow, info->extack);
	if (!err)
		psync_nl_group_changed(pnet, PSYNC_CMD_GROUP_ADD_NTF,
				       want.number);
	mutex_unlock(&pnet->lock);
	return err;
}

/* What is not requested stays.  The lock is held. */
static int psync_nl_group_set(struct psync_net *pnet,
			      struct psync_nl_group *want,
			      struct genl_info *info)
{
	const struct psync_group *old;

	old = psync_group_find_rcu(pnet, want->number);
	if (old && !want->name)
		want->name = old->name;
	if (old && !want->pids) {
		want->pids = old->pids;
		want->n = old->n;
	}
	if (old && !want->policy)
		want->slow.policy = old->slow.policy;
	if (old && !want->ms)
		want->slow.ms = old->slow.ms;
	return psync_group_set(pnet, want->number, want->name, want->pids,
			       want->n, &want->slow, info->extack);
}

/**
 * psync_nl_group_set_doit - PSYNC_CMD_GROUP_SET
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_group_set() returned.
 */
int psync_nl_group_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_nl_group want;
	int err;

	err = psync_nl_group_parse(info, &want);
	if (err)
		return err;
	if (!want.name && !want.pids && !want.policy && !want.ms) {
		GENL_SET_ERR_MSG(info, "neither name nor members to change");
		return -EINVAL;
	}
	mutex_lock(&pnet->lock);
	err = psync_nl_group_set(pnet, &want, info);
	if (!err)
		psync_nl_group_changed(pnet, PSYNC_CMD_GROUP_SET_NTF,
				       want.number);
	mutex_unlock(&pnet->lock);
	return err;
}

static int psync_nl_group_number_fill(struct sk_buff *skb, const void *object)
{
	return nla_put_u32(skb, PSYNC_A_GROUP_NUMBER, *(const u32 *)object);
}

/**
 * psync_nl_group_del_doit - PSYNC_CMD_GROUP_DEL
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT.
 */
int psync_nl_group_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	const struct psync_group *group;
	u32 number;
	int err;

	mutex_lock(&pnet->lock);
	group = psync_nl_group_keyed(pnet, info);
	if (IS_ERR(group)) {
		err = PTR_ERR(group);
		goto out;
	}
	number = group->number;
	err = psync_group_del(pnet, number, info->extack);
	if (!err)
		psync_nl_changed(pnet, PSYNC_CMD_GROUP_DEL_NTF, 0,
				 psync_nl_group_number_fill, &number);
out:
	mutex_unlock(&pnet->lock);
	return err;
}
