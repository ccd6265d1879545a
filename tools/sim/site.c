// SPDX-License-Identifier: GPL-2.0-only
/*
 * A simulated site.  It does for the core what the module's shell does there:
 * takes packets apart, finds out whether they are for this site and of the
 * sender's present incarnation, and gives them to the place where their
 * conversation is; HELLO it answers itself.
 */
#include <stdlib.h>
#include <string.h>

#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "frag.h"
#include "place.h"
#include "site.h"
#include "work.h"

#define PSYNC_SITE_EPOCH	1767225600000000000ULL	/* 2026-01-01 */
#define PSYNC_SITE_ID		0x70000000U
#define PSYNC_SITE_HELLO_NS	(200 * PSYNC_MSEC)
#define PSYNC_SITE_TRIES	8

u32 psync_site_id(const struct psync_sim *sim, u32 index)
{
	return (PSYNC_SITE_ID | (sim->seed & 0xffff)) ^ (index + 1);
}

/* The site of that id, or NULL. */
struct psync_site *psync_site_find(struct psync_sim *sim, u32 id)
{
	u32 index = (id ^ (PSYNC_SITE_ID | (sim->seed & 0xffff))) - 1;

	return index < sim->nsites ? &sim->sites[index] : NULL;
}

static u64 psync_site_wall(const struct psync_site *site)
{
	return PSYNC_SITE_EPOCH + site->sim->now + site->skew;
}

u64 psync_site_nonce(struct psync_site *site)
{
	return psync_prng_next(&site->sim->rng) | 1;
}

/*
 * Reasons that a network which only delays, loses and duplicates can give, and
 * those that this run's other faults can.
 */
static bool psync_site_drop_fair(const struct psync_sim *sim,
				 enum psync_drop reason)
{
	u32 i;

	switch (reason) {
	case PSYNC_DROP_STALE_INC:
	case PSYNC_DROP_OTHER_INC:
	case PSYNC_DROP_BAD_NONCE:
	case PSYNC_DROP_NO_CONV:
	case PSYNC_DROP_CLOSED:
	case PSYNC_DROP_NO_LISTENER:
	case PSYNC_DROP_DIGEST:
	case PSYNC_DROP_STALE_OPENING:
	case PSYNC_DROP_REOPENED:
	case PSYNC_DROP_DUPLICATE:
	case PSYNC_DROP_UNCONFIRMED:
	case PSYNC_DROP_RR_RATE:
	case PSYNC_DROP_CONTEXT_LOST:
	case PSYNC_DROP_LEFT_OVER:
	case PSYNC_DROP_FRAG_STALE:
	case PSYNC_DROP_FRAG_EXPIRED:
	case PSYNC_DROP_FRAG_FULL:
	case PSYNC_DROP_TX_GIVEN_UP:
		return true;
	case PSYNC_DROP_HELD_FULL:
	case PSYNC_DROP_IMAGE_FULL:
	case PSYNC_DROP_PENDING_FULL:
	case PSYNC_DROP_TX_FRAG_FULL:
		return psync_fault_has(&sim->fault, PSYNC_FAULT_LIMIT) ||
		       psync_fault_has(&sim->fault, PSYNC_FAULT_MEMORY);
	case PSYNC_DROP_MASKED:
	case PSYNC_DROP_VOID:
		for (i = 0; i < sim->nconvs && !sim->convs[i].masks; i++)
			;
		return i < sim->nconvs;
	case PSYNC_DROP_NO_MEM:
	case PSYNC_DROP_TX_NO_MEM:
		return psync_fault_has(&sim->fault, PSYNC_FAULT_MEMORY);
	default:
		return false;
	}
}

static const char *psync_site_drop_name(enum psync_drop reason)
{
	static const char * const names[PSYNC_DROP_MAX] = {
#define X(name, counter, text) [PSYNC_DROP_##name] = counter,
		PSYNC_DROPS(X)
#undef X
	};

	return reason < PSYNC_DROP_MAX && names[reason] ? names[reason] : "?";
}

/* Who has lost messages cannot tell what follows what (S2.4). */
static bool psync_site_lossy(const struct psync_site *site)
{
	const struct psync_image *img;
	u32 i, k;

	for (i = 0; i < site->sim->nconvs; i++) {
		img = &site->places[i].img;
		for (k = 0; site->places[i].used && k < img->p.n; k++)
			if (img->parts[k].gap > img->p.seq_base)
				return true;
	}
	return false;
}

void psync_site_drop(struct psync_site *site, enum psync_drop reason)
{
	struct psync_sim *sim = site->sim;

	if (reason > PSYNC_OK && reason < PSYNC_DROP_MAX)
		sim->stats->drops[reason]++;
	/* the run goes on: what the checker finds says more */
	if (!psync_site_drop_fair(sim, reason) && !sim->unfair &&
	    !(reason == PSYNC_DROP_BAD_CONTEXT && psync_site_lossy(site)))
		sim->unfair = psync_site_drop_name(reason);
	psync_sim_trace(sim, "  site %u drops: %s", site->index,
			psync_site_drop_name(reason));
}

/* The conversation that waits for a packet: it is here, and open there. */
static struct psync_conv *psync_site_waits(struct psync_site *site,
					   const struct psync_site *dst,
					   u64 cid)
{
	const struct psync_place *other;
	u32 i;

	for (i = 0; i < site->sim->nconvs; i++) {
		other = &dst->places[i];
		if (site->sim->convs[i].cid == cid && site->places[i].used &&
		    other->used && other->img.nopen && !other->img.refused)
			return &site->sim->convs[i];
	}
	return NULL;
}

/* A packet of @len bytes with what the shell knows; its body is to follow. */
static struct psync_frame *psync_site_frame(struct psync_site *site, u32 to,
					    struct psync_pkt *pkt)
{
	struct psync_frame *frame;

	pkt->src_site = site->id;
	pkt->src_inc = site->inc;
	pkt->dst_site = to;
	frame = psync_net_frame(site->sim,
				psync_wire_hdr_size(pkt) + pkt->body_len);
	psync_wire_encode(pkt, frame->data);
	return frame;
}

void psync_site_fragment(struct psync_site_peer *peer, struct psync_pkt *pkt,
			 const u8 *data)
{
	struct psync_site *site = peer->site;
	struct psync_frame *frame;

	if (site->dead)
		return;
	frame = psync_site_frame(site, psync_site_id(site->sim, peer->index),
				 pkt);
	if (data)
		memcpy(frame->data + PSYNC_WIRE_FRAG, data, pkt->body_len);
	psync_wire_csum_set(frame->data, frame->len);
	/* Who waits for the packet waits for all of it: see psync_frag_send() */
	psync_net_post(frame, site->index, peer->index, NULL);
}

/* Fill in what the shell knows and send. */
void psync_site_transmit(struct psync_site *site, u32 to,
			 struct psync_pkt *pkt,
				const struct psync_body *body)
{
	struct psync_site *dst = psync_site_find(site->sim, to);
	struct psync_frame *frame;
	struct psync_conv *conv;

	if (site->dead)
		return;
	if (!dst || dst == site) {
		psync_sim_fail(site->sim, "fair-drop",
			       "site %u sends to unknown site %x", site->index,
			       to);
		return;
	}
	pkt->body_len = body ? body->len : 0;
	frame = psync_site_frame(site, to, pkt);
	if (pkt->body_len)
		memcpy(frame->data + psync_wire_hdr_size(pkt), body->data,
		       pkt->body_len);
	conv = psync_site_waits(site, dst, pkt->cid);
	/* Who asks in vain for credit does so for ever. */
	if (conv && pkt->type == PSYNC_PKT_ACK &&
	    psync_place_stalled(&site->places[conv->index]))
		conv = NULL;
	if (pkt->type == PSYNC_PKT_MSG && pkt->msg.flags & PSYNC_MSGF_STAMP)
		site->sim->stats->stamps++;
	if (frame->len > psync_net_mtu(&site->sim->net, site->index,
				       dst->index)) {
		psync_frag_send(&site->peers[dst->index], pkt, frame->data,
				frame->len, conv);
		psync_net_drop(frame);
		return;
	}
	psync_wire_csum_set(frame->data, frame->len);
	psync_net_post(frame, site->index, dst->index, conv);
}

/* The site's own idea of a group: a conversation whose list it is. */
const struct psync_conv *psync_site_group(const struct psync_site *site,
					  u32 group)
{
	const struct psync_sim *sim = site->sim;
	const struct psync_conv *conv, *found = NULL;
	u32 i;

	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		if (conv->group != group)
			continue;
		if (conv->owner == site->index)
			return conv;
		if (conv->owner == U32_MAX)
			found = conv;
	}
	return found;
}

void psync_site_refuse(struct psync_site *site,
		       const struct psync_pkt *pkt, u64 digest)
{
	struct psync_event ev = {
		.type = PSYNC_EV_MISMATCH,
		.site = pkt->src_site,
		.cid = pkt->cid,
		.group = pkt->group,
		.number = pkt->number,
	};
	struct psync_pkt out = { 0 };

	psync_image_refusal(pkt, digest, 0, PSYNC_REFUSE_DIGEST, &out);
	out.dst_inc = 0;
	psync_site_transmit(site, pkt->src_site, &out, NULL);
	psync_agent_event(NULL, site, NULL, &ev);
}

static void psync_site_hello(struct psync_site *site,
			     struct psync_place *place,
			     const struct psync_pkt *pkt)
{
	struct psync_pkt ack = { 0 };
	u32 closed = 0, age = 0;

	if (place && place->closed) {
		closed = place->closed;
		age = (site->sim->now - place->closed_at) / PSYNC_MSEC;
	}
	psync_image_hello_answer(place && place->used ? &place->img : NULL,
				 closed, age, pkt, &ack);
	if (ack.hello.state == PSYNC_HELLO_CLOSED)
		site->sim->stats->over++;
	ack.dst_inc = pkt->src_inc;
	psync_site_transmit(site, pkt->src_site, &ack, NULL);
	if (place && place->used && place->img.p.n)
		psync_image_greeted(&place->img, pkt, site->sim->now);
}

static struct psync_site_peer *psync_site_peer(const struct psync_site *site,
					       const struct psync_pkt *pkt)
{
	return &site->peers[psync_site_find(site->sim, pkt->src_site)->index];
}

/* A packet of the sender's present incarnation. */
static enum psync_drop psync_site_dispatch(struct psync_site *site,
					   const struct psync_pkt *pkt,
					   const u8 *data)
{
	enum psync_drop drop = PSYNC_DROP_NO_CONV;
	struct psync_place *place = NULL;
	struct psync_pkt out;
	u32 i;

	for (i = 0; i < site->sim->nconvs; i++)
		if (site->sim->convs[i].cid == pkt->cid)
			place = &site->places[i];
	if (pkt->type == PSYNC_PKT_HELLO) {
		psync_site_hello(site, place, pkt);
		return PSYNC_OK;
	}
	if (pkt->type == PSYNC_PKT_FRAG || pkt->type == PSYNC_PKT_FRAG_ACK)
		return psync_frag_receive(psync_site_peer(site, pkt), pkt,
					  data);
	if (place)
		drop = psync_place_receive(place, pkt, data);
	/* Who waits for an answer is told that nobody here has it (S1.5). */
	if ((drop == PSYNC_DROP_NO_CONV || drop == PSYNC_DROP_CLOSED ||
	     drop == PSYNC_DROP_NO_LISTENER) &&
	    psync_image_absence(pkt, &out))
		psync_site_transmit(site, pkt->src_site, &out, NULL);
	return drop;
}

/* Incarnations. */

static void psync_site_ask(struct psync_site_peer *peer)
{
	struct psync_pkt pkt = { .type = PSYNC_PKT_HELLO };

	pkt.hello.nonce = peer->inc.nonce;
	psync_site_transmit(peer->site,
			    psync_site_id(peer->site->sim, peer->index), &pkt,
			    NULL);
}

static void psync_site_peer_timer(void *ctx, uint64_t inc);

static void psync_site_peer_arm(struct psync_site_peer *peer)
{
	psync_heap_push(&peer->site->sim->heap, peer->inc.deadline,
			psync_site_peer_timer, peer, peer->site->inc);
}

/*
 * Parked packets are looked at again, or dropped when the peer could not be
 * asked.  One that is of neither incarnation that the answer was about came
 * after the question and may be of a later one: then the peer is asked again.
 */
static void psync_site_unpark(struct psync_site_peer *peer, bool confirmed)
{
	struct psync_parked *parked, *next;
	LIST_HEAD(list);

	list_splice_init(&peer->parked, &list);
	list_for_each_entry_safe(parked, next, &list, list) {
		if (confirmed)
			psync_site_receive(peer->site, parked->data,
					   parked->len, false, false);
		else
			psync_site_drop(peer->site, PSYNC_DROP_STALE_INC);
		free(parked);
	}
}

static void psync_site_peer_timer(void *ctx, uint64_t inc)
{
	struct psync_site_peer *peer = ctx;
	int verdict;

	if (inc != peer->site->inc || peer->site->dead ||
	    psync_site_defer(peer->site, psync_site_peer_timer, ctx, inc))
		return;
	verdict = psync_peer_timer(&peer->inc, peer->site->sim->now,
				   PSYNC_SITE_TRIES);
	if (verdict > 0) {
		psync_site_ask(peer);
		psync_site_peer_arm(peer);
	} else if (verdict < 0) {
		psync_site_unpark(peer, false);
	}
}

static void psync_site_park(struct psync_site_peer *peer, const u8 *data,
			    u32 len)
{
	struct psync_parked *parked = psync_sim_alloc(1, sizeof(*parked) + len);

	parked->len = len;
	memcpy(parked->data, data, len);
	list_add_tail(&parked->list, &peer->parked);
	peer->site->sim->stats->parked++;
}

/* May the packet be used now?  PSYNC_DROP_MAX: it waits. */
static enum psync_drop psync_site_peer_admit(struct psync_site_peer *peer,
					     const struct psync_pkt *pkt,
					     const u8 *data, u32 len)
{
	struct psync_site *site = peer->site;

	switch (psync_peer_check(&peer->inc, pkt->src_inc, site->sim->now,
				 PSYNC_SITE_HELLO_NS,
				 psync_site_nonce(site))) {
	case PSYNC_PEER_TAKE:
		return PSYNC_OK;
	case PSYNC_PEER_ASK:
		psync_site_ask(peer);
		psync_site_peer_arm(peer);
		psync_site_park(peer, data, len);
		return PSYNC_DROP_MAX;
	case PSYNC_PEER_PARK:
		psync_site_park(peer, data, len);
		return PSYNC_DROP_MAX;
	case PSYNC_PEER_DROP:
		break;
	}
	return PSYNC_DROP_STALE_INC;
}

static enum psync_drop psync_site_decode(const u8 *data, u32 len,
					 struct psync_pkt *pkt)
{
	u32 need = 0, asked;

	do {
		asked = need;
		need = psync_wire_need(data, asked);
		if (need > len)
			return PSYNC_DROP_TOO_SHORT;
	} while (need > asked);
	return psync_wire_decode(data, asked, len, pkt);
}

void psync_site_whole(struct psync_site_peer *peer, const u8 *data, u32 len,
		      u64 inc)
{
	struct psync_site *site = peer->site;
	struct psync_pkt pkt;
	enum psync_drop err;

	err = psync_site_decode(data, len, &pkt);
	if (!err && (pkt.hdr_len + pkt.body_len != len ||
		     psync_site_peer(site, &pkt) != peer ||
		     pkt.src_inc != inc || pkt.dst_site != site->id))
		err = PSYNC_DROP_BAD_FRAG;
	if (!err && pkt.dst_inc && pkt.dst_inc != site->inc)
		err = PSYNC_DROP_OTHER_INC;
	if (!err)
		err = psync_site_dispatch(site, &pkt, data);
	if (err)
		psync_site_drop(site, err);
}

/* Everything up to the incarnation. */
static enum psync_drop psync_site_parse(struct psync_site *site,
					const u8 *data, u32 len,
					struct psync_pkt *pkt)
{
	enum psync_drop err;

	err = psync_site_decode(data, len, pkt);
	if (err)
		return err;
	if (!psync_wire_csum_ok(data, pkt->hdr_len + pkt->body_len))
		return PSYNC_DROP_BAD_CSUM;
	if (pkt->src_site == site->id)
		return PSYNC_DROP_SELF;
	if (pkt->dst_site && pkt->dst_site != site->id)
		return PSYNC_DROP_NOT_FOR_US;
	if (!psync_site_find(site->sim, pkt->src_site))
		return PSYNC_DROP_UNKNOWN_PEER;
	if (pkt->dst_inc && pkt->dst_inc != site->inc)
		return PSYNC_DROP_OTHER_INC;
	return PSYNC_OK;
}

void psync_site_receive(struct psync_site *site, const u8 *data, u32 len,
			bool damaged, bool marked)
{
	struct psync_site_peer *peer;
	struct psync_pkt pkt;
	enum psync_drop err;

	err = psync_site_parse(site, data, len, &pkt);
	if (damaged) {
		site->sim->stats->damaged++;
		if (!err)
			psync_sim_fail(site->sim, "damage",
				       "a damaged packet is taken");
		return;
	}
	if (err) {
		psync_site_drop(site, err);
		return;
	}
	/* Only these can get one. */
	pkt.marked = marked && psync_wire_is_markable(pkt.type);
	peer = psync_site_peer(site, &pkt);
	psync_sim_trace(site->sim,
			"  site %u < %u type %u opening %u%s %u:%llu",
			site->index, peer->index, pkt.type,
			pkt.cid ? pkt.opening : 0,
			pkt.type == PSYNC_PKT_MSG ? " mid" : "",
			pkt.type == PSYNC_PKT_MSG ? pkt.msg.sender : 0,
			(unsigned long long)(pkt.type == PSYNC_PKT_MSG ?
					     pkt.msg.seq : 0));
	if (pkt.type == PSYNC_PKT_HELLO || pkt.type == PSYNC_PKT_HELLO_ACK)
		site->sim->stats->hellos++;
	if (pkt.type == PSYNC_PKT_REFUSE)
		site->sim->stats->refused++;
	/* These two must pass, or two sites would ask each other in vain. */
	if (pkt.type == PSYNC_PKT_HELLO && !pkt.cid) {
		psync_site_hello(site, NULL, &pkt);
		return;
	}
	if (pkt.type == PSYNC_PKT_HELLO_ACK && !pkt.cid) {
		if (psync_peer_answer(&peer->inc, &pkt))
			psync_site_unpark(peer, true);
		else
			psync_site_drop(site, PSYNC_DROP_BAD_NONCE);
		return;
	}
	err = psync_site_peer_admit(peer, &pkt, data, len);
	if (err == PSYNC_OK)
		err = psync_site_dispatch(site, &pkt, data);
	if (err && err != PSYNC_DROP_MAX)
		psync_site_drop(site, err);
}

/* Freezing and thawing. */

void psync_site_freeze(struct psync_site *site)
{
	if (site->dead || site->frozen)
		return;
	psync_sim_trace(site->sim, "site %u freezes", site->index);
	site->frozen = true;
	psync_fault_hit(&site->sim->fault, PSYNC_FAULT_FREEZE);
}

/* What waited happens now, in the same order. */
void psync_site_thaw(struct psync_site *site)
{
	struct psync_sim *sim = site->sim;
	struct psync_heap_item *item;
	u32 i;

	if (!site->frozen)
		return;
	psync_sim_trace(sim, "site %u thaws: %u", site->index, site->nwaiting);
	site->frozen = false;
	for (i = 0; i < site->nwaiting; i++) {
		item = &site->waiting[i];
		psync_heap_push(&sim->heap, sim->now, item->run, item->ctx,
				item->arg);
	}
	site->nwaiting = 0;
}

bool psync_site_defer(struct psync_site *site,
		      void (*run)(void *ctx, uint64_t arg), void *ctx,
		      uint64_t arg)
{
	if (!site->frozen)
		return false;
	if (site->nwaiting == site->room) {
		site->room = site->room ? site->room * 2 : 64;
		site->waiting = realloc(site->waiting, site->room *
					sizeof(*site->waiting));
		if (!site->waiting)
			abort();
	}
	site->waiting[site->nwaiting++] = (struct psync_heap_item){
		.run = run, .ctx = ctx, .arg = arg };
	return true;
}

/* Starts and ends. */

static void psync_site_boot(struct psync_site *site)
{
	u32 i;

	site->inc = psync_site_wall(site);
	site->openings = 0;
	site->frag_id = 0;
	for (i = 0; i < site->sim->nsites; i++)
		psync_peer_init(&site->peers[i].inc);
}

static void psync_site_clear(struct psync_site *site)
{
	struct psync_place *place;
	struct psync_agent *agent;
	u32 i, k;

	for (i = 0; i < site->sim->nsites; i++) {
		psync_site_unpark(&site->peers[i], false);
		psync_frag_clear(&site->peers[i]);
	}
	for (i = 0; i < site->sim->nconvs; i++) {
		place = &site->places[i];
		/* Nobody here waits for anything any more. */
		for (k = 0; k < place->conv->n; k++)
			if (place->conv->agents[k].site == site)
				psync_stable_unwatch(&place->conv->agents[k]
						     .watch);
		for (k = 0; k < place->conv->n && place->used; k++) {
			agent = &place->conv->agents[k];
			if (agent->site == site && agent->joined)
				psync_place_close(agent);
		}
		if (place->used)
			psync_place_forget(place);
		place->closed = 0;
	}
}

void psync_site_fall(struct psync_site *site)
{
	struct psync_sim *sim = site->sim;
	struct psync_conv *conv;
	u32 i, k;

	psync_sim_trace(sim, "site %u crashes", site->index);
	site->down = true;
	/* from now on nothing leaves it */
	site->dead = true;
	psync_site_thaw(site);
	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		for (k = 0; k < conv->n; k++)
			if (conv->agents[k].site == site)
				psync_agent_crash(&conv->agents[k]);
	}
	psync_site_clear(site);
}

void psync_site_crash(struct psync_site *site)
{
	struct psync_sim *sim = site->sim;
	struct psync_agent *agent;
	u32 i, k;

	if (site->dead)
		return;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_CRASH);
	psync_site_fall(site);
	site->down = false;
	for (i = 0; i < sim->nconvs; i++) {
		for (k = 0; k < sim->convs[i].n; k++) {
			agent = &sim->convs[i].agents[k];
			if (agent->site != site)
				continue;
			agent->state = PSYNC_AGENT_ABSENT;
			agent->absent = true;
		}
	}
}

void psync_site_rise(struct psync_site *site)
{
	site->dead = false;
	site->down = false;
	psync_site_reboot(site);
}

void psync_site_reboot(struct psync_site *site)
{
	struct psync_sim *sim = site->sim;

	psync_site_clear(site);
	/* Clocks are set, forward and back, and may be wrong by an hour. */
	if (psync_prng_chance(&sim->rng, 500))
		site->skew = (s64)psync_prng_below(&sim->rng,
						   7200 * PSYNC_SEC) -
			     (s64)(3600 * PSYNC_SEC);
	psync_site_boot(site);
	sim->stats->reboots++;
	psync_sim_trace(sim, "site %u restarts, skew %lld ns", site->index,
			site->skew);
}

void psync_site_init_all(struct psync_sim *sim)
{
	struct psync_site *site;
	u32 i, k;

	sim->sites = psync_sim_alloc(sim->nsites, sizeof(*sim->sites));
	for (i = 0; i < sim->nsites; i++) {
		site = &sim->sites[i];
		site->sim = sim;
		site->index = i;
		site->id = psync_site_id(sim, i);
		site->peers = psync_sim_alloc(sim->nsites,
					      sizeof(*site->peers));
		site->places = psync_sim_alloc(sim->nconvs,
					       sizeof(*site->places));
		for (k = 0; k < sim->nsites; k++) {
			site->peers[k].site = site;
			site->peers[k].index = k;
			INIT_LIST_HEAD(&site->peers[k].parked);
			psync_frag_open(&site->peers[k]);
		}
		for (k = 0; k < sim->nconvs; k++) {
			site->places[k].site = site;
			site->places[k].conv = &sim->convs[k];
			site->places[k].timer = U64_MAX;
		}
		psync_site_boot(site);
	}
}

void psync_site_exit_all(struct psync_sim *sim)
{
	u32 i;

	for (i = 0; i < sim->nsites; i++) {
		psync_site_thaw(&sim->sites[i]);
		psync_site_clear(&sim->sites[i]);
		if (sim->sites[i].frag_packets[0] ||
		    sim->sites[i].frag_packets[1])
			psync_sim_fail(sim, "leak", "fragments of site %u", i);
	}
	for (i = 0; i < sim->nsites; i++) {
		free(sim->sites[i].waiting);
		free(sim->sites[i].peers);
		free(sim->sites[i].places);
	}
	free(sim->sites);
}
