// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that do not fit the link: cut, sent as a blast, repaired by what the
 * receiver says has come, put together (S10; ARCHITECTURE's large messages).
 *
 * Out.  Every fragment carries a turn, the count of fragments sent of that
 * packet, and an answer carries that of the fragment that asked.  So answers
 * are told apart: one that was sent three turns or more before the one answered
 * and has not come is lost, and a round trip is measured without doubt.  The
 * window grows by what has come, halves when something that was sent since it last
 * did was lost or came with a congestion mark (RFC 3168), and begins anew at its
 * least when nothing is heard.  When the link comes to carry less, the packet
 * begins anew, under another id, in smaller fragments.
 *
 * In.  What has come without a hole is one whole already; what is beyond a hole
 * waits in a ring as wide as the window, so neither memory nor work depends on
 * what a fragment claims.  A packet that is complete leaves its name behind for
 * a while, so that a repeated fragment is answered and does not begin it anew.
 * Congestion marks are counted, and the count is said in every answer, so that
 * none gets lost with one and nobody need confirm that it was heeded.
 */
#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "frag.h"

/* A window begins with so many bytes and is never less than so many fragments. */
#define PSYNC_FRAG_START	(64 << 10)
#define PSYNC_FRAG_FEW		2
/* A fragment is lost when the answer to one so many turns later lacks it. */
#define PSYNC_FRAG_LATE		3
/* Incomplete packets are kept for so many of their sender's waits. */
#define PSYNC_FRAG_WAITS	64
/* What makes up a packet takes so many times its size, if that is more. */
#define PSYNC_FRAG_WASTE	4
#define PSYNC_FRAG_SMALL	(64 << 10)

void psync_frags_init(struct psync_frags *f, const struct psync_frag_ops *ops)
{
	*f = (struct psync_frags){ .ops = ops, .deadline = U64_MAX };
	INIT_LIST_HEAD(&f->out);
	INIT_LIST_HEAD(&f->in);
}

u32 psync_frags_size(u32 mtu)
{
	mtu = min_t(u32, mtu, U16_MAX);
	return mtu >= PSYNC_WIRE_FRAG + PSYNC_FRAG_LEAST ?
	       mtu - PSYNC_WIRE_FRAG : 0;
}

static void psync_frags_arm(struct psync_frags *f, u64 deadline)
{
	if (deadline >= f->deadline)
		return;
	f->deadline = deadline;
	f->ops->arm(f, deadline);
}

/* How long an answer is waited for after @tries waits in vain. */
static u64 psync_frags_wait(const struct psync_frags *f, u32 tries)
{
	u64 wait = f->limits.rto_ns;

	if (f->srtt)
		wait = max(f->srtt + 4 * f->rttvar, f->limits.rto_min_ns);
	wait <<= min_t(u32, tries, PSYNC_FRAG_TRIES);
	return min(wait, f->limits.rto_max_ns);
}

/* As RFC 6298 smoothes it. */
static void psync_frags_measure(struct psync_frags *f, u64 rtt)
{
	u64 off;

	rtt = max_t(u64, rtt, 8);
	if (!f->srtt) {
		f->srtt = rtt;
		f->rttvar = rtt / 2;
		return;
	}
	off = rtt > f->srtt ? rtt - f->srtt : f->srtt - rtt;
	f->rttvar += off / 4 - f->rttvar / 4;
	f->srtt += rtt / 8 - f->srtt / 8;
}

/* Out. */

static void psync_frag_end(struct psync_frags *f, struct psync_frag_out *out)
{
	list_del(&out->link);
	f->nout--;
	f->nactive -= out->active;
	f->ops->give(f, false, out->p.cost + sizeof(*out), 1);
	f->ops->packet_put(f, out->p.packet);
	f->ops->free(f, out, sizeof(*out));
}

/* Cut it anew, for the link as it is now. */
static void psync_frag_cut(struct psync_frags *f, struct psync_frag_out *out)
{
	out->id = f->ops->id(f);
	out->cuts++;
	/* It is not sent whole, even if it would fit by now. */
	out->size = min(f->size, out->p.total - 1);
	out->count = (out->p.total - 1) / out->size + 1;
	out->base = 0;
	out->next = 0;
	out->turn = 0;
	out->heard = 0;
	out->window = clamp_t(u32, PSYNC_FRAG_START / out->size,
			      PSYNC_FRAG_FEW, PSYNC_FRAG_WINDOW);
	out->limit = PSYNC_FRAG_WINDOW;
	out->credit = 0;
	out->halved = 0;
	out->marks = 0;
	out->flight = 0;
	out->nlost = 0;
	out->asked = 0;
	bitmap_zero(out->held, PSYNC_FRAG_WINDOW);
	bitmap_zero(out->lost, PSYNC_FRAG_WINDOW);
}

static u64 psync_frags_lowest(const struct psync_frags *f)
{
	const struct psync_frag_out *out;
	u64 lowest = U64_MAX;

	list_for_each_entry(out, &f->out, link) {
		if (!out->active)
			break;
		lowest = min(lowest, out->id);
	}
	return lowest;
}

static void psync_frag_transmit(struct psync_frags *f,
				struct psync_frag_out *out, u32 index,
				bool again, bool ask, u64 now)
{
	u32 slot = index % PSYNC_FRAG_WINDOW, offset = index * out->size;
	u64 wait = div_u64(psync_frags_wait(f, out->tries), 1000);
	struct psync_pkt pkt = {
		.type		= PSYNC_PKT_FRAG,
		.dst_inc	= out->p.dst_inc,
		.frag		= {
			.id	= out->id,
			.lowest	= psync_frags_lowest(f),
			.total	= out->p.total,
			.index	= index,
			.turn	= ++out->turn,
			.wait	= min_t(u64, wait, U32_MAX),
			.size	= out->size,
			.flags	= ask ? PSYNC_FRAGF_ASK : 0,
		},
		.body_len	= min(out->size, out->p.total - offset),
	};

	out->turns[slot] = out->turn;
	out->flight++;
	if (ask && !out->asked) {
		out->asked = out->turn;
		out->asked_at = now;
	}
	f->ops->sent(f, again);
	f->ops->transmit(f, &pkt, out->p.packet, offset);
}

/* The next fragment to be sent, if there is one. */
static bool psync_frag_next(const struct psync_frag_out *out, u32 *index)
{
	u32 i;

	for (i = out->base; out->nlost && i < out->next; i++) {
		if (!test_bit(i % PSYNC_FRAG_WINDOW, out->lost))
			continue;
		*index = i;
		return true;
	}
	*index = out->next;
	return out->next < out->count &&
	       out->next < out->base + PSYNC_FRAG_WINDOW;
}

/* As much as the window has room for; a few of them and the last one ask. */
static void psync_frag_pump(struct psync_frags *f, struct psync_frag_out *out,
			    u64 now)
{
	bool more, again, ask;
	u32 index, other;

	if (!f->size)
		return;
	if (f->size < out->size)
		psync_frag_cut(f, out);
	more = psync_frag_next(out, &index);
	while (more && out->flight < out->window) {
		again = index < out->next;
		if (again) {
			__clear_bit(index % PSYNC_FRAG_WINDOW, out->lost);
			out->nlost--;
		} else {
			out->next++;
		}
		more = psync_frag_next(out, &other);
		ask = !more || out->flight + 1 >= out->window ||
		      !((out->turn + 1) % (out->window / 4 + 1));
		psync_frag_transmit(f, out, index, again, ask, now);
		index = other;
	}
}

static void psync_frag_wait(struct psync_frags *f, struct psync_frag_out *out,
			    u64 now)
{
	out->deadline = now + psync_frags_wait(f, out->tries);
	psync_frags_arm(f, out->deadline);
}

/* Those that waited their turn. */
static void psync_frags_start(struct psync_frags *f, u64 now)
{
	struct psync_frag_out *out;

	/* Without a way out there is no wait of any of them to end. */
	if (!f->size && f->nout && !f->nactive)
		psync_frags_arm(f, now + f->limits.rto_max_ns);
	list_for_each_entry(out, &f->out, link) {
		if (f->nactive >= PSYNC_FRAG_ACTIVE || !f->size)
			return;
		if (out->active)
			continue;
		out->active = true;
		f->nactive++;
		psync_frag_cut(f, out);
		psync_frag_wait(f, out, now);
		psync_frag_pump(f, out, now);
	}
}

/* Is this message under way already?  Then it is not sent twice. */
static bool psync_frags_has(const struct psync_frags *f,
			    const struct psync_frag_packet *p)
{
	const struct psync_frag_out *out;

	if (!p->cid)
		return false;
	list_for_each_entry(out, &f->out, link)
		if (out->p.cid == p->cid && out->p.seq == p->seq &&
		    out->p.sender == p->sender &&
		    out->p.dst_inc == p->dst_inc)
			return true;
	return false;
}

enum psync_drop psync_frags_send(struct psync_frags *f,
				 const struct psync_frag_packet *p, u64 now)
{
	struct psync_frag_out *out;

	if (psync_frags_has(f, p)) {
		psync_frags_start(f, now);
		return PSYNC_DROP_DUPLICATE;
	}
	if (!f->size || p->total <= f->size || p->total > PSYNC_FRAG_MAX)
		return PSYNC_DROP_TX_TOO_BIG;
	if (f->nout >= PSYNC_FRAG_QUEUE ||
	    !f->ops->take(f, false, p->cost + sizeof(*out), 1, !f->nout))
		return PSYNC_DROP_TX_FRAG_FULL;
	out = f->ops->alloc(f, sizeof(*out));
	if (!out) {
		f->ops->give(f, false, p->cost + sizeof(*out), 1);
		return PSYNC_DROP_TX_NO_MEM;
	}
	out->p = *p;
	out->begun = now;
	list_add_tail(&out->link, &f->out);
	f->nout++;
	psync_frags_start(f, now);
	return PSYNC_OK;
}

/* It has come.  Returns how many that are news. */
static u32 psync_frag_mark(struct psync_frag_out *out, u32 index)
{
	u32 slot = index % PSYNC_FRAG_WINDOW;

	if (__test_and_set_bit(slot, out->held))
		return 0;
	if (__test_and_clear_bit(slot, out->lost))
		out->nlost--;
	else
		out->flight--;
	return 1;
}

/* What an answer says has come: can it be? */
static bool psync_frag_possible(const struct psync_frag_out *out,
				const struct psync_pkt *pkt)
{
	bool whole = pkt->frag_ack.state == PSYNC_FRAG_WHOLE;
	u32 i, base = pkt->frag_ack.base;
	bool all = base == out->count;

	if (base > out->next || whole != all ||
	    (s32)(out->turn - pkt->frag_ack.turn) < 0)
		return false;
	for (i = 1; i < PSYNC_FRAG_WINDOW; i++)
		if (pkt->frag_ack.bitmap[i / 8] >> i % 8 & 1 &&
		    base + i >= out->next)
			return false;
	return true;
}

static u32 psync_frag_held(struct psync_frag_out *out,
			   const struct psync_pkt *pkt)
{
	u32 base = pkt->frag_ack.base, news = 0, i;

	for (i = out->base; i < base; i++) {
		news += psync_frag_mark(out, i);
		__clear_bit(i % PSYNC_FRAG_WINDOW, out->held);
	}
	out->base = base;
	for (i = 1; i < PSYNC_FRAG_WINDOW; i++)
		if (pkt->frag_ack.bitmap[i / 8] >> i % 8 & 1)
			news += psync_frag_mark(out, base + i);
	return news;
}

static void psync_frag_lose(struct psync_frag_out *out, u32 index)
{
	__set_bit(index % PSYNC_FRAG_WINDOW, out->lost);
	out->nlost++;
	out->flight--;
}

static void psync_frag_halve(struct psync_frags *f, struct psync_frag_out *out,
			     enum psync_cut why)
{
	f->ops->cut(f, why);
	out->window = max_t(u32, out->window / 2, PSYNC_FRAG_FEW);
	out->limit = out->window;
	out->halved = out->turn;
}

/* Those sent well before the one that is answered are lost. */
static void psync_frag_lack(struct psync_frags *f, struct psync_frag_out *out,
			    u32 turn)
{
	bool halve = false;
	u32 i, slot;

	for (i = out->base; i < out->next; i++) {
		slot = i % PSYNC_FRAG_WINDOW;
		if (test_bit(slot, out->held) || test_bit(slot, out->lost) ||
		    (s32)(turn - out->turns[slot]) < PSYNC_FRAG_LATE)
			continue;
		halve |= out->turns[slot] > out->halved;
		psync_frag_lose(out, i);
	}
	if (halve)
		psync_frag_halve(f, out, PSYNC_CUT_LOSS);
}

/* More came with a congestion mark: as if they were lost, but they were not. */
static void psync_frag_heed(struct psync_frags *f, struct psync_frag_out *out,
			    u32 marks, u32 turn)
{
	/* An answer that was overtaken says less. */
	if ((s32)(marks - out->marks) <= 0)
		return;
	out->marks = marks;
	/* The one that is answered was under way when the window halved. */
	if (turn <= out->halved)
		return;
	psync_frag_halve(f, out, PSYNC_CUT_MARK);
}

static void psync_frag_grow(struct psync_frag_out *out, u32 news)
{
	if (out->window < out->limit) {
		out->window += news;
	} else {
		out->credit += news;
		if (out->credit >= out->window) {
			out->credit = 0;
			out->window++;
		}
	}
	out->window = min_t(u32, out->window, PSYNC_FRAG_WINDOW);
}

/* From its beginning, as another; but nobody has it sent again and again. */
static void psync_frag_again(struct psync_frags *f, struct psync_frag_out *out,
			     u64 now)
{
	if (!f->size)
		return;
	if (out->cuts > PSYNC_FRAG_TRIES) {
		f->ops->dropped(f, PSYNC_DROP_TX_GIVEN_UP);
		psync_frag_end(f, out);
		psync_frags_start(f, now);
		return;
	}
	psync_frag_cut(f, out);
	psync_frag_wait(f, out, now);
	psync_frag_pump(f, out, now);
}

static struct psync_frag_out *psync_frags_find_out(struct psync_frags *f,
						   u64 id)
{
	struct psync_frag_out *out;

	list_for_each_entry(out, &f->out, link) {
		if (!out->active)
			break;
		if (out->id == id)
			return out;
	}
	return NULL;
}

enum psync_drop psync_frags_answer(struct psync_frags *f,
				   const struct psync_pkt *pkt, u64 now)
{
	struct psync_frag_out *out;
	bool later;
	u32 news;

	out = psync_frags_find_out(f, pkt->frag_ack.id);
	if (!out)
		return PSYNC_DROP_FRAG_STALE;
	if (!psync_frag_possible(out, pkt))
		return PSYNC_DROP_BAD_FRAG;
	f->answered = now;
	if (pkt->frag_ack.turn == out->asked) {
		psync_frags_measure(f, now - out->asked_at);
		out->asked = 0;
	}
	later = (s32)(pkt->frag_ack.turn - out->heard) > 0;
	if (later)
		out->heard = pkt->frag_ack.turn;
	if (pkt->frag_ack.base < out->base) {
		/* Overtaken, and known; or what had come was given up there. */
		if (later)
			psync_frag_again(f, out, now);
		return PSYNC_OK;
	}
	news = psync_frag_held(out, pkt);
	if (out->base == out->count) {
		psync_frag_end(f, out);
		psync_frags_start(f, now);
		return PSYNC_OK;
	}
	psync_frag_lack(f, out, pkt->frag_ack.turn);
	psync_frag_heed(f, out, pkt->frag_ack.marks, pkt->frag_ack.turn);
	if (news) {
		psync_frag_grow(out, news);
		out->tries = 0;
		psync_frag_wait(f, out, now);
	}
	psync_frag_pump(f, out, now);
	return PSYNC_OK;
}

/* Those that wait would have to wait for nothing. */
static void psync_frags_despair(struct psync_frags *f)
{
	struct psync_frag_out *out, *next;

	list_for_each_entry_safe(out, next, &f->out, link) {
		if (out->active)
			continue;
		f->ops->dropped(f, PSYNC_DROP_TX_GIVEN_UP);
		psync_frag_end(f, out);
	}
}

/* No answer, or none that gets anywhere.  Returns false when it is given up. */
static bool psync_frag_expire(struct psync_frags *f, struct psync_frag_out *out,
			      u64 now)
{
	u32 i;

	if (++out->tries > PSYNC_FRAG_TRIES ||
	    now - out->begun > PSYNC_FRAG_LIFE_NS)
		return false;
	for (i = out->base; i < out->next; i++)
		if (!test_bit(i % PSYNC_FRAG_WINDOW, out->held) &&
		    !test_bit(i % PSYNC_FRAG_WINDOW, out->lost))
			psync_frag_lose(out, i);
	f->ops->cut(f, PSYNC_CUT_TIMEOUT);
	out->limit = max_t(u32, out->window / 2, PSYNC_FRAG_FEW);
	out->window = PSYNC_FRAG_FEW;
	out->halved = out->turn;
	out->asked = 0;
	psync_frag_wait(f, out, now);
	psync_frag_pump(f, out, now);
	return true;
}

static void psync_frags_timer_out(struct psync_frags *f, u64 now)
{
	struct psync_frag_out *out, *next;
	bool idle = !f->nactive;
	u64 begun = U64_MAX;

	list_for_each_entry_safe(out, next, &f->out, link) {
		if (!out->active)
			continue;
		if (out->deadline > now) {
			psync_frags_arm(f, out->deadline);
		} else if (!psync_frag_expire(f, out, now)) {
			begun = min(begun, out->begun);
			f->ops->dropped(f, PSYNC_DROP_TX_GIVEN_UP);
			psync_frag_end(f, out);
		}
	}
	/* That site answers nothing, or there was no way to it all the time. */
	if ((begun != U64_MAX && f->answered < begun) || (idle && !f->size))
		psync_frags_despair(f);
	psync_frags_start(f, now);
}

/* In. */

/* Only its name stays, if even that. */
static void psync_frag_empty(struct psync_frags *f, struct psync_frag_in *in)
{
	u32 i;

	for (i = 0; i < PSYNC_FRAG_WINDOW; i++)
		if (in->pieces[i])
			f->ops->piece_put(f, in->pieces[i]);
	if (in->whole)
		f->ops->whole_put(f, in->whole);
	in->whole = NULL;
}

/* It holds nothing incomplete any more. */
static void psync_frag_settle(struct psync_frags *f, struct psync_frag_in *in)
{
	f->ops->give(f, true, in->bytes, 1);
	f->bytes -= in->bytes;
	f->nopen--;
	in->bytes = 0;
	in->done = true;
}

static void psync_frag_forget(struct psync_frags *f, struct psync_frag_in *in,
			      enum psync_drop reason)
{
	if (!in->done) {
		psync_frag_empty(f, in);
		psync_frag_settle(f, in);
		if (reason)
			f->ops->dropped(f, reason);
	}
	list_del(&in->link);
	f->nkept--;
	f->ops->free(f, in, sizeof(*in));
}

void psync_frags_flush(struct psync_frags *f, enum psync_drop out_reason,
		       enum psync_drop in_reason)
{
	struct psync_frag_out *out, *next_out;
	struct psync_frag_in *in, *next_in;

	list_for_each_entry_safe(out, next_out, &f->out, link) {
		f->ops->dropped(f, out_reason);
		psync_frag_end(f, out);
	}
	list_for_each_entry_safe(in, next_in, &f->in, link)
		psync_frag_forget(f, in, in_reason);
	f->deadline = U64_MAX;
}

/* Another incarnation, or the sender has done with some: they are over. */
static void psync_frags_outdate(struct psync_frags *f,
				const struct psync_pkt *pkt)
{
	struct psync_frag_in *in, *next;
	bool other = f->inc != pkt->src_inc;

	list_for_each_entry_safe(in, next, &f->in, link)
		if (other || in->id < pkt->frag.lowest)
			psync_frag_forget(f, in, PSYNC_DROP_FRAG_EXPIRED);
	f->inc = pkt->src_inc;
}

static struct psync_frag_in *psync_frags_find_in(struct psync_frags *f, u64 id)
{
	struct psync_frag_in *in;

	list_for_each_entry(in, &f->in, link)
		if (in->id == id)
			return in;
	return NULL;
}

/* Room for one more: the names of those complete make way. */
static bool psync_frags_room(struct psync_frags *f)
{
	struct psync_frag_in *in, *next;

	list_for_each_entry_safe(in, next, &f->in, link)
		if (f->nkept >= PSYNC_FRAG_OPEN && in->done)
			psync_frag_forget(f, in, PSYNC_OK);
	return f->nkept < PSYNC_FRAG_OPEN;
}

/*
 * So much more memory is kept for @in.  The only one may always go on, unless it
 * comes in fragments so small that what they take is far more than they bring.
 */
static bool psync_frag_charge(struct psync_frags *f, struct psync_frag_in *in,
			      u32 bytes, u32 packets)
{
	u64 most = PSYNC_FRAG_WASTE * (u64)max_t(u32, in->total,
						 PSYNC_FRAG_SMALL);
	bool only = f->nopen + packets == 1 && in->bytes + (u64)bytes <= most;

	if (!only &&
	    (f->bytes > f->limits.bytes || bytes > f->limits.bytes - f->bytes))
		return false;
	if (!f->ops->take(f, true, bytes, packets, false))
		return false;
	f->bytes += bytes;
	f->nopen += packets;
	in->bytes += bytes;
	return true;
}

static enum psync_drop psync_frags_begin(struct psync_frags *f,
					 const struct psync_pkt *pkt, u32 cost,
					 u64 now, struct psync_frag_in **found)
{
	struct psync_frag_in *in;

	/* Of one that was given up here: its beginning will not come again. */
	if (pkt->frag.index >= PSYNC_FRAG_WINDOW)
		return PSYNC_DROP_FRAG_STALE;
	if (!psync_frags_room(f))
		return PSYNC_DROP_FRAG_FULL;
	in = f->ops->alloc(f, sizeof(*in));
	if (!in)
		return PSYNC_DROP_NO_MEM;
	in->total = pkt->frag.total;
	if (!psync_frag_charge(f, in, cost + sizeof(*in), 1)) {
		f->ops->free(f, in, sizeof(*in));
		return PSYNC_DROP_FRAG_FULL;
	}
	list_add_tail(&in->link, &f->in);
	f->nkept++;
	in->id = pkt->frag.id;
	in->size = pkt->frag.size;
	in->count = (in->total - 1) / in->size + 1;
	in->begun = now;
	in->whole = f->ops->begin(f);
	if (!in->whole) {
		psync_frag_forget(f, in, PSYNC_OK); /* the caller counts it */
		return PSYNC_DROP_NO_MEM;
	}
	*found = in;
	return PSYNC_OK;
}

static void psync_frag_answer(struct psync_frags *f,
			      const struct psync_frag_in *in, u32 turn)
{
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {};
	struct psync_pkt pkt = {
		.type		= PSYNC_PKT_FRAG_ACK,
		.dst_inc	= f->inc,
		.frag_ack	= {
			.id	= in->id,
			.base	= in->base,
			.turn	= turn,
			.state	= in->done ? PSYNC_FRAG_WHOLE : PSYNC_FRAG_PART,
			.marks	= in->marks,
			.bitmap	= bitmap,
		},
	};
	u32 i;

	for (i = 1; !in->done && i < PSYNC_FRAG_WINDOW; i++)
		if (in->pieces[(in->base + i) % PSYNC_FRAG_WINDOW])
			bitmap[i / 8] |= 1 << i % 8;
	f->ops->transmit(f, &pkt, NULL, 0);
}

/* What its sender's waits tell of the way bounds how long the rest may take. */
static void psync_frag_defer(struct psync_frags *f, struct psync_frag_in *in,
			     u32 wait, u64 now)
{
	u64 keep = max_t(u64, (u64)wait * 1000, f->limits.rto_min_ns);

	keep = min_t(u64, keep * PSYNC_FRAG_WAITS, f->limits.keep_ns);
	in->deadline = min(now + keep, in->begun + PSYNC_FRAG_LIFE_NS);
	psync_frags_arm(f, in->deadline);
}

/* Puts a piece in its place, and together what has no hole before it. */
static void psync_frag_put(struct psync_frags *f, struct psync_frag_in *in,
			   u32 index, void *piece)
{
	u32 slot;

	in->pieces[index % PSYNC_FRAG_WINDOW] = piece;
	for (slot = in->base % PSYNC_FRAG_WINDOW; in->pieces[slot];
	     slot = in->base % PSYNC_FRAG_WINDOW) {
		f->ops->append(f, in->whole, in->pieces[slot]);
		in->pieces[slot] = NULL;
		in->base++;
	}
}

enum psync_drop psync_frags_input(struct psync_frags *f,
				  const struct psync_pkt *pkt, void *piece,
				  u32 cost, u64 now)
{
	u32 index = pkt->frag.index;
	enum psync_drop reason = PSYNC_OK;
	struct psync_frag_in *in;
	void *whole;

	psync_frags_outdate(f, pkt);
	in = psync_frags_find_in(f, pkt->frag.id);
	if (!in)
		reason = psync_frags_begin(f, pkt, cost, now, &in);
	else if (in->total != pkt->frag.total || in->size != pkt->frag.size)
		return PSYNC_DROP_BAD_FRAG;
	else if (in->done || index < in->base ||
		 (index < in->base + PSYNC_FRAG_WINDOW &&
		  in->pieces[index % PSYNC_FRAG_WINDOW]))
		reason = PSYNC_DROP_DUPLICATE;
	else if (index >= in->base + PSYNC_FRAG_WINDOW)
		reason = PSYNC_DROP_FRAG_STALE; /* what was before is gone */
	else if (!psync_frag_charge(f, in, cost, 0))
		reason = PSYNC_DROP_FRAG_FULL;
	if (!reason) {
		psync_frag_put(f, in, index, piece);
		psync_frag_defer(f, in, pkt->frag.wait, now);
	}
	if (!in)
		return reason;
	in->marks += pkt->marked;
	if (in->base == in->count && !in->done) {
		whole = in->whole;
		in->whole = NULL;
		psync_frag_settle(f, in);
		f->ops->whole(f, whole, in->total);
	}
	if (pkt->frag.flags & PSYNC_FRAGF_ASK || (!reason && in->done))
		psync_frag_answer(f, in, pkt->frag.turn);
	return reason;
}

void psync_frags_timer(struct psync_frags *f, u64 now)
{
	struct psync_frag_in *in, *next;

	f->deadline = U64_MAX;
	psync_frags_timer_out(f, now);
	list_for_each_entry_safe(in, next, &f->in, link) {
		if (in->deadline > now)
			psync_frags_arm(f, in->deadline);
		else
			psync_frag_forget(f, in, PSYNC_DROP_FRAG_EXPIRED);
	}
}
