// SPDX-License-Identifier: GPL-2.0-only
/*
 * Participants that come back (P 5; S7).
 *
 * The site of one that is back has an empty image with a new opening.  It says
 * so to every other site (RS), again and again until each has answered, with
 * its vector, or that it has nothing (REFUSE, ABSENT), or is absent.  What the
 * vectors name and is not here is missing like anything else, and repaired like
 * anything else, its own earlier messages included: until that is over
 * (psync_image.recover) they may come from others.  What is gone everywhere is
 * taken for lost, with one event (S2.4).
 *
 * Then it speaks: with a RESTART, a node of the kernel's own, that follows its
 * last earlier message and the leaves of its view.  RESTART leaves out
 * PSYNC_RESTART_SKIP numbers.  So no number is used twice, whatever comes up
 * that nobody who answered had: those numbers are void for everyone from the
 * RESTART on, as messages and as predecessors.
 *
 * A site that hears RS tells its participants, goes by the new opening, takes
 * the site for one that holds nothing, and forgets what it holds back of the
 * earlier opening.
 *
 * Where the image of before is still there, lingering or kept by others here,
 * nothing has to be recovered and no number is left out, unless it was masked
 * out: then what it did not ask for is recovered like the rest.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "flow.h"
#include "graph.h"
#include "hold.h"
#include "mask.h"
#include "null.h"
#include "redo.h"
#include "restart.h"
#include "sure.h"
#include "view.h"

static void psync_restart_put(u64 *mids, u32 room, u32 *count, u64 mid)
{
	if (*count < room)
		mids[*count] = mid;
	++*count;
}

/*
 * Is that leaf of the view not in the context of the sender's last message?  When
 * that is lost, so may be all its context.
 */
static bool psync_restart_adds(const struct psync_view *view, u32 index)
{
	const struct psync_image *img = view->img;
	const struct psync_node *last = img->parts[view->index].last;

	return test_bit(index, view->leaves) &&
	       view->stamp[index] > (last ? last->stamp[index] :
					    img->parts[index].gap);
}

/* Has a leaf of the view the sender's last message, which is lost, before it? */
static bool psync_restart_covered(const struct psync_view *view, u64 prev)
{
	const struct psync_image *img = view->img;
	const struct psync_node *node;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (!psync_restart_adds(view, i))
			continue;
		node = psync_graph_known(img, i, view->stamp[i]);
		if (node && node->stamp[view->index] >= prev)
			return true;
	}
	return false;
}

u32 psync_restart_preds(const struct psync_view *view, u64 *mids, u32 room)
{
	const struct psync_image *img = view->img;
	const struct psync_part *part = &img->parts[view->index];
	const struct psync_node *last = part->last;
	bool name = last || !psync_restart_covered(view, part->seq);
	u32 count = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (i == view->index) {
			if (name)
				psync_restart_put(mids, room, &count,
						  PSYNC_MID(i, part->seq));
			continue;
		}
		if (psync_restart_adds(view, i))
			psync_restart_put(mids, room, &count,
					  PSYNC_MID(i, view->stamp[i]));
	}
	return count;
}

/* What is here and still to be received is not said to be received. */
static void psync_restart_except(const struct psync_view *view, u64 *stamp)
{
	const struct psync_node *node;

	list_for_each_entry(node, &view->img->order, order)
		if (!psync_view_has(view, node))
			stamp[node->sender] = min(stamp[node->sender],
						  node->seq - 1);
}

void psync_restart_context(const struct psync_view *view,
			   struct psync_node *node)
{
	const struct psync_image *img = view->img;
	const struct psync_node *last = img->parts[view->index].last;
	u32 wave = last ? last->wave : psync_graph_lost_depth(img);
	u32 i;

	/* Of a last message that is lost all that is lost may be the context. */
	for (i = 0; i < img->p.n; i++)
		node->stamp[i] = max(node->stamp[i], last ? last->stamp[i] :
							    img->parts[i].gap);
	if (!last)
		psync_restart_except(view, node->stamp);
	/* Nothing is deeper than that: 0. */
	node->wave = wave == U32_MAX ? 0 : max(node->wave, wave + 1);
}

u64 psync_restart_seq(const struct psync_view *view)
{
	const struct psync_part *part = &view->img->parts[view->index];
	u64 seq = max(part->seq, part->claimed);

	if (view->past > seq && view->past - seq <= PSYNC_RESTART_PAST)
		seq = view->past;
	/* Who kept the image knows all that it ever sent. */
	return seq + 1 + (view->img->restart ? PSYNC_RESTART_SKIP : 0);
}

/* Has it, as far as anybody knows, been here before? */
static bool psync_restart_known(const struct psync_view *view)
{
	const struct psync_image *img = view->img;

	return img->known || view->past ||
	       img->parts[view->index].seq != img->p.seq_base;
}

/* Has it not been told yet?  Every binding has a greater number (S1.1). */
static bool psync_restart_is_news(const struct psync_part *part, u32 binding)
{
	return !part->told || (s32)(binding - part->told) > 0;
}

/*
 * Was it told by the RS of an earlier incarnation, whose numbers say nothing of
 * this one's?  There its RESTART is no news, whenever it comes.
 */
static bool psync_restart_is_before(const struct psync_part *part, u32 binding)
{
	return part->before && part->before == binding &&
	       part->told != binding;
}

static void psync_restart_tell(struct psync_image *img, u32 index, u32 binding,
			       u32 opening)
{
	struct psync_part *part = &img->parts[index];
	struct psync_remote *remote = &img->remotes[part->remote];

	if (part->told == binding && !part->untold)
		return;
	part->told = binding;
	/*
	 * Who was never here before is not back, though it may not know.  What
	 * it sent before may only be late: then its RESTART tells.
	 */
	part->untold = !remote->returned && part->seq == img->p.seq_base;
	if (part->untold)
		return;
	psync_image_event(img, NULL, PSYNC_EV_RESTARTED, part->pid.site,
			  PSYNC_MID(index, part->seq), opening);
}

void psync_restart_missed(struct psync_image *img, u32 index)
{
	struct psync_part *part = &img->parts[index];
	bool awaited = part->back;

	/* Without memory what is stable may not stay so. */
	if (psync_sure_prepare(img))
		psync_sure_back(img);
	psync_ack_back(img, index);
	img->nended--;
	part->ended = false;
	/* Which RESTART it was is not known. */
	part->back = awaited;
	psync_null_back(img);
}

void psync_restart_attach(struct psync_image *img,
			  const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	bool awaited = part->back;
	bool before = psync_restart_is_before(part, node->binding);

	psync_sure_back(img);
	psync_ack_back(img, node->sender);
	if (part->ended)
		img->nended--;
	part->ended = false;
	psync_null_back(img);
	/* It may have come back more than once: then what is awaited is later. */
	if (!awaited || part->told == node->binding || !part->told ||
	    (!before && psync_restart_is_news(part, node->binding)))
		part->back = false;
	if (part->told == node->binding)
		part->past = false;
	if (part->remote < 0)
		return;
	if (!part->back && !before)
		psync_restart_tell(img, node->sender, node->binding,
				   img->remotes[part->remote].opening);
	if (before)
		part->before = 0;
	/* What its sender does not know that it sent. */
	if (part->seq > node->prev)
		psync_image_event(img, NULL, PSYNC_EV_VOID, part->pid.site,
				  PSYNC_MID(node->sender, node->prev + 1), 0);
}

enum psync_drop psync_restart_foreign(const struct psync_image *img,
				      const struct psync_pkt *pkt)
{
	return pkt->msg.inc == img->p.inc && pkt->msg.opening == img->opening ?
	       PSYNC_OK : PSYNC_DROP_STALE_OPENING;
}

void psync_restart_doubt(struct psync_image *img,
			 const struct psync_remote *remote)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].remote == remote - img->remotes)
			img->parts[i].past = true;
}

/* A new incarnation: what was told is not, but for a RESTART still to come. */
static void psync_restart_untell(struct psync_part *part)
{
	if (part->back && part->told && !part->untold)
		part->before = part->told;
	part->told = 0;
}

/* Is the RESTART that an RS names here?  It may have come from others. */
static bool psync_restart_is_here(const struct psync_part *part,
				  const struct psync_pkt *pkt)
{
	return pkt->vector.flags & PSYNC_VECTORF_MID && !part->back &&
	       pkt->vector.seq <= part->seq && pkt->vector.seq > part->gap;
}

/* Another site's participants have a new life; what is attached stays. */
static void psync_restart_rebase(struct psync_image *img,
				 struct psync_remote *remote,
				 const struct psync_pkt *pkt)
{
	int site = remote - img->remotes;
	u32 i;

	remote->returned = remote->state == PSYNC_REMOTE_CONFIRMED;
	remote->rebase_at = img->now + PSYNC_CONFIRM_QUIET_NS;
	psync_confirm_fix(remote, pkt->src_inc, pkt->opening);
	psync_hold_forget(img, site);
	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].remote == site)
			psync_restart_untell(&img->parts[i]);
	psync_restart_doubt(img, remote);
	psync_ack_rebase(img, remote);
	/* What it had others may have got from it since they answered. */
	for (i = 0; img->recover && i < img->nremotes; i++)
		img->remotes[i].answers = false;
}

/*
 * Is it of a later opening than the one we go by?  Incarnations are not
 * compared: clocks go back, and packets of past ones do not come here.
 */
static int psync_restart_order(const struct psync_remote *remote,
			       const struct psync_pkt *pkt)
{
	if (remote->state != PSYNC_REMOTE_CONFIRMED ||
	    pkt->src_inc != remote->inc)
		return 1;
	return psync_confirm_compare(remote, pkt->src_inc, pkt->opening);
}

enum psync_drop psync_restart_input(struct psync_image *img,
				    struct psync_remote *remote,
				    const struct psync_pkt *pkt)
{
	u32 index = pkt->vector.index;
	struct psync_part *part = &img->parts[index];
	struct psync_pkt ack;
	int later;
	bool news;

	if (!img->opening)
		return PSYNC_DROP_UNCONFIRMED;
	if (part->pid.site != remote->site)
		return PSYNC_DROP_NOT_MEMBER;
	later = psync_restart_order(remote, pkt);
	if (later < 0 || img->refused)
		return PSYNC_DROP_STALE_OPENING;
	/* Two that are back, and doubt each other, would do so for ever. */
	if (later && !psync_restart_unheard(img, remote) &&
	    psync_confirm_doubt(img, remote, pkt->src_inc, img->now))
		return PSYNC_DROP_UNCONFIRMED;
	/* Whoever else is back there says so with its RESTART, too. */
	if (img->now < (later ? remote->rebase_at : remote->back_at))
		return PSYNC_DROP_RR_RATE;
	remote->back_at = img->now + img->p.limits.rto_min_ns;
	if (later)
		psync_restart_rebase(img, remote, pkt);
	/* One that was overtaken, by its RESTART or a later one, is no news. */
	if (psync_restart_is_here(part, pkt) && !part->told)
		part->told = pkt->vector.token;
	news = psync_restart_is_news(part, pkt->vector.token);
	if (news)
		psync_ack_back(img, index);
	psync_ack_heard(img, remote);
	/* Had it said nothing before, what is here by now may be new. */
	if (news)
		psync_restart_tell(img, index, pkt->vector.token, pkt->opening);
	psync_ack_build(img, PSYNC_PKT_RS_ACK, &ack);
	if (remote->returned)
		ack.vector.flags = PSYNC_VECTORF_KNOWN;
	img->ops->transmit(img, remote->site, &ack, NULL);
	if (later)
		psync_early_feed(img, &remote->early, img->now);
	return PSYNC_OK;
}

/* What a site that answers late has of what this opening has made void. */
static void psync_restart_void(struct psync_image *img,
			       struct psync_remote *remote,
			       const struct psync_pkt *pkt)
{
	u64 seq;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		seq = psync_ack_said(pkt, i);
		if (img->parts[i].remote < 0 && img->parts[i].view &&
		    seq > max(img->parts[i].gap, img->floor.stamp[i]) &&
		    seq <= img->parts[i].seq &&
		    !psync_graph_find(img, i, seq))
			psync_image_event(img, NULL, PSYNC_EV_VOID,
					  remote->site, PSYNC_MID(i, seq), 0);
	}
}

enum psync_drop psync_restart_answered(struct psync_image *img,
				       struct psync_remote *remote,
				       const struct psync_pkt *pkt)
{
	bool first = remote->state != PSYNC_REMOTE_CONFIRMED;
	enum psync_drop drop;
	int later = 0;

	if (!first)
		later = psync_restart_order(remote, pkt);
	if (!img->restart || !img->nopen || later < 0 ||
	    pkt->vector.dst_opening != img->opening)
		return PSYNC_DROP_STALE_OPENING;
	if (later && img->now < remote->rebase_at)
		return PSYNC_DROP_RR_RATE;
	/* It is back, too, and need not hold what it did. */
	if (later)
		psync_restart_rebase(img, remote, pkt);
	psync_confirm_fix(remote, pkt->src_inc, pkt->opening);
	psync_restart_doubt(img, remote);
	psync_ack_heard(img, remote);
	drop = psync_ack_vector(img, remote, pkt);
	if (drop)
		return drop;
	if (!img->recover && !remote->answers)
		psync_restart_void(img, remote, pkt);
	remote->answers = true;
	img->known |= !!(pkt->vector.flags & PSYNC_VECTORF_KNOWN);
	if (first)
		psync_early_feed(img, &remote->early, img->now);
	return PSYNC_OK;
}

void psync_restart_denied(struct psync_image *img, struct psync_remote *remote)
{
	if (!img->recover)
		return;
	remote->answers = true;
	psync_restart_check(img);
}

static void psync_restart_say(struct psync_image *img, u32 site,
			      const struct psync_view *view)
{
	struct psync_pkt pkt;

	psync_ack_build(img, PSYNC_PKT_RS, &pkt);
	pkt.vector.index = view->index;
	pkt.vector.token = view->binding;
	if (view->returned) {
		pkt.vector.flags = PSYNC_VECTORF_MID;
		pkt.vector.seq = view->returned;
	}
	img->ops->transmit(img, site, &pkt, NULL);
}

/* For whom is it said?  Any participant here that has opened. */
static const struct psync_view *psync_restart_view(const struct psync_image *img)
{
	const struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (!view->pending)
			return view;
	return NULL;
}

void psync_restart_remind(struct psync_image *img, struct psync_remote *remote)
{
	const struct psync_view *view = psync_restart_view(img);

	if (!img->restart || !view || !remote || img->now < remote->rs_at)
		return;
	remote->rs_at = img->now + psync_ack_wait(img, remote, 0);
	psync_restart_say(img, remote->site, view);
}

/* Does the restart wait for this site? */
static bool psync_restart_awaits(const struct psync_remote *remote)
{
	return !remote->answers && psync_ack_counts(remote);
}

/* There is no memory to say now that somebody is back. */
static void psync_restart_later(struct psync_image *img)
{
	img->ops->dropped(img, PSYNC_DROP_NO_MEM);
	img->rs_at = img->now + psync_ack_wait(img, NULL, 0);
	psync_image_arm(img, img->rs_at);
}

static void psync_restart_ask(struct psync_image *img)
{
	struct psync_remote *remote;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (psync_restart_awaits(remote) &&
		    !psync_ack_silent(img, remote, img->rs_tries))
			psync_restart_remind(img, remote);
	}
	img->rs_at = img->now + psync_ack_wait(img, NULL, img->rs_tries);
	img->rs_tries++;
	psync_image_arm(img, img->rs_at);
}

/* Is a leaf nowhere, or void?  Of what is freed or lost all are told. */
static bool psync_restart_leafless(const struct psync_view *view, u32 index)
{
	const struct psync_image *img = view->img;

	return view->leaf[index] > max(img->parts[index].gap,
				       img->floor.stamp[index]) &&
	       !psync_graph_find(img, index, view->leaf[index]);
}

/* Its leaves are all that there are: those nobody has are told. */
static void psync_restart_settle(struct psync_view *view)
{
	struct psync_image *img = view->img;
	u32 i;

	for (i = 0; view->leaf && i < img->p.n; i++)
		if (psync_restart_leafless(view, i))
			psync_image_event(img, view, PSYNC_EV_GAP,
					  img->parts[i].pid.site,
					  PSYNC_MID(i, view->leaf[i]), 0);
	if (view->leaf)
		psync_view_established(view);
}

int psync_restart_speak(struct psync_image *img)
{
	struct psync_view *view;
	int err, result = 0;
	u64 mid;

	list_for_each_entry(view, &img->views, link) {
		if (!view->restart)
			continue;
		view->barred = psync_mask_bars(view);
		if (view->barred) {
			result = -EAGAIN;
			continue;
		}
		psync_restart_settle(view);
		err = 0;
		mid = 0;
		if (psync_restart_known(view))
			err = psync_image_emit(img, view, PSYNC_KIND_RESTART, 0,
					       0, NULL, 0, &mid);
		if (err == -ENOMEM)
			return err;
		if (!err && mid)
			view->returned = PSYNC_MID_SEQ(mid);
		/* One for which there is no number, or no depth, stays mute. */
		view->restart = err;
		/* What it received meanwhile is to be acknowledged. */
		if (view->owes)
			psync_null_due(view);
	}
	return result;
}

/* Without memory it is tried again, or before its first message. */
static void psync_restart_resume(struct psync_image *img)
{
	img->rs_at = U64_MAX;
	if (psync_restart_speak(img) == -ENOMEM)
		psync_restart_later(img);
}

/* Those who had to be masked in (S5.3). */
static void psync_restart_admit(struct psync_image *img)
{
	struct psync_view *view;
	bool admitted = false;

	list_for_each_entry(view, &img->views, link)
		admitted |= view->barred && !psync_mask_bars(view);
	if (!admitted)
		return;
	psync_restart_resume(img);
	/* Not now: it is told when others leave room (S6.6). */
	if (psync_image_may_send(img, 0))
		img->ops->writable(img);
	else
		psync_image_block(img, img->now);
}

void psync_restart_check(struct psync_image *img)
{
	u32 k;

	if (!img->recover || img->nlack || !img->nopen)
		return;
	for (k = 0; k < img->nremotes; k++)
		if (psync_restart_awaits(&img->remotes[k]))
			return;
	img->recover = false;
	psync_mask_review(img);
	img->rs_at = U64_MAX;
	if (psync_restart_speak(img) == -ENOMEM) {
		img->recover = true;
		psync_restart_later(img);
	}
}

void psync_restart_timer(struct psync_image *img)
{
	if (!img->recover) {
		psync_restart_admit(img);
		if (img->rs_at > img->now)
			psync_image_arm(img, img->rs_at);
		else
			psync_restart_resume(img);
		return;
	}
	if (img->rs_at <= img->now)
		psync_restart_ask(img);
	else
		psync_image_arm(img, img->rs_at);
	psync_restart_check(img);
}

/* Is all here that this site has sent, and all that others have told it? */
static bool psync_restart_kept(const struct psync_image *img)
{
	u32 i;

	/* A site that did not count when this one was back may have more. */
	for (i = 0; !img->recover && i < img->p.n; i++)
		if (img->parts[i].remote < 0 &&
		    psync_ack_greatest(img, i) > img->parts[i].seq)
			return false;
	return img->opening && !psync_mask_misses(img);
}

/* Takes the leaves, each the last of its participant that is to be there. */
static int psync_restart_leaves(struct psync_view *view,
				const struct psync_restart_how *how, bool kept)
{
	struct psync_image *img = view->img;
	u32 i, index;
	u64 seq;

	if (!how->nleaves)
		return 0;
	view->leaf = img->ops->alloc(img, img->p.n * sizeof(*view->leaf));
	if (!view->leaf)
		return -ENOMEM;
	for (i = 0; i < img->p.n; i++)
		view->leaf[i] = img->p.seq_base;
	for (i = 0; i < how->nleaves; i++) {
		index = PSYNC_MID_INDEX(how->leaves[i]);
		seq = PSYNC_MID_SEQ(how->leaves[i]);
		if (index >= img->p.n || seq <= img->p.seq_base)
			return -EINVAL;
		if (kept && !img->recover && seq > img->parts[index].seq)
			return -ENOENT;
		view->leaf[index] = max(view->leaf[index], seq);
		if (index == view->index)
			view->past = view->leaf[index];
	}
	return 0;
}

/* The leaves that are there already, with all before them. */
static void psync_restart_establish(struct psync_view *view)
{
	struct psync_image *img = view->img;
	const struct psync_node *node;
	u32 i;

	for (i = 0; view->leaf && i < img->p.n; i++) {
		node = psync_graph_find(img, i, view->leaf[i]);
		if (node)
			psync_view_absorb(view, node->stamp);
	}
}

/* The image of before: who it was that sent its messages is somebody else. */
static void psync_restart_disown(struct psync_view *view)
{
	struct psync_node *node;

	list_for_each_entry(node, &view->img->order, order) {
		if (node->sender != view->index)
			continue;
		node->made = false;
		if (view->redo)
			psync_redo_record(view, node);
	}
}

/* Has anything been given back, or never come? */
static bool psync_restart_partial(const struct psync_image *img)
{
	const struct psync_node *node;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (max(img->floor.stamp[i], img->parts[i].gap) >
		    img->p.seq_base)
			return true;
	list_for_each_entry(node, &img->order, order)
		if (node->gone)
			return true;
	return false;
}

void psync_restart_lost(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		view->lost |= view->all && view->restart;
}

/* Those who share its site are told, too. */
static void psync_restart_tell_here(const struct psync_view *view)
{
	struct psync_image *img = view->img;
	const struct psync_part *part = &img->parts[view->index];
	struct psync_view *other;

	if (!psync_restart_known(view))
		return;
	list_for_each_entry(other, &img->views, link)
		if (other != view && !other->pending)
			psync_image_event(img, other, PSYNC_EV_RESTARTED,
					  part->pid.site,
					  PSYNC_MID(view->index, part->seq),
					  img->opening);
}

static void psync_restart_open(struct psync_image *img,
			       struct psync_view *view, u32 opening, bool kept)
{
	u32 i;

	if (!kept) {
		img->restart = true;
		img->recover = true;
		img->rs_tries = 0;
		for (i = 0; i < img->nremotes; i++)
			img->remotes[i].answers = false;
		for (i = 0; i < img->p.n; i++)
			if (img->parts[i].remote < 0)
				psync_ack_claim(img, i,
						psync_ack_greatest(img, i));
		psync_mask_review(img);
	}
	view->restart = true;
	psync_image_opened(img, view, opening, img->now);
	psync_restart_establish(view);
	if (!kept) {
		psync_restart_ask(img);
		psync_restart_check(img);
		return;
	}
	for (i = 0; i < img->nremotes; i++)
		psync_restart_say(img, img->remotes[i].site, view);
	psync_restart_tell_here(view);
	if (!img->recover)
		psync_restart_resume(img);
}

int psync_image_rejoin(struct psync_image *img, struct psync_view *view,
		       u32 index, u32 binding, u32 opening,
		       const struct psync_restart_how *how, u64 now)
{
	bool kept;
	int err;

	if (index >= img->p.n || img->parts[index].remote >= 0)
		return -EINVAL;
	if (img->parts[index].view)
		return -EBUSY;
	if (how->redo && how->nleaves)
		return -EINVAL;
	if ((how->all || how->redo) && psync_restart_partial(img))
		return -ENODATA;
	img->now = now;
	/* It may be the first here who masks nobody: that is no more known then. */
	kept = psync_restart_kept(img);
	view->index = index;
	err = psync_view_init(view, img);
	if (!err)
		err = psync_sure_join(view);
	if (!err)
		err = psync_restart_leaves(view, how, kept);
	if (err) {
		psync_view_exit(view);
		return err;
	}
	view->binding = binding;
	view->all = how->all || how->redo;
	view->redo = how->redo;
	INIT_LIST_HEAD(&view->records);
	psync_restart_disown(view);
	psync_image_settle(img, view);
	psync_restart_open(img, view, opening, kept);
	psync_flow_settle(img);
	return 0;
}
