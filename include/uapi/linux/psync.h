/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * AF_PSYNC sockets: addresses, options, ancillary data, events.
 *
 * Documented in psync(7) and Documentation/networking/psync/sockets.rst.
 * Every reserved field must be zero; it is checked.
 */
#ifndef _UAPI_LINUX_PSYNC_H
#define _UAPI_LINUX_PSYNC_H

#include <linux/types.h>

/*
 * The family borrows a number that no kernel implements (AF_ASH).  A loaded
 * module says in /sys/module/psync/parameters/family which one it uses.
 */
#define PSYNC_FAMILY_DEFAULT	18

#define SOL_PSYNC		300

/* Message ids: participant index above, sequence number below; 0 is none. */
#define PSYNC_MID_SEQ_BITS	48
#define PSYNC_MID(index, seq) \
	((__u64)(index) << PSYNC_MID_SEQ_BITS | (seq))
#define PSYNC_MID_INDEX(mid)	((__u16)((mid) >> PSYNC_MID_SEQ_BITS))
#define PSYNC_MID_SEQ(mid) \
	((mid) & (((__u64)1 << PSYNC_MID_SEQ_BITS) - 1))

/**
 * struct psync_pid - network identity of a participant
 * @site: site id
 * @port: port at that site
 */
struct psync_pid {
	__u32	site;
	__u32	port;
};

enum psync_addr_type {
	PSYNC_ADDR_PID		= 1,
	PSYNC_ADDR_GROUP	= 2,
};

/**
 * struct sockaddr_psync - the one address of the family, 32 bytes
 * @sp_family: the family's number
 * @sp_type: enum psync_addr_type
 * @sp_reserved0: zero
 * @sp_site: PID: site id; bind() takes zero for this site
 * @sp_port: PID: port; bind() takes zero for an automatic one
 * @sp_binding: PID: binding number; zero in a destination means whichever
 *	socket is bound, and is required by bind()
 * @sp_group: GROUP: group number
 * @sp_number: GROUP, connect(): conversation number of a rendezvous, or zero
 *	for a new conversation
 * @sp_reserved1: zero
 *
 * Fields of the other type are zero.
 */
struct sockaddr_psync {
	__u16	sp_family;
	__u8	sp_type;
	__u8	sp_reserved0;
	__u32	sp_site;
	__u32	sp_port;
	__u32	sp_binding;
	__u32	sp_group;
	__u32	sp_number;
	__u64	sp_reserved1;
};

/* Options of level SOL_PSYNC; "get" takes and gives the named type. */
#define PSYNC_PARTICIPANTS	1	/* get, set: struct psync_pid[] */
#define PSYNC_CID		2	/* get: __u64 */
#define PSYNC_ROOT		3	/* get: struct psync_query */
#define PSYNC_LEAVES		4	/* get: struct psync_query */
#define PSYNC_NEXT		5	/* get: struct psync_query */
#define PSYNC_PREV		6	/* get: struct psync_query */
#define PSYNC_MIDS		7	/* get: struct psync_query */
#define PSYNC_SENDER		8	/* get: struct psync_query_sender */
#define PSYNC_PRECEDES		9	/* get: struct psync_query_precedes */
#define PSYNC_STABLE		10	/* get: struct psync_query_stable */
#define PSYNC_OUTSTANDING	11	/* get: __u32 */
#define PSYNC_LAST_MID		12	/* get: __u64 */
#define PSYNC_EVENTS		13	/* get, set: __u32, PSYNC_EVMASK() bits */
#define PSYNC_RECVINFO		14	/* get, set: __u32, PSYNC_RECV_* bits */
#define PSYNC_INFO		15	/* get: struct psync_info */
#define PSYNC_RESEND		16	/* set: __u64, a message id */
#define PSYNC_MANUAL		17	/* get, set: __u32, 1: the paper bare */
#define PSYNC_MASK_OUT		18	/* set: struct psync_mask_out */
#define PSYNC_MASK_IN		19	/* set: __u32, a participant index; see UNMASKED */
#define PSYNC_MASKS		20	/* get: struct psync_query_masks */
#define PSYNC_SLOW		23	/* get, set: struct psync_slow */
#define PSYNC_RESTART		28	/* set: struct psync_restart */
#define PSYNC_HISTORY		29	/* get, set: __u32, bytes kept for restarts */
#define PSYNC_FREE_NODE		34	/* set: __u64, a message id */
#define PSYNC_STABLE_WAIT	35	/* get: struct psync_query_wait; waits */
#define PSYNC_STABLE_POLL	36	/* set: struct psync_query_wait, for POLLPRI */

/* What becomes of a member that holds senders back. */
enum psync_slow_policy {
	PSYNC_SLOW_BLOCK	= 0,	/* it may for ever; an event names it */
	PSYNC_SLOW_SKIP		= 1,	/* it is not waited for: it may lose some */
	PSYNC_SLOW_SUSPECT	= 2,	/* it is suspected: an event */
	PSYNC_SLOW_MASK		= 3,	/* and its site is masked out then */
};

/**
 * struct psync_slow - how long a member may hold back a sender
 * @policy: enum psync_slow_policy
 * @ms: milliseconds until the event; get: 0: that of the conversation; set: 0,
 *	with @policy 0: this socket asks for nothing of its own
 */
struct psync_slow {
	__u32	policy;
	__u32	ms;
};

#define PSYNC_RESTART_ALL	0x1	/* all that follows, or ENODATA */
#define PSYNC_RESTART_REEXECUTE	0x2	/* sends are compared with those before */
#define PSYNC_RESTART_KNOWN	0x3	/* what struct psync_restart.flags takes */

/**
 * struct psync_restart - the next connect() is of a participant that is back
 * @cid: conversation id, which a rendezvous may leave zero
 * @flags: PSYNC_RESTART_* bits
 * @count: entries in @leaves; 0: the view is empty
 * @leaves: message ids that are to be the leaves of its view: what they and
 *	all before them are was received already
 */
struct psync_restart {
	__u64	cid;
	__u32	flags;
	__u32	count;
	__u64	leaves[];
};

/**
 * struct psync_query - a question whose answer is a set of message ids
 * @mid: in: the message asked about (NEXT, PREV); MIDS: zero to begin, or the
 *	last mid of the previous answer to go on after it; else zero
 * @room: in: entries that fit in @mids
 * @count: out: entries in the whole answer (MIDS: from @mid on), which may be
 *	more than @room; so many as fit are given
 * @mids: out: the answer; ROOT, LEAVES, NEXT, PREV by participant index, MIDS
 *	in the order in which this site attached them
 */
struct psync_query {
	__u64	mid;
	__u32	room;
	__u32	count;
	__u64	mids[];
};

/**
 * struct psync_query_sender - who sent a message
 * @mid: in: the message
 * @pid: out: its sender's pid
 * @index: out: its sender's place in the list of participants
 * @reserved: zero
 */
struct psync_query_sender {
	__u64			mid;
	struct psync_pid	pid;
	__u32			index;
	__u32			reserved;
};

/**
 * struct psync_query_precedes - was one message sent in another's context
 * @first: in: a message in this socket's view
 * @second: in: another one
 * @answer: out: 1 if there is a path from @first to @second, else 0; where a
 *	participant has taken messages for lost, a path by way of these may not be
 *	known
 * @reserved: zero
 */
struct psync_query_precedes {
	__u64	first;
	__u64	second;
	__u32	answer;
	__u32	reserved;
};

/**
 * struct psync_query_stable - who has sent in a message's context
 * @mid: in: a message in this socket's view
 * @answer: out: 1 if every other participant has, else 0
 * @participants: out: how many others have; a message is n-stable when this
 *	is at least n - 1
 * @sites: out: distinct sites that have the message for certain, the sender's
 *	included
 * @reserved: zero
 */
struct psync_query_stable {
	__u64	mid;
	__u32	answer;
	__u32	participants;
	__u32	sites;
	__u32	reserved;
};

#define PSYNC_MASKF_CUT		0x1	/* only messages up to @cut count */

/**
 * struct psync_mask_out - whom not to wait for any more
 * @index: its participant index
 * @flags: PSYNC_MASKF_*
 * @cut: with CUT: its last message that counts, sequence number zero: none;
 *	else zero
 */
struct psync_mask_out {
	__u32	index;
	__u32	flags;
	__u64	cut;
};

#define PSYNC_MASKED_OUT	0x1	/* by this socket */
#define PSYNC_MASKED_CUT	0x2	/* ... with a cut, or agreed */
#define PSYNC_MASKED_AGREED	0x4	/* by all who remain: for good */
#define PSYNC_MASKED_BY		0x8	/* it has masked this socket out */
#define PSYNC_MASKED_ENDED	0x10	/* it has said its last message */
#define PSYNC_MASKED_AWAITED	0x20	/* with @index: that it be agreed waits for it */
#define PSYNC_MASKED_ASKED	0x40	/* to be masked in when all know of that */

/**
 * struct psync_masked - a participant as this socket counts it
 * @flags: PSYNC_MASKED_*
 * @reserved: zero
 * @cut: with CUT: its last message that counts
 */
struct psync_masked {
	__u32	flags;
	__u32	reserved;
	__u64	cut;
};

/* In place of an index: ask for no one's announcements. */
#define PSYNC_MASKS_ALL		0xffffffffU

/**
 * struct psync_query_masks - who is masked out
 * @index: in: whose announcements to ask for, or PSYNC_MASKS_ALL
 * @room: in: entries that fit in @masked
 * @count: out: participants; so many as fit are given
 * @reserved: zero
 * @masked: out: each participant
 */
struct psync_query_masks {
	__u32			index;
	__u32			room;
	__u32			count;
	__u32			reserved;
	struct psync_masked	masked[];
};

/**
 * struct psync_query_wait - wait until a message is n-stable
 * @mid: in: a message in this socket's view; POLL: zero: none any more
 * @participants: in: so many others have to have sent in its context, or zero;
 *	out: how many have
 * @sites: in: so many distinct sites have to have it for certain, the sender's
 *	included, or zero; out: how many have it
 * @answer: in: zero; out: 1 if every other participant has, else 0
 * @reserved: zero
 *
 * With @participants and @sites zero: until every other participant has.
 * Messages count that this site has, whether received or not.
 */
struct psync_query_wait {
	__u64	mid;
	__u32	participants;
	__u32	sites;
	__u32	answer;
	__u32	reserved;
};

/**
 * struct psync_info - what a socket takes part in
 * @cid: conversation id
 * @last_mid: last message sent by this socket, or zero
 * @group: group number, or zero
 * @number: conversation number of a rendezvous, or zero
 * @index: this socket's participant index
 * @participants: number of participants
 * @view: messages that entered the view, own ones included
 * @nodes: nodes kept in the site's image
 * @outstanding: messages waiting to be received
 * @held: messages at this site whose context is incomplete
 * @max_body: greatest message in bytes that send accepts
 * @unheld: messages sent at this site that some site that counts may lack
 * @lacking: messages that others are known to have and this site lacks
 * @charged: bytes of memory that are charged to this socket
 * @slow: enum psync_slow_policy that applies at this site
 * @slow_ms: after so many milliseconds
 * @blocker_site: site that holds senders at this site back, or zero
 * @blocker: index and one of the participant there, or zero: not known
 * @window: bytes of messages sent at this site that may be under way
 * @flight: bytes that are, with what carries them
 */
struct psync_info {
	__u64	cid;
	__u64	last_mid;
	__u32	group;
	__u32	number;
	__u32	index;
	__u32	participants;
	__u64	view;
	__u32	nodes;
	__u32	outstanding;
	__u32	held;
	__u32	max_body;
	__u32	unheld;
	__u32	lacking;
	__u64	charged;
	__u32	slow;
	__u32	slow_ms;
	__u32	blocker_site;
	__u32	blocker;
	__u64	window;
	__u64	flight;
};

/* Ancillary data on receive, switched on by PSYNC_RECVINFO; level SOL_PSYNC. */
#define PSYNC_RECV_INFO		0x1	/* gives PSYNC_CMSG_INFO */
#define PSYNC_RECV_PREDS	0x2	/* gives PSYNC_CMSG_PREDS */
#define PSYNC_RECV_NULLS	0x4	/* and null messages and END; needs INFO */

#define PSYNC_CMSG_INFO		1	/* struct psync_msginfo */
#define PSYNC_CMSG_PREDS	2	/* __u64[], immediate predecessors */

/* psync_msginfo.flags */
#define PSYNC_MSG_NULL		0x1	/* null message: its kernel acknowledged */
#define PSYNC_MSG_END		0x2	/* its sender's last: it has closed */
#define PSYNC_MSG_MANUAL	0x4	/* its sender is PSYNC_MANUAL */
#define PSYNC_MSG_REPEATED	0x8	/* the copy that came was not the first */
#define PSYNC_MSG_RESENT	0x10	/* but one sent again with PSYNC_RESEND */

/**
 * struct psync_msginfo - what is known of a received message
 * @mid: the message
 * @sender: its sender's pid
 * @binding: binding number of the sender's port
 * @index: its sender's participant index
 * @wave: one more than the greatest wave among its predecessors
 * @flags: PSYNC_MSG_* bits
 */
struct psync_msginfo {
	__u64			mid;
	struct psync_pid	sender;
	__u32			binding;
	__u32			index;
	__u32			wave;
	__u32			flags;
};

/* Events come as messages flagged MSG_NOTIFICATION to sockets that asked. */
#define MSG_PSYNC_NOTIFICATION	0x8000	/* MSG_NOTIFICATION */

enum psync_event_type {
	PSYNC_EV_REFUSED	= 1,	/* a site refused what we sent */
	PSYNC_EV_MISMATCH	= 2,	/* we refused: its participant list differs */
	PSYNC_EV_REOPENED	= 3,	/* a participant's site reopened: refused */
	PSYNC_EV_STALE		= 4,	/* we reopened, others go on: ESTALE */
	PSYNC_EV_LOST		= 5,	/* this socket's queue of events overflowed */
	PSYNC_EV_GAP		= 6,	/* opened late: earlier messages are lost */
	PSYNC_EV_ABSENT		= 7,	/* a site was not heard: it holds nothing back */
	PSYNC_EV_VOID		= 8,	/* @mid and what follows it is given up */
	PSYNC_EV_MASKED		= 9,	/* by message @mid its sender masks one out */
	PSYNC_EV_UNMASKED	= 10,	/* by @mid its sender masks one in; if one's own: now */
	PSYNC_EV_AGREED		= 11,	/* all who remain masked one out, or this socket */
	PSYNC_EV_SUSPECT	= 12,	/* a site is silent, or @reason too slow */
	PSYNC_EV_HEARD		= 13,	/* it was heard again */
	PSYNC_EV_ENDED		= 14,	/* @mid is its sender's last message */
	PSYNC_EV_BLOCKED	= 16,	/* @site, @reason holds senders here back */
	PSYNC_EV_RESUMED	= 17,	/* nobody does any more */
	PSYNC_EV_SKIPPED	= 18,	/* as BLOCKED, and it is not waited for */
	PSYNC_EV_RESTARTED	= 22,	/* @mid's participant at @site is back */
	PSYNC_EV_DIFFERS	= 23,	/* what is sent again is not @mid: EPROTO */
};

enum psync_end_reason {
	PSYNC_END_CLOSED	= 0,	/* the socket was closed */
	PSYNC_END_DIED		= 1,	/* its process ended and left it open */
};

enum psync_void_reason {
	PSYNC_VOID_DIED		= 0,	/* with its sender, and no other site has it */
	PSYNC_VOID_UNKEPT	= 1,	/* others may: they mask out all who are here */
};

#define PSYNC_EVMASK(type)	(1U << (type))
#define PSYNC_EVMASK_ALL	0xc77ffeU

/**
 * struct psync_event - an event, as received with MSG_PSYNC_NOTIFICATION
 * @type: enum psync_event_type
 * @site: the other site
 * @cid: conversation, or zero
 * @mid: message, or zero; GAP: the first one given, if known, or the first that is
 *	lost; AGREED: the last message of the one masked out that counts, sequence
 *	number zero: none
 * @group: group number, or zero
 * @number: conversation number, or zero
 * @reason: REFUSED: 1 participant list differs, 2 restart needed; LOST: how
 *	many events were lost; GAP: how many messages, if @site says so; VOID: enum
 *	psync_void_reason; MASKED, UNMASKED: participant index of the one who is
 *	masked out or in; ENDED: enum psync_end_reason; BLOCKED, SKIPPED, SUSPECT of
 *	one who is slow: that participant's index and one, if it is known;
 *	RESTARTED: its site's opening; else zero
 * @reserved: zero
 * @other: GAP of @reason messages: the last that is lost; VOID: a message that has
 *	come and is dropped, because it follows @mid, if any; else zero
 */
struct psync_event {
	__u32	type;
	__u32	site;
	__u64	cid;
	__u64	mid;
	__u32	group;
	__u32	number;
	__u32	reason;
	__u32	reserved;
	__u64	other;
};

#endif /* _UAPI_LINUX_PSYNC_H */
