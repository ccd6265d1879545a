// SPDX-License-Identifier: GPL-2.0-only
/* Configuration over generic netlink for the test programs. */

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/psync_netlink.h>

#include "lib.h"

#define NL_ROOM	32768

/**
 * struct nl - a netlink socket
 * @sock: of one namespace
 * @family: number of the family "psync"
 * @group: number of its multicast group
 * @request: being made
 * @words: what the kernel said of the last request
 * @buf: for both directions
 */
struct nl {
	struct mnl_socket	*sock;
	uint16_t		family;
	uint32_t		group;
	struct nlmsghdr		*request;
	char			words[256];
	char			buf[NL_ROOM];
};

static int nl_mcast_attr(const struct nlattr *attr, void *data)
{
	const struct nlattr *inner;
	struct nl *nl = data;

	mnl_attr_for_each_nested(inner, attr)
		if (mnl_attr_get_type(inner) == CTRL_ATTR_MCAST_GRP_ID)
			nl->group = mnl_attr_get_u32(inner);
	return MNL_CB_OK;
}

static int nl_family_attr(const struct nlattr *attr, void *data)
{
	struct nl *nl = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		nl->family = mnl_attr_get_u16(attr);
	else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
		mnl_attr_parse_nested(attr, nl_mcast_attr, nl);
	return MNL_CB_OK;
}

static int nl_family_msg(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), nl_family_attr,
			      data);
}

static void nl_header(struct nl *nl, uint16_t type, uint8_t command,
		      uint8_t version)
{
	struct genlmsghdr *genl;

	nl->request = mnl_nlmsg_put_header(nl->buf);
	nl->request->nlmsg_type = type;
	nl->request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nl->request->nlmsg_seq = 1;
	genl = mnl_nlmsg_put_extra_header(nl->request, sizeof(*genl));
	genl->cmd = command;
	genl->version = version;
}

static void nl_resolve(struct nl *nl)
{
	ssize_t len;
	int more = 1;

	nl_header(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nl->request, CTRL_ATTR_FAMILY_NAME,
			  PSYNC_FAMILY_NAME);
	works(mnl_socket_sendto(nl->sock, nl->request, nl->request->nlmsg_len));
	while (more > 0) {
		len = works(mnl_socket_recvfrom(nl->sock, nl->buf, NL_ROOM));
		more = mnl_cb_run(nl->buf, len, 1, 0, nl_family_msg, nl);
	}
	assert_int_not_equal(nl->family, 0);
	assert_int_not_equal(nl->group, 0);
}

struct nl *nl_here(void)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	struct timeval patience = { .tv_sec = PATIENCE };
	int on = 1;

	assert_non_null(nl);
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	assert_non_null(nl->sock);
	assert_int_equal(mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID), 0);
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	works(setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO,
			 &patience, sizeof(patience)));
	nl_resolve(nl);
	return nl;
}

struct nl *nl_open(int host)
{
	lab_enter(host);
	return nl_here();
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->sock);
	free(nl);
}

void nl_begin(struct nl *nl, uint8_t command)
{
	nl_header(nl, nl->family, command, PSYNC_FAMILY_VERSION);
}

void nl_u16(struct nl *nl, uint16_t attr, uint16_t value)
{
	mnl_attr_put_u16(nl->request, attr, value);
}

void nl_u32(struct nl *nl, uint16_t attr, uint32_t value)
{
	mnl_attr_put_u32(nl->request, attr, value);
}

void nl_u64(struct nl *nl, uint16_t attr, uint64_t value)
{
	mnl_attr_put_u64(nl->request, attr, value);
}

void nl_str(struct nl *nl, uint16_t attr, const char *value)
{
	mnl_attr_put_strz(nl->request, attr, value);
}

void nl_put(struct nl *nl, uint16_t attr, const void *value, size_t len)
{
	mnl_attr_put(nl->request, attr, len, value);
}

/* The extended acknowledgement's text, behind the error. */
static void nl_hear(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	size_t skip = sizeof(struct nlmsgerr);

	nl->words[0] = 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->words, sizeof(nl->words), "%s",
				 mnl_attr_get_str(attr));
}

/* The end of a dump: an errno of its own, and words. */
static int nl_done(struct nl *nl, const struct nlmsghdr *nlh, int count)
{
	int err = *(const int *)mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	nl->words[0] = 0;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_for_each(attr, nlh, sizeof(err))
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
				snprintf(nl->words, sizeof(nl->words), "%s",
					 mnl_attr_get_str(attr));
	return err ? err : count;
}

int nl_send(struct nl *nl, bool dump)
{
	if (dump)
		nl->request->nlmsg_flags |= NLM_F_DUMP;
	return mnl_socket_sendto(nl->sock, nl->request,
				 nl->request->nlmsg_len) < 0 ? -errno : 0;
}

/* Answers before the end or the acknowledgement are skipped. */
int nl_answer(struct nl *nl)
{
	const struct nlmsgerr *err;
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len;

	for (;;) {
		got = mnl_socket_recvfrom(nl->sock, nl->buf, NL_ROOM);
		if (got < 0)
			return -errno;
		len = got;
		for (nlh = (void *)nl->buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return nl_done(nl, nlh, 0);
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			nl_hear(nl, nlh);
			err = mnl_nlmsg_get_payload(nlh);
			return err->error;
		}
	}
}

int nl_talk(struct nl *nl)
{
	works(mnl_socket_sendto(nl->sock, nl->request, nl->request->nlmsg_len));
	return nl_answer(nl);
}

const char *nl_words(const struct nl *nl)
{
	return nl->words;
}

static uint32_t nl_key_of(const struct nlmsghdr *nlh, uint16_t key)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == key)
			return mnl_attr_get_u32(attr);
	return 0;
}

int nl_dump(struct nl *nl, uint16_t key, uint32_t *keys, unsigned int room,
	    bool *intr)
{
	return nl_dump_between(nl, key, keys, room, intr, NULL);
}

int nl_dump_between(struct nl *nl, uint16_t key, uint32_t *keys,
		    unsigned int room, bool *intr, void (*between)(void))
{
	const struct nlmsghdr *nlh;
	unsigned int count = 0;
	ssize_t got;
	int len;

	*intr = false;
	nl->request->nlmsg_flags |= NLM_F_DUMP;
	works(mnl_socket_sendto(nl->sock, nl->request, nl->request->nlmsg_len));
	for (;; between ? between() : (void)0) {
		got = works(mnl_socket_recvfrom(nl->sock, nl->buf, NL_ROOM));
		len = got;
		for (nlh = (void *)nl->buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				*intr = true;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				nl_hear(nl, nlh);
				return *(const int *)mnl_nlmsg_get_payload(nlh);
			}
			if (nlh->nlmsg_type == NLMSG_DONE)
				return nl_done(nl, nlh, count);
			if (count < room)
				keys[count] = nl_key_of(nlh, key);
			count++;
		}
	}
}

void nl_listen(struct nl *nl)
{
	assert_int_equal(mnl_socket_setsockopt(nl->sock,
					       NETLINK_ADD_MEMBERSHIP,
					       &nl->group, sizeof(nl->group)),
			 0);
}

static void nl_event_fill(struct psync_event *ev, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	memset(ev, 0, sizeof(*ev));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case PSYNC_A_EVENT_TYPE:
			ev->type = mnl_attr_get_u32(attr);
			break;
		case PSYNC_A_EVENT_SITE:
			ev->site = mnl_attr_get_u32(attr);
			break;
		case PSYNC_A_EVENT_CID:
			ev->cid = mnl_attr_get_u64(attr);
			break;
		case PSYNC_A_EVENT_MID:
			ev->mid = mnl_attr_get_u64(attr);
			break;
		case PSYNC_A_EVENT_GROUP:
			ev->group = mnl_attr_get_u32(attr);
			break;
		case PSYNC_A_EVENT_NUMBER:
			ev->number = mnl_attr_get_u32(attr);
			break;
		case PSYNC_A_EVENT_REASON:
			ev->reason = mnl_attr_get_u32(attr);
			break;
		case PSYNC_A_EVENT_OTHER:
			ev->other = mnl_attr_get_u64(attr);
			break;
		}
	}
}

int nl_notice(struct nl *nl)
{
	const struct genlmsghdr *genl;
	const struct nlmsghdr *nlh = (void *)nl->buf;
	ssize_t got = works(mnl_socket_recvfrom(nl->sock, nl->buf, NL_ROOM));

	assert_true(mnl_nlmsg_ok(nlh, got));
	assert_int_equal(nlh->nlmsg_type, nl->family);
	genl = mnl_nlmsg_get_payload(nlh);
	return genl->cmd;
}

struct psync_event nl_event(struct nl *nl, uint32_t type)
{
	const struct genlmsghdr *genl;
	const struct nlmsghdr *nlh;
	struct psync_event ev;
	ssize_t got;
	int len;

	for (;;) {
		got = works(mnl_socket_recvfrom(nl->sock, nl->buf, NL_ROOM));
		len = got;
		for (nlh = (void *)nl->buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type != nl->family)
				continue;
			genl = mnl_nlmsg_get_payload(nlh);
			if (genl->cmd != PSYNC_CMD_EVENT_NTF)
				continue;
			nl_event_fill(&ev, nlh);
			if (ev.type == type)
				return ev;
		}
	}
}

void group_add(int host, uint32_t number, const struct psync_pid *pids,
	       unsigned int n)
{
	struct nl *nl = nl_open(host);
	int err;

	nl_begin(nl, PSYNC_CMD_GROUP_ADD);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, number);
	nl_put(nl, PSYNC_A_GROUP_PIDS, pids, n * sizeof(*pids));
	err = nl_talk(nl);
	if (err)
		fail_msg("host %d: group %u: %s (%s)", host, number,
			 strerror(-err), nl_words(nl));
	nl_close(nl);
}

unsigned int convs_at(int host)
{
	struct nl *nl = nl_open(host);
	bool intr;
	int n;

	nl_begin(nl, PSYNC_CMD_CONV_GET);
	n = nl_dump(nl, 0, NULL, 0, &intr);
	nl_close(nl);
	assert_true(n >= 0);
	return n;
}

void conv_none(int host, uint64_t cid)
{
	struct patience p = patience_begin();
	struct nl *nl = nl_open(host);
	int err;

	for (;;) {
		nl_begin(nl, PSYNC_CMD_CONV_GET);
		nl_u64(nl, PSYNC_A_CONV_CID, cid);
		err = nl_talk(nl);
		if (err)
			break;
		patience_try(&p, "a conversation to be over");
	}
	assert_int_equal(err, -ENOENT);
	nl_close(nl);
}
