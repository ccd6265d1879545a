// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two sites with honest images and whatever a network and their programs do:
 * packets lost, doubled, delayed and in any order, participants that open,
 * speak, read, ask and close when they like, limits of any size, allocations
 * that fail, time in steps of any length.  Nothing may break on the way.
 * Then the network is healed, everybody reads, and both sites must come to
 * rest with the same graph.
 *
 * The input is a program: one byte of operation, then its operands.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "core/graph.h"
#include "core/image.h"
#include "core/stable.h"
#include "state.h"

#define PSYNC_PAIR_CID		0x0123456789abcdefULL
#define PSYNC_PAIR_PARTS	4
#define PSYNC_PAIR_OPS		600
#define PSYNC_PAIR_FLIGHT	64
#define PSYNC_PAIR_MSEC		1000000ULL
/* Least limit of bytes: room for the longest message of either site. */
#define PSYNC_PAIR_BYTES	1200
/* Later than any program lasts. */
#define PSYNC_PAIR_GIVEN_UP	(300000 * PSYNC_PAIR_MSEC)
/* Steps of the timer in which two healed sites must have come to rest. */
#define PSYNC_PAIR_ROUNDS	50000
#define PSYNC_PAIR_HASTY	100

/**
 * struct psync_pair_body - a message's bytes, none of them
 * @refs: references
 */
struct psync_pair_body {
	u32 refs;
};

/**
 * struct psync_pair_packet - a packet in flight
 * @data: its bytes, body excluded
 * @len: how many
 */
struct psync_pair_packet {
	u8 *data;
	u32 len;
};

/**
 * struct psync_pair_site - one of the two
 * @img: first, so that the ops find the rest
 * @pair: both
 * @flight: packets from here that are under way, in order
 * @nflight: how many
 * @gone: the image is over and was destroyed
 * @live: bytes allocated
 * @fail: allocations until one fails, 0: none does
 */
struct psync_pair_site {
	struct psync_image img;
	struct psync_pair *pair;
	struct psync_pair_packet flight[PSYNC_PAIR_FLIGHT];
	u32 nflight;
	bool gone;
	size_t live;
	u32 fail;
};

/**
 * struct psync_pair - two sites and the program
 * @sites: both
 * @data: input not yet used
 * @size: bytes of it
 * @pids: participants; the even ones are at the first site
 * @n: how many
 * @views: of the participants
 * @in: which of them are joined
 * @left: which have closed
 * @now: time
 * @nonce: last one given out
 * @bodies: bodies alive
 * @hasty: silent and absent sites are given up soon, with what they lack: then
 *	nothing may break, but they need not come to rest
 * @healed: nothing is lost any more
 */
struct psync_pair {
	struct psync_pair_site sites[2];
	const u8 *data;
	size_t size;
	struct psync_pid pids[PSYNC_PAIR_PARTS];
	u32 n;
	struct psync_view views[PSYNC_PAIR_PARTS];
	bool in[PSYNC_PAIR_PARTS];
	bool left[PSYNC_PAIR_PARTS];
	u64 now;
	u64 nonce;
	u32 bodies;
	bool hasty;
	bool healed;
};

static u8 psync_pair_byte(struct psync_pair *pair)
{
	if (!pair->size)
		return 0;
	pair->size--;
	return *pair->data++;
}

static struct psync_pair_body *psync_pair_body(struct psync_pair *pair)
{
	struct psync_pair_body *body = malloc(sizeof(*body));

	psync_fuzz_require(body);
	body->refs = 1;
	pair->bodies++;
	return body;
}

static void psync_pair_put(struct psync_pair *pair,
			   struct psync_pair_body *body)
{
	if (!body || --body->refs)
		return;
	pair->bodies--;
	free(body);
}

/* The ops of the core. */

static struct psync_pair_site *psync_pair_of(struct psync_image *img)
{
	return (struct psync_pair_site *)img;
}

static void *psync_pair_op_alloc(struct psync_image *img, size_t size)
{
	struct psync_pair_site *site = psync_pair_of(img);

	if (site->fail && !--site->fail)
		return NULL;
	site->live += size;
	return calloc(1, size);
}

static void psync_pair_op_free(struct psync_image *img, void *mem, size_t size)
{
	struct psync_pair_site *site = psync_pair_of(img);

	if (!mem)
		return;
	psync_fuzz_require(size <= site->live);
	site->live -= size;
	free(mem);
}

static void psync_pair_op_transmit(struct psync_image *img, u32 to,
				   struct psync_pkt *pkt, void *body)
{
	struct psync_pair_site *site = psync_pair_of(img);
	struct psync_pair_packet *packet;
	u32 other = 3 - img->p.site;

	psync_fuzz_require(!to || to == other);
	psync_fuzz_require(!body == (pkt->type != PSYNC_PKT_MSG ||
				     pkt->msg.kind != PSYNC_KIND_DATA));
	/* What does not fit into the network is lost. */
	if (site->nflight == PSYNC_PAIR_FLIGHT)
		return;
	psync_image_address(img, other, pkt);
	pkt->src_site = img->p.site;
	pkt->src_inc = img->p.inc;
	pkt->dst_site = other;
	packet = &site->flight[site->nflight++];
	packet->len = psync_wire_hdr_size(pkt);
	packet->data = malloc(packet->len);
	psync_fuzz_require(packet->data);
	psync_wire_encode(pkt, packet->data);
}

static void psync_pair_op_body_put(struct psync_image *img, void *body)
{
	psync_fuzz_require(body);
	psync_pair_put(psync_pair_of(img)->pair, body);
}

static u64 psync_pair_op_hash(struct psync_image *img, const void *body,
			      u32 len)
{
	return len;
}

static void psync_pair_op_rest(struct psync_image *img, void *body)
{
	psync_fuzz_require(body);
}

static void psync_pair_op_readable(struct psync_image *img,
				   struct psync_view *view)
{
	psync_fuzz_require(view->img == img && view->outstanding);
}

static void psync_pair_op_event(struct psync_image *img,
				struct psync_view *view,
				const struct psync_event *ev)
{
	psync_fuzz_require(!view || view->img == img);
	/* Two honest sites that stay give no cause for others. */
	psync_fuzz_require(ev->type == PSYNC_EV_GAP ||
			   ev->type == PSYNC_EV_ABSENT ||
			   ev->type == PSYNC_EV_VOID ||
			   ev->type == PSYNC_EV_BLOCKED ||
			   ev->type == PSYNC_EV_RESUMED ||
			   ev->type == PSYNC_EV_SUSPECT ||
			   ev->type == PSYNC_EV_HEARD ||
			   ev->type == PSYNC_EV_ENDED);
}

static void psync_pair_op_arm(struct psync_image *img, u64 deadline)
{
	psync_fuzz_require(deadline == img->deadline);
}

static void psync_pair_op_writable(struct psync_image *img)
{
	psync_fuzz_require(psync_image_may_send(img, 0));
}

static void psync_pair_op_stable(struct psync_image *img,
				 struct psync_watch *watch)
{
	psync_fuzz_require(watch->view->img == img && watch->answer);
}

static void psync_pair_op_passed(struct psync_image *img,
				 struct psync_view *view,
				 const struct psync_node *node)
{
	psync_fuzz_require(view->img == img && !view->pending);
	psync_fuzz_require(node->kind != PSYNC_KIND_DATA && !node->body);
}

/* Reasons that a network which loses, delays and doubles can give. */
static void psync_pair_fair(const struct psync_pair *pair,
			    enum psync_drop reason)
{
	/* Of what was given up, sites know the context each in its own way. */
	if (pair->hasty)
		return;
	switch (reason) {
	case PSYNC_OK:
	case PSYNC_DROP_BAD_NONCE:
	case PSYNC_DROP_CLOSED:
	case PSYNC_DROP_PENDING_FULL:
	case PSYNC_DROP_STALE_OPENING:
	case PSYNC_DROP_DUPLICATE:
	case PSYNC_DROP_HELD_FULL:
	case PSYNC_DROP_IMAGE_FULL:
	case PSYNC_DROP_NO_MEM:
	case PSYNC_DROP_UNCONFIRMED:
	case PSYNC_DROP_RR_RATE:
	case PSYNC_DROP_CONTEXT_LOST:
	case PSYNC_DROP_LEFT_OVER:
		return;
	default:
		psync_fuzz_require(reason == PSYNC_OK);
	}
}

static void psync_pair_op_dropped(struct psync_image *img,
				  enum psync_drop reason)
{
	psync_fuzz_require(reason != PSYNC_OK);
	psync_pair_fair(psync_pair_of(img)->pair, reason);
}

static u64 psync_pair_op_nonce(struct psync_image *img)
{
	return ++psync_pair_of(img)->pair->nonce;
}

static u32 psync_pair_op_cost(struct psync_image *img, void *body, u32 len,
			      size_t size)
{
	return len + size;
}

static u32 psync_pair_op_room(struct psync_image *img, struct psync_view *view)
{
	psync_fuzz_require(view->img == img && view->unread);
	return view->index % 2 ? 2000 : U32_MAX;
}

static bool psync_pair_op_afford(struct psync_image *img)
{
	return img->body_bytes < 1 << 20;
}

static const struct psync_image_ops psync_pair_ops = {
	.alloc = psync_pair_op_alloc,
	.free = psync_pair_op_free,
	.transmit = psync_pair_op_transmit,
	.body_put = psync_pair_op_body_put,
	.readable = psync_pair_op_readable,
	.event = psync_pair_op_event,
	.arm = psync_pair_op_arm,
	.cost = psync_pair_op_cost,
	.room = psync_pair_op_room,
	.afford = psync_pair_op_afford,
	.writable = psync_pair_op_writable,
	.hash = psync_pair_op_hash,
	.rest = psync_pair_op_rest,
	.stable = psync_pair_op_stable,
	.passed = psync_pair_op_passed,
	.dropped = psync_pair_op_dropped,
	.nonce = psync_pair_op_nonce,
};

/* The network. */

static void psync_pair_drop(struct psync_pair_site *site, u32 i)
{
	free(site->flight[i].data);
	site->nflight--;
	memmove(&site->flight[i], &site->flight[i + 1],
		(site->nflight - i) * sizeof(site->flight[0]));
}

/* As a site without the conversation answers. */
static void psync_pair_absence(struct psync_pair_site *from,
			       struct psync_pair_site *to,
			       const struct psync_pkt *pkt)
{
	struct psync_pkt out;

	if (pkt->type == PSYNC_PKT_HELLO)
		psync_image_hello_answer(NULL, to->img.opening, 1, pkt, &out);
	else if (!psync_image_absence(pkt, &out))
		return;
	out.src_site = to->img.p.site;
	out.src_inc = to->img.p.inc;
	if (!from->gone)
		psync_pair_fair(from->pair,
				psync_image_input(&from->img, &out, NULL,
						  from->pair->now));
}

/* Packet @i of those from @which arrives; it stays under way. */
static void psync_pair_deliver(struct psync_pair *pair, u32 which, u32 i)
{
	struct psync_pair_site *from = &pair->sites[which];
	struct psync_pair_site *to = &pair->sites[1 - which];
	const struct psync_pair_packet *packet = &from->flight[i];
	struct psync_pair_body *body = NULL;
	enum psync_drop drop;
	struct psync_pkt pkt;
	u32 total;

	total = packet->data[4] << 8 | packet->data[5];
	drop = psync_wire_decode(packet->data, packet->len, total, &pkt);
	psync_fuzz_require(!drop);
	if (to->gone) {
		psync_pair_absence(from, to, &pkt);
		return;
	}
	if (pkt.type == PSYNC_PKT_MSG && pkt.msg.kind == PSYNC_KIND_DATA)
		body = psync_pair_body(pair);
	drop = psync_image_input(&to->img, &pkt, body, pair->now);
	if (drop)
		psync_pair_put(pair, body);
	psync_pair_fair(pair, drop);
}

/* Participants. */

static struct psync_pair_site *psync_pair_site(struct psync_pair *pair, u32 i)
{
	return &pair->sites[i % 2];
}

static void psync_pair_join(struct psync_pair *pair, u32 i, bool pending)
{
	struct psync_pair_site *site = psync_pair_site(pair, i);

	if (pair->left[i] || site->gone)
		return;
	if (pair->in[i]) {
		psync_view_accept(&pair->views[i], 1, 1, pair->now);
		return;
	}
	memset(&pair->views[i], 0, sizeof(pair->views[i]));
	pair->views[i].pending = pending;
	pair->in[i] = !psync_image_join(&site->img, &pair->views[i], i, 1, 1,
					pair->now);
}

static void psync_pair_leave(struct psync_pair *pair, u32 i)
{
	struct psync_pair_site *site = psync_pair_site(pair, i);

	if (!pair->in[i])
		return;
	/* Its END is what tells the others: without memory they wait. */
	site->fail = 0;
	psync_image_leave(&site->img, &pair->views[i], pair->now);
	pair->in[i] = false;
	pair->left[i] = true;
}

static void psync_pair_send(struct psync_pair *pair, u32 i, u32 len)
{
	struct psync_pair_site *site = psync_pair_site(pair, i);
	struct psync_pair_body *body;
	u64 mid;
	int err;

	if (!pair->in[i])
		return;
	body = psync_pair_body(pair);
	err = psync_image_send(&site->img, &pair->views[i], body, len, &mid,
			       pair->now);
	if (err)
		psync_pair_put(pair, body);
}

/* Reads up to @count messages. */
static void psync_pair_receive(struct psync_pair *pair, u32 i, u32 count)
{
	struct psync_node *node;

	while (pair->in[i] && !pair->views[i].pending && count-- &&
	       (node = psync_view_next(&pair->views[i]))) {
		psync_fuzz_require(node->body && node->kind == PSYNC_KIND_DATA);
		psync_view_take(&pair->views[i], psync_node_mid(node), pair->now);
	}
}

static void psync_pair_resend(struct psync_pair *pair, u32 i, u8 which)
{
	struct psync_view *view = &pair->views[i];
	u64 mids[16];
	int count;

	if (!pair->in[i] || view->pending)
		return;
	count = psync_view_mids(view, 0, mids, ARRAY_SIZE(mids));
	if (count > 0)
		psync_view_resend(view, mids[which % min(count, 16)],
				  pair->now);
}

/* Time passes at both: to the next deadline, or by so much. */
static void psync_pair_time(struct psync_pair *pair, u64 step)
{
	u64 next = U64_MAX;
	u32 s;

	for (s = 0; s < 2; s++)
		if (!pair->sites[s].gone)
			next = min(next, pair->sites[s].img.deadline);
	if (!pair->healed)
		next = min(next, pair->now + 200 * PSYNC_PAIR_MSEC);
	if (step)
		pair->now += step;
	else if (next != U64_MAX)
		pair->now = max(pair->now, next);
	for (s = 0; s < 2; s++)
		if (!pair->sites[s].gone &&
		    pair->sites[s].img.deadline <= pair->now)
			psync_image_timer(&pair->sites[s].img, pair->now);
}

/* S3.3, and back. */
static void psync_pair_manual(struct psync_pair *pair, u32 i, bool manual)
{
	if (pair->in[i])
		psync_view_manual(&pair->views[i], manual, pair->now);
}

static void psync_pair_op(struct psync_pair *pair)
{
	u8 op = psync_pair_byte(pair);
	u8 arg = psync_pair_byte(pair);
	u32 i = (op >> 4) % pair->n, s = op >> 4 & 1;
	struct psync_pair_site *site = &pair->sites[s];

	switch (op & 0xf) {
	case 0:
		psync_pair_join(pair, i, arg & 1);
		break;
	case 1:
		/* Not too often: who has closed stays away. */
		if (arg % 4 == 3)
			psync_pair_leave(pair, i);
		break;
	case 2:
	case 3:
	case 4:
		psync_pair_send(pair, i, arg);
		break;
	case 5:
	case 6:
		psync_pair_receive(pair, i, arg % 8);
		break;
	case 7:
		if (arg & 0x80)
			psync_pair_manual(pair, i, arg & 1);
		else
			psync_pair_resend(pair, i, arg);
		break;
	case 8:
		site->fail = arg % 16;
		break;
	case 9:
		psync_pair_time(pair, arg * PSYNC_PAIR_MSEC / 4);
		break;
	case 10:
		psync_pair_time(pair, 0);
		break;
	case 11:
		if (site->nflight)
			psync_pair_drop(site, arg % site->nflight);
		break;
	case 12:
		if (site->nflight)
			psync_pair_deliver(pair, s, arg % site->nflight);
		break;
	default:
		if (!site->nflight)
			break;
		arg %= site->nflight;
		psync_pair_deliver(pair, s, arg);
		psync_pair_drop(site, arg);
		break;
	}
}

static void psync_pair_check(struct psync_pair *pair)
{
	u32 s;

	for (s = 0; s < 2; s++)
		if (!pair->sites[s].gone)
			psync_fuzz_state(&pair->sites[s].img);
}

/* The end. */

/* A site that is over is destroyed, as its surroundings do. */
static void psync_pair_reap(struct psync_pair *pair, u32 s)
{
	struct psync_pair_site *site = &pair->sites[s];
	u32 i;

	if (site->gone || !psync_image_over(&site->img))
		return;
	for (i = s; i < pair->n; i += 2)
		if (pair->in[i] || !pair->left[i])
			return;
	psync_image_destroy(&site->img);
	site->gone = true;
}

/* All that is under way arrives, in order. */
static void psync_pair_flush(struct psync_pair *pair)
{
	u32 s, rounds = 0;

	while (pair->sites[0].nflight || pair->sites[1].nflight) {
		psync_fuzz_require(rounds++ < PSYNC_PAIR_ROUNDS);
		for (s = 0; s < 2; s++)
			while (pair->sites[s].nflight) {
				psync_pair_deliver(pair, s, 0);
				psync_pair_drop(&pair->sites[s], 0);
			}
	}
}

/* What each site waits for, when a person wants to know. */
static void psync_pair_trace(const struct psync_pair *pair)
{
	const struct psync_image *img;
	const struct psync_remote *remote;
	u32 s, i;

	for (s = 0; s < 2; s++) {
		img = &pair->sites[s].img;
		if (pair->sites[s].gone)
			continue;
		remote = &img->remotes[0];
		fprintf(stderr, "%u at %llu: open %u attached %llu held %u",
			s, pair->now, img->nopen, img->attached, img->nheld);
		fprintf(stderr, " lack %u owed %u untaken %u early %u lag %u\n",
			img->nlack, img->nowed, img->nuntaken, img->nearly,
			remote->lag);
		fprintf(stderr, "  state %u heard %u absent %u moved %u; next",
			remote->state, remote->heard, remote->absent,
			remote->moved);
		fprintf(stderr, " %lld ack %lld rr %lld absent %lld",
			img->deadline - pair->now, img->ack_at - pair->now,
			img->rr_at - pair->now, img->absent_at - pair->now);
		fprintf(stderr, " probe %lld;", remote->probe_at - pair->now);
		for (i = 0; i < pair->n; i++)
			fprintf(stderr, " %llu/%llu", img->parts[i].seq,
				img->parts[i].claimed);
		fprintf(stderr, "\n");
	}
}

static void psync_pair_heal(struct psync_pair *pair)
{
	u64 until = pair->now + 4 * PSYNC_PAIR_GIVEN_UP;
	u32 rounds = 0, i;

	pair->healed = true;
	pair->sites[0].fail = 0;
	pair->sites[1].fail = 0;
	for (i = 0; i < pair->n; i++) {
		psync_pair_join(pair, i, false);
		psync_pair_join(pair, i, false);
		psync_pair_manual(pair, i, false);
	}
	for (;;) {
		psync_pair_flush(pair);
		for (i = 0; i < pair->n; i++)
			psync_pair_receive(pair, i, U32_MAX);
		psync_pair_check(pair);
		psync_pair_reap(pair, 0);
		psync_pair_reap(pair, 1);
		if (pair->sites[0].nflight || pair->sites[1].nflight)
			continue;
		if ((pair->sites[0].gone ||
		     pair->sites[0].img.deadline == U64_MAX) &&
		    (pair->sites[1].gone ||
		     pair->sites[1].img.deadline == U64_MAX))
			return;
		if (pair->hasty && rounds > PSYNC_PAIR_HASTY)
			return;
		psync_fuzz_require(rounds++ < PSYNC_PAIR_ROUNDS);
		psync_pair_time(pair, 0);
		if (getenv("PSYNC_PAIR_TRACE"))
			psync_pair_trace(pair);
		psync_fuzz_require(pair->now < until);
	}
}

/* At rest: nothing is lacked, waits or is owed; both graphs are one. */
static void psync_pair_agree(struct psync_pair *pair)
{
	const struct psync_image *a = &pair->sites[0].img;
	const struct psync_image *b = &pair->sites[1].img;
	u32 s, i;

	for (s = 0; s < 2; s++) {
		const struct psync_image *img = &pair->sites[s].img;

		if (pair->sites[s].gone)
			continue;
		psync_fuzz_require(!img->nheld && !img->nlack && !img->nearly);
		psync_fuzz_require(!img->nowed && !img->nuntaken);
		psync_fuzz_require(!img->body_bytes && !img->refused);
		for (i = s; i < pair->n; i += 2)
			psync_fuzz_require(!pair->in[i] ||
					   pair->views[i].count ==
					   img->attached);
	}
	if (pair->sites[0].gone || pair->sites[1].gone)
		return;
	psync_fuzz_require(a->attached == b->attached);
	for (i = 0; i < pair->n; i++) {
		psync_fuzz_require(a->parts[i].seq == b->parts[i].seq);
		psync_fuzz_require(a->parts[i].ended == b->parts[i].ended);
		psync_fuzz_require(!a->parts[i].last ||
				   !memcmp(a->parts[i].last->preds,
					   b->parts[i].last->preds,
					   a->parts[i].last->npred *
					   sizeof(u64)));
	}
}

/* What a site may send. */
static void psync_pair_flow(struct psync_pair *pair,
			    struct psync_limits *limits)
{
	limits->max_msgs = 1 + psync_pair_byte(pair) % 32;
	limits->first_msgs = 1 + psync_pair_byte(pair) % 16;
	limits->first_bytes = 1 + (psync_pair_byte(pair) << 4);
	limits->slow = pair->hasty ? PSYNC_SLOW_SUSPECT : PSYNC_SLOW_BLOCK;
	/* Who is slow is looked for as often while an answer is under way. */
	limits->slow_ns = (1 + psync_pair_byte(pair)) * PSYNC_PAIR_MSEC;
}

static bool psync_pair_open(struct psync_pair *pair)
{
	u8 kind = psync_pair_byte(pair);
	struct psync_limits *limits;
	struct psync_image_params p = {
		.cid = PSYNC_PAIR_CID,
		.group = 5,
		.number = kind & 1,
		.seq_base = kind & 2 ? U32_MAX - 3 : 0,
		.pids = pair->pids,
	};
	u32 i, s;

	pair->now = 1000000000;
	pair->hasty = kind & 4;
	pair->n = 2 + psync_pair_byte(pair) % (PSYNC_PAIR_PARTS - 1);
	for (i = 0; i < pair->n; i++) {
		pair->pids[i].site = 1 + i % 2;
		pair->pids[i].port = 10 + i;
	}
	p.n = pair->n;
	p.digest = psync_wire_digest(pair->pids, pair->n);
	limits = &p.limits;
	for (s = 0; s < 2; s++) {
		p.site = 1 + s;
		p.inc = 100 + s;
		limits->max_nodes = 1 + psync_pair_byte(pair) % 32;
		limits->max_held = 1 + psync_pair_byte(pair) % 16;
		limits->max_early = 1 + psync_pair_byte(pair) % 16;
		limits->max_bytes = PSYNC_PAIR_BYTES +
			(psync_pair_byte(pair) << 4);
		limits->max_pending = 1 + (psync_pair_byte(pair) << 4);
		limits->hello_ns = PSYNC_PAIR_MSEC;
		limits->hello_tries = 1 + psync_pair_byte(pair) % 4;
		limits->ack_ns = psync_pair_byte(pair) * PSYNC_PAIR_MSEC / 16;
		limits->null_ns = psync_pair_byte(pair) * PSYNC_PAIR_MSEC / 4;
		limits->rto_min_ns = PSYNC_PAIR_MSEC / 4 +
			psync_pair_byte(pair) * PSYNC_PAIR_MSEC / 16;
		limits->rto_ns = limits->rto_min_ns +
			psync_pair_byte(pair) * PSYNC_PAIR_MSEC;
		limits->rto_max_ns = 1000 * PSYNC_PAIR_MSEC;
		/* Nobody is given up: all is to arrive. */
		limits->absent_ns = PSYNC_PAIR_GIVEN_UP;
		limits->linger_ns = PSYNC_PAIR_GIVEN_UP;
		limits->silent_ns = 0;
		if (pair->hasty) {
			limits->absent_ns = 1 + psync_pair_byte(pair) *
						PSYNC_PAIR_MSEC;
			limits->linger_ns = 1 + psync_pair_byte(pair) *
						PSYNC_PAIR_MSEC;
			limits->silent_ns = 1 + psync_pair_byte(pair) *
						PSYNC_PAIR_MSEC;
		}
		limits->repair_rate = 10 + psync_pair_byte(pair) * 16;
		psync_pair_flow(pair, limits);
		pair->sites[s].pair = pair;
		if (psync_image_init(&pair->sites[s].img, &p, &psync_pair_ops))
			return false;
	}
	return true;
}

static void psync_pair_close(struct psync_pair *pair)
{
	u32 i, s;

	for (i = 0; i < pair->n; i++)
		psync_pair_leave(pair, i);
	for (s = 0; s < 2; s++) {
		if (!pair->sites[s].gone)
			psync_image_destroy(&pair->sites[s].img);
		while (pair->sites[s].nflight)
			psync_pair_drop(&pair->sites[s], 0);
		psync_fuzz_require(!pair->sites[s].live);
	}
	psync_fuzz_require(!pair->bodies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psync_pair *pair = calloc(1, sizeof(*pair));
	u32 i;

	psync_fuzz_require(pair);
	pair->data = data;
	pair->size = size;
	psync_fuzz_require(psync_pair_open(pair));
	for (i = 0; pair->size && i < PSYNC_PAIR_OPS; i++) {
		psync_pair_op(pair);
		psync_pair_check(pair);
	}
	psync_pair_heal(pair);
	if (!pair->hasty)
		psync_pair_agree(pair);
	psync_pair_close(pair);
	free(pair);
	return 0;
}
