// SPDX-License-Identifier: GPL-2.0-only
/* Netlink operations on the site. */

#include "nl.h"

static int psync_nl_site_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_net *pnet = object;
	/* Negative while there is no id. */
	int users = atomic_read(&pnet->users);

	if (nla_put_u32(skb, PSYNC_A_SITE_ID, pnet->site) ||
	    nla_put_u16(skb, PSYNC_A_SITE_FAMILY, psync_family()) ||
	    nla_put_u32(skb, PSYNC_A_SITE_USERS, max(users, 0)))
		return -EMSGSIZE;
	if (pnet->site &&
	    nla_put_u64_64bit(skb, PSYNC_A_SITE_INCARNATION, pnet->inc,
			      PSYNC_A_SITE_PAD))
		return -EMSGSIZE;
	return 0;
}

/**
 * psync_nl_site_get_doit - PSYNC_CMD_SITE_GET
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -ENOENT (another id was asked for), -ENOMEM.
 */
int psync_nl_site_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct nlattr *id = info->attrs[PSYNC_A_SITE_ID];
	int err;

	mutex_lock(&pnet->lock);
	if (id && nla_get_u32(id) != pnet->site) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "the site has another id");
		err = -ENOENT;
	} else {
		err = psync_nl_reply(info, PSYNC_CMD_SITE_GET, 0,
				     psync_nl_site_fill, pnet);
	}
	mutex_unlock(&pnet->lock);
	return err;
}

/**
 * psync_nl_site_set_doit - PSYNC_CMD_SITE_SET
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_site_set() returned.
 */
int psync_nl_site_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	unsigned int before;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_SITE_ID)) {
		GENL_SET_ERR_MSG(info, "site id missing");
		return -EINVAL;
	}
	mutex_lock(&pnet->lock);
	before = pnet->generation;
	err = psync_site_set(pnet, nla_get_u32(info->attrs[PSYNC_A_SITE_ID]),
			     info->extack);
	if (pnet->generation != before)
		psync_nl_changed(pnet, PSYNC_CMD_SITE_NTF, 0,
				 psync_nl_site_fill, pnet);
	mutex_unlock(&pnet->lock);
	return err;
}
