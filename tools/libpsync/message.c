// SPDX-License-Identifier: LGPL-2.1-or-later
/* Messages and events. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "libpsync.h"
#include "option.h"

/* Most predecessors that a message can have. */
#define PREDS_MAX	1024

int psync_want(int fd, uint32_t info, uint32_t events)
{
	int err = psync_option_set(fd, PSYNC_RECVINFO, &info, sizeof(info));

	return err ? err : psync_option_set(fd, PSYNC_EVENTS, &events,
					    sizeof(events));
}

int psync_manual(int fd)
{
	uint32_t on = 0;
	int err = psync_option_get(fd, PSYNC_MANUAL, &on, sizeof(on));

	return err ? err : !!on;
}

int psync_set_manual(int fd, int on)
{
	uint32_t value = !!on;

	return psync_option_set(fd, PSYNC_MANUAL, &value, sizeof(value));
}

int psync_send(int fd, const void *data, size_t len, uint64_t *mid)
{
	if (send(fd, data, len, MSG_NOSIGNAL) < 0)
		return -errno;
	return mid ? psync_last_mid(fd, mid) : 0;
}

static void psync_recv_info(struct cmsghdr *cmsg, struct psync_received *info)
{
	struct psync_msginfo m;

	if (cmsg->cmsg_len < CMSG_LEN(sizeof(m)))
		return;
	memcpy(&m, CMSG_DATA(cmsg), sizeof(m));
	info->mid = m.mid;
	info->sender = m.sender;
	info->binding = m.binding;
	info->index = m.index;
	info->wave = m.wave;
	info->flags = m.flags;
}

static void psync_recv_preds(struct cmsghdr *cmsg, struct psync_received *info,
			     uint64_t *preds, size_t room)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(*preds);

	info->npreds = (uint32_t)n;
	if (n > room)
		n = room;
	if (n)
		memcpy(preds, CMSG_DATA(cmsg), n * sizeof(*preds));
}

int psync_recv(int fd, void *data, size_t size, struct psync_received *info,
	       uint64_t *preds, size_t room)
{
	union {
		char space[CMSG_SPACE(sizeof(struct psync_msginfo)) +
			   CMSG_SPACE(PREDS_MAX * sizeof(uint64_t))];
		struct cmsghdr align;
	} control;
	/* Events come through the same door and must not be cut. */
	struct iovec iov[2] = {
		{ .iov_base = data, .iov_len = size },
		{ .iov_base = &info->event, .iov_len = sizeof(info->event) },
	};
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct psync_event event;
	struct cmsghdr *cmsg;
	size_t head;
	ssize_t len;

	memset(info, 0, sizeof(*info));
	len = recvmsg(fd, &msg, 0);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_PSYNC_NOTIFICATION) {
		head = size < sizeof(event) ? size : sizeof(event);
		if (head)
			memcpy(&event, data, head);
		memcpy((char *)&event + head, &info->event,
		       sizeof(event) - head);
		info->event = event;
		info->kind = PSYNC_RECEIVED_EVENT;
		return 0;
	}
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_PSYNC)
			continue;
		if (cmsg->cmsg_type == PSYNC_CMSG_INFO)
			psync_recv_info(cmsg, info);
		else if (cmsg->cmsg_type == PSYNC_CMSG_PREDS)
			psync_recv_preds(cmsg, info, preds, room);
	}
	memset(&info->event, 0, sizeof(info->event));
	/* Nothing at all, not even who sent it: the end. */
	if (len || info->mid)
		info->kind = PSYNC_RECEIVED_MESSAGE;
	info->truncated = (size_t)len > size || msg.msg_flags & MSG_TRUNC;
	return (size_t)len > size ? (int)size : (int)len;
}
