// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network: every packet takes its own time, so that packets overtake one
 * another; some arrive twice, some of those much later.  While faults are on,
 * some are lost, held back, or damaged.  psync_net_fate() is the one place
 * where a packet's fate is decided.
 */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "sim.h"
#include "site.h"
#include "work.h"

/* Bytes an Ethernet frame carries at least. */
#define PSYNC_NET_PAD	46
/* And at most. */
#define PSYNC_NET_FRAME	1500
/* What is drawn here is drawn from numbers of its own. */
#define PSYNC_NET_STREAM	5
/* Longest delay in means. */
#define PSYNC_NET_BOUND	6
/* Nothing is held back longer for others to be sent. */
#define PSYNC_NET_HOLD	(2 * PSYNC_SEC)

void psync_net_init(struct psync_sim *sim, u32 n)
{
	struct psync_net *net = &sim->net;
	struct psync_prng rng;
	u32 i;

	net->n = n;
	net->links = psync_sim_alloc((size_t)n * n, sizeof(*net->links));
	psync_prng_seed(&rng, sim->seed, PSYNC_NET_STREAM);
	for (i = 0; i < n * n; i++) {
		net->links[i].mtu = net->shape.mtu ?
			psync_prng_range(&rng, net->shape.mtu,
					 psync_prng_chance(&rng, 500) ?
					 net->shape.mtu + 100 :
					 PSYNC_NET_FRAME) : U32_MAX;
		net->links[i].delay = psync_prng_range(&net->rng,
						       net->shape.base / 10,
						       net->shape.base);
		net->links[i].lame = psync_prng_chance(&net->rng,
						       net->shape.lame);
	}
}

void psync_net_exit(struct psync_sim *sim)
{
	if (sim->net.frames)
		psync_sim_fail(sim, "leak", "%llu packets", sim->net.frames);
	free(sim->net.links);
}

struct psync_frame *psync_net_frame(struct psync_sim *sim, u32 len)
{
	struct psync_frame *frame;

	frame = malloc(sizeof(*frame) + len);
	if (!frame)
		abort();
	*frame = (struct psync_frame){ .sim = sim, .len = len };
	sim->net.frames++;
	return frame;
}

void psync_net_drop(struct psync_frame *frame)
{
	frame->sim->net.frames--;
	free(frame);
}

u32 psync_net_mtu(const struct psync_net *net, u32 from, u32 to)
{
	return net->links[from * net->n + to].mtu;
}

static struct psync_net_link *psync_net_link(const struct psync_frame *frame)
{
	struct psync_net *net = &frame->sim->net;

	return &net->links[frame->from * net->n + frame->to];
}

/* So many more are under way; very late copies do not count. */
static void psync_net_move(struct psync_frame *frame, int more)
{
	if (frame->conv)
		frame->conv->moving += more;
}

static void psync_net_put(struct psync_frame *frame)
{
	struct psync_net_link *link;

	if (--frame->refs)
		return;
	link = psync_net_link(frame);
	if (link->train == frame)
		link->train = NULL;
	frame->sim->net.frames--;
	free(frame);
}

/* Lost after all: it came without another one behind it. */
static bool psync_net_edge(struct psync_frame *frame)
{
	struct psync_sim *sim = frame->sim;

	if (!frame->last || !psync_prng_chance(&sim->net.rng,
					       sim->net.shape.edge))
		return false;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_EDGE);
	return true;
}

/* How many of those sent after it have overtaken it. */
static void psync_net_count(struct psync_frame *frame)
{
	struct psync_stats *stats = frame->sim->stats;
	struct psync_net_link *link = psync_net_link(frame);

	stats->packets++;
	if (frame->order > link->newest) {
		link->newest = frame->order;
		return;
	}
	stats->reordered += frame->order < link->newest;
	if (link->newest - frame->order > stats->farthest)
		stats->farthest = link->newest - frame->order;
}

static void psync_net_arrive(void *ctx, uint64_t late)
{
	struct psync_frame *frame = ctx;
	struct psync_sim *sim = frame->sim;
	struct psync_site *site = &sim->sites[frame->to];

	if (psync_site_defer(site, psync_net_arrive, ctx, late))
		return;
	if (!late)
		psync_net_move(frame, -1);
	if (!frame->done)
		frame->done = psync_net_edge(frame);
	if (!frame->done && !site->dead) {
		psync_net_count(frame);
		psync_site_receive(site, frame->data, frame->len,
				   frame->damaged, frame->marked);
	}
	psync_net_put(frame);
}

/* It was held back, but not enough others were sent. */
static void psync_net_expire(void *ctx, uint64_t arg);

static void psync_net_unhold(struct psync_frame *frame)
{
	struct psync_frame **at = &psync_net_link(frame)->held;

	while (*at != frame)
		at = &(*at)->next;
	*at = frame->next;
	frame->release = 0;
}

static void psync_net_schedule(struct psync_frame *frame, u64 delay, bool late)
{
	struct psync_sim *sim = frame->sim;

	frame->refs++;
	if (!late)
		psync_net_move(frame, 1);
	psync_heap_push(&sim->heap, sim->now + delay, psync_net_arrive, frame,
			late);
}

/* No link is slower than so many times its mean, or no bound would hold. */
static u64 psync_net_wait(struct psync_net *net, u64 mean)
{
	u64 wait = psync_prng_exp(&net->rng, mean);

	return wait > PSYNC_NET_BOUND * mean ? PSYNC_NET_BOUND * mean : wait;
}

u64 psync_net_round_trip(const struct psync_net *net)
{
	const struct psync_net_shape *shape = &net->shape;

	return 2 * (shape->base + PSYNC_NET_BOUND * shape->jitter +
		    (shape->tail ? PSYNC_NET_BOUND * shape->tail_delay : 0));
}

u64 psync_net_drain(const struct psync_net *net)
{
	return psync_net_round_trip(net) + PSYNC_NET_HOLD +
	       PSYNC_NET_BOUND * net->shape.slow_delay;
}

/* Those held back that this packet was the last for leave behind it. */
static void psync_net_release(struct psync_net_link *link, u64 order)
{
	struct psync_frame **at = &link->held;
	struct psync_frame *frame;
	struct psync_net *net;

	while ((frame = *at)) {
		if (frame->release > order) {
			at = &frame->next;
			continue;
		}
		*at = frame->next;
		frame->release = 0;
		net = &frame->sim->net;
		psync_net_move(frame, -1);
		psync_fault_hit(&frame->sim->fault, PSYNC_FAULT_REORDER);
		psync_net_schedule(frame, link->delay +
				   psync_net_wait(net, net->shape.jitter),
				   false);
	}
}

static void psync_net_expire(void *ctx, uint64_t arg)
{
	struct psync_frame *frame = ctx;

	if (frame->release) {
		psync_net_unhold(frame);
		psync_net_move(frame, -1);
		psync_net_schedule(frame, 0, false);
	}
	psync_net_put(frame);
}

void psync_net_discard(const struct psync_heap_item *item)
{
	struct psync_frame *frame = item->ctx;

	if (item->run != psync_net_arrive && item->run != psync_net_expire)
		return;
	/* Sites that close still send, and would find it. */
	if (item->run == psync_net_expire && frame->release)
		psync_net_unhold(frame);
	psync_net_put(frame);
}

/* Until 1 to 100 later packets of the link were sent. */
static void psync_net_hold(struct psync_frame *frame)
{
	struct psync_net_link *link = psync_net_link(frame);
	struct psync_sim *sim = frame->sim;
	struct psync_net *net = &sim->net;

	frame->release = frame->order +
			 psync_prng_range(&net->rng, 1, net->shape.hold_most);
	frame->next = link->held;
	link->held = frame;
	frame->refs++;
	psync_net_move(frame, 1);
	psync_heap_push(&sim->heap, sim->now + PSYNC_NET_HOLD, psync_net_expire,
			frame, 0);
}

/* One of the faults of that name, which is on, takes place. */
static bool psync_net_strike(struct psync_sim *sim, enum psync_fault kind,
			     u32 permille)
{
	if (!psync_fault_now(&sim->fault, kind) ||
	    !psync_prng_chance(&sim->net.rng, permille))
		return false;
	psync_fault_hit(&sim->fault, kind);
	return true;
}

/* Gilbert and Elliott: a link is good or bad for a while. */
static bool psync_net_burst(struct psync_sim *sim, struct psync_net_link *link)
{
	const struct psync_net_shape *shape = &sim->net.shape;

	if (!psync_fault_now(&sim->fault, PSYNC_FAULT_BURST))
		return false;
	if (psync_prng_chance(&sim->net.rng,
			      link->bad ? shape->burst_out : shape->burst_in))
		link->bad = !link->bad;
	return link->bad && psync_net_strike(sim, PSYNC_FAULT_BURST,
					     shape->burst_loss);
}

/* The first of a train; the last is known when nothing has followed it. */
static bool psync_net_train(struct psync_frame *frame)
{
	struct psync_net_link *link = psync_net_link(frame);
	struct psync_sim *sim = frame->sim;
	const struct psync_net_shape *shape = &sim->net.shape;
	bool first = !link->sent_at || sim->now > link->sent_at + shape->gap;

	link->sent_at = sim->now;
	if (!psync_fault_now(&sim->fault, PSYNC_FAULT_EDGE))
		return false;
	if (shape->edge_first)
		return first && psync_net_strike(sim, PSYNC_FAULT_EDGE,
						 shape->edge);
	if (link->train && !first)
		link->train->last = false;
	frame->last = true;
	link->train = frame;
	return false;
}

static bool psync_net_lost(struct psync_frame *frame)
{
	struct psync_net_link *link = psync_net_link(frame);
	struct psync_sim *sim = frame->sim;
	const struct psync_net_shape *shape = &sim->net.shape;
	bool lost = psync_net_train(frame);

	lost |= psync_fault_cut(sim, frame->from, frame->to);
	lost |= psync_net_strike(sim, PSYNC_FAULT_LOSS, shape->loss);
	lost |= psync_net_burst(sim, link);
	if (link->lame)
		lost |= psync_net_strike(sim, PSYNC_FAULT_LAME,
					 shape->lame_loss);
	return lost;
}

/* What arrives is not what was sent; the padding is nobody's business. */
static void psync_net_damage(struct psync_frame *frame, u32 len)
{
	struct psync_sim *sim = frame->sim;
	struct psync_net *net = &sim->net;

	if (psync_net_strike(sim, PSYNC_FAULT_FLIP, net->shape.flip)) {
		frame->data[psync_prng_below(&net->rng, len)] ^=
			psync_prng_range(&net->rng, 1, 255);
		frame->damaged = true;
	}
	if (psync_net_strike(sim, PSYNC_FAULT_TRUNCATE, net->shape.truncate)) {
		frame->len = psync_prng_below(&net->rng, len);
		frame->damaged = true;
	}
}

/* How many copies of a packet arrive, and when. */
static void psync_net_fate(struct psync_frame *frame, u64 base)
{
	struct psync_sim *sim = frame->sim;
	struct psync_net *net = &sim->net;
	const struct psync_net_shape *shape = &net->shape;
	bool late = false;
	u64 delay;

	if (psync_net_strike(sim, PSYNC_FAULT_REORDER, shape->hold)) {
		sim->fault.hits[PSYNC_FAULT_REORDER]--;
		psync_net_hold(frame);
		return;
	}
	delay = base + psync_net_wait(net, shape->jitter);
	if (psync_prng_chance(&net->rng, shape->tail))
		delay += psync_net_wait(net, shape->tail_delay);
	if (frame->last)
		delay += shape->gap;
	if (psync_net_strike(sim, PSYNC_FAULT_DELAY, shape->slow))
		delay += psync_net_wait(net, shape->slow_delay);
	psync_net_schedule(frame, delay, false);
	if (!psync_prng_chance(&net->rng, shape->dup))
		return;
	sim->stats->copies++;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_COPY);
	delay = base + psync_net_wait(net, shape->jitter);
	if (psync_prng_chance(&net->rng, shape->late)) {
		late = true;
		delay += psync_prng_below(&net->rng, shape->late_delay);
	}
	psync_net_schedule(frame, delay, late);
}

/* Short frames are padded, and what is in the padding is nobody's business. */
static struct psync_frame *psync_net_pad(struct psync_frame *frame)
{
	struct psync_net *net = &frame->sim->net;
	u32 pad = 0;

	if (frame->len < PSYNC_NET_PAD)
		pad = PSYNC_NET_PAD - frame->len;
	else if (psync_prng_chance(&net->rng, net->shape.pad))
		pad = psync_prng_range(&net->rng, 1, 64);
	if (!pad)
		return frame;
	frame = realloc(frame, sizeof(*frame) + frame->len + pad);
	if (!frame)
		abort();
	memset(frame->data + frame->len, 0xa5, pad);
	frame->len += pad;
	return frame;
}

void psync_net_post(struct psync_frame *frame, u32 from, u32 to,
		    struct psync_conv *conv)
{
	struct psync_net *net = &frame->sim->net;
	struct psync_net_link *link = &net->links[from * net->n + to];
	u32 len = frame->len;

	frame->from = from;
	frame->to = to;
	frame->order = ++link->sent;
	frame->refs = 1;
	frame->conv = conv;
	frame = psync_net_pad(frame);
	psync_net_damage(frame, len);
	frame->marked = psync_net_strike(frame->sim, PSYNC_FAULT_MARK,
					 net->shape.mark);
	if (psync_net_lost(frame))
		psync_sim_trace(frame->sim, "  lost from %u to %u", from, to);
	else
		psync_net_fate(frame, link->delay);
	psync_net_put(frame);
	if (link->held)
		psync_net_release(link, link->sent);
}
