// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which site holds what (S2.3), and how that becomes known.
 *
 * A site attaches each participant's messages in order, so one sequence number
 * per participant, a vector, says what its image holds.  A message says it,
 * too: its sender's site holds all of its context.  For each node that is kept
 * the sites that count and are not known to hold it are counted (unheld); each
 * vector that grows walks only over the nodes it newly covers, so one message
 * costs a step per site, whatever the order in which they acknowledge.  When
 * nobody lacks a node and every local participant has taken it, its body is
 * given back.
 *
 * Vectors are sent a little after something was attached, at once after many
 * messages, and not at all when a message of our own says the same (P 3.2.2:
 * data is the acknowledgement).  A site that holds less than it could for
 * longer than a round trip takes is asked: with the latest message that was
 * sent here, which may be what it lacks, else with our vector.  The waits grow
 * while there is no answer.  A site that stays silent for too long is taken for
 * absent, with an event, and holds nothing back until it is heard again, unless
 * slow members may block (S6.6).
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "flow.h"
#include "graph.h"
#include "history.h"
#include "hold.h"
#include "mask.h"
#include "repair.h"
#include "restart.h"
#include "skip.h"
#include "vote.h"

/* So many messages are acknowledged at once. */
#define PSYNC_ACK_MANY		16
/* Waits double up to this many times the first one. */
#define PSYNC_ACK_WAIT_SHIFT	8
/* Sites that only relay a message leave the asking to its sender's so long. */
#define PSYNC_ACK_RELAY		4
/* The round-trip time is measured anew so often at most. */
#define PSYNC_ACK_REFRESH_NS	200000000ULL
/* So often at least a site is asked before it is called silent. */
#define PSYNC_ACK_TRIES		4
/* Waits double so many times before a silent site is suspect. */
#define PSYNC_ACK_DOUBT		2
/* Larger messages are not sent again before they were asked for. */
#define PSYNC_ACK_PROBE_BYTES	512

void psync_ack_init(struct psync_image *img)
{
	u32 i, k;

	img->ack_at = U64_MAX;
	img->rr_at = U64_MAX;
	img->rr_round = 1;
	img->absent_at = U64_MAX;
	for (k = 0; k < img->nremotes; k++) {
		img->remotes[k].probe_at = U64_MAX;
		psync_flow_init(img, &img->remotes[k]);
	}
	for (i = 0; i < img->p.n; i++) {
		img->parts[i].claimed = img->p.seq_base;
		img->parts[i].gap = img->p.seq_base;
		img->parts[i].live = true;
		img->parts[i].nowhere = img->p.seq_base;
		if (img->parts[i].remote >= 0)
			img->remotes[img->parts[i].remote].nlive++;
	}
}

/*
 * A vector has memory once there is something to say, so that a conversation
 * of many which nobody has opened costs little.  Without memory the site holds
 * nothing as far as we know, and is asked again.
 */
static bool psync_ack_remember(struct psync_image *img,
			       struct psync_remote *remote)
{
	u32 i;

	if (remote->vec)
		return true;
	remote->vec = psync_image_remember(img, img->p.n *
					   sizeof(*remote->vec));
	for (i = 0; remote->vec && i < img->p.n; i++)
		remote->vec[i] = img->p.seq_base;
	return remote->vec;
}

void psync_ack_exit(struct psync_image *img)
{
	u32 k;

	for (k = 0; img->remotes && k < img->nremotes; k++) {
		psync_image_unlearn(img, img->remotes[k].vec,
				    img->p.n * sizeof(u64));
		psync_image_unlearn(img, img->remotes[k].skip,
				    img->p.n * sizeof(u64));
		img->remotes[k].vec = NULL;
		img->remotes[k].skip = NULL;
	}
}

static u64 psync_ack_trip(const struct psync_remote *remote)
{
	return remote->srtt + 4 * remote->rttvar;
}

u64 psync_ack_wait(const struct psync_image *img,
		   const struct psync_remote *remote, u32 tries)
{
	const struct psync_limits *limits = &img->p.limits;
	u64 wait = limits->rto_ns;

	/* As if it were as far as any. */
	if (img->far)
		wait = img->far;
	if (remote && remote->srtt)
		wait = psync_ack_trip(remote);
	wait = min(max(wait, limits->rto_min_ns), limits->rto_max_ns);
	wait <<= min_t(u32, tries, PSYNC_ACK_WAIT_SHIFT);
	return min(wait, limits->rto_max_ns);
}

/* Asking begins, or goes on, so long from now. */
static void psync_ack_plan(struct psync_image *img,
			   struct psync_remote *remote, u64 wait)
{
	remote->probe_at = img->now + wait;
	psync_image_arm(img, remote->probe_at);
}

u64 psync_ack_patience(const struct psync_image *img,
		       const struct psync_remote *remote)
{
	return psync_ack_wait(img, remote, remote->probes) +
	       img->p.limits.ack_ns;
}

void psync_ack_replan(struct psync_image *img, struct psync_remote *remote)
{
	if (remote->lag || psync_flow_starves(img, remote))
		psync_ack_plan(img, remote, psync_ack_patience(img, remote));
	else
		remote->probe_at = U64_MAX;
}

/* The last message of a participant that a site which counts holds, or we. */
u64 psync_ack_greatest(const struct psync_image *img, u32 index)
{
	u64 seq = img->parts[index].seq;
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (psync_ack_counts(&img->remotes[k]))
			seq = max(seq, psync_ack_held(img, &img->remotes[k],
						      index));
	return seq;
}

/*
 * Only what others depend on; and what sites keep for us that somebody else has
 * masked out, who did not mask it out themselves.
 */
u64 psync_ack_asked_for(const struct psync_image *img, u32 index)
{
	const struct psync_part *part = &img->parts[index];

	if (!part->shut || part->muted)
		return part->need;
	return max(part->need, psync_ack_greatest(img, index));
}

void psync_ack_claim(struct psync_image *img, u32 index, u64 seq)
{
	struct psync_part *part = &img->parts[index];

	/* All that was sent here is here, whatever a held message says. */
	if (seq <= part->claimed || (part->remote < 0 && !img->recover))
		return;
	if (psync_ack_ignored(part) && seq > psync_ack_asked_for(img, index))
		return;
	if (seq > part->seq && part->claimed <= part->seq && !img->nlack++)
		psync_repair_lack(img);
	part->claimed = seq;
}

/*
 * What died with its sender, after @seq, and what else goes with it (S4.3).  What
 * only waits for another message did not.  To whom others mask out nobody proves
 * that: they may have it, and keep it no more (S5.1).
 */
static void psync_ack_void(struct psync_image *img, u32 index, u64 seq)
{
	struct psync_event ev = {
		.type	= PSYNC_EV_VOID,
		.site	= img->parts[index].pid.site,
		.reason	= psync_mask_is_shut(img) ? PSYNC_VOID_UNKEPT :
						    PSYNC_VOID_DIED,
	};
	const struct psync_node *held;

	do {
		if (seq == img->parts[index].claimed)
			return;
	} while (psync_hold_has(img, index, ++seq));
	held = psync_hold_follower(img, index, seq);
	ev.mid = PSYNC_MID(index, seq);
	ev.other = held ? psync_node_mid(held) : 0;
	psync_image_tell(img, NULL, &ev);
}

bool psync_ack_disclaim(struct psync_image *img)
{
	struct psync_part *part;
	bool less = false;
	u64 seq;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		part = &img->parts[i];
		if (part->claimed == part->seq)
			continue;
		seq = psync_ack_greatest(img, i);
		/* What nobody asks for of one masked out may be there, too. */
		if (seq >= part->claimed)
			continue;
		psync_ack_void(img, i, seq);
		less = true;
		part->claimed = seq;
		img->nlack -= seq == part->seq;
	}
	return less;
}

/* One site fewer lacks @node. */
static void psync_ack_hold(struct psync_image *img, struct psync_node *node)
{
	if (--node->unheld)
		return;
	if (img->parts[node->sender].remote < 0) {
		img->nowed--;
		psync_flow_arrive(img, node);
	}
	if (!node->wanted && !node->gone && img->joined)
		psync_history_rest(img, node);
}

/* @remote, which counts, is not waited for with @node any more. */
static void psync_ack_pass(struct psync_image *img, struct psync_remote *remote,
			   struct psync_node *node)
{
	remote->lag--;
	psync_flow_land(img, remote, node);
	psync_ack_hold(img, node);
}

/*
 * What is kept of participant @index after @at up to @last, if it was lacking.
 * There may be fewer messages than numbers, which were left out or are lost;
 * then each of them is looked at, but none of others.
 */
static void psync_ack_walk(struct psync_image *img, struct psync_remote *remote,
			   u32 index, u64 at, u64 last, bool skipped)
{
	struct psync_node *node;

	at = max(at, img->floor.stamp[index]);
	last = min(last, img->parts[index].seq);
	if (at >= last)
		return;
	if (last - at > img->parts[index].nnodes) {
		for (node = psync_graph_newest(img, index);
		     node && node->seq > at;
		     node = psync_graph_below(img, node))
			if (node->seq <= last && !node->gone && !node->spared &&
			    psync_ack_skips(remote, node) == skipped)
				psync_ack_pass(img, remote, node);
		return;
	}
	while (at++ < last) {
		node = psync_graph_find(img, index, at);
		if (node && !node->gone && !node->spared &&
		    psync_ack_skips(remote, node) == skipped)
			psync_ack_pass(img, remote, node);
	}
}

static bool psync_ack_skip_remember(struct psync_image *img,
				    struct psync_remote *remote)
{
	u32 i;

	if (remote->skip)
		return true;
	remote->skip = psync_image_remember(img, img->p.n *
					    sizeof(*remote->skip));
	for (i = 0; remote->skip && i < img->p.n; i++)
		remote->skip[i] = img->p.seq_base;
	return remote->skip;
}

bool psync_ack_skip(struct psync_image *img, struct psync_remote *remote,
		    const struct psync_node *gap)
{
	u64 at, seq;
	u32 i;

	if (!psync_ack_skip_remember(img, remote))
		return false;
	for (i = 0; i < img->p.n; i++) {
		at = psync_ack_passed(img, remote, i);
		seq = psync_skip_context(gap, i);
		if (seq <= remote->skip[i])
			continue;
		remote->skip[i] = seq;
		if (psync_ack_counts(remote))
			psync_ack_walk(img, remote, i, at, seq, true);
	}
	if (psync_ack_counts(remote))
		psync_ack_replan(img, remote);
	return true;
}

/*
 * @remote holds the messages of participant @index up to @seq.  Returns false when
 * there is no memory for that.
 */
static bool psync_ack_advance(struct psync_image *img,
			      struct psync_remote *remote, u32 index, u64 seq)
{
	u64 at = psync_ack_held(img, remote, index);

	if (seq <= at)
		return true;
	if (!psync_ack_remember(img, remote))
		return false;
	remote->vec[index] = seq;
	psync_ack_claim(img, index, seq);
	if (!psync_ack_counts(remote))
		return true;
	psync_ack_walk(img, remote, index, at, seq, false);
	remote->probes = 0;
	psync_ack_replan(img, remote);
	return true;
}

/*
 * It has the message that asked, and no answer came: that was lost, or the
 * message was and the copy did not ask.  Without any measure the next message
 * asks: until then waits are the first one's, however near the site is.
 */
static void psync_ack_unanswered(const struct psync_image *img,
				 struct psync_remote *remote)
{
	if (!remote->token || !remote->token_seq ||
	    psync_ack_held(img, remote, remote->token_index) <
	    remote->token_seq)
		return;
	remote->token = 0;
	if (!remote->srtt)
		remote->token_at = 0;
}

void psync_ack_holds(struct psync_image *img, struct psync_remote *remote,
		     u32 index, u64 seq)
{
	psync_ack_advance(img, remote, index, seq);
	psync_ack_unanswered(img, remote);
}

void psync_ack_context(struct psync_image *img, struct psync_remote *remote,
		       const u64 *stamp)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		psync_ack_advance(img, remote, i, stamp[i]);
	psync_ack_unanswered(img, remote);
}

/* One node more that @remote, which counts, does not hold. */
static void psync_ack_lag(struct psync_image *img, struct psync_remote *remote,
			  bool own)
{
	u64 wait = psync_ack_patience(img, remote);

	if (!own)
		wait *= PSYNC_ACK_RELAY;
	if (!remote->lag)
		remote->lag_at = img->now;
	if (!remote->lag++ || remote->probe_at > img->now + wait)
		psync_ack_plan(img, remote, wait);
}

void psync_ack_expect(struct psync_image *img, struct psync_node *node)
{
	bool own = img->parts[node->sender].remote < 0;
	struct psync_remote *remote;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (!psync_ack_counts(remote) ||
		    !psync_ack_lacks(img, remote, node))
			continue;
		node->unheld++;
		psync_flow_send(img, remote, node);
		psync_ack_lag(img, remote, own);
	}
	if (own && node->unheld) {
		img->nowed++;
		psync_flow_depart(img, node);
	}
}

void psync_ack_put(struct psync_image *img, struct psync_pkt *pkt, u32 index,
		   u64 seq)
{
	__be32 *seqs = (void *)img->scratch;
	__be16 *highs = (void *)(seqs + img->p.n);

	if (psync_wire_seq_set(seqs, highs, index, seq))
		pkt->vector.highs = highs;
}

void psync_ack_build(struct psync_image *img, u8 type, struct psync_pkt *pkt)
{
	u32 i;

	*pkt = (struct psync_pkt){
		.type		= type,
		.cid		= img->p.cid,
		.digest		= img->p.digest,
		.group		= img->p.group,
		.number		= img->p.number,
		.opening	= img->opening,
		.vector		= {
			.n	= img->p.n,
			.seqs	= (void *)img->scratch,
		},
	};
	for (i = 0; i < img->p.n; i++)
		psync_ack_put(img, pkt, i, img->parts[i].seq);
}

static void psync_ack_send(struct psync_image *img,
			   struct psync_remote *remote, u8 flags, u32 token,
			   u32 echo)
{
	struct psync_pkt pkt;

	psync_ack_build(img, PSYNC_PKT_ACK, &pkt);
	pkt.vector.flags = flags;
	pkt.vector.token = token;
	pkt.vector.echo = echo;
	psync_flow_grant(img, remote, &pkt);
	remote->owed = false;
	img->ops->transmit(img, remote->site, &pkt, NULL);
}

void psync_ack_grant(struct psync_image *img, struct psync_remote *remote)
{
	psync_ack_send(img, remote, 0, 0, 0);
}

bool psync_ack_manual(const struct psync_image *img)
{
	const struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (!view->manual && !view->pending)
			return false;
	return img->nopen;
}

/* To all who count, and to those who still wait for it. */
static void psync_ack_spread(struct psync_image *img)
{
	struct psync_remote *remote;
	u32 k;

	img->ack_at = U64_MAX;
	img->nunacked = 0;
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (psync_restart_unheard(img, remote))
			continue;
		if (remote->owed || (psync_ack_counts(remote) && remote->heard))
			psync_ack_send(img, remote, 0, 0, 0);
	}
}

void psync_ack_due(struct psync_image *img, struct psync_remote *remote)
{
	remote->owed = true;
	if (++img->nunacked >= PSYNC_ACK_MANY)
		img->ack_at = img->now;
	else
		img->ack_at = min(img->ack_at, img->now +
				  img->p.limits.ack_ns);
	psync_image_arm(img, img->ack_at);
}

void psync_ack_sent(struct psync_image *img)
{
	u32 k;

	img->ack_at = U64_MAX;
	img->nunacked = 0;
	for (k = 0; k < img->nremotes; k++)
		img->remotes[k].owed = false;
}

/* Nor does it hold one that was attached before. */
static void psync_ack_lose(struct psync_image *img, struct psync_remote *remote,
			   struct psync_node *node)
{
	psync_flow_launch(img, remote, node);
	if (!node->unheld++ && img->parts[node->sender].remote < 0) {
		img->nowed++;
		psync_flow_depart(img, node);
	}
	psync_ack_lag(img, remote, false);
}

void psync_ack_spare(struct psync_image *img, struct psync_node *node)
{
	struct psync_remote *remote;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (psync_ack_counts(remote) &&
		    psync_ack_lacks(img, remote, node))
			psync_ack_pass(img, remote, node);
	}
	node->spared = true;
}

void psync_ack_unspare(struct psync_image *img, u32 index, u64 seq)
{
	struct psync_node *node = psync_graph_find(img, index, seq);
	struct psync_remote *remote;
	u32 k;

	/* It may be freed already, by who follows it and says that it does not. */
	if (!node)
		return;
	node->spared = false;
	if (node->gone)
		return;
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (psync_ack_counts(remote) &&
		    psync_ack_lacks(img, remote, node))
			psync_ack_lose(img, remote, node);
	}
}

void psync_ack_recount(struct psync_image *img, struct psync_remote *remote,
		       bool counted)
{
	bool counts = psync_ack_counts(remote);
	struct psync_node *node;
	u32 i;

	if (counts == counted)
		return;
	/* What it grants is not known any more, or not yet. */
	psync_flow_reset(remote);
	/* What it is known to hold may have been given up meanwhile. */
	for (i = 0; counts && i < img->p.n; i++)
		psync_ack_claim(img, i, psync_ack_held(img, remote, i));
	list_for_each_entry(node, &img->order, order) {
		if (node->gone || node->spared ||
		    !psync_ack_lacks(img, remote, node))
			continue;
		if (counts)
			psync_ack_lose(img, remote, node);
		else
			psync_ack_pass(img, remote, node);
	}
	if (!counts)
		remote->probe_at = U64_MAX;
	psync_graph_trim(img);
}

void psync_ack_heard(struct psync_image *img, struct psync_remote *remote)
{
	bool counted = psync_ack_counts(remote);

	if (!remote->heard)
		remote->since = img->attached;
	remote->heard = true;
	remote->hearsay = false;
	remote->heard_at = img->now;
	remote->asks = 0;
	remote->absent = false;
	if (remote->suspect)
		psync_image_event(img, NULL, PSYNC_EV_HEARD, remote->site, 0,
				  0);
	remote->suspect = false;
	psync_ack_recount(img, remote, counted);
}

/* Who is not heard from now on is absent after a while (S1.5). */
static void psync_ack_await(struct psync_image *img)
{
	if (img->absent_at == U64_MAX)
		img->absent_at = img->now + img->p.limits.absent_ns;
	psync_image_arm(img, img->absent_at);
}

void psync_ack_denied(struct psync_image *img, struct psync_remote *remote)
{
	/* As if it had never been heard; it may open (again) while we wait. */
	if (remote->absent)
		return;
	remote->heard = false;
	psync_ack_await(img);
}

void psync_ack_judge(struct psync_image *img, u32 index, bool live)
{
	struct psync_part *part = &img->parts[index];
	struct psync_remote *remote;
	bool counted;
	u32 k;

	live = live && (!part->ended || part->back);
	/* Of one of this site, who is back, all that others have is wanted. */
	if (part->remote < 0 || part->live == live)
		return;
	part->live = live;
	remote = &img->remotes[part->remote];
	counted = psync_ack_counts(remote);
	remote->nlive += live ? 1 : -1;
	psync_ack_recount(img, remote, counted);
	if (!counted && psync_ack_counts(remote)) {
		/* Its grants are for what it did not lack then. */
		psync_flow_init(img, remote);
		/* While it did not count it was not missed. */
		if (!remote->heard && img->nopen)
			psync_ack_await(img);
	}
	for (k = 0; live && k < img->nremotes; k++)
		if (psync_ack_counts(&img->remotes[k]))
			psync_ack_claim(img, index,
					psync_ack_held(img, &img->remotes[k],
						       index));
}

void psync_ack_ended(struct psync_image *img, const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	part->ended = true;
	img->nended++;
	/* It is back, and that END is of before; or the RESTART was lost. */
	if (part->told == node->binding)
		part->back = false;
	psync_ack_judge(img, node->sender, part->live);
}

void psync_ack_back(struct psync_image *img, u32 index)
{
	struct psync_part *part = &img->parts[index];

	if (part->remote < 0)
		return;
	part->back = true;
	psync_mask_back(img, index);
	psync_ack_judge(img, index, !part->muted && !part->shut);
}

void psync_ack_rebase(struct psync_image *img, struct psync_remote *remote)
{
	bool counted = psync_ack_counts(remote);
	struct psync_node *node;

	/*
	 * What it held it lacks from now on.  What it lacked stays kept all the
	 * time: that is what it comes back for.
	 */
	list_for_each_entry(node, &img->order, order)
		if (counted && !node->gone && !node->spared &&
		    !psync_ack_lacks(img, remote, node))
			psync_ack_lose(img, remote, node);
	psync_image_unlearn(img, remote->vec,
			    img->p.n * sizeof(*remote->vec));
	remote->vec = NULL;
	psync_image_unlearn(img, remote->skip,
			    img->p.n * sizeof(*remote->skip));
	remote->skip = NULL;
	remote->absent = false;
	remote->moved = false;
	remote->answered = 0;
	remote->probes = 0;
	remote->token = 0;
	if (counted)
		psync_flow_reset(remote);
	else
		psync_ack_recount(img, remote, false);
	/* It begins anew: nothing of ours is there, and it granted nothing. */
	psync_flow_init(img, remote);
}

void psync_ack_moved(struct psync_image *img, struct psync_remote *remote)
{
	bool counted = psync_ack_counts(remote);

	remote->moved = true;
	psync_ack_recount(img, remote, counted);
}

bool psync_ack_token(struct psync_image *img, u32 index, u64 seq)
{
	struct psync_remote *remote;
	bool ask = false;
	u64 wait;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		/* A question under way is not replaced by the next one. */
		wait = remote->token ? img->p.limits.rto_max_ns :
				       PSYNC_ACK_REFRESH_NS;
		if ((remote->token_at && img->now < remote->token_at + wait) ||
		    !(u32)seq)
			continue;
		remote->token = seq;
		remote->token_at = img->now;
		remote->token_seq = seq;
		remote->token_index = index;
		ask = true;
	}
	return ask;
}

void psync_ack_answer(struct psync_image *img, struct psync_remote *remote,
		      u32 echo)
{
	psync_ack_send(img, remote, PSYNC_VECTORF_ECHO, 0, echo);
}

enum psync_drop psync_ack_vector(struct psync_image *img,
				 struct psync_remote *remote,
				 const struct psync_pkt *pkt)
{
	u64 seq;
	u32 i;
	int k;

	/* All or nothing: what contradicts us tells nothing else, either. */
	for (k = 0; k < 2; k++) {
		for (i = 0; i < img->p.n; i++) {
			seq = psync_ack_said(pkt, i);
			if (seq < img->p.seq_base ||
			    (img->parts[i].remote < 0 && !img->recover &&
			     seq > img->parts[i].seq))
				return PSYNC_DROP_BAD_VECTOR;
			if (k && !psync_ack_advance(img, remote, i, seq))
				return img->opening ? PSYNC_DROP_NO_MEM :
						      PSYNC_DROP_PENDING_FULL;
		}
	}
	psync_graph_trim(img);
	return PSYNC_OK;
}

/* RFC 6298's estimator; a question that was asked twice is not timed. */
static void psync_ack_smooth(struct psync_image *img,
			     struct psync_remote *remote)
{
	u64 rtt = max_t(u64, img->now - remote->token_at, 1);
	u64 off;

	/* Who answers whenever it likes makes nobody wait longer than any. */
	rtt = min(rtt, img->p.limits.rto_max_ns);
	if (!remote->srtt) {
		remote->srtt = rtt;
		remote->rttvar = rtt / 2;
		return;
	}
	off = rtt > remote->srtt ? rtt - remote->srtt : remote->srtt - rtt;
	remote->rttvar += off / 4 - remote->rttvar / 4;
	remote->srtt += rtt / 8 - remote->srtt / 8;
}

static void psync_ack_sample(struct psync_image *img,
			     struct psync_remote *remote)
{
	psync_ack_smooth(img, remote);
	img->far = max(img->far, psync_ack_trip(remote));
}

enum psync_drop psync_ack_input(struct psync_image *img,
				struct psync_remote *remote,
				const struct psync_pkt *pkt)
{
	enum psync_drop drop;

	if (pkt->vector.flags & PSYNC_VECTORF_SLOW &&
	    img->parts[pkt->vector.index].remote != remote - img->remotes)
		return PSYNC_DROP_BAD_VECTOR;
	drop = psync_ack_vector(img, remote, pkt);
	if (drop)
		return drop;
	if (pkt->vector.flags & PSYNC_VECTORF_ECHO && remote->token &&
	    pkt->vector.echo == remote->token) {
		remote->token = 0;
		psync_ack_sample(img, remote);
	}
	psync_ack_unanswered(img, remote);
	psync_flow_granted(img, remote, pkt);
	if (pkt->vector.flags & PSYNC_VECTORF_ASK)
		psync_ack_answer(img, remote, pkt->vector.token);
	return PSYNC_OK;
}

/* Of a conversation its start message, else the first node that is kept. */
static const struct psync_node *psync_ack_first(const struct psync_image *img)
{
	const struct psync_node *node, *first = NULL;

	list_for_each_entry(node, &img->order, order) {
		if (node->gone)
			continue;
		/* Without START it cannot tell whose message it is. */
		if (node->start || img->p.number)
			return node;
		if (!first)
			first = node;
	}
	return first;
}

/* It takes nothing before it knows that it is masked in again (S5.1). */
static const struct psync_node *
psync_ack_recall(const struct psync_image *img,
		 const struct psync_remote *remote)
{
	const struct psync_note *notes;
	const struct psync_node *node;
	u32 i, k;

	for (i = 0; img->masking && i < img->p.n; i++) {
		notes = img->parts[i].notes;
		if (img->parts[i].remote >= 0 || !notes)
			continue;
		for (k = 0; k < img->p.n; k++) {
			if (img->parts[k].pid.site != remote->site ||
			    notes[k].closed <= psync_ack_held(img, remote, i))
				continue;
			node = psync_graph_find(img, i, notes[k].closed);
			if (node)
				return node;
		}
	}
	return NULL;
}

/*
 * What a silent site may lack: who was never heard perhaps everything, others
 * most likely the latest message sent here.  NULL: none that is known.
 */
static const struct psync_node *
psync_ack_guess(const struct psync_image *img,
		const struct psync_remote *remote)
{
	const struct psync_node *node, *latest = NULL;
	u32 i;

	if (!remote->heard)
		return psync_ack_first(img);
	node = psync_ack_recall(img, remote);
	if (node)
		return node;
	for (i = 0; i < img->p.n; i++) {
		node = img->parts[i].last;
		if (img->parts[i].remote >= 0 || !node || node->gone ||
		    psync_ack_held(img, remote, i) >= node->seq)
			continue;
		if (!latest || node->ordinal > latest->ordinal)
			latest = node;
	}
	return latest;
}

/* It holds nothing back any more, until it is heard. */
static void psync_ack_miss(struct psync_image *img, struct psync_remote *remote)
{
	bool counted = psync_ack_counts(remote);

	remote->absent = true;
	psync_ack_recount(img, remote, counted);
	psync_image_event(img, NULL, PSYNC_EV_ABSENT, remote->site, 0, 0);
}

/* S1.5: who was not heard by now. */
static void psync_ack_absent(struct psync_image *img)
{
	u32 k;

	img->absent_at = U64_MAX;
	for (k = 0; k < img->nremotes; k++)
		if (!img->remotes[k].heard &&
		    psync_ack_counts(&img->remotes[k]))
			psync_ack_miss(img, &img->remotes[k]);
}

bool psync_ack_silent(struct psync_image *img, struct psync_remote *remote,
		      u32 asked)
{
	u64 silent = img->p.limits.silent_ns;
	u64 ns;

	/*
	 * Then it holds back for ever (S6.6); but not those who are back, who wait
	 * for all that may know what they sent.
	 */
	if (psync_image_slow(img, &ns) == PSYNC_SLOW_BLOCK && !img->recover)
		return false;
	if (!silent || !remote->heard || asked < PSYNC_ACK_TRIES ||
	    img->now < remote->heard_at + silent)
		return false;
	psync_ack_miss(img, remote);
	return true;
}

/* It holds less than it could: perhaps it lacks our last message. */
static void psync_ack_probe(struct psync_image *img,
			    struct psync_remote *remote)
{
	const struct psync_node *node;

	if (psync_ack_silent(img, remote, remote->probes))
		return;
	if (psync_mask_spares(img, remote)) {
		remote->probe_at = U64_MAX;
		if (!remote->lag)
			psync_ack_replan(img, remote);
		return;
	}
	node = psync_ack_guess(img, remote);
	psync_flow_timeout(img, remote);
	if (node && img->opening &&
	    (!remote->heard || node->body_len <= PSYNC_ACK_PROBE_BYTES)) {
		remote->token = 0;
		if (!remote->srtt)
			remote->token_at = 0;
		psync_image_repeat(img, node, remote->site,
				   PSYNC_MSGF_ASK);
	} else {
		if (!++img->tokens)
			img->tokens++;
		remote->token = img->tokens;
		remote->token_at = img->now;
		remote->token_seq = 0;
		psync_ack_send(img, remote, PSYNC_VECTORF_ASK, remote->token,
			       0);
	}
	remote->probes++;
	psync_ack_plan(img, remote, psync_ack_patience(img, remote));
}

/*
 * Something is expected of it, and it says nothing, not even that it lacks
 * something: for the time that is set, and as long as it takes to ask twice.
 */
static void psync_ack_suspect(struct psync_image *img,
			      struct psync_remote *remote)
{
	u64 wait = img->p.limits.suspect_ns;
	u64 at;

	if (!wait || remote->suspect || !remote->heard ||
	    remote->probe_at == U64_MAX)
		return;
	wait = max(wait, psync_ack_wait(img, remote, PSYNC_ACK_DOUBT));
	at = max(remote->heard_at, remote->lag_at) + wait;
	if (img->now < at) {
		psync_image_arm(img, at);
		return;
	}
	remote->suspect = true;
	psync_image_event(img, NULL, PSYNC_EV_SUSPECT, remote->site, 0, 0);
}

void psync_ack_resume(struct psync_image *img)
{
	u32 k;

	psync_image_arm(img, img->rr_at);
	psync_image_arm(img, img->ack_at);
	for (k = 0; k < img->nremotes; k++)
		psync_image_arm(img, img->remotes[k].probe_at);
}

void psync_ack_timer(struct psync_image *img)
{
	struct psync_remote *remote;
	u32 k;

	if (img->absent_at <= img->now)
		psync_ack_absent(img);
	psync_image_arm(img, img->absent_at);
	if (psync_ack_manual(img))
		return;
	if (img->ack_at <= img->now)
		psync_ack_spread(img);
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (remote->probe_at <= img->now &&
		    psync_restart_unheard(img, remote))
			psync_ack_plan(img, remote,
				       psync_ack_patience(img, remote));
		else if (remote->probe_at <= img->now)
			psync_ack_probe(img, remote);
		psync_ack_suspect(img, remote);
		psync_image_arm(img, remote->probe_at);
	}
	psync_image_arm(img, img->ack_at);
}
