/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpsync: conversations over AF_PSYNC sockets without the tedium.
 *
 * A conversation is a file descriptor; everything here is a thin cover of the
 * calls of psync(7), and both may be mixed freely.  Functions return a value
 * that is not negative, or a negative errno; they print nothing, keep nothing
 * and may be called from any thread.
 *
 *	int fd = psync_join(7, 1, 0);		group 7, conversation 1
 *	psync_send(fd, "hello", 5, NULL);
 *	for (;;) {
 *		struct psync_received info;
 *		char text[1000];
 *		int len = psync_recv(fd, text, sizeof(text), &info, NULL, 0);
 *
 *		if (len < 0 || info.kind == PSYNC_RECEIVED_NOTHING)
 *			break;
 *		if (info.kind == PSYNC_RECEIVED_EVENT)
 *			continue;
 *		printf("%u: %.*s\n", info.sender.site, len, text);
 *	}
 */
#ifndef LIBPSYNC_H
#define LIBPSYNC_H

#include <linux/psync.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBPSYNC_VERSION	"1.0"

/**
 * psync_family - number of the socket family
 *
 * Return: the number, -EAFNOSUPPORT when the module is not loaded.
 */
int psync_family(void);

/**
 * psync_socket - make a socket, closed on exec
 * @type: SOCK_SEQPACKET (conversations) or SOCK_DGRAM, with SOCK_NONBLOCK if
 *	wanted
 *
 * Return: a file descriptor, -EAFNOSUPPORT, what socket() says.
 */
int psync_socket(int type);

/**
 * psync_addr_pid - address of a participant
 * @addr: filled in
 * @family: psync_family()
 * @site: site id; zero in bind(): this one
 * @port: port; zero in bind(): an automatic one
 */
void psync_addr_pid(struct sockaddr_psync *addr, int family, uint32_t site,
		    uint32_t port);

/**
 * psync_addr_group - address of a group
 * @addr: filled in
 * @family: psync_family()
 * @group: group number
 * @number: conversation number of a rendezvous, or zero: a new conversation
 */
void psync_addr_group(struct sockaddr_psync *addr, int family, uint32_t group,
		      uint32_t number);

/**
 * psync_bind - give a socket its port
 * @fd: socket
 * @port: port, zero: an automatic one
 *
 * Return: 0 or what bind() says.
 */
int psync_bind(int fd, uint32_t port);

/**
 * psync_connect - open a conversation of a group
 * @fd: socket
 * @group: group number
 * @number: conversation number of a rendezvous, or zero: a new conversation
 *
 * Return: 0 or what connect() says.
 */
int psync_connect(int fd, uint32_t group, uint32_t number);

/**
 * psync_join - socket, bind and connect in one
 * @group: group number
 * @number: conversation number of a rendezvous, or zero: a new conversation
 * @port: which of the group's members at this site to be, by its port; zero: the
 *	first of them whose port is free
 *
 * Return: a file descriptor or the first error.
 */
int psync_join(uint32_t group, uint32_t number, uint32_t port);

/**
 * psync_rejoin - psync_join() of a participant that was there before
 * @group: group number
 * @number: conversation number of a rendezvous, not zero
 * @port: as for psync_join(); that of before
 * @flags: PSYNC_RESTART_* bits
 *
 * The view is empty: what is still kept of what was said is received again, own
 * messages like others' (see psync_set_history()), and what is not is told with
 * PSYNC_EV_GAP.  Sends wait until all that is there, and where others have masked
 * this participant out for good, until all of them have masked it in.  If nobody
 * has the conversation any more it is a new one.  Who keeps its leaves uses
 * psync_set_restart() itself.
 * Return: a file descriptor or the first error: what psync_set_restart() and
 * psync_connect() say; -EADDRINUSE while the earlier socket is open.
 */
int psync_rejoin(uint32_t group, uint32_t number, uint32_t port,
		 uint32_t flags);

/**
 * psync_listen - socket, bind and listen in one
 * @port: port
 * @backlog: conversations that may wait for accept()
 *
 * Return: a file descriptor or the first error.
 */
int psync_listen(uint32_t port, int backlog);

/**
 * psync_send - send a message in the context of what was received
 * @fd: conversation
 * @data: the message
 * @len: its bytes
 * @mid: where its id goes, or NULL; another thread that sends on the same
 *	socket at the same time may have the ids exchanged
 *
 * Return: 0 or what send() says.
 */
int psync_send(int fd, const void *data, size_t len, uint64_t *mid);

enum psync_received_kind {
	PSYNC_RECEIVED_NOTHING	= 0,	/* shut down: nothing more will come */
	PSYNC_RECEIVED_MESSAGE	= 1,
	PSYNC_RECEIVED_EVENT	= 2,
};

/**
 * struct psync_received - what was received
 * @kind: enum psync_received_kind
 * @truncated: the message did not fit
 * @mid: MESSAGE: its id
 * @sender: MESSAGE: who sent it
 * @binding: MESSAGE: binding number of the sender's port
 * @index: MESSAGE: the sender's participant index
 * @wave: MESSAGE: its wave
 * @npreds: MESSAGE: immediate predecessors; may be more than there was room
 *	for
 * @event: EVENT: what happened
 * @flags: MESSAGE: PSYNC_MSG_* bits; NULL and END only with PSYNC_RECV_NULLS
 */
struct psync_received {
	uint32_t		kind;
	uint32_t		truncated;
	uint64_t		mid;
	struct psync_pid	sender;
	uint32_t		binding;
	uint32_t		index;
	uint32_t		wave;
	uint32_t		npreds;
	struct psync_event	event;
	uint32_t		flags;
};

/**
 * psync_want - choose what comes besides messages
 * @fd: conversation or listening socket
 * @info: PSYNC_RECV_* bits
 * @events: PSYNC_EVMASK() bits
 *
 * psync_recv() needs PSYNC_RECV_INFO to tell ids and senders, and
 * PSYNC_RECV_PREDS to tell predecessors.  psync_join() and psync_listen() ask
 * for both and for all events; what accept() returns has its listener's choice.
 * Return: 0 or what setsockopt() says.
 */
int psync_want(int fd, uint32_t info, uint32_t events);

/* 1 if the kernel says nothing for this participant (PSYNC_MANUAL), else 0. */
int psync_manual(int fd);

/**
 * psync_set_manual - have the kernel say nothing for this participant, or again
 * @fd: socket, in a conversation or not yet
 * @on: 1: no null messages, no END, no announcements of masks; 0, as at first:
 *	all of them
 *
 * Return: 0 or what setsockopt() says.
 */
int psync_set_manual(int fd, int on);

/**
 * psync_recv - receive a message or an event
 * @fd: conversation
 * @data: where a message goes
 * @size: room for it
 * @info: says what came
 * @preds: where ids of its immediate predecessors go, or NULL
 * @room: how many fit
 *
 * Return: bytes of the message that were stored (0 for an event), or what
 * recvmsg() says: -EAGAIN when nothing is there and the socket must not
 * block or its timeout passed.
 */
int psync_recv(int fd, void *data, size_t size, struct psync_received *info,
	       uint64_t *preds, size_t room);

/* The graph's queries (the paper's names), each about the socket's own view. */

/**
 * psync_roots - messages without predecessors
 * @fd: conversation
 * @mids: where the array goes, to be given to free(); by participant index
 *
 * Return: how many there are, or a negative errno.
 */
int psync_roots(int fd, uint64_t **mids);

/* Messages without successors: what the next message is sent in context of. */
int psync_leaves(int fd, uint64_t **mids);

/* Immediate successors and predecessors of a message; -ENOENT, -ESTALE. */
int psync_next(int fd, uint64_t mid, uint64_t **mids);
int psync_prev(int fd, uint64_t mid, uint64_t **mids);

/* All messages of the view that are kept, in an order that extends precedes. */
int psync_mids(int fd, uint64_t **mids);

/* All participants in order. */
int psync_participants(int fd, struct psync_pid **pids);

/* Name the participants of a conversation without a group, before connect(). */
int psync_set_participants(int fd, const struct psync_pid *pids, size_t n);

/* 1 if there is a path from @first to @second, 0, -ENOENT, -ESTALE. */
int psync_precedes(int fd, uint64_t first, uint64_t second);

/**
 * psync_stable - has everybody sent in a message's context?
 * @fd: conversation
 * @mid: the message
 * @participants: how many others have, or NULL
 * @sites: distinct sites that have the message for certain, or NULL
 *
 * Return: 1, 0, -ENOENT.
 */
int psync_stable(int fd, uint64_t mid, uint32_t *participants,
		 uint32_t *sites);

/**
 * psync_stable_wait - wait until a message is n-stable
 * @fd: conversation
 * @mid: the message
 * @participants: so many others are to have sent in its context, or zero
 * @sites: so many sites are to have it for certain, or zero; with both zero:
 *	until every other participant has sent in its context
 *
 * Return: 0, -EAGAIN (the socket must not block or its timeout passed), -EPIPE
 * (it never will be: others have closed), -EINVAL, -EINTR, -ENOENT, -ESTALE.
 */
int psync_stable_wait(int fd, uint64_t mid, uint32_t participants,
		      uint32_t sites);

/**
 * psync_stable_poll - have poll() tell when psync_stable_wait() would not wait
 * @fd: conversation
 * @mid: the message; zero, and the others with it: ask no more
 * @participants: as for psync_stable_wait()
 * @sites: likewise
 *
 * From then on POLLPRI says so.  A socket has one such question: a new one takes
 * the place of the one before.
 * Return: 0, -EINVAL (more than there are), -ENOENT, -ESTALE, -ENOTCONN.
 */
int psync_stable_poll(int fd, uint64_t mid, uint32_t participants,
		      uint32_t sites);

/* P 3.2.2: send a message again to who may lack it or what follows it.  Return:
 * 0, -ENOENT, -ESTALE, -ENOTCONN.
 */
int psync_resend(int fd, uint64_t mid);

/* P 3.3: forget a stable message and all that precede it.  Return: 0, -EBUSY,
 * -ENOENT, -ESTALE, -ENOTCONN.
 */
int psync_free_node(int fd, uint64_t mid);

/* Who sent a message; @index may be NULL.  Return: 0, -ENOENT, -ESTALE. */
int psync_sender(int fd, uint64_t mid, struct psync_pid *pid,
		 uint32_t *index);

/* How many messages wait to be received. */
int psync_outstanding(int fd);

/* The conversation's id, the last message sent (0: none), all at once. */
int psync_cid(int fd, uint64_t *cid);
int psync_last_mid(int fd, uint64_t *mid);
int psync_get_info(int fd, struct psync_info *info);

/* Failures: who is not waited for, and who comes back. */

/**
 * psync_mask_out - do not wait for a participant any more (P 3.2.4)
 * @fd: conversation
 * @index: its participant index, as in psync_participants()
 *
 * Of what it says from now on only that is received which messages of others
 * depend on.  Others are told with PSYNC_EV_MASKED; when all who remain have done
 * so it is out for good, with PSYNC_EV_AGREED.  Who is to be masked in
 * (psync_mask_in()) stays masked out.
 * Return: 0, -EALREADY (it is masked out), -ESHUTDOWN (it has ended: nobody waits
 * for it), -EINVAL (oneself, or no participant), -ESTALE (others go on with an
 * earlier opening of this site), -ENOTCONN.
 */
int psync_mask_out(int fd, uint32_t index);

/**
 * psync_mask_cut - the same, and nothing behind a message counts
 * @fd: conversation
 * @last: the last message that counts of the participant that it names;
 *	PSYNC_MID(index, 0): none does
 *
 * Whatever others say, nothing behind it is received, until a greater cut is
 * agreed.  Who is masked out without a cut can be given one.
 * Return: as psync_mask_out(); -EALREADY also if it has a cut; -EINVAL also if
 * something behind @last was received.
 */
int psync_mask_cut(int fd, uint64_t last);

/**
 * psync_mask_in - wait for a participant again
 * @fd: conversation
 * @index: its participant index
 *
 * Does not wait: if others were told that it is masked out, it stays so
 * (PSYNC_MASKED_ASKED) until everybody who counts has said something behind the
 * announcement, which PSYNC_EV_UNMASKED with a message of this participant's own
 * tells.
 * Return: 0, -EALREADY (it is not masked out, or is to be masked in), -EPERM (it is
 * out for good: only its restart brings it back), -EINVAL (oneself, or no
 * participant), -ESTALE, -ENOTCONN.
 */
int psync_mask_in(int fd, uint32_t index);

/**
 * psync_masks - who is masked out, and who has masked this participant out
 * @fd: conversation
 * @index: a participant that this one masks out: PSYNC_MASKED_AWAITED is set of
 *	those for whom it has to wait that this be agreed; or PSYNC_MASKS_ALL
 * @masked: where the array goes, to be given to free(); by participant index
 *
 * Return: how many participants there are; -EINVAL (no such participant),
 * -ENOTCONN, -ENOMEM, and then there is no array.
 */
int psync_masks(int fd, uint32_t index, struct psync_masked **masked);

/* What psync_set_slow() has asked for; both zero: nothing. */
int psync_get_slow(int fd, struct psync_slow *slow);

/**
 * psync_set_slow - how long a member may hold back this one's sends
 * @fd: socket, in a conversation or not yet
 * @policy: enum psync_slow_policy: what becomes of it then
 * @ms: milliseconds until then; zero with PSYNC_SLOW_BLOCK: ask for nothing
 *
 * A member may ask for less than its group allows; what applies is in
 * psync_get_info().
 * Return: 0; -EINVAL: an unknown policy, one other than block without a time, or
 * more than the group allows, which a socket without a conversation is told by
 * psync_connect().
 */
int psync_set_slow(int fd, uint32_t policy, uint32_t ms);

/**
 * psync_set_restart - the next connect() is of a participant that is back (P 5)
 * @fd: socket, without a conversation
 * @cid: the conversation's id, as psync_cid() gave it; a rendezvous may leave it
 *	zero
 * @flags: PSYNC_RESTART_* bits
 * @leaves: what psync_leaves() gave when the state was saved that the program
 *	goes on from: what they are and follow is not received again; they are
 *	copied
 * @n: how many, at most 1024; 0: everything is received again
 *
 * Return: 0, -EINVAL (unknown flags, too many leaves), -EISCONN, -ENOBUFS (no
 * memory can be charged), -ENOMEM; what is wrong with @cid and @leaves connect()
 * tells.
 */
int psync_set_restart(int fd, uint64_t cid, uint32_t flags,
		      const uint64_t *leaves, size_t n);

/* How many bytes psync_set_history() has asked for; 0: none. */
int psync_history(int fd, uint32_t *bytes);

/**
 * psync_set_history - keep what was said for participants that come back
 * @fd: socket, in a conversation or not yet
 * @bytes: bytes of memory, beside what is in use, that this site keeps at most of
 *	what all have received; half of net.psync.image_bytes is the most; 0, as at
 *	first: none
 *
 * It is the site's: of several participants there the last one's word counts.
 * Return: 0 or what setsockopt() says.
 */
int psync_set_history(int fd, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* LIBPSYNC_H */
