// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network: every packet takes its own time, so that packets overtake one
 * another; some arrive twice, some of those much later.  psync_net_fate() is
 * the one place where a packet's fate is decided.
 */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "sim.h"
#include "site.h"

/* Bytes an Ethernet frame carries at least. */
#define PSYNC_NET_PAD	46
/* Longest delay in means. */
#define PSYNC_NET_BOUND	6

void psync_net_init(struct psync_sim *sim, u32 n)
{
	struct psync_net *net = &sim->net;
	u32 i;

	net->n = n;
	net->links = psync_sim_alloc((size_t)n * n, sizeof(*net->links));
	for (i = 0; i < n * n; i++)
		net->links[i].delay = psync_prng_range(&net->rng,
						       net->shape.base / 10,
						       net->shape.base);
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
	frame->sim = sim;
	frame->refs = 0;
	frame->len = len;
	sim->net.frames++;
	return frame;
}

static void psync_net_put(struct psync_frame *frame)
{
	if (--frame->refs)
		return;
	frame->sim->net.frames--;
	free(frame);
}

static void psync_net_arrive(void *ctx, uint64_t late)
{
	struct psync_frame *frame = ctx;
	struct psync_sim *sim = frame->sim;
	struct psync_net *net = &sim->net;
	struct psync_net_link *link;

	link = &net->links[frame->from * net->n + frame->to];
	if (frame->order < link->newest)
		sim->stats->reordered++;
	else
		link->newest = frame->order;
	if (!late)
		net->moving--;
	sim->stats->packets++;
	psync_site_receive(&sim->sites[frame->to], frame->data, frame->len);
	psync_net_put(frame);
}

void psync_net_discard(const struct psync_heap_item *item)
{
	if (item->run == psync_net_arrive)
		psync_net_put(item->ctx);
}

static void psync_net_schedule(struct psync_frame *frame, u64 delay, bool late)
{
	struct psync_sim *sim = frame->sim;

	frame->refs++;
	if (!late)
		sim->net.moving++;
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

/* How many copies of a packet arrive, and when. */
static void psync_net_fate(struct psync_frame *frame, u64 base)
{
	struct psync_net *net = &frame->sim->net;
	const struct psync_net_shape *shape = &net->shape;
	bool late = false;
	u64 delay;

	delay = base + psync_net_wait(net, shape->jitter);
	if (psync_prng_chance(&net->rng, shape->tail))
		delay += psync_net_wait(net, shape->tail_delay);
	psync_net_schedule(frame, delay, false);
	if (!psync_prng_chance(&net->rng, shape->dup))
		return;
	frame->sim->stats->copies++;
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

void psync_net_post(struct psync_frame *frame, u32 from, u32 to)
{
	struct psync_net *net = &frame->sim->net;
	struct psync_net_link *link = &net->links[from * net->n + to];

	frame->from = from;
	frame->to = to;
	frame->order = ++link->sent;
	frame = psync_net_pad(frame);
	psync_net_fate(frame, link->delay);
}
