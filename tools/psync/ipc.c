// SPDX-License-Identifier: GPL-2.0-only
/* Generic netlink: requests, answers, dumps, notifications, reasons. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc_mnl.h"

#define IPC_REQUEST	(16 * 1024)
#define IPC_ANSWER	(64 * 1024)
/* A dump that the configuration changed under is begun anew so many times. */
#define IPC_PATIENCE	20
#define IPC_REASON	256

/**
 * struct ipc - a connection to the kernel
 * @nl: for requests
 * @watch: for notifications, or NULL
 * @port: port id of @nl
 * @seq: of the last request
 * @family: id of the psync family
 * @group: id of the multicast group
 * @request: the request being made
 * @answer: room for what comes
 * @next: watch: notification to look at next, within @answer
 * @left: watch: bytes there
 * @reason: what the kernel had against the last request
 */
struct ipc {
	struct mnl_socket	*nl;
	struct mnl_socket	*watch;
	unsigned int		port;
	unsigned int		seq;
	uint16_t		family;
	uint32_t		group;
	char			*request;
	char			*answer;
	struct nlmsghdr		*next;
	int			left;
	char			reason[IPC_REASON];
};

/* What one exchange is about. */
struct ipc_exchange {
	struct ipc	*ipc;
	ipc_parse_t	parse;
	void		(*drop)(void *object);
	size_t		size;
	char		*objects;
	size_t		n;
	size_t		room;
	bool		one;		/* @objects is one object of the caller */
	int		err;
};

const char *ipc_reason(const struct ipc *ipc)
{
	return ipc->reason[0] ? ipc->reason : NULL;
}

static int ipc_attr(const struct nlattr *attr, void *data)
{
	struct nlattr **attrs = data;

	if (mnl_attr_get_type(attr) < IPC_ATTRS)
		attrs[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

/* The extended acknowledgement's text, without the module's name before it. */
static void ipc_take_reason(struct ipc *ipc, const void *tlvs, size_t len)
{
	struct nlattr *attrs[IPC_ATTRS] = {};
	const char *text;

	if (mnl_attr_parse_payload(tlvs, len, ipc_attr, attrs) < 0 ||
	    !attrs[NLMSGERR_ATTR_MSG] ||
	    mnl_attr_validate(attrs[NLMSGERR_ATTR_MSG],
			      MNL_TYPE_NUL_STRING) < 0)
		return;
	text = mnl_attr_get_str(attrs[NLMSGERR_ATTR_MSG]);
	if (!strncmp(text, "psync: ", 7))
		text += 7;
	snprintf(ipc->reason, sizeof(ipc->reason), "%s", text);
}

static void ipc_on_error(struct ipc_exchange *ex, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh), skip = sizeof(*e);

	if (len < sizeof(*e)) {
		ex->err = -EBADMSG;
		return;
	}
	ex->err = e->error;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	skip = MNL_ALIGN(skip);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && len > skip)
		ipc_take_reason(ex->ipc, (const char *)e + skip, len - skip);
}

/* The end of a dump may carry an error, too, and its reason. */
static void ipc_on_done(struct ipc_exchange *ex, const struct nlmsghdr *nlh)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	const char *data = mnl_nlmsg_get_payload(nlh);
	int err = 0;

	if (len >= sizeof(err))
		memcpy(&err, data, sizeof(err));
	if (err < 0)
		ex->err = err;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && len > sizeof(err))
		ipc_take_reason(ex->ipc, data + sizeof(err),
				len - sizeof(err));
}

static void *ipc_room(struct ipc_exchange *ex)
{
	char *objects;
	size_t room;

	if (ex->one)
		return ex->n++ ? NULL : ex->objects;
	if (ex->n == ex->room) {
		room = ex->room ? 2 * ex->room : 16;
		objects = realloc(ex->objects, room * ex->size);
		if (!objects)
			return NULL;
		ex->objects = objects;
		ex->room = room;
	}
	objects = ex->objects + ex->n++ * ex->size;
	memset(objects, 0, ex->size);
	return objects;
}

static void ipc_on_data(struct ipc_exchange *ex, const struct nlmsghdr *nlh)
{
	struct nlattr *attrs[IPC_ATTRS] = {};
	void *object;

	if (ex->err || !ex->parse)
		return;
	if (mnl_attr_parse(nlh, GENL_HDRLEN, ipc_attr, attrs) < 0) {
		ex->err = -EBADMSG;
		return;
	}
	object = ipc_room(ex);
	ex->err = object ? ex->parse(attrs, object) : -ENOMEM;
}

/*
 * Looks at what came at once; returns whether the exchange is over.  Not
 * mnl_cb_run(), which stops at the first message of a dump that the
 * configuration changed under and leaves the rest, its end included, unread.
 */
static bool ipc_take(struct ipc_exchange *ex, int left)
{
	const struct ipc *ipc = ex->ipc;
	struct nlmsghdr *nlh;

	for (nlh = (struct nlmsghdr *)ipc->answer; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != ipc->seq ||
		    nlh->nlmsg_pid != ipc->port)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			ipc_on_error(ex, nlh);
			return true;
		}
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && !ex->err)
			ex->err = -EINTR;
		if (nlh->nlmsg_type == NLMSG_DONE) {
			ipc_on_done(ex, nlh);
			return true;
		}
		if (nlh->nlmsg_type == ipc->family)
			ipc_on_data(ex, nlh);
	}
	return false;
}

/* Sends the request and reads until its acknowledgement or the dump's end. */
static int ipc_exchange(struct ipc_exchange *ex)
{
	struct ipc *ipc = ex->ipc;
	struct nlmsghdr *nlh = (struct nlmsghdr *)ipc->request;
	ssize_t n;

	ex->err = 0;
	nlh->nlmsg_seq = ++ipc->seq;
	if (mnl_socket_sendto(ipc->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(ipc->nl, ipc->answer, IPC_ANSWER);
		if (n < 0)
			return -errno;
	} while (!ipc_take(ex, (int)n));
	return ex->err;
}

struct nlmsghdr *ipc_request(struct ipc *ipc, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(ipc->request);
	struct genlmsghdr *genl;

	ipc->reason[0] = '\0';
	nlh->nlmsg_type = ipc->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = PSYNC_FAMILY_VERSION;
	return nlh;
}

int ipc_do(struct ipc *ipc, ipc_parse_t parse, void *object)
{
	struct ipc_exchange ex = {
		.ipc = ipc,
		.parse = parse,
		.objects = object,
		.one = true,
	};

	((struct nlmsghdr *)ipc->request)->nlmsg_flags |= NLM_F_ACK;
	return ipc_exchange(&ex);
}

static void ipc_forget(struct ipc_exchange *ex)
{
	size_t i;

	for (i = 0; ex->drop && i < ex->n; i++)
		ex->drop(ex->objects + i * ex->size);
	free(ex->objects);
	ex->objects = NULL;
	ex->n = 0;
	ex->room = 0;
}

int ipc_dump(struct ipc *ipc, ipc_parse_t parse, void (*drop)(void *object),
	     size_t size, void **objects)
{
	struct ipc_exchange ex = {
		.ipc = ipc,
		.parse = parse,
		.drop = drop,
		.size = size,
	};
	int err, tries = 0;

	((struct nlmsghdr *)ipc->request)->nlmsg_flags |= NLM_F_DUMP;
	do {
		ipc_forget(&ex);
		err = ipc_exchange(&ex);
	} while (err == -EINTR && ++tries < IPC_PATIENCE);
	if (err) {
		ipc_forget(&ex);
		if (err == -EINTR)
			snprintf(ipc->reason, sizeof(ipc->reason),
				 "the configuration keeps changing");
		return err;
	}
	*objects = ex.objects;
	return (int)ex.n;
}

static void ipc_find_group(const struct nlattr *groups, struct ipc *ipc)
{
	struct nlattr *each;

	mnl_attr_for_each_nested(each, groups) {
		struct nlattr *attrs[IPC_ATTRS] = {};

		if (mnl_attr_parse_nested(each, ipc_attr, attrs) < 0 ||
		    !attrs[CTRL_ATTR_MCAST_GRP_NAME] ||
		    !attrs[CTRL_ATTR_MCAST_GRP_ID])
			continue;
		if (!strcmp(mnl_attr_get_str(attrs[CTRL_ATTR_MCAST_GRP_NAME]),
			    PSYNC_MCGRP_EVENTS))
			ipc->group = mnl_attr_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static int ipc_family_parse(struct nlattr **attrs, void *object)
{
	struct ipc *ipc = object;

	if (!attrs[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	ipc->family = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (attrs[CTRL_ATTR_MCAST_GROUPS])
		ipc_find_group(attrs[CTRL_ATTR_MCAST_GROUPS], ipc);
	return 0;
}

/* The kernel loads the module for this when it may. */
static int ipc_resolve(struct ipc *ipc)
{
	struct nlmsghdr *nlh;
	int err;

	ipc->family = GENL_ID_CTRL;
	nlh = ipc_request(ipc, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, PSYNC_FAMILY_NAME);
	err = ipc_do(ipc, ipc_family_parse, ipc);
	ipc->reason[0] = '\0';
	return err == -ENOENT ? -EAFNOSUPPORT : err;
}

static struct mnl_socket *ipc_socket(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	int one = 1;

	if (!nl)
		return NULL;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	/* Reasons are welcome; without them there are still errors. */
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &one, sizeof(one));
	return nl;
}

int ipc_open(struct ipc **out)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));
	int err = -ENOMEM;

	if (!ipc)
		return err;
	ipc->request = malloc(IPC_REQUEST);
	ipc->answer = malloc(IPC_ANSWER);
	if (!ipc->request || !ipc->answer)
		goto fail;
	ipc->nl = ipc_socket();
	if (!ipc->nl) {
		err = -errno;
		goto fail;
	}
	ipc->port = mnl_socket_get_portid(ipc->nl);
	err = ipc_resolve(ipc);
	if (err)
		goto fail;
	*out = ipc;
	return 0;
fail:
	ipc_close(ipc);
	return err;
}

void ipc_close(struct ipc *ipc)
{
	if (!ipc)
		return;
	if (ipc->nl)
		mnl_socket_close(ipc->nl);
	if (ipc->watch)
		mnl_socket_close(ipc->watch);
	free(ipc->request);
	free(ipc->answer);
	free(ipc);
}

int ipc_watch(struct ipc *ipc)
{
	if (!ipc->group)
		return -EAFNOSUPPORT;
	ipc->watch = ipc_socket();
	if (!ipc->watch)
		return -errno;
	if (mnl_socket_setsockopt(ipc->watch, NETLINK_ADD_MEMBERSHIP,
				  &ipc->group, sizeof(ipc->group)) < 0)
		return -errno;
	return 0;
}

int ipc_watch_fd(const struct ipc *ipc)
{
	return mnl_socket_get_fd(ipc->watch);
}

int ipc_notification(struct ipc *ipc, uint8_t *cmd, struct nlattr **attrs)
{
	const struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	ssize_t n;

	if (!ipc->left) {
		n = recv(ipc_watch_fd(ipc), ipc->answer, IPC_ANSWER,
			 MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		ipc->next = (struct nlmsghdr *)ipc->answer;
		ipc->left = (int)n;
	}
	nlh = ipc->next;
	if (!mnl_nlmsg_ok(nlh, ipc->left)) {
		ipc->left = 0;
		return 0;
	}
	ipc->next = mnl_nlmsg_next(nlh, &ipc->left);
	if (nlh->nlmsg_type != ipc->family ||
	    mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return 0;
	memset(attrs, 0, IPC_ATTRS * sizeof(*attrs));
	if (mnl_attr_parse(nlh, GENL_HDRLEN, ipc_attr, attrs) < 0)
		return -EBADMSG;
	genl = mnl_nlmsg_get_payload(nlh);
	*cmd = genl->cmd;
	return 1;
}
