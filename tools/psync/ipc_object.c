// SPDX-License-Identifier: GPL-2.0-only
/* The objects of Documentation/netlink/specs/psync.yaml and their attributes. */

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc_mnl.h"

/* Attributes of another length than expected count as absent. */

static void get_u16(struct nlattr **attrs, int type, uint16_t *value)
{
	if (attrs[type] && mnl_attr_validate(attrs[type], MNL_TYPE_U16) >= 0)
		*value = mnl_attr_get_u16(attrs[type]);
}

static void get_u32(struct nlattr **attrs, int type, uint32_t *value)
{
	if (attrs[type] && mnl_attr_validate(attrs[type], MNL_TYPE_U32) >= 0)
		*value = mnl_attr_get_u32(attrs[type]);
}

static void get_u64(struct nlattr **attrs, int type, uint64_t *value)
{
	if (attrs[type] && mnl_attr_validate(attrs[type], MNL_TYPE_U64) >= 0)
		*value = mnl_attr_get_u64(attrs[type]);
}

static void get_text(struct nlattr **attrs, int type, char *out, size_t size)
{
	if (attrs[type] &&
	    mnl_attr_validate(attrs[type], MNL_TYPE_NUL_STRING) >= 0)
		snprintf(out, size, "%s", mnl_attr_get_str(attrs[type]));
}

static void get_bytes(struct nlattr **attrs, int type, void *out, size_t size)
{
	if (attrs[type] && mnl_attr_get_payload_len(attrs[type]) == size)
		memcpy(out, mnl_attr_get_payload(attrs[type]), size);
}

/* A copy of an array; @n is how many entries of @size it has. */
static int get_array(struct nlattr **attrs, int type, size_t size,
		     void **array, uint32_t *n)
{
	size_t len;

	*array = NULL;
	*n = 0;
	if (!attrs[type])
		return 0;
	len = mnl_attr_get_payload_len(attrs[type]);
	if (len % size)
		return -EBADMSG;
	*array = malloc(len ? len : 1);
	if (!*array)
		return -ENOMEM;
	memcpy(*array, mnl_attr_get_payload(attrs[type]), len);
	*n = (uint32_t)(len / size);
	return 0;
}

static int site_parse(struct nlattr **attrs, void *object)
{
	struct ipc_site *site = object;

	get_u32(attrs, PSYNC_A_SITE_ID, &site->id);
	get_u64(attrs, PSYNC_A_SITE_INCARNATION, &site->incarnation);
	get_u16(attrs, PSYNC_A_SITE_FAMILY, &site->family);
	get_u32(attrs, PSYNC_A_SITE_USERS, &site->users);
	return 0;
}

int ipc_site_get(struct ipc *ipc, struct ipc_site *site)
{
	memset(site, 0, sizeof(*site));
	ipc_request(ipc, PSYNC_CMD_SITE_GET, 0);
	return ipc_do(ipc, site_parse, site);
}

int ipc_site_set(struct ipc *ipc, uint32_t id)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_SITE_SET, 0);

	mnl_attr_put_u32(nlh, PSYNC_A_SITE_ID, id);
	return ipc_do(ipc, NULL, NULL);
}

static int link_parse(struct nlattr **attrs, void *object)
{
	struct ipc_link *link = object;

	get_text(attrs, PSYNC_A_LINK_NAME, link->name, sizeof(link->name));
	get_u32(attrs, PSYNC_A_LINK_KIND, &link->kind);
	get_text(attrs, PSYNC_A_LINK_DEV, link->dev, sizeof(link->dev));
	get_u32(attrs, PSYNC_A_LINK_IFINDEX, &link->ifindex);
	get_u16(attrs, PSYNC_A_LINK_ETHERTYPE, &link->ethertype);
	if (attrs[PSYNC_A_LINK_IP4])
		link->local.family = AF_INET;
	else if (attrs[PSYNC_A_LINK_IP6])
		link->local.family = AF_INET6;
	get_bytes(attrs, PSYNC_A_LINK_IP4, &link->local.ip4, 4);
	get_bytes(attrs, PSYNC_A_LINK_IP6, &link->local.ip6, 16);
	get_u16(attrs, PSYNC_A_LINK_PORT, &link->local.port);
	link->up = attrs[PSYNC_A_LINK_UP];
	get_u64(attrs, PSYNC_A_LINK_RX_PACKETS, &link->rx_packets);
	get_u64(attrs, PSYNC_A_LINK_TX_PACKETS, &link->tx_packets);
	return 0;
}

int ipc_link_list(struct ipc *ipc, struct ipc_link **links)
{
	ipc_request(ipc, PSYNC_CMD_LINK_GET, 0);
	return ipc_dump(ipc, link_parse, NULL, sizeof(**links),
			(void **)links);
}

static int ipc_link_put(struct ipc *ipc, uint8_t cmd,
			const struct ipc_link *link)
{
	struct nlmsghdr *nlh = ipc_request(ipc, cmd, 0);

	mnl_attr_put_strz(nlh, PSYNC_A_LINK_NAME, link->name);
	if (link->kind)
		mnl_attr_put_u32(nlh, PSYNC_A_LINK_KIND, link->kind);
	if (link->dev[0])
		mnl_attr_put_strz(nlh, PSYNC_A_LINK_DEV, link->dev);
	if (link->ethertype)
		mnl_attr_put_u16(nlh, PSYNC_A_LINK_ETHERTYPE, link->ethertype);
	if (link->local.family == AF_INET)
		mnl_attr_put(nlh, PSYNC_A_LINK_IP4, 4, &link->local.ip4);
	else if (link->local.family == AF_INET6)
		mnl_attr_put(nlh, PSYNC_A_LINK_IP6, 16, &link->local.ip6);
	if (link->local.port)
		mnl_attr_put_u16(nlh, PSYNC_A_LINK_PORT, link->local.port);
	return ipc_do(ipc, NULL, NULL);
}

int ipc_link_add(struct ipc *ipc, const struct ipc_link *link)
{
	return ipc_link_put(ipc, PSYNC_CMD_LINK_ADD, link);
}

int ipc_link_set(struct ipc *ipc, const struct ipc_link *link)
{
	return ipc_link_put(ipc, PSYNC_CMD_LINK_SET, link);
}

int ipc_link_del(struct ipc *ipc, const char *name)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_LINK_DEL, 0);

	mnl_attr_put_strz(nlh, PSYNC_A_LINK_NAME, name);
	return ipc_do(ipc, NULL, NULL);
}

static int peer_parse(struct nlattr **attrs, void *object)
{
	struct ipc_peer *peer = object;

	get_u32(attrs, PSYNC_A_PEER_SITE, &peer->site);
	get_text(attrs, PSYNC_A_PEER_LINK, peer->link, sizeof(peer->link));
	if (attrs[PSYNC_A_PEER_MAC])
		peer->addr.family = AF_PACKET;
	else if (attrs[PSYNC_A_PEER_IP4])
		peer->addr.family = AF_INET;
	else if (attrs[PSYNC_A_PEER_IP6])
		peer->addr.family = AF_INET6;
	get_bytes(attrs, PSYNC_A_PEER_MAC, peer->addr.mac, 6);
	get_bytes(attrs, PSYNC_A_PEER_IP4, &peer->addr.ip4, 4);
	get_bytes(attrs, PSYNC_A_PEER_IP6, &peer->addr.ip6, 16);
	get_u16(attrs, PSYNC_A_PEER_PORT, &peer->addr.port);
	get_u64(attrs, PSYNC_A_PEER_INCARNATION, &peer->incarnation);
	get_u64(attrs, PSYNC_A_PEER_CANDIDATE, &peer->candidate);
	get_u32(attrs, PSYNC_A_PEER_PARKED, &peer->parked);
	return 0;
}

int ipc_peer_list(struct ipc *ipc, struct ipc_peer **peers)
{
	ipc_request(ipc, PSYNC_CMD_PEER_GET, 0);
	return ipc_dump(ipc, peer_parse, NULL, sizeof(**peers),
			(void **)peers);
}

static int ipc_peer_put(struct ipc *ipc, uint8_t cmd,
			const struct ipc_peer *peer)
{
	struct nlmsghdr *nlh = ipc_request(ipc, cmd, 0);

	mnl_attr_put_u32(nlh, PSYNC_A_PEER_SITE, peer->site);
	if (peer->link[0])
		mnl_attr_put_strz(nlh, PSYNC_A_PEER_LINK, peer->link);
	switch (peer->addr.family) {
	case AF_PACKET:
		mnl_attr_put(nlh, PSYNC_A_PEER_MAC, 6, peer->addr.mac);
		break;
	case AF_INET:
		mnl_attr_put(nlh, PSYNC_A_PEER_IP4, 4, &peer->addr.ip4);
		break;
	case AF_INET6:
		mnl_attr_put(nlh, PSYNC_A_PEER_IP6, 16, &peer->addr.ip6);
		break;
	}
	if (peer->addr.port)
		mnl_attr_put_u16(nlh, PSYNC_A_PEER_PORT, peer->addr.port);
	return ipc_do(ipc, NULL, NULL);
}

int ipc_peer_add(struct ipc *ipc, const struct ipc_peer *peer)
{
	return ipc_peer_put(ipc, PSYNC_CMD_PEER_ADD, peer);
}

int ipc_peer_set(struct ipc *ipc, const struct ipc_peer *peer)
{
	return ipc_peer_put(ipc, PSYNC_CMD_PEER_SET, peer);
}

int ipc_peer_del(struct ipc *ipc, uint32_t site)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_PEER_DEL, 0);

	mnl_attr_put_u32(nlh, PSYNC_A_PEER_SITE, site);
	return ipc_do(ipc, NULL, NULL);
}

static int group_parse(struct nlattr **attrs, void *object)
{
	struct ipc_group *group = object;

	get_u32(attrs, PSYNC_A_GROUP_NUMBER, &group->number);
	get_text(attrs, PSYNC_A_GROUP_NAME, group->name, sizeof(group->name));
	get_u64(attrs, PSYNC_A_GROUP_DIGEST, &group->digest);
	get_u32(attrs, PSYNC_A_GROUP_SLOW, &group->slow.policy);
	get_u32(attrs, PSYNC_A_GROUP_SLOW_MS, &group->slow.ms);
	return get_array(attrs, PSYNC_A_GROUP_PIDS, sizeof(*group->pids),
			 (void **)&group->pids, &group->n);
}

static void group_drop(void *object)
{
	free(((struct ipc_group *)object)->pids);
}

int ipc_group_list(struct ipc *ipc, struct ipc_group **groups)
{
	ipc_request(ipc, PSYNC_CMD_GROUP_GET, 0);
	return ipc_dump(ipc, group_parse, group_drop, sizeof(**groups),
			(void **)groups);
}

void ipc_group_free(struct ipc_group *groups, int n)
{
	int i;

	for (i = 0; i < n; i++)
		group_drop(&groups[i]);
	free(groups);
}

static int ipc_group_put(struct ipc *ipc, uint8_t cmd,
			 const struct ipc_group *group)
{
	struct nlmsghdr *nlh = ipc_request(ipc, cmd, 0);

	mnl_attr_put_u32(nlh, PSYNC_A_GROUP_NUMBER, group->number);
	if (group->name[0])
		mnl_attr_put_strz(nlh, PSYNC_A_GROUP_NAME, group->name);
	if (group->n)
		mnl_attr_put(nlh, PSYNC_A_GROUP_PIDS,
			     group->n * sizeof(*group->pids), group->pids);
	if (group->has_slow)
		mnl_attr_put_u32(nlh, PSYNC_A_GROUP_SLOW, group->slow.policy);
	if (group->has_slow_ms)
		mnl_attr_put_u32(nlh, PSYNC_A_GROUP_SLOW_MS, group->slow.ms);
	return ipc_do(ipc, NULL, NULL);
}

int ipc_group_add(struct ipc *ipc, const struct ipc_group *group)
{
	return ipc_group_put(ipc, PSYNC_CMD_GROUP_ADD, group);
}

int ipc_group_set(struct ipc *ipc, const struct ipc_group *group)
{
	return ipc_group_put(ipc, PSYNC_CMD_GROUP_SET, group);
}

int ipc_group_del(struct ipc *ipc, uint32_t number, const char *name)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_GROUP_DEL, 0);

	if (name)
		mnl_attr_put_strz(nlh, PSYNC_A_GROUP_NAME, name);
	else
		mnl_attr_put_u32(nlh, PSYNC_A_GROUP_NUMBER, number);
	return ipc_do(ipc, NULL, NULL);
}

static int conv_parse(struct nlattr **attrs, void *object)
{
	struct ipc_conv *conv = object;
	uint32_t nseqs;
	int err;

	get_u64(attrs, PSYNC_A_CONV_CID, &conv->cid);
	get_u32(attrs, PSYNC_A_CONV_STATE, &conv->state);
	get_u32(attrs, PSYNC_A_CONV_GROUP, &conv->group);
	get_u32(attrs, PSYNC_A_CONV_NUMBER, &conv->number);
	get_u64(attrs, PSYNC_A_CONV_DIGEST, &conv->digest);
	get_u32(attrs, PSYNC_A_CONV_SITE, &conv->site);
	get_u32(attrs, PSYNC_A_CONV_OPENING, &conv->opening);
	get_u32(attrs, PSYNC_A_CONV_VIEWS, &conv->views);
	get_u32(attrs, PSYNC_A_CONV_SITES, &conv->sites);
	get_u32(attrs, PSYNC_A_CONV_CONFIRMED, &conv->confirmed);
	get_u32(attrs, PSYNC_A_CONV_NODES, &conv->nodes);
	get_u64(attrs, PSYNC_A_CONV_ATTACHED, &conv->attached);
	get_u32(attrs, PSYNC_A_CONV_HELD, &conv->held);
	get_u32(attrs, PSYNC_A_CONV_EARLY, &conv->early);
	get_u64(attrs, PSYNC_A_CONV_BODY_BYTES, &conv->body_bytes);
	get_u32(attrs, PSYNC_A_CONV_DEPTH, &conv->depth);
	get_u32(attrs, PSYNC_A_CONV_UNHELD, &conv->unheld);
	get_u64(attrs, PSYNC_A_CONV_LACKING, &conv->lacking);
	get_u64(attrs, PSYNC_A_CONV_CHARGED, &conv->charged);
	get_u64(attrs, PSYNC_A_CONV_OWED, &conv->owed);
	get_u32(attrs, PSYNC_A_CONV_SLOW, &conv->slow.policy);
	get_u32(attrs, PSYNC_A_CONV_SLOW_MS, &conv->slow.ms);
	get_u32(attrs, PSYNC_A_CONV_BLOCKER_SITE, &conv->blocker_site);
	get_u32(attrs, PSYNC_A_CONV_BLOCKER, &conv->blocker);
	get_u64(attrs, PSYNC_A_CONV_WINDOW, &conv->window);
	get_u64(attrs, PSYNC_A_CONV_FLIGHT, &conv->flight);
	err = get_array(attrs, PSYNC_A_CONV_PIDS, sizeof(*conv->pids),
			(void **)&conv->pids, &conv->n);
	if (!err)
		err = get_array(attrs, PSYNC_A_CONV_SEQS, sizeof(*conv->seqs),
				(void **)&conv->seqs, &nseqs);
	if (!err && nseqs != conv->n)
		err = -EBADMSG;
	return err;
}

static void conv_drop(void *object)
{
	struct ipc_conv *conv = object;

	free(conv->pids);
	free(conv->seqs);
}

int ipc_conv_list(struct ipc *ipc, struct ipc_conv **convs)
{
	ipc_request(ipc, PSYNC_CMD_CONV_GET, 0);
	return ipc_dump(ipc, conv_parse, conv_drop, sizeof(**convs),
			(void **)convs);
}

void ipc_conv_free(struct ipc_conv *convs, int n)
{
	int i;

	for (i = 0; i < n; i++)
		conv_drop(&convs[i]);
	free(convs);
}

static void get_set(struct nlattr **attrs, int type, uint8_t *set)
{
	size_t size;

	if (!attrs[type])
		return;
	size = mnl_attr_get_payload_len(attrs[type]);
	memcpy(set, mnl_attr_get_payload(attrs[type]),
	       size < IPC_SET ? size : IPC_SET);
}

static int view_parse(struct nlattr **attrs, void *object)
{
	struct ipc_view *view = object;

	get_u32(attrs, PSYNC_A_VIEW_INDEX, &view->index);
	get_u32(attrs, PSYNC_A_VIEW_PORT, &view->port);
	get_u32(attrs, PSYNC_A_VIEW_BINDING, &view->binding);
	view->accepted = attrs[PSYNC_A_VIEW_ACCEPTED];
	get_u32(attrs, PSYNC_A_VIEW_OUTSTANDING, &view->outstanding);
	get_u64(attrs, PSYNC_A_VIEW_COUNT, &view->count);
	get_u32(attrs, PSYNC_A_VIEW_LEAVES, &view->leaves);
	get_set(attrs, PSYNC_A_VIEW_MASKED, view->masked);
	get_set(attrs, PSYNC_A_VIEW_AGREED, view->agreed);
	get_set(attrs, PSYNC_A_VIEW_MASKED_BY, view->masked_by);
	get_set(attrs, PSYNC_A_VIEW_ASKED, view->asked);
	return 0;
}

int ipc_view_list(struct ipc *ipc, uint64_t cid, struct ipc_view **views)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_VIEW_GET, 0);

	mnl_attr_put_u64(nlh, PSYNC_A_VIEW_CID, cid);
	return ipc_dump(ipc, view_parse, NULL, sizeof(**views),
			(void **)views);
}

static int remote_parse(struct nlattr **attrs, void *object)
{
	struct ipc_remote *remote = object;

	get_u32(attrs, PSYNC_A_REMOTE_SITE, &remote->site);
	get_u64(attrs, PSYNC_A_REMOTE_INCARNATION, &remote->incarnation);
	get_u32(attrs, PSYNC_A_REMOTE_OPENING, &remote->opening);
	remote->heard = attrs[PSYNC_A_REMOTE_HEARD];
	remote->absent = attrs[PSYNC_A_REMOTE_ABSENT];
	remote->moved = attrs[PSYNC_A_REMOTE_MOVED];
	remote->suspect = attrs[PSYNC_A_REMOTE_SUSPECT];
	get_u32(attrs, PSYNC_A_REMOTE_LACKS, &remote->lacks);
	get_u32(attrs, PSYNC_A_REMOTE_ASKED, &remote->asked);
	get_u64(attrs, PSYNC_A_REMOTE_RTT, &remote->rtt);
	get_u64(attrs, PSYNC_A_REMOTE_RTT_VAR, &remote->rtt_var);
	get_u32(attrs, PSYNC_A_REMOTE_CREDIT_BYTES, &remote->credit_bytes);
	get_u32(attrs, PSYNC_A_REMOTE_CREDIT_MSGS, &remote->credit_msgs);
	get_u64(attrs, PSYNC_A_REMOTE_FLIGHT_BYTES, &remote->flight_bytes);
	get_u32(attrs, PSYNC_A_REMOTE_FLIGHT_MSGS, &remote->flight_msgs);
	return 0;
}

int ipc_remote_list(struct ipc *ipc, uint64_t cid, struct ipc_remote **remotes)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_REMOTE_GET, 0);

	mnl_attr_put_u64(nlh, PSYNC_A_REMOTE_CID, cid);
	return ipc_dump(ipc, remote_parse, NULL, sizeof(**remotes),
			(void **)remotes);
}

static int node_parse(struct nlattr **attrs, void *object)
{
	struct ipc_node *node = object;

	get_u64(attrs, PSYNC_A_NODE_MID, &node->mid);
	get_u64(attrs, PSYNC_A_NODE_ORDINAL, &node->ordinal);
	get_u32(attrs, PSYNC_A_NODE_SENDER, &node->sender);
	get_u32(attrs, PSYNC_A_NODE_WAVE, &node->wave);
	get_u32(attrs, PSYNC_A_NODE_BODY_LEN, &node->body_len);
	get_u32(attrs, PSYNC_A_NODE_FLAGS, &node->flags);
	return get_array(attrs, PSYNC_A_NODE_PREDS, sizeof(*node->preds),
			 (void **)&node->preds, &node->npreds);
}

static void node_drop(void *object)
{
	free(((struct ipc_node *)object)->preds);
}

int ipc_node_list(struct ipc *ipc, uint64_t cid, struct ipc_node **nodes)
{
	struct nlmsghdr *nlh = ipc_request(ipc, PSYNC_CMD_GRAPH_GET, 0);

	mnl_attr_put_u64(nlh, PSYNC_A_NODE_CID, cid);
	return ipc_dump(ipc, node_parse, node_drop, sizeof(**nodes),
			(void **)nodes);
}

void ipc_node_free(struct ipc_node *nodes, int n)
{
	int i;

	for (i = 0; i < n; i++)
		node_drop(&nodes[i]);
	free(nodes);
}

static int stat_parse(struct nlattr **attrs, void *object)
{
	struct ipc_stat *stat = object;

	get_text(attrs, PSYNC_A_STAT_NAME, stat->name, sizeof(stat->name));
	get_u32(attrs, PSYNC_A_STAT_KIND, &stat->kind);
	get_u64(attrs, PSYNC_A_STAT_VALUE, &stat->value);
	get_text(attrs, PSYNC_A_STAT_TEXT, stat->text, sizeof(stat->text));
	return 0;
}

int ipc_stat_list(struct ipc *ipc, struct ipc_stat **stats)
{
	ipc_request(ipc, PSYNC_CMD_STAT_GET, 0);
	return ipc_dump(ipc, stat_parse, NULL, sizeof(**stats),
			(void **)stats);
}

static int event_parse(struct nlattr **attrs, void *object)
{
	struct psync_event *ev = object;
	uint64_t cid = 0, mid = 0, other = 0;

	get_u32(attrs, PSYNC_A_EVENT_TYPE, &ev->type);
	get_u32(attrs, PSYNC_A_EVENT_SITE, &ev->site);
	get_u64(attrs, PSYNC_A_EVENT_CID, &cid);
	get_u64(attrs, PSYNC_A_EVENT_MID, &mid);
	ev->cid = cid;
	ev->mid = mid;
	get_u64(attrs, PSYNC_A_EVENT_OTHER, &other);
	ev->other = other;
	get_u32(attrs, PSYNC_A_EVENT_GROUP, &ev->group);
	get_u32(attrs, PSYNC_A_EVENT_NUMBER, &ev->number);
	get_u32(attrs, PSYNC_A_EVENT_REASON, &ev->reason);
	return 0;
}

int ipc_watch_next(struct ipc *ipc, struct ipc_change *change)
{
	struct nlattr *attrs[IPC_ATTRS];
	uint8_t cmd;
	int err;

	memset(change, 0, sizeof(*change));
	err = ipc_notification(ipc, &cmd, attrs);
	/* The queue overflowed: that is news, too. */
	if (err == -ENOBUFS)
		return 1;
	if (err <= 0)
		return err;
	change->cmd = cmd;
	switch (cmd) {
	case PSYNC_CMD_SITE_NTF:
		err = site_parse(attrs, &change->site);
		break;
	case PSYNC_CMD_LINK_ADD_NTF:
	case PSYNC_CMD_LINK_SET_NTF:
	case PSYNC_CMD_LINK_DEL_NTF:
		err = link_parse(attrs, &change->link);
		break;
	case PSYNC_CMD_PEER_ADD_NTF:
	case PSYNC_CMD_PEER_SET_NTF:
	case PSYNC_CMD_PEER_DEL_NTF:
		err = peer_parse(attrs, &change->peer);
		break;
	case PSYNC_CMD_GROUP_ADD_NTF:
	case PSYNC_CMD_GROUP_SET_NTF:
	case PSYNC_CMD_GROUP_DEL_NTF:
		err = group_parse(attrs, &change->group);
		break;
	case PSYNC_CMD_EVENT_NTF:
		err = event_parse(attrs, &change->event);
		break;
	default:	/* of a newer kernel */
		return 0;
	}
	return err < 0 ? err : 1;
}

void ipc_change_free(struct ipc_change *change)
{
	if (change->cmd == PSYNC_CMD_GROUP_ADD_NTF ||
	    change->cmd == PSYNC_CMD_GROUP_SET_NTF)
		free(change->group.pids);
}
