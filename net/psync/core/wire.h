/* SPDX-License-Identifier: GPL-2.0-only */
/* The wire format: fixed structures, decoded form, encode and decode. */
#ifndef _PSYNC_CORE_WIRE_H
#define _PSYNC_CORE_WIRE_H

#include <linux/types.h>
#include <asm/byteorder.h>
#include <uapi/linux/psync.h>
#include "drop.h"

/* Specified in Documentation/networking/psync/protocol.rst.  All fields are
 * big-endian and every structure is a multiple of four bytes.  A packet is
 *
 *	psync_wire_hdr
 *	psync_wire_conv			all but DGRAM, FRAG and FRAG_ACK
 *	psync_wire_msg | _hello | _refuse | _dgram | _vector | _frag | _frag_ack
 *	MSG with FOREIGN: psync_wire_origin	which opening it is of
 *	MSG with START:	n * psync_wire_pid	the ordered participant list
 *	ACK, RR, GONE, RS, RS_ACK: n * be32	the vector
 *	MSG:		the context, a list or a stamp (see psync_wire_msg)
 *	MASK:		psync_wire_mask
 *	GAP:		psync_wire_gap
 *	END:		psync_wire_end
 *	MSG, DGRAM:	body
 *	FRAG:		bytes of another packet
 */
#define PSYNC_WIRE_VERSION	1
#define PSYNC_PARTICIPANTS_MIN	2
#define PSYNC_PARTICIPANTS_LIM	1024
/* A message with more immediate predecessors than this carries its stamp. */
#define PSYNC_PREDS_LIST	8

enum psync_wire_type {
	PSYNC_PKT_MSG		= 1,	/* P 3.1: SC (flag START) and AN */
	PSYNC_PKT_HELLO		= 2,	/* who are you now?  S1.2, S1.4 */
	PSYNC_PKT_HELLO_ACK	= 3,
	PSYNC_PKT_REFUSE	= 4,	/* S1.3, S1.4 */
	PSYNC_PKT_DGRAM		= 5,	/* SOCK_DGRAM: the degenerate graph */
	PSYNC_PKT_ACK		= 6,	/* S2.3: what the image here holds */
	PSYNC_PKT_RR		= 7,	/* P figure 5: send what is not in it */
	PSYNC_PKT_GONE		= 8,	/* S2.4: up to here nothing is kept */
	PSYNC_PKT_FRAG		= 9,	/* a part of a packet (S10) */
	PSYNC_PKT_FRAG_ACK	= 10,	/* what has come of such a packet */
	PSYNC_PKT_RS		= 12,	/* P figure 10: a participant is back */
	PSYNC_PKT_RS_ACK	= 13,	/* what is known here of the conversation */
};

/**
 * struct psync_wire_hdr - common header of every packet, 40 bytes
 * @version: PSYNC_WIRE_VERSION
 * @type: enum psync_wire_type
 * @flags: zero in version 1
 * @len: bytes of the packet, this header included (Ethernet pads); zero in one
 *	of more than 65535 bytes, which only comes in fragments
 * @csum: Internet checksum over @len bytes on Ethernet links; zero over UDP
 * @src_site: sending site, never zero
 * @dst_site: receiving site; zero means every site that hears it
 * @src_inc: incarnation of the sending site, never zero
 * @dst_inc: incarnation the packet is meant for; zero means whichever runs
 * @seal: zero; reserved for authenticated encryption of all that follows
 */
struct psync_wire_hdr {
	__u8	version;
	__u8	type;
	__be16	flags;
	__be16	len;
	__sum16	csum;
	__be32	src_site;
	__be32	dst_site;
	__be64	src_inc;
	__be64	dst_inc;
	__be64	seal;
} __packed;

/**
 * struct psync_wire_conv - which conversation, 32 bytes
 * @cid: conversation id; zero only in a HELLO about the site itself
 * @digest: digest of the ordered participant list (S1.3)
 * @group: group number, zero when the participants were given by hand
 * @number: conversation number of a rendezvous, else zero
 * @opening: the sending site's count of openings (S1.2); zero if it has none
 * @view: zero; reserved for the number of the agreed membership
 */
struct psync_wire_conv {
	__be64	cid;
	__be64	digest;
	__be32	group;
	__be32	number;
	__be32	opening;
	__be32	view;
} __packed;

enum psync_msg_kind {		/* S10.1 */
	PSYNC_KIND_DATA		= 1,
	PSYNC_KIND_NULL		= 2,	/* S3.1: acknowledges, says nothing */
	PSYNC_KIND_END		= 3,	/* S3.2: the participant's last */
	PSYNC_KIND_MASK		= 4,	/* S5.1: masks somebody out or in */
	PSYNC_KIND_GAP		= 5,	/* S6.6: a site is not waited for */
	PSYNC_KIND_RESTART	= 6,	/* S7.1: from here on it speaks again */
};

#define PSYNC_MSGF_START	0x01	/* carries the participant list (P figure 3) */
#define PSYNC_MSGF_STAMP	0x02	/* context is a stamp, not a list */
#define PSYNC_MSGF_RESENT	0x04	/* P 3.2.2: answer with what follows it */
#define PSYNC_MSGF_ASK		0x08	/* answer with an ACK at once */
#define PSYNC_MSGF_REPEAT	0x10	/* was sent before */
#define PSYNC_MSGF_FOREIGN	0x20	/* of another site than the sending one */
#define PSYNC_MSGF_MANUAL	0x40	/* its sender acknowledges by itself */
#define PSYNC_MSGF_HIGH	0x80	/* so do high halves of the stamp */

/**
 * struct psync_wire_msg - one message (P figures 3 and 4), 32 bytes
 * @sender: participant index
 * @kind: enum psync_msg_kind
 * @flags: PSYNC_MSGF_*
 * @seq: low 32 bits of the sequence number; a participant's first is base + 1
 * @wave: one more than the greatest wave among the predecessors (S6.2)
 * @binding: binding number of the sender's port (S1.1)
 * @dst_opening: opening of the receiving site it is meant for; zero: unknown
 * @n: number of participants
 * @npred: number of immediate predecessors
 * @class: zero; reserved for policies
 * @seq_high: the sequence number's other 16 bits
 * @body_len: bytes of body
 *
 * Context without STAMP: @npred (at most PSYNC_PREDS_LIST) psync_wire_mid in
 * strictly increasing order of participant.  With STAMP: the low 32 bits of @n
 * sequence numbers, the greatest of each participant in the message's context
 * (not counting itself; the base where there is none), with HIGH their other 16
 * bits each, which are zero without, then a bitmap of @n
 * bits, least significant bit of the first byte first, padded with zero bits
 * to a multiple of four bytes, of exactly @npred set bits: participant i's
 * entry is an immediate predecessor.  GAP and RESTART always have a stamp; the
 * own entry of RESTART is the last earlier message of its sender that is not void.
 */
struct psync_wire_msg {
	__be16	sender;
	__u8	kind;
	__u8	flags;
	__be32	seq;
	__be32	wave;
	__be32	binding;
	__be32	dst_opening;
	__be16	n;
	__be16	npred;
	__be16	class;
	__be16	seq_high;
	__be32	body_len;
} __packed;

/**
 * struct psync_wire_origin - whose message a site sends for another, 16 bytes
 * @inc: incarnation of the site of the message's sender
 * @opening: opening of that site
 * @reserved: zero
 */
struct psync_wire_origin {
	__be64	inc;
	__be32	opening;
	__be32	reserved;
} __packed;

/**
 * struct psync_wire_gap - what a GAP says, 4 bytes
 * @index: a participant at the site that is not waited for any more, with what
 *	the GAP has in its context
 * @reserved: zero
 */
struct psync_wire_gap {
	__be16	index;
	__be16	reserved;
} __packed;

struct psync_wire_pid {
	__be32	site;
	__be32	port;
} __packed;

struct psync_wire_mid {
	__be16	index;
	__be16	seq_high;	/* the upper 16 of 48 bits */
	__be32	seq;
} __packed;

enum psync_mask_op {
	PSYNC_MASK_OP_OUT	= 1,
	PSYNC_MASK_OP_IN	= 2,
	PSYNC_MASK_OP_KEPT	= 3,
};

/**
 * struct psync_wire_mask - what a MASK says, 12 bytes
 * @op: enum psync_mask_op
 * @reserved: zero
 * @last: whom it masks, another participant than the sender, and the number of
 *	that one's last message attached at the sender's site, the base where
 *	there is none
 */
struct psync_wire_mask {
	__u8			op;
	__u8			reserved[3];
	struct psync_wire_mid	last;
} __packed;

/**
 * struct psync_wire_end - what an END says, 4 bytes
 * @reason: enum psync_end_reason
 * @reserved: zero
 */
struct psync_wire_end {
	__u8	reason;
	__u8	reserved[3];
} __packed;

enum psync_hello_state {	/* of the answering site's image of @cid */
	PSYNC_HELLO_NONE	= 0,	/* never had it, or forgotten */
	PSYNC_HELLO_OPEN	= 1,	/* open, @opening says which */
	PSYNC_HELLO_CLOSED	= 2,	/* last opening closed @age ms ago */
};

/**
 * struct psync_wire_hello - HELLO and its answer, 24 bytes
 * @nonce: chosen by the asker, echoed in the answer
 * @known: in the answer: the asker's opening that the answerer goes by, or 0
 * @age: in the answer, CLOSED: milliseconds since the close
 * @state: in the answer: enum psync_hello_state
 * @reserved: zero
 * @reserved2: zero
 */
struct psync_wire_hello {
	__be64	nonce;
	__be32	known;
	__be32	age;
	__u8	state;
	__u8	reserved[3];
	__be32	reserved2;
} __packed;

enum psync_refuse_reason {
	PSYNC_REFUSE_DIGEST	= 1,	/* S1.3: our list of the group differs */
	PSYNC_REFUSE_RESTART	= 2,	/* S1.4: we still know your last opening */
	PSYNC_REFUSE_ABSENT	= 3,	/* S1.5: nobody here has it (any more) */
};

/**
 * struct psync_wire_refuse - why a packet was refused, 16 bytes
 * @reason: enum psync_refuse_reason
 * @reserved: zero
 * @opening: opening of the refused packet's sender
 * @digest: the refuser's digest
 */
struct psync_wire_refuse {
	__be16	reason;
	__be16	reserved;
	__be32	opening;
	__be64	digest;
} __packed;

/**
 * struct psync_wire_dgram - a message outside conversations, 32 bytes
 * @src_port: sender's port
 * @src_binding: its binding number
 * @dst_port: receiver's port; zero when sent to a group
 * @dst_binding: binding it is meant for; zero means whichever is bound
 * @group: group it was sent to, else zero
 * @body_len: bytes of body
 * @digest: of the group's list, else zero
 */
struct psync_wire_dgram {
	__be32	src_port;
	__be32	src_binding;
	__be32	dst_port;
	__be32	dst_binding;
	__be32	group;
	__be32	body_len;
	__be64	digest;
} __packed;

#define PSYNC_VECTORF_ASK	0x01	/* ACK: answer with an ACK at once */
#define PSYNC_VECTORF_ECHO	0x02	/* ACK: @echo answers a question */
#define PSYNC_VECTORF_MID	0x04	/* @index and @seq name a message */
#define PSYNC_VECTORF_SLOW	0x08	/* ACK: no more is granted for @index */
#define PSYNC_VECTORF_SKIP	0x10	/* GONE: of what was announced (GAP) */
#define PSYNC_VECTORF_LAST	0x20	/* RR: asked in vain, of index */
#define PSYNC_VECTORF_KNOWN	0x40	/* RS_ACK: went by an earlier opening */
#define PSYNC_VECTORF_HIGH	0x80	/* the numbers' high halves follow, too */

/**
 * struct psync_wire_vector - ACK, RR, GONE, RS and RS_ACK, 36 bytes
 * @dst_opening: opening of the receiving site it is meant for; zero: unknown
 * @token: ACK with ASK: comes back as @echo; RS: binding number of the port of
 *	who is back; else zero
 * @echo: ACK with ECHO: @token of the question, or the sequence number of the
 *	message that asked; GONE with SKIP: messages among it that are not given
 *	up and the asker lacks; else zero
 * @seq: with MID: low 32 bits of a message's sequence number; GONE: greatest
 *	wave up to there; else zero.  RR with MID: only what precedes that
 *	message is asked for; RS with MID: it is the RESTART of who is back
 * @index: RR with MID: that message's sender; ACK with SLOW: the participant at
 *	the sending site that has yet to receive what is kept; RS: who is back;
 *	else zero
 * @n: number of participants
 * @flags: PSYNC_VECTORF_*
 * @reserved: zero
 * @seq_high: with MID: the other 16 bits of that number; else zero
 * @credit_bytes: ACK: bytes of messages that the receiving site may have under
 *	way beyond the vector; else zero
 * @credit_msgs: ACK: messages, likewise; else zero
 * @marks: ACK: messages of the receiving site that came with a congestion mark,
 *	low 32 bits; else zero
 *
 * The vector follows: for each participant the number of its last message attached
 * at the sending site, the base where there is none; first the low 32 bits of
 * each, then, with HIGH, the other 16 bits of each, which are zero without.  What
 * comes before that message is attached, too.
 */
struct psync_wire_vector {
	__be32	dst_opening;
	__be32	token;
	__be32	echo;
	__be32	seq;
	__be16	index;
	__be16	n;
	__u8	flags;
	__u8	reserved;
	__be16	seq_high;
	__be32	credit_bytes;
	__be32	credit_msgs;
	__be32	marks;
} __packed;

#define PSYNC_FRAGF_ASK		0x01	/* answer with a FRAG_ACK at once */

/**
 * struct psync_wire_frag - a part of a packet, 40 bytes
 * @id: which packet, greater than those begun before by this incarnation
 * @lowest: those below are over
 * @total: bytes of the packet, all headers included
 * @index: which part of it
 * @turn: counts what is sent of this packet, from 1
 * @wait: microseconds in which the sender expects an answer
 * @size: bytes of every part but the last
 * @flags: PSYNC_FRAGF_*
 * @reserved: zero
 */
struct psync_wire_frag {
	__be64	id;
	__be64	lowest;
	__be32	total;
	__be32	index;
	__be32	turn;
	__be32	wait;
	__be16	size;
	__u8	flags;
	__u8	reserved[5];
} __packed;

/* No part is further ahead of the first one that has not come. */
#define PSYNC_FRAG_WINDOW	256
/* Packets under way in parts to one site at most. */
#define PSYNC_FRAG_ACTIVE	8
/* Parts but the last are no smaller. */
#define PSYNC_FRAG_LEAST	128

enum psync_frag_state {
	PSYNC_FRAG_PART		= 0,	/* parts are missing */
	PSYNC_FRAG_WHOLE	= 1,	/* all have come */
};

/**
 * struct psync_wire_frag_ack - what has come of a packet, 56 bytes
 * @id: which
 * @base: the first part that has not come; WHOLE: how many there are
 * @turn: of the part that is answered
 * @state: enum psync_frag_state
 * @reserved: zero
 * @marks: parts of it that came with a congestion mark, repeated ones included,
 *	low 32 bits of their count
 * @bitmap: bit i, least significant of the first byte first: part @base + i
 *	has come; bit 0 is zero
 */
struct psync_wire_frag_ack {
	__be64	id;
	__be32	base;
	__be32	turn;
	__u8	state;
	__u8	reserved[3];
	__be32	marks;
	__u8	bitmap[32];
} __packed;

/* Bytes before a part. */
#define PSYNC_WIRE_FRAG		(40 + 40)
/* Greatest body of a message. */
#define PSYNC_BODY_MAX		(16 << 20)

/* Fixed part of the longest packet type: header, conv, msg. */
#define PSYNC_WIRE_FIXED	(40 + 32 + 32)
/*
 * The longest header: a START message of 1,024 with a stamp, from another.  (A
 * GAP, which has something behind its context, is no START message.)
 */
#define PSYNC_WIRE_MAX		(PSYNC_WIRE_FIXED + 16 + 1024 * 8 + 1024 * 6 + 128)
/* The greatest packet that comes in parts. */
#define PSYNC_FRAG_MAX		(PSYNC_WIRE_MAX + PSYNC_BODY_MAX)

/**
 * struct psync_pkt - a packet, decoded; fields as in the wire structures
 * @type: enum psync_wire_type
 * @src_site: see struct psync_wire_hdr
 * @dst_site: likewise
 * @src_inc: likewise
 * @dst_inc: likewise
 * @cid: see struct psync_wire_conv; not in DGRAM
 * @digest: likewise
 * @group: likewise
 * @number: likewise
 * @opening: likewise
 * @msg: MSG, see struct psync_wire_msg
 * @msg.participants: with START: n wire pids inside the packet, else NULL
 * @msg.preds: without STAMP: npred wire mids inside the packet, else NULL
 * @msg.stamp: with STAMP: low halves of n numbers at any address, else NULL
 * @msg.highs: with STAMP and HIGH: high halves of these, likewise
 * @msg.bitmap: with STAMP: the predecessor bitmap, else NULL
 * @msg.inc: with FOREIGN: incarnation of the sender's site
 * @msg.opening: with FOREIGN: its opening
 * @msg.op: MASK: enum psync_mask_op; END: enum psync_end_reason
 * @msg.about: MASK: whom it masks; GAP: psync_wire_gap.index
 * @msg.last: MASK: see struct psync_wire_mask
 * @hello: HELLO and HELLO_ACK, see struct psync_wire_hello
 * @refuse: REFUSE, see struct psync_wire_refuse
 * @dgram: DGRAM, see struct psync_wire_dgram
 * @vector: ACK, RR, GONE, RS and RS_ACK, see struct psync_wire_vector
 * @vector.seqs: low halves of n numbers at any address
 * @vector.highs: with HIGH: high halves of these, else NULL
 * @frag: FRAG, see struct psync_wire_frag
 * @frag_ack: FRAG_ACK, see struct psync_wire_frag_ack
 * @frag_ack.bitmap: its PSYNC_FRAG_WINDOW bits
 * @marked: it came with a congestion mark (ECN); said by the link, not decoded
 * @hdr_len: bytes before the body
 * @body_len: bytes of the body
 *
 * After decoding, the pointers lead into the decoded buffer.  For encoding,
 * the core supplies arrays already in wire order.  HIGH is not in the flags here:
 * it goes with the pointer.
 */
struct psync_pkt {
	u8	type;
	u32	src_site;
	u32	dst_site;
	u64	src_inc;
	u64	dst_inc;
	/* conv */
	u64	cid;
	u64	digest;
	u32	group;
	u32	number;
	u32	opening;
	union {
		struct {
			u16	sender;
			u8	kind;
			u8	flags;
			u64	seq;
			u32	wave;
			u32	binding;
			u32	dst_opening;
			u16	n;
			u16	npred;
			const struct psync_wire_pid *participants;
			const struct psync_wire_mid *preds;
			const __be32 *stamp;
			const __be16 *highs;
			const u8 *bitmap;
			u64 inc;
			u32 opening;
			u8 op;
			u16 about;
			u64 last;
		} msg;
		struct {
			u64	nonce;
			u32	known;
			u32	age;
			u8	state;
		} hello;
		struct {
			u16	reason;
			u32	opening;
			u64	digest;
		} refuse;
		struct {
			u32	src_port;
			u32	src_binding;
			u32	dst_port;
			u32	dst_binding;
			u32	group;
			u64	digest;
		} dgram;
		struct {
			u32 dst_opening;
			u32 token;
			u32 echo;
			u64 seq;
			u16 index;
			u16 n;
			u8 flags;
			u32 credit_bytes;
			u32 credit_msgs;
			u32 marks;
			const __be32 *seqs;
			const __be16 *highs;
		} vector;
		struct {
			u64 id;
			u64 lowest;
			u32 total;
			u32 index;
			u32 turn;
			u32 wait;
			u16 size;
			u8 flags;
		} frag;
		struct {
			u64 id;
			u32 base;
			u32 turn;
			u8 state;
			u32 marks;
			const u8 *bitmap;
		} frag_ack;
	};
	bool	marked;
	u32	hdr_len;
	u32	body_len;
};

/* wire.c */

/**
 * psync_wire_seq - one number of a vector or stamp
 * @lows: low halves, at any address
 * @highs: high halves, likewise, or NULL: all are zero
 * @i: which one
 */
u64 psync_wire_seq(const __be32 *lows, const __be16 *highs, u32 i);

/**
 * psync_wire_seq_set - say one number of a vector or stamp
 * @lows: low halves
 * @highs: high halves
 * @i: which one
 * @seq: the number
 *
 * Return: @highs if its high half must be said, else NULL.
 */
const __be16 *psync_wire_seq_set(__be32 *lows, __be16 *highs, u32 i, u64 seq);

/**
 * psync_wire_mid_seq - the number in an entry of a list
 * @mid: the entry
 */
u64 psync_wire_mid_seq(const struct psync_wire_mid *mid);

/**
 * psync_wire_is_vector - is it a packet of the kind of ACK?
 * @type: enum psync_wire_type
 */
bool psync_wire_is_vector(u8 type);

/**
 * psync_wire_is_markable - may it get a congestion mark (ECN)?
 * @type: enum psync_wire_type
 *
 * Return: whether its receiver tells its sender, who heeds that.
 */
bool psync_wire_is_markable(u8 type);

/**
 * psync_wire_is_stamped - has such a message a stamp, however few it follows?
 * @kind: enum psync_msg_kind
 */
bool psync_wire_is_stamped(u8 kind);

/**
 * psync_wire_need - bytes that must be contiguous before decoding
 * @data: start of the packet
 * @len: contiguous bytes at @data
 *
 * Called with growing @len until it asks for no more than @len: first for the
 * common header, then for the fixed part of the type, then for the whole
 * header up to the body.  Reads nothing beyond @len and trusts nothing.
 *
 * Return: bytes wanted, at most PSYNC_WIRE_MAX.
 */
u32 psync_wire_need(const u8 *data, u32 len);

/**
 * psync_wire_decode - check a packet totally and take it apart
 * @data: start of the packet, contiguous up to the body
 * @len: contiguous bytes at @data
 * @total: bytes of the packet as received (padding included), >= @len; more than
 *	65535 only of one that came in fragments
 * @pkt: filled in; defined only when PSYNC_OK is returned
 *
 * Checks everything that can be checked without state: version, type, every
 * length and count, reserved zeros, known flags, ranges, order of the list,
 * population of the bitmap.  The checksum is the link's business.
 *
 * Return: PSYNC_OK or the reason to drop.
 */
enum psync_drop psync_wire_decode(const u8 *data, u32 len, u32 total,
				  struct psync_pkt *pkt);

/**
 * psync_wire_hdr_size - bytes that psync_wire_encode() writes
 * @pkt: packet to be sent
 */
u32 psync_wire_hdr_size(const struct psync_pkt *pkt);

/**
 * psync_wire_encode - write all that precedes the body
 * @pkt: packet to be sent; hdr_len is ignored
 * @buf: room for psync_wire_hdr_size() bytes
 *
 * Every byte is written; csum is left zero for the link.
 */
void psync_wire_encode(const struct psync_pkt *pkt, u8 *buf);

/**
 * psync_wire_digest - digest of an ordered participant list (S1.3)
 * @pids: the list
 * @n: its length
 *
 * FNV-1a, 64 bits, over the list in wire form: it tells two ideas of a group
 * apart, it is no protection against forgery.
 *
 * Return: the digest, never zero.
 */
u64 psync_wire_digest(const struct psync_pid *pids, u32 n);

/**
 * psync_wire_cid - conversation id of a rendezvous (S1.3)
 * @group: group number
 * @number: conversation number
 * @digest: of the ordered participant list
 *
 * Return: the cid, never zero.
 */
u64 psync_wire_cid(u32 group, u32 number, u64 digest);

/**
 * psync_wire_csum_ok - verify the checksum of a contiguous packet
 * @data: packet
 * @len: the header's len field, already known to be within the buffer
 */
bool psync_wire_csum_ok(const u8 *data, u32 len);

/**
 * psync_wire_csum_set - fill in the checksum of a contiguous packet
 * @data: packet with a zero csum field
 * @len: its length
 */
void psync_wire_csum_set(u8 *data, u32 len);

#endif /* _PSYNC_CORE_WIRE_H */
