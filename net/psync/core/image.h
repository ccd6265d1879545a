/* SPDX-License-Identifier: GPL-2.0-only */
/* The conversation at one site: image, views, holding queue, confirmation. */
#ifndef _PSYNC_CORE_IMAGE_H
#define _PSYNC_CORE_IMAGE_H

#include <linux/list.h>
#include <linux/types.h>
#include "cut.h"
#include "wire.h"

/**
 * DOC: the core
 *
 * The core is a set of state machines without locks, clock, randomness or
 * sockets.  The caller holds the conversation's lock over every call here and
 * over everything reached through the ops; the ops are called with that lock
 * held and must not call back into the core.  Times are nanoseconds of one
 * monotonic clock.  Bodies are opaque: the core owns one reference to each
 * body it keeps and gives it back through body_put().
 *
 * A psync_image is the copy of the context graph at one site (P 3.1.1); a
 * psync_view is one local participant's window on it (P 2).  Images know who
 * takes part from the beginning, except an *embryo*, opened by a message that
 * overtook its conversation's start message: it keeps what arrives, within
 * the limit, until psync_image_start().
 *
 * Costs: n participants.  Every node carries its stamp: for each participant
 * the greatest sequence number in the node's context, itself included.  So
 * precedes is one comparison, stable one look per participant, attach, send
 * and receive O(n) whatever the number of predecessors and however long the
 * conversation.  Nodes are found by (participant, sequence number) in a hash
 * table.  When more than max_nodes are kept, the oldest that every local view
 * has taken are freed in attach order, so what is freed is always closed
 * downwards.  Of each participant the memory of the last freed node stays
 * (psync_part.freed), so the stamp of its last message is known in every view
 * and with it stability.
 *
 * A list (not a stamp) on the wire makes the receiver compute the stamp from
 * at most PSYNC_PREDS_LIST predecessors and the sender's previous message.
 * Of a predecessor that was freed here only its own entry is known then, so
 * what the new stamp may lack concerns freed nodes alone, and queries about
 * freed nodes are answered PSYNC_EFREED (ESTALE).
 *
 * Sequence numbers have 48 bits, as many as a mid has room for, and start at
 * seq_base + 1.  The wire has them whole: who comes late, or comes back, knows
 * nothing that a part of one could be relative to.
 */

struct psync_image;
struct psync_mask;
struct psync_node;
struct psync_note;
struct psync_view;
struct psync_watch;

/* Query results that are no booleans; the shell's errno is in the comment. */
#define PSYNC_EUNKNOWN	(-1)	/* ENOENT: not in the view */
#define PSYNC_EFREED	(-2)	/* ESTALE: was in the view, its node is freed */
#define PSYNC_EWANTED	(-3)	/* EBUSY: not stable, or somebody lacks it */
#define PSYNC_ENEVER	(-4)	/* EPIPE: who could make it so has closed */

/**
 * struct psync_image_ops - all that the core asks of its surroundings
 * @alloc: zeroed memory or NULL; may be called in softirq
 * @free: gives back memory of @alloc; NULL is fine
 * @transmit: send @pkt with @body (NULL: none) to @site, or to every other
 *	site of the conversation when @site is 0.  The callee fills in
 *	src_site, src_inc and dst_site, and the rest of the address with
 *	psync_image_address(); it keeps no pointer into @pkt and takes its own
 *	reference to @body.  Losing a packet is allowed.
 * @body_put: drop one reference to a body
 * @readable: @view has something outstanding that it had not
 * @event: tell @view, or when NULL every local view and the site's listeners
 *	of events; @ev is copied
 * @arm: psync_image_deadline() moved to the earlier @deadline
 * @cost: bytes of memory that keeping @body (@len bytes; NULL: none) and @size
 *	bytes of the core's own takes; counts against psync_limits; at least 1
 * @room: bytes, as @cost says, of messages that @view's participant may have
 *	yet to take; one message at least
 * @afford: is there memory for the message that was just made?
 * @writable: a send that was refused with -EAGAIN would be accepted now
 * @hash: a number that other bodies hardly have; for what is sent again
 * @rest: @body is kept for the history alone: it is nobody's any more
 * @passed: @node, which the kernel made (null message, MASK, END or RESTART) or
 *	which is void for @view (S5), entered it: its participant's, or received
 *	for it
 * @stable: @watch has its answer
 * @dropped: a packet or held message was dropped inside the core, after
 *	psync_image_input() had returned PSYNC_OK for it or on its own account
 * @nonce: an unpredictable 64-bit number, not zero
 */
struct psync_image_ops {
	void	*(*alloc)(struct psync_image *img, size_t size);
	void	(*free)(struct psync_image *img, void *mem, size_t size);
	void	(*transmit)(struct psync_image *img, u32 site,
			    struct psync_pkt *pkt, void *body);
	void	(*body_put)(struct psync_image *img, void *body);
	void	(*readable)(struct psync_image *img, struct psync_view *view);
	void	(*event)(struct psync_image *img, struct psync_view *view,
			 const struct psync_event *ev);
	void	(*arm)(struct psync_image *img, u64 deadline);
	u32	(*cost)(struct psync_image *img, void *body, u32 len,
			size_t size);
	u32	(*room)(struct psync_image *img, struct psync_view *view);
	bool	(*afford)(struct psync_image *img);
	void	(*writable)(struct psync_image *img);
	u64	(*hash)(struct psync_image *img, const void *body, u32 len);
	void	(*rest)(struct psync_image *img, void *body);
	void	(*passed)(struct psync_image *img, struct psync_view *view,
			  const struct psync_node *node);
	void	(*stable)(struct psync_image *img, struct psync_watch *watch);
	void	(*dropped)(struct psync_image *img, enum psync_drop reason);
	u64	(*nonce)(struct psync_image *img);
};

/*
 * Beside psync_limits.max_held so many messages are held for each participant of
 * those that say who takes part, or that this site is not waited for (skip.c);
 * what one does not need others may use until it does.
 */
#define PSYNC_SKIP_HELD		4

/**
 * struct psync_limits - bounds of one image; each at least 1
 * @max_nodes: nodes kept beyond which old ones are freed (depth threshold).
 *	What was given back behind one that was not cannot be freed: nobody adds
 *	more than its share to twice that much
 * @max_held: messages held for their context
 * @max_early: packets kept before confirmation or before the start message
 * @max_bytes: bytes, as psync_image_ops.cost() says, of messages attached and
 *	not yet given back, and again so many of held and early ones; twice that
 *	of attached ones that held ones wait for (S2.5).  Whatever others take,
 *	each site has its share, and each participant one message
 * @max_pending: the same while no local participant has opened; and of memory
 *	for what others hold and announce, until one does
 * @hello_ns: first wait for a HELLO's answer; doubles with each try
 * @hello_tries: tries before early packets of that site are dropped
 * @ack_ns: an acknowledgement vector is delayed so long at most
 * @null_ns: a null message is sent so long after what it acknowledges (S3.1)
 * @rto_ns: first wait for an acknowledgement or repair, before any round trip
 *	was measured
 * @rto_min_ns: least wait
 * @rto_max_ns: greatest wait; waits double up to it
 * @absent_ns: a site that was not heard for so long after the opening holds
 *	nothing back any more (S1.5)
 * @silent_ns: unless @slow is block, nor does one that was heard and then, asked
 *	again and again, did not answer for so long; 0: it holds back for ever
 * @suspect_ns: a site that was heard, asked and then silent for so long while
 *	something is expected of it is suspect; 0: never
 * @linger_ns: the image stays so long at most for what was sent here and is
 *	not held everywhere (S3.2)
 * @repair_rate: messages sent again in answer to requests, per second, and as
 *	many at most to those to whom others would leave none
 * @max_msgs: messages kept of others; each other site is granted its share
 * @first_msgs: messages sent to a site before it is heard; 0 means 1
 * @first_bytes: first window, in bytes; 0 means one message
 * @slow: enum psync_slow_policy: what becomes of who holds senders back (S6.6)
 * @slow_ns: after so long
 */
struct psync_limits {
	u32	max_nodes;
	u32	max_held;
	u32	max_early;
	u32	max_bytes;
	u32	max_pending;
	u64	hello_ns;
	u32	hello_tries;
	u64	ack_ns;
	u64	null_ns;
	u64	rto_ns;
	u64	rto_min_ns;
	u64	rto_max_ns;
	u64	absent_ns;
	u64	silent_ns;
	u64	suspect_ns;
	u64	linger_ns;
	u32	repair_rate;
	u32	max_msgs;
	u32	first_msgs;
	u32	first_bytes;
	u32	slow;
	u64	slow_ns;
};

/**
 * struct psync_node - a vertex of the context graph
 * @order: in psync_image.order, by attachment: a linear extension of precedes
 * @wait: while held: among those that wait for the same message
 * @hash: in psync_image.nodes, or in the holding queue
 * @ordinal: place in attach order, from 1: psync_image.attached at that time
 * @seq: 64-bit sequence number
 * @prev: its sender's message before it; @seq - 1 but of RESTART
 * @sender: participant index
 * @kind: enum psync_msg_kind
 * @made: sent by the participant that is open here now
 * @npred: immediate predecessors, the first entries in @preds
 * @nsaid: entries in @preds, as its sender said them
 * @wanted: local views that have yet to take it
 * @unheld: other sites that count and do not hold it, as far as is known
 * @start: it carries the participant list when it is sent
 * @manual: its sender's kernel says nothing for it (S3.3)
 * @repeated: this copy was not the first one sent
 * @resent: but one that a participant had sent again (P 3.2.2)
 * @wave: depth: 1 for a root
 * @binding: of the sender's port
 * @body_len: bytes of body
 * @cost: what it counts in the limits
 * @body: the message, or NULL once it is held (S2.3) and every local
 *	participant has taken it
 * @stamp: psync_image.n entries
 * @preds: mids (PSYNC_MID) of the immediate predecessors by participant index,
 *	then of those that turned out to precede one of them, by index, too
 * @gaps: GAP, while it is kept: in psync_image.gaps
 * @said: GAP: the stamp as its sender said it, where @stamp has more, or NULL
 * @stamped: its context came as a stamp
 * @op: MASK: enum psync_mask_op; END: enum psync_end_reason
 * @about: MASK: whom it masks; GAP: a participant at the site that is not waited
 *	for any more
 * @last: MASK: that one's last message held at its sender's site
 * @vote: MASK, until it is attached: what it announces (vote.c)
 * @quiet: no program receives it, since it came with a loss (skip.c)
 * @gone: @body was given back, or the message never had to be kept
 * @kept: it is in the history
 * @spared: no site is waited for with it (psync_ack_spare())
 * @doubt: whether it is stable, while that is looked for
 * @foreign: another site than its sender's has sent it here
 * @beside: while held: it does not count in psync_limits.max_held
 * @cursor: while held: what of the context was found
 * @wait_index: while held: participant of the message it waits for
 * @wait_seq: while held: sequence number of that message
 * @below: attached: that of its sender's message attached before it, 0: none;
 *	there may be far more numbers than messages
 */
struct psync_node {
	union {
		struct list_head	order;
		struct hlist_node	wait;
	};
	struct hlist_node	hash;
	u64			ordinal;
	u64			seq;
	u64			prev;
	u16			sender;
	u8			kind;
	bool			made;
	u16			npred;
	u16			nsaid;
	u16			wanted;
	u16			unheld;
	bool			start;
	bool			manual;
	bool			repeated;
	bool			resent;
	u32			wave;
	u32			binding;
	u32			body_len;
	u32			cost;
	void			*body;
	u64			*stamp;
	u64			*preds;
	struct list_head	gaps;
	u64			*said;
	u64			last;
	struct psync_vote	*vote;
	u16			about;
	u8			op;
	bool			stamped;
	bool			quiet;
	bool			gone;
	bool			kept;
	bool			spared;
	bool			doubt;
	bool			foreign;
	bool			beside;
	u16			cursor;
	u16			wait_index;
	union {
		u64		wait_seq;
		u64		below;
	};
};

/* Of one participant so many ENDs and RESTARTs are told apart (vote.c). */
#define PSYNC_PART_TURNS	4

/**
 * struct psync_turn - a participant ended, or came back
 * @seq: sequence number of that END or RESTART
 * @ended: END
 */
struct psync_turn {
	u64	seq;
	bool	ended;
};

/**
 * struct psync_part - a participant as this image knows it
 * @pid: its identity
 * @remote: index of its site in psync_image.remotes, or -1: this site
 * @seq: last attached message, seq_base if none
 * @stamp: stamp of the last one that did not get lost, or NULL if none yet
 * @last: message @seq; its memory stays when it is freed, its body does not;
 *	NULL if there is none, or it is lost
 * @newest: sequence number of the last attached message that did not get lost,
 *	kept or not; 0: none
 * @freed: last freed message, whose memory stays, or NULL
 * @claimed: last message of it that some site is known to hold, or @seq
 * @gap: up to here something is missing for good (S2.4), of it or of others,
 *	seq_base if nothing is
 * @nowhere: the same, as far as GONE said that nobody keeps them
 * @ended: its END is attached (S3.2), and no RESTART since
 * @back: it was heard to restart, and its RESTART is not attached yet
 * @past: what other sites send of it may be of an earlier opening
 * @told: binding number that it came back with; 0: did not
 * @before: the same in an earlier incarnation, if its RESTART is still to come
 * @untold: ... but nothing of it had been heard before, so nobody was told
 * @muted: every participant here has masked it out (S5.1)
 * @shut: it has announced that it masks every participant here
 * @turns: its last ENDs and RESTARTs, the latest at the end; 0: none
 * @live: it has not ended, or is back, is neither muted nor shut; or is of this
 *	site
 * @need: messages of it up to this one are wanted, muted or not
 * @notes: whom it has announced to mask, see vote.h, or NULL
 * @nvotes: announcements in @notes that are remembered
 * @root: its first message, if that has no predecessors, else 0
 * @nheld: messages of it in the holding queue
 * @nbeside: how many of them are so beside the limit
 * @nkept: attached messages of it that were not given back
 * @released: the last of those that were
 * @nnodes: attached messages of it, but for those that were freed
 * @view: the local participant, if open here
 */
struct psync_part {
	struct psync_pid	pid;
	int			remote;
	u64			seq;
	u64			*stamp;
	struct psync_node	*last;
	u64			newest;
	struct psync_node	*freed;
	u64			claimed;
	u64			gap;
	u64			nowhere;
	u64			released;
	bool			ended;
	bool			back;
	bool			past;
	u32			told;
	u32			before;
	bool			untold;
	bool			muted;
	bool			shut;
	bool			live;
	struct psync_turn	turns[PSYNC_PART_TURNS];
	u64			need;
	struct psync_note	*notes;
	u32			nvotes;
	u64			root;
	u32			nheld;
	u32			nbeside;
	u32			nkept;
	u32			nnodes;
	struct psync_view	*view;
};

enum psync_remote_state {
	PSYNC_REMOTE_UNKNOWN,
	PSYNC_REMOTE_ASKED,		/* HELLO sent, timer runs */
	PSYNC_REMOTE_CONFIRMED,		/* inc and opening are its present ones */
};

/**
 * struct psync_remote - another site of the conversation
 * @site: its id
 * @state: rendezvous only; others are confirmed by their first packet
 * @inc: its incarnation in this conversation, once confirmed
 * @opening: its opening in this conversation, once confirmed
 * @hearsay: others said so; the site itself has not spoken since
 * @nonce: of the HELLO that was not answered yet, 0: none
 * @asked: when the first HELLO of this exchange was sent
 * @deadline: when to ask again
 * @tries: HELLOs sent in this exchange
 * @early: packets waiting for the answer, in order of arrival
 * @nasked: how many of them were there when it was asked
 * @quiet: no REFUSE to it and no event about that before this time
 * @quiet_refused: no event about a REFUSE from it before this time
 * @quiet_opening: the opening that @quiet is about
 * @refuse_at: no REFUSE about any opening of it before this time
 * @quiet_past: what it asks an earlier opening of ours is not answered before
 * @vec: last message of each participant that its image is known to hold, or
 *	NULL: none
 * @bytes: of psync_image.body_bytes, what attached messages sent there count
 * @skip: last message of each participant that it is not waited for any more,
 *	of those that are given up (S6.6), or NULL: none
 * @skipped: nor is its credit, until it has caught up and grants some
 * @nlive: its participants that are live
 * @nspoke: for psync_mask_review(): those that have sent something
 * @nquiet: likewise: of these, those that are not live
 * @heard: it has spoken in this conversation
 * @heard_at: when it did so last
 * @absent: it was not heard for too long and holds nothing back
 * @moved: it was heard with a later opening: the one we go by is over
 * @returned: we went by an earlier opening of it before it restarted
 * @rebase_at: it is not back again before this time
 * @back_at: nor is it answered before, when it says so of the same opening
 * @answers: it answered our RS, or that it has nothing
 * @rs_at: it is not sent RS again before this time, but by timer
 * @gone: while we recover: it said that what we asked for is gone: one more
 *	than the sum of its vector, 0: did not
 * @owed: it has not been told that its latest messages are attached here
 * @lag: nodes kept that it does not hold while it counts
 * @lag_at: since when there have been some
 * @suspect: it was told to be silent, and has not been heard since
 * @probe_at: when it is asked what it holds, U64_MAX: never
 * @probes: how often it was asked since its vector last grew
 * @srtt: smoothed round-trip time in ns, 0: not measured yet
 * @rttvar: its mean deviation
 * @token: of the question whose answer is timed, 0: none
 * @token_at: when that was asked
 * @token_seq: the message that asked, 0: it was no message
 * @token_index: its sender
 * @told_at: it is not answered before, but for messages that were taken
 * @requested: it was asked for what is lacking here
 * @asks: so often since it was heard
 * @rr_round: the last round of requests in which it was asked
 * @answered_at: when its last request was answered
 * @answered: sum of the vector of that request
 * @answered_to: the last message sent then, as psync_node.ordinal, 0: all were
 * @onward: that answer began where the one before ended
 * @kept_bytes: bytes of programs' messages of its participants that are kept
 *	here, see flow.c
 * @kept_msgs: how many messages
 * @oldest: the first of them, or NULL
 * @left_bytes: bytes that it has left of what it was granted
 * @left_msgs: messages, likewise
 * @flight_bytes: bytes of programs' messages sent here that it is not known to
 *	hold, while it counts
 * @flight_msgs: how many messages
 * @credit_bytes: bytes that may be sent to it
 * @credit_msgs: messages, likewise
 * @granted: it has said so itself
 * @slow: of the participant there that has yet to receive what is kept, index
 *	and one; 0: it named none
 * @since: messages attached here when it was first heard
 * @marks: messages of it that came with a congestion mark
 * @marks_told: messages from here that came there so, as far as is known
 */
struct psync_remote {
	u32			site;
	enum psync_remote_state	state;
	u64			inc;
	u32			opening;
	bool			hearsay;
	u64			nonce;
	u64			asked;
	u64			deadline;
	u32			tries;
	struct list_head	early;
	u32			nasked;
	u64			quiet;
	u64			quiet_refused;
	u32			quiet_opening;
	u64			refuse_at;
	u64			quiet_past;
	u64			*vec;
	u64			bytes;
	u64			*skip;
	bool			skipped;
	u32			nlive;
	u32			nspoke;
	u32			nquiet;
	u64			heard_at;
	bool			heard;
	bool			absent;
	bool			moved;
	bool			returned;
	u64			rebase_at;
	u64			back_at;
	bool			answers;
	u64			rs_at;
	u64			gone;
	bool			owed;
	u32			lag;
	u64			lag_at;
	bool			suspect;
	u64			probe_at;
	u32			probes;
	u64			srtt;
	u64			rttvar;
	u32			token;
	u64			token_at;
	u64			token_seq;
	u32			token_index;
	u64			told_at;
	bool			requested;
	u32			asks;
	u32			rr_round;
	u64			answered_at;
	u64			answered;
	u64			answered_to;
	bool			onward;
	u64			kept_bytes;
	u32			kept_msgs;
	const struct psync_node	*oldest;
	u32			left_bytes;
	u32			left_msgs;
	u64			flight_bytes;
	u32			flight_msgs;
	u32			credit_bytes;
	u32			credit_msgs;
	bool			granted;
	u32			slow;
	u64			since;
	u32			marks;
	u32			marks_told;
};

/**
 * struct psync_view - what one local participant has sent or received
 * @img: its image
 * @link: in psync_image.views
 * @index: its participant index
 * @binding: binding number of its port
 * @pending: set by the caller before psync_image_join() when the participant
 *	only listens so far; psync_view_accept() clears it
 * @gap: it began behind what was given back before; to be told
 * @slow: enum psync_slow_policy that it asks for, see psync_view_slow()
 * @slow_ns: after so long; 0: it asks for nothing
 * @manual: the paper bare (S3.3): no null messages, no asking of silent sites,
 *	no END; see psync_view_manual()
 * @nulls: null messages and END are received like others, not for the
 *	participant; set by the caller before psync_image_join(), later see
 *	psync_view_nulls()
 * @restart: it is a restart, whose RESTART is not sent yet
 * @barred: it is masked out by all others, see psync_mask_bars()
 * @expelled: somebody has said that it is counted out for good, see expel.h
 * @out: and nobody is left who takes what it sends, which fails with ESTALE
 * @all: it is to have all messages, or none (S7.3)
 * @lost: it is not; sends and receives fail with ENODATA
 * @redo: its program runs again from its beginning (S7.2)
 * @records: then: what it has sent before and not yet again, see redo.c
 * @redone: the last of these that it has, or 0
 * @past: its own last message that its leaves name, or 0
 * @returned: its RESTART, or 0
 * @leaf: greatest sequence numbers that its leaves are to have, while they are
 *	not all in the view, and nothing is outstanding; else NULL
 * @died: set by the caller before psync_image_leave(): nobody has closed it
 * @masks: who is masked out, see mask.h, or NULL: nobody ever was
 * @slot: which of the participants of its site it is, once it has masks
 * @asks: how many of them are to be masked in when all have answered
 * @announce: some of that is still to be announced
 * @reaches: and some later, see psync_mask_reach()
 * @stamp: greatest sequence number in the view of each participant
 * @leaves: bitmap of participants whose entry in @stamp is a leaf of the view
 * @nleaves: bits set in @leaves
 * @next: first node in attach order that may be outstanding, or NULL
 * @owes: it received a message of a program and has said nothing since
 * @null_at: when a null message is due, U64_MAX: none
 * @outstanding: messages in the image and not in the view; what the kernel
 *	made does not count, unless @nulls
 * @unread: what the messages that it has yet to take count in the limits
 * @count: messages in the view
 * @max_wave: greatest wave in the view, which one of its leaves has
 * @user: the caller's
 */
struct psync_view {
	struct psync_image	*img;
	struct list_head	link;
	u16			index;
	u32			binding;
	bool			pending;
	bool			gap;
	bool			manual;
	bool			nulls;
	bool			restart;
	bool			barred;
	bool			expelled;
	bool			out;
	bool			all;
	bool			lost;
	bool			redo;
	struct list_head	records;
	u64			redone;
	u64			past;
	u64			returned;
	u64			*leaf;
	bool			died;
	struct psync_mask	*masks;
	u32			slot;
	u32			asks;
	bool			announce;
	bool			reaches;
	u32			slow;
	u64			slow_ns;
	u64			*stamp;
	unsigned long		*leaves;
	u32			nleaves;
	struct psync_node	*next;
	bool			owes;
	u64			null_at;
	u32			outstanding;
	u64			unread;
	u64			count;
	u32			max_wave;
	void			*user;
};

/**
 * struct psync_image_params - what an image is opened with
 * @cid: conversation id
 * @digest: psync_wire_digest() of @pids, or for an embryo what the packet says
 * @group: group number or 0
 * @number: conversation number of a rendezvous, or 0
 * @site: this site's id
 * @inc: this site's incarnation
 * @pids: ordered participants, distinct, 2 to 1024, or NULL for an embryo
 * @n: entries in @pids, or 0
 * @seq_base: sequence numbers begin after it; the same at all sites
 * @limits: bounds
 */
struct psync_image_params {
	u64			cid;
	u64			digest;
	u32			group;
	u32			number;
	u32			site;
	u64			inc;
	const struct psync_pid	*pids;
	u32			n;
	u64			seq_base;
	struct psync_limits	limits;
};

/**
 * struct psync_lost - messages that are lost here (S2.4)
 * @count: how many
 * @first: the first, by participant and number
 * @last: the last
 */
struct psync_lost {
	u64	count;
	u64	first;
	u64	last;
};

/**
 * struct psync_image - the copy of the context graph at one site
 * @ops: surroundings
 * @p: parameters; pids points to memory of the image, NULL in an embryo
 * @opening: this site's count of openings; 0 until the first view joined that
 *	is not pending, or was accepted
 * @opened: when that was
 * @refused: others go on with an earlier opening of ours; sends fail ESTALE
 * @restart: it was opened to restart (S7)
 * @recover: and what others know is not all here yet
 * @known: and others went by an earlier opening of ours
 * @rs_at: when they are asked again, U64_MAX: not
 * @rs_tries: how often they were
 * @parts: n participants
 * @remotes: distinct other sites
 * @nremotes: entries in @remotes
 * @nlocal: participants at this site
 * @views: local participants that have opened, or are pending
 * @nviews: how many
 * @nopen: how many of them are not pending
 * @watches: those who wait for messages to be n-stable, see stable.c
 * @joined: some view has joined; before that everything is kept
 * @begun: a start message was attached
 * @order: nodes by attachment
 * @nodes: hash table of nodes
 * @nbuckets: its size, a power of two
 * @nnodes: nodes kept
 * @nuntaken: how many of them have a body that a view has yet to take
 * @attached: messages ever attached
 * @body_bytes: what messages kept with their bodies (attached, held, early)
 *	count in the limits
 * @waiting_bytes: how many of them are of held and early ones
 * @floor: what was freed, as a view: every view begins with it
 * @known_bytes: memory of what others hold and announce, beside messages
 * @wire_pids: the participants in wire order
 * @scratch: room for one context in wire order
 * @quiet: as in psync_remote, for sites that are no participants'
 * @held: messages waiting for context, see hold.c
 * @nheld: how many
 * @nbeside: how many of them beside the limit
 * @beside_bytes: of @waiting_bytes, what these count
 * @embryo: packets of an embryo, in order of arrival
 * @nearly: packets in @embryo and all psync_remote.early together
 * @now: latest time that the core was told
 * @ack_at: when an acknowledgement vector is due, U64_MAX: none
 * @nunacked: messages attached since the last one
 * @nlack: participants of whom some site holds more than we
 * @nended: participants that have ended
 * @turns: how often one did, or came back
 * @masking: somebody has masked or announced something
 * @rr_at: when a request is due, U64_MAX: none
 * @rr_tries: requests since something missing came
 * @rr_site: site that was asked last
 * @rr_round: round of requests: in each a site is asked once
 * @far: the longest wait that the round trips of any site have asked for in ns,
 *	0: no site was measured yet
 * @gaps: GAPs that are kept
 * @losing: what is being taken for lost, perhaps with a GAP that is yet to be
 *	attached, or NULL: greatest sequence numbers
 * @faded: some GAP is not kept any more
 * @tokens: last token given out, see psync_remote.token
 * @history: bytes of the history at most, 0: there is none
 * @history_bytes: of @body_bytes, what it has
 * @oldest: before this node there is none of the history that may be given
 *	back; NULL: nor anywhere
 * @own_bytes: of @body_bytes, what messages sent here count
 * @nowed: nodes of participants here that are not held
 * @blocked: a send was refused with -EAGAIN
 * @granting: some site is to be told that there is room again
 * @slow_at: when who holds senders back is looked for, U64_MAX: never
 * @slow_told: that was told
 * @full_at: when who lacks what is kept of a site that is granted nothing is
 *	looked for (S6.6, mask), U64_MAX: never
 * @window: bytes that may be under way, see flow.c
 * @threshold: up to there it doubles with every round trip
 * @flight: bytes under way: programs' messages sent here, with what carries
 *	them, that some site that counts is not known to hold
 * @landed: bytes that have arrived since the window last grew by a step
 * @cut_at: messages attached when it was last made smaller
 * @cuts: how often it was, by enum psync_cut
 * @shuts: how often a site was masked out for what it held back (S6.6)
 * @absent_at: when sites that were not heard become absent, U64_MAX: done
 * @linger_end: with nobody open here any more: when it is given up
 * @repairs: messages that may be sent again now, see psync_limits.repair_rate
 * @repairs_at: when that was counted
 * @deadline: next time psync_image_timer() wants to run, U64_MAX: never
 * @max_depth: greatest wave attached, for statistics
 * @lost: what was lost and not told yet, while a packet is looked at
 * @lost_depth: greatest wave that what is lost may have, as others say (S2.4);
 *	see psync_graph_lost_depth()
 * @sure: somebody came back: what is stable is put down, see sure.h
 * @holes: some numbers were left out, or are of what is lost
 * @bare: some message without predecessors is not its participant's first
 */
struct psync_image {
	const struct psync_image_ops	*ops;
	struct psync_image_params	p;
	u32				opening;
	u64				opened;
	bool				refused;
	bool				restart;
	bool				recover;
	bool				known;
	u64				rs_at;
	u32				rs_tries;
	struct psync_part		*parts;
	struct psync_remote		*remotes;
	u32				nremotes;
	u32				nlocal;
	struct list_head		views;
	u32				nviews;
	u32				nopen;
	struct list_head		watches;
	bool				joined;
	bool				begun;
	struct list_head		order;
	struct hlist_head		*nodes;
	u32				nbuckets;
	u32				nnodes;
	u32				nuntaken;
	u64				attached;
	u64				body_bytes;
	u64				waiting_bytes;
	struct psync_view		floor;
	u64				known_bytes;
	struct psync_wire_pid		*wire_pids;
	u8				*scratch;
	u64				quiet;
	struct psync_hold		*held;
	u32				nheld;
	u32				nbeside;
	u64				beside_bytes;
	struct list_head		embryo;
	u32				nearly;
	u64				now;
	u64				ack_at;
	u32				nunacked;
	u32				nlack;
	u32				nended;
	u32				turns;
	bool				masking;
	u64				rr_at;
	u32				rr_tries;
	u32				rr_site;
	u32				rr_round;
	u64			far;
	struct list_head		gaps;
	const u64			*losing;
	bool				faded;
	u32				tokens;
	u32				history;
	u64				history_bytes;
	struct psync_node		*oldest;
	u64				own_bytes;
	u32				nowed;
	bool				blocked;
	bool				granting;
	u64				slow_at;
	bool				slow_told;
	u64				full_at;
	u64				window;
	u64				threshold;
	u64				flight;
	u64				landed;
	u64				cut_at;
	u32				cuts[PSYNC_CUT_MAX];
	u32				shuts;
	u64				absent_at;
	u64				linger_end;
	u32				repairs;
	u64				repairs_at;
	u64				deadline;
	u32				max_depth;
	struct psync_lost		lost;
	u32				lost_depth;
	bool				sure;
	bool				holes;
	bool				bare;
};

/* image.c: opening, closing, sending, packets, timer */

/**
 * psync_image_init - make an image, empty, with nobody open here
 * @img: zeroed memory owned by the caller
 * @p: parameters; copied, @p->pids too
 * @ops: surroundings; must outlive the image
 *
 * Return: 0, -EINVAL (list not valid: size, duplicate pid, zero site or port,
 * no participant at @p->site), -ENOMEM.
 */
int psync_image_init(struct psync_image *img,
		     const struct psync_image_params *p,
		     const struct psync_image_ops *ops);

/**
 * psync_image_destroy - free everything; no view may be joined any more
 * @img: image
 *
 * Messages still held or early are counted through ops->dropped (LEFT_OVER).
 */
void psync_image_destroy(struct psync_image *img);

/**
 * psync_image_start - give an embryo its participants
 * @img: embryo
 * @pids: the list from the start message, whose digest the caller compared
 * @n: its length
 * @now: time
 *
 * Then feeds the early packets through psync_image_input().  The caller feeds
 * the start message itself next: no limit refuses it.
 * Return: as psync_image_init(); -EINVAL also when it is no embryo.
 */
int psync_image_start(struct psync_image *img, const struct psync_pid *pids,
		      u32 n, u64 now);

/**
 * psync_image_join - a local participant opens
 * @img: image with participants
 * @view: zeroed; in use until psync_image_leave()
 * @index: which participant; its pid must be of this site
 * @binding: binding number of its port
 * @opening: the site's next count of openings; used if nobody is open yet
 * @now: time
 *
 * The view is empty and all that is attached is outstanding.  When bodies were
 * given back before, the view begins behind the last of them with PSYNC_EV_GAP
 * (S1.5).  With the first view of a rendezvous that is not pending every other
 * site that is not confirmed is asked.
 * Return: 0, -EINVAL (no such participant here), -EBUSY (it has a view),
 * -ESTALE (this image already has messages of that participant: coming back
 * is a restart, S1.4), -ENOMEM.
 */
int psync_image_join(struct psync_image *img, struct psync_view *view,
		     u32 index, u32 binding, u32 opening, u64 now);

/**
 * struct psync_restart_how - where a participant that is back goes on
 * @leaves: mids that are to be the leaves of its view
 * @nleaves: entries; 0: its view is empty
 * @all: everything that follows, or PSYNC_EV_GAP and ENODATA (S7.3)
 * @redo: its program runs again from its beginning: what it sends is compared
 *	with what it sent (S7.2); without leaves, and all of it
 */
struct psync_restart_how {
	const u64	*leaves;
	u32		nleaves;
	bool		all;
	bool		redo;
};

/**
 * psync_image_rejoin - P 5, restart: a local participant is back
 * @img: image with participants
 * @view: zeroed, not pending; in use until psync_image_leave()
 * @index: which participant; its pid must be of this site
 * @binding: binding number of its port
 * @opening: the site's next count of openings; used if nobody is open yet
 * @how: where it goes on
 * @now: time
 *
 * If nobody has opened the image yet, every other site is asked what it knows
 * (RS), and what they know is recovered; until then sends fail with -EAGAIN.
 * Then, if they knew an earlier opening of ours, its RESTART is sent.  Else the
 * image is that of before, and RESTART is sent at once.  Nobody here need have
 * been in the conversation: then it is like psync_image_join().
 * Return: 0, -EINVAL (no such participant here, leaves that cannot be), -EBUSY
 * (it has a view), -ENOENT (a leaf is not in the image of before), -ENODATA
 * (with @all: not all is kept there), -ENOMEM.
 */
int psync_image_rejoin(struct psync_image *img, struct psync_view *view,
		       u32 index, u32 binding, u32 opening,
		       const struct psync_restart_how *how, u64 now);

/**
 * psync_view_accept - a pending participant opens
 * @view: view that joined with ->pending set
 * @binding: binding number of its port
 * @opening: as in psync_image_join()
 * @now: time
 */
void psync_view_accept(struct psync_view *view, u32 binding, u32 opening,
		       u64 now);

/**
 * psync_image_history - keep what those who come back may need (P 5.1)
 * @img: image
 * @bytes: so much at most, beside what is in use; at most half of
 *	psync_limits.max_bytes is kept
 */
void psync_image_history(struct psync_image *img, u32 bytes);

/**
 * psync_image_leave - a local participant closes
 * @img: image
 * @view: its view; its memory is the caller's again
 * @now: time
 *
 * Puts its END into the graph (S3.2).  Bodies only it had yet to take are
 * freed.  The caller keeps the image until psync_image_over().
 */
void psync_image_leave(struct psync_image *img, struct psync_view *view,
		       u64 now);

/**
 * psync_image_over - may the image be destroyed?
 * @img: image
 *
 * Return: true when nobody is open here and all that was sent here is held
 * wherever it counts, or was given up.
 */
bool psync_image_over(const struct psync_image *img);

/**
 * psync_image_may_send - would a message be accepted?
 * @img: image
 * @cost: as psync_image_ops.cost() says, or 0: one that was refused
 *
 * A site has its share of psync_limits.max_bytes for what it sent and is not
 * held yet, but one message at least; and no more than all sites that count
 * grant (flow.c).
 */
bool psync_image_may_send(const struct psync_image *img, u32 cost);

/**
 * psync_image_block - ops->writable() is wanted when a message is accepted again
 * @img: image
 * @now: time
 */
void psync_image_block(struct psync_image *img, u64 now);

/**
 * psync_image_send - P 2, send: attach a message to the view's leaves
 * @img: image
 * @view: the sender's view
 * @body: the message; on success the core has taken over this reference
 * @len: its bytes
 * @mid: where the new message's id goes
 * @now: time
 *
 * Attaches, transmits to all other sites, makes it outstanding for the other
 * local views.  In a conversation that is no rendezvous the first message of
 * all, which has an empty image before it, carries the participant list.
 * Return: 0, -EAGAIN (what was sent here before fills its share, or what a
 * restart recovers is not here yet; ops->writable() will be called), -ENODATA
 * (psync_view.lost), -EPROTO (it differs from what was sent before, S7.2),
 * -ENOMEM, -ESTALE (refused, or psync_view.out), -EINVAL (the view is pending),
 * -EMSGSIZE (more than PSYNC_BODY_MAX),
 * -EOVERFLOW (the graph is too deep for the wire's wave).
 */
int psync_image_send(struct psync_image *img, struct psync_view *view,
		     void *body, u32 len, u64 *mid, u64 now);

/**
 * psync_image_input - a packet of this conversation has come
 * @img: image
 * @pkt: decoded; any but DGRAM, whose cid is the image's
 * @body: the message's body, or NULL; on PSYNC_OK the core has taken over
 *	the reference (and may already have dropped it again)
 * @now: time
 *
 * Nothing in @pkt is kept by pointer: what must wait is copied.
 * Return: PSYNC_OK or why the packet was dropped; the caller counts it.
 */
enum psync_drop psync_image_input(struct psync_image *img,
				  const struct psync_pkt *pkt, void *body,
				  u64 now);

/**
 * psync_image_refusal - fill in the answer to a packet that is refused
 * @pkt: the packet
 * @digest: digest of the list that this site goes by
 * @opening: this site's opening of the conversation, 0 if it has none
 * @reason: why
 * @out: the answer; all but src and dst fields are set
 */
void psync_image_refusal(const struct psync_pkt *pkt, u64 digest, u32 opening,
			 enum psync_refuse_reason reason,
			 struct psync_pkt *out);

/**
 * psync_image_absence - the answer of a site where nobody has the conversation
 * @pkt: a packet that found no image here
 * @out: the answer; all but src and dst fields are set
 *
 * Return: true when @pkt asks for an answer.
 */
bool psync_image_absence(const struct psync_pkt *pkt, struct psync_pkt *out);

/**
 * psync_image_part_index - which participant is that?
 * @img: image
 * @pid: identity
 *
 * Return: its index, or -1.
 */
int psync_image_part_index(const struct psync_image *img,
			   const struct psync_pid *pid);

/**
 * psync_image_timer - "it is now"
 * @img: image
 * @now: time
 *
 * To be called at psync_image.deadline or any time after.  Should more be to
 * do, it sets psync_image.deadline anew and calls ops->arm().
 */
void psync_image_timer(struct psync_image *img, u64 now);

/**
 * psync_image_opening - the opening of @site this image goes by
 * @img: image
 * @site: a remote site
 * @inc: where its incarnation goes (0 if not known)
 *
 * Return: the opening, 0 if not confirmed.
 */
u32 psync_image_opening(const struct psync_image *img, u32 site, u64 *inc);

/**
 * psync_image_address - fill in which incarnation and opening a packet is for
 * @img: image
 * @site: where it goes
 * @pkt: packet that the image transmits
 */
void psync_image_address(const struct psync_image *img, u32 site,
			 struct psync_pkt *pkt);

/**
 * psync_image_greeted - a site asked (HELLO) about the conversation
 * @img: image
 * @pkt: the question, which psync_image_hello_answer() has answered
 * @now: time
 *
 * It has opened: who is not confirmed yet is asked in turn, so that a late one
 * learns what there is.  One that was asked in vain is not left to the long
 * waits: it is asked again, psync_limits.hello_ns after the last time at the
 * earliest.  Whom the answer told that others go on with its earlier opening
 * is refused, with an event.
 */
void psync_image_greeted(struct psync_image *img, const struct psync_pkt *pkt,
			 u64 now);

/**
 * psync_image_hello_answer - fill in the answer to a HELLO about a cid
 * @img: the image, or NULL when there is none
 * @closed: opening of the last closed image of that cid, 0 if not remembered
 * @age_ms: how long ago it was closed
 * @hello: the question
 * @ack: the answer; all but src and dst fields are set
 */
void psync_image_hello_answer(const struct psync_image *img, u32 closed,
			      u32 age_ms, const struct psync_pkt *hello,
			      struct psync_pkt *ack);

/* Inside the core. */

/* All who were open here have closed: it only serves those who go on. */
static inline bool psync_image_lingers(const struct psync_image *img)
{
	return img->opening && !img->nopen;
}

/**
 * psync_image_remember - memory for what is known of another
 * @img: image
 * @size: bytes
 *
 * Where nobody has opened yet it is limited (S1.5): what is not known comes again.
 * Return: zeroed memory, to be given back with psync_image_unlearn(), or NULL.
 */
void *psync_image_remember(struct psync_image *img, size_t size);

/**
 * psync_image_unlearn - give it back
 * @img: image
 * @mem: memory, or NULL
 * @size: bytes
 */
void psync_image_unlearn(struct psync_image *img, void *mem, size_t size);

/* psync_image_timer() is wanted at @deadline, U64_MAX: not for this. */
void psync_image_arm(struct psync_image *img, u64 deadline);

/**
 * psync_image_settle - a view takes its place; the image may be lingering
 * @img: image
 * @view: initialised, its index and binding set
 */
void psync_image_settle(struct psync_image *img, struct psync_view *view);

/* A participant here is open, not only pending. */
void psync_image_opened(struct psync_image *img, struct psync_view *view,
			u32 opening, u64 now);

/**
 * psync_image_emit - a new node in the context of a view's leaves
 * @img: image
 * @view: its sender's view
 * @kind: enum psync_msg_kind
 * @op: of MASK or END, see struct psync_node
 * @about: of MASK or GAP
 * @body: as psync_image_send(), NULL unless DATA
 * @len: its bytes
 * @mid: where its id goes
 *
 * Return: as psync_image_send().
 */
int psync_image_emit(struct psync_image *img, struct psync_view *view, u8 kind,
		     u8 op, u16 about, void *body, u32 len, u64 *mid);

/**
 * psync_image_repeat - send an attached message again
 * @img: image
 * @node: kept, with its body
 * @site: where to, or 0: to all
 * @flags: PSYNC_MSGF_ASK, PSYNC_MSGF_RESENT or 0
 */
void psync_image_repeat(struct psync_image *img, const struct psync_node *node,
			u32 site, u8 flags);

/* view.c: views and queries */

/**
 * psync_view_next - the earliest outstanding message (P 2, receive)
 * @view: view
 *
 * Return: a node all of whose predecessors are in the view, or NULL.
 */
struct psync_node *psync_view_next(struct psync_view *view);

/**
 * psync_view_take - the participant receives: the view grows by a message
 * @view: view
 * @mid: of what psync_view_next() returned
 * @now: time
 *
 * While the caller did not hold its lock another message may have come to be the
 * earliest: who is masked in again speaks again (P 3.2.4).  The node that was
 * chosen may be gone; this one and its body may be freed here.
 *
 * Return: false: @mid is not the earliest, nothing was taken.
 */
bool psync_view_take(struct psync_view *view, u64 mid, u64 now);

/**
 * psync_view_find - a message of the view
 * @view: view
 * @mid: PSYNC_MID
 * @node: where the node goes
 *
 * Return: 0, PSYNC_EUNKNOWN, PSYNC_EFREED.
 */
int psync_view_find(const struct psync_view *view, u64 mid,
		    const struct psync_node **node);

/**
 * psync_view_roots - P 2, root: the view's vertices without predecessors
 * @view: view
 * @mids: where they go, by participant index
 * @room: entries that fit
 *
 * Freed roots are named too.  Return: how many there are.
 */
u32 psync_view_roots(const struct psync_view *view, u64 *mids, u32 room);

/**
 * psync_view_leaves - P 2, leaves: what the next message is sent in the
 * context of
 * @view: view
 * @mids: where they go, by participant index
 * @room: entries that fit
 *
 * Return: how many there are.
 */
u32 psync_view_leaves(const struct psync_view *view, u64 *mids, u32 room);

/**
 * psync_view_manual - S3.3: does the kernel acknowledge for a participant?
 * @view: view
 * @manual: it does not
 * @now: time
 *
 * Vectors are sent as long as some participant here is not manual.
 */
void psync_view_manual(struct psync_view *view, bool manual, u64 now);

/**
 * psync_view_nulls - are null messages and END handed to the participant?
 * @view: view
 * @nulls: they are
 * @now: time
 *
 * Only then do they enter the view.
 */
void psync_view_nulls(struct psync_view *view, bool nulls, u64 now);

/**
 * psync_view_slow - S6.6: a participant asks for less than its group allows
 * @view: view
 * @policy: enum psync_slow_policy
 * @ns: after so long; 0: it asks for nothing any more
 * @now: time
 *
 * Participants at one site wait as long as the least patient of them.
 * Return: 0, -EINVAL: that would be more.
 */
int psync_view_slow(struct psync_view *view, u32 policy, u64 ns, u64 now);

/**
 * psync_image_slow_ok - is that no more than the group allows?
 * @img: image
 * @policy: enum psync_slow_policy
 * @ns: after so long; 0: nothing is asked for
 */
bool psync_image_slow_ok(const struct psync_image *img, u32 policy, u64 ns);

/**
 * psync_image_slow - what applies here
 * @img: image
 * @ns: where the time goes
 *
 * Return: enum psync_slow_policy.
 */
u32 psync_image_slow(const struct psync_image *img, u64 *ns);

/**
 * psync_image_blocker - who holds senders here back?
 * @img: image
 * @index: where the participant's index and one goes, 0: not known
 *
 * Return: its site, 0: nobody.
 */
u32 psync_image_blocker(const struct psync_image *img, u32 *index);

/**
 * psync_view_resend - P 3.2.2, resend
 * @view: view
 * @mid: message
 * @now: time
 *
 * Sends it again to all sites, flagged; who has it answers with what follows
 * it.  Nothing is sent of a stable or held message.
 * Return: 0, PSYNC_EUNKNOWN, PSYNC_EFREED.
 */
int psync_view_resend(struct psync_view *view, u64 mid, u64 now);

/**
 * psync_view_free - P 3.3, free_node; S2.4
 * @view: view
 * @mid: stable message
 * @now: time
 *
 * Frees its node and all that precede it, as the paper has it: so what is
 * freed stays closed downwards.  Other participants here who have received
 * them have done with them, too.
 * Return: 0, PSYNC_EUNKNOWN, PSYNC_EFREED, PSYNC_EWANTED (it is not stable in
 * this view, or a participant here has yet to receive it, or a site that
 * counts may lack one of them; nothing is freed).
 */
int psync_view_free(struct psync_view *view, u64 mid, u64 now);

/**
 * psync_view_step - P 2, next and prev: immediate successors or predecessors
 * @view: view
 * @mid: message
 * @forward: successors, else predecessors
 * @mids: where they go, by participant index
 * @room: entries that fit
 *
 * Return: how many there are, PSYNC_EUNKNOWN, PSYNC_EFREED.
 */
int psync_view_step(const struct psync_view *view, u64 mid, bool forward,
		    u64 *mids, u32 room);

/**
 * psync_view_mids - the view's messages that are kept, in attach order
 * @view: view
 * @after: 0 to begin, else the mid to go on after
 * @mids: where they go
 * @room: entries that fit
 *
 * Return: how many there are (after @after), PSYNC_EUNKNOWN, PSYNC_EFREED.
 */
int psync_view_mids(const struct psync_view *view, u64 after, u64 *mids,
		    u32 room);

/**
 * psync_view_precedes - P 2, precedes
 * @view: view
 * @first: mid
 * @second: mid
 *
 * Return: 0 or 1, PSYNC_EUNKNOWN, PSYNC_EFREED.
 */
int psync_view_precedes(const struct psync_view *view, u64 first, u64 second);

/**
 * psync_view_stable - P 2, stable; S2.2: by those who count in this view
 * @view: view; one without a stamp has all that is attached
 * @mid: mid
 * @participants: how many others have sent in its context, in this view
 * @sites: distinct sites among them and the sender's
 *
 * Counted from the last message in the view of each participant, so a freed
 * message has an answer too.
 * Return: 1 if all others who count (not masked out, not ended) have, or once
 * had; 0, PSYNC_EUNKNOWN.
 */
int psync_view_stable(const struct psync_view *view, u64 mid,
		      u32 *participants, u32 *sites);

#endif /* _PSYNC_CORE_IMAGE_H */
