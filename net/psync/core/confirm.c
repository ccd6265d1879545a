// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which opening of a site speaks, and what comes before that is known (S1.4).
 *
 * In a conversation with a random cid the first message of a site fixes its
 * incarnation and opening.  A rendezvous has the same cid whenever it is
 * opened, so a packet delayed from an earlier conversation of that name must
 * not pass for one of this: the first packets of each site are kept, the site
 * is asked (HELLO) once a participant has opened here, and only packets of
 * the opening that it confirms, with our nonce in the answer, go on.  It is
 * asked after we opened, so a conversation that is over can confirm only what
 * overlapped with ours.
 *
 * From then on (incarnation, opening) of a site is fixed.  Lower ones are
 * delayed; greater ones mean that the site came back while we go on, which
 * needs a restart: they are refused, with events on both sides.  Only when
 * others have said which one it is may a greater incarnation be delayed, too:
 * then the site is asked first.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "restart.h"

#define PSYNC_CONFIRM_NS_PER_MS	1000000ULL
/* Waits double up to this many times the first one. */
#define PSYNC_CONFIRM_WAIT_SHIFT 6

/**
 * struct psync_early - a packet that waits to be judged
 * @link: in psync_image.embryo or psync_remote.early
 * @pkt: the packet; its pointers lead into @data
 * @body: its body
 * @cost: what it counts in the limits
 * @size: of this structure with @data
 * @data: participants, then context
 */
struct psync_early {
	struct list_head	link;
	struct psync_pkt	pkt;
	void			*body;
	u32			cost;
	size_t			size;
	u8			data[];
};

struct psync_remote *psync_remote_find(const struct psync_image *img, u32 site)
{
	u32 lo = 0, hi = img->nremotes;
	u32 half;

	while (lo < hi) {
		half = lo + (hi - lo) / 2;
		if (img->remotes[half].site < site)
			lo = half + 1;
		else
			hi = half;
	}
	if (lo == img->nremotes || img->remotes[lo].site != site)
		return NULL;
	return &img->remotes[lo];
}

void psync_image_tell(struct psync_image *img, struct psync_view *view,
		      struct psync_event *ev)
{
	ev->cid = img->p.cid;
	ev->group = img->p.group;
	ev->number = img->p.number;
	img->ops->event(img, view, ev);
}

void psync_image_event(struct psync_image *img, struct psync_view *view,
		       u32 type, u32 site, u64 mid, u32 reason)
{
	struct psync_event ev = {
		.type	= type,
		.site	= site,
		.mid	= mid,
		.reason	= reason,
	};

	psync_image_tell(img, view, &ev);
}

static bool psync_early_has(const struct list_head *queue,
			    const struct psync_pkt *pkt)
{
	const struct psync_early *early;

	list_for_each_entry(early, queue, link)
		if (early->pkt.msg.seq == pkt->msg.seq &&
		    early->pkt.msg.sender == pkt->msg.sender &&
		    early->pkt.src_site == pkt->src_site &&
		    early->pkt.src_inc == pkt->src_inc &&
		    early->pkt.opening == pkt->opening)
			return true;
	return false;
}

static const void *psync_early_put(u8 **to, const void *from, size_t size)
{
	const void *copy = *to;

	if (!from)
		return NULL;
	memcpy(*to, from, size);
	*to += size;
	return copy;
}

static void psync_early_copy(struct psync_early *early,
			     const struct psync_pkt *pkt)
{
	u32 n = pkt->msg.n;
	u8 *to = early->data;

	early->pkt = *pkt;
	early->pkt.msg.participants =
		psync_early_put(&to, pkt->msg.participants,
				n * sizeof(struct psync_wire_pid));
	early->pkt.msg.preds =
		psync_early_put(&to, pkt->msg.preds,
				pkt->msg.npred * sizeof(struct psync_wire_mid));
	early->pkt.msg.stamp = psync_early_put(&to, pkt->msg.stamp,
					       n * sizeof(__be32));
	early->pkt.msg.highs = psync_early_put(&to, pkt->msg.highs,
					       n * sizeof(__be16));
	early->pkt.msg.bitmap = psync_early_put(&to, pkt->msg.bitmap,
						(n + 31) / 32 * 4);
}

enum psync_drop psync_early_keep(struct psync_image *img,
				 struct list_head *queue,
				 const struct psync_pkt *pkt, void *body)
{
	u64 limit = img->nopen ? img->p.limits.max_bytes :
				 img->p.limits.max_pending;
	struct psync_early *early;
	size_t size;
	u32 cost;

	if (psync_early_has(queue, pkt))
		return PSYNC_DROP_DUPLICATE;
	size = sizeof(*early) + psync_wire_hdr_size(pkt) - PSYNC_WIRE_FIXED;
	cost = img->ops->cost(img, body, pkt->body_len, size);
	/* What comes first is kept, however big it is. */
	if (img->nearly >= img->p.limits.max_early ||
	    (img->waiting_bytes && img->waiting_bytes + cost > limit))
		return PSYNC_DROP_PENDING_FULL;
	early = img->ops->alloc(img, size);
	if (!early)
		return PSYNC_DROP_NO_MEM;
	if (!img->ops->afford(img)) {
		img->ops->free(img, early, size);
		return PSYNC_DROP_PENDING_FULL;
	}
	early->size = size;
	early->cost = cost;
	early->body = body;
	psync_early_copy(early, pkt);
	list_add_tail(&early->link, queue);
	img->nearly++;
	img->body_bytes += cost;
	img->waiting_bytes += cost;
	return PSYNC_OK;
}

/* The first packet of @queue no longer counts as early; NULL: none. */
static struct psync_early *psync_early_pop(struct psync_image *img,
					   struct list_head *queue)
{
	struct psync_early *early;

	early = list_first_entry_or_null(queue, struct psync_early, link);
	if (!early)
		return NULL;
	list_del(&early->link);
	img->nearly--;
	img->body_bytes -= early->cost;
	img->waiting_bytes -= early->cost;
	return early;
}

static void psync_early_free(struct psync_image *img,
			     struct psync_early *early, enum psync_drop drop)
{
	if (drop) {
		if (early->body)
			img->ops->body_put(img, early->body);
		img->ops->dropped(img, drop);
	}
	img->ops->free(img, early, early->size);
}

/*
 * Incarnations are only ordered as long as clocks do not go back: one that is
 * not the confirmed one was present when the packet came and is not now.
 */
static bool psync_early_past(const struct psync_image *img,
			     const struct psync_early *early)
{
	const struct psync_remote *remote;

	remote = psync_remote_find(img, early->pkt.src_site);
	return remote && remote->state == PSYNC_REMOTE_CONFIRMED &&
	       remote->inc != early->pkt.src_inc;
}

void psync_early_feed(struct psync_image *img, struct list_head *queue,
		      u64 now)
{
	struct psync_early *early;
	enum psync_drop drop;
	LIST_HEAD(todo);

	list_splice_init(queue, &todo);
	while ((early = psync_early_pop(img, &todo))) {
		drop = PSYNC_DROP_STALE_OPENING;
		if (!psync_early_past(img, early))
			drop = psync_image_input(img, &early->pkt, early->body,
						 now);
		psync_early_free(img, early, drop);
	}
}

void psync_early_purge(struct psync_image *img, struct list_head *queue,
		       u32 count, enum psync_drop reason)
{
	struct psync_early *early;

	while (count-- && (early = psync_early_pop(img, queue)))
		psync_early_free(img, early, reason);
}

static void psync_confirm_hello(struct psync_image *img,
				struct psync_remote *remote)
{
	struct psync_pkt pkt = {
		.type	 = PSYNC_PKT_HELLO,
		.cid	 = img->p.cid,
		.digest	 = img->p.digest,
		.group	 = img->p.group,
		.number	 = img->p.number,
		.opening = img->opening,
		.hello	 = { .nonce = remote->nonce },
	};

	img->ops->transmit(img, remote->site, &pkt, NULL);
}

static void psync_confirm_ask(struct psync_image *img,
			      struct psync_remote *remote, u64 now)
{
	struct list_head *each;

	/*
	 * HELLO would tell of an opening that is no restart: whoever goes by an
	 * earlier one would keep nothing for it any more.  RS_ACK answers, too.
	 */
	if (img->restart) {
		psync_restart_remind(img, remote);
		return;
	}
	/*
	 * What comes later may be of an opening that the answer misses.  One
	 * question that was given up may yet be answered: it is put again.
	 */
	if (!remote->nonce) {
		remote->nasked = 0;
		list_for_each(each, &remote->early)
			remote->nasked++;
		remote->nonce = img->ops->nonce(img);
		remote->asked = now;
	}
	remote->state = PSYNC_REMOTE_ASKED;
	remote->tries = 1;
	remote->deadline = now + img->p.limits.hello_ns;
	psync_confirm_hello(img, remote);
	psync_image_arm(img, remote->deadline);
}

void psync_confirm_opened(struct psync_image *img, u64 now)
{
	u32 i;

	for (i = 0; img->p.number && i < img->nremotes; i++)
		if (img->remotes[i].state == PSYNC_REMOTE_UNKNOWN)
			psync_confirm_ask(img, &img->remotes[i], now);
}

/* How long the answer to the HELLO after @tries others is waited for. */
static u64 psync_confirm_wait(const struct psync_image *img, u32 tries)
{
	return img->p.limits.hello_ns << min_t(u32, tries,
					       PSYNC_CONFIRM_WAIT_SHIFT);
}

void psync_confirm_timer(struct psync_image *img, u64 now)
{
	const struct psync_limits *limits = &img->p.limits;
	struct psync_remote *remote;
	u32 i;

	for (i = 0; i < img->nremotes; i++) {
		remote = &img->remotes[i];
		/* Of one that another site has named meanwhile. */
		if (remote->state == PSYNC_REMOTE_CONFIRMED)
			psync_early_feed(img, &remote->early, now);
		if (remote->state != PSYNC_REMOTE_ASKED)
			continue;
		if (remote->deadline > now) {
			psync_image_arm(img, remote->deadline);
			continue;
		}
		if (remote->tries >= limits->hello_tries) {
			/* It is asked again when it speaks again. */
			remote->state = PSYNC_REMOTE_UNKNOWN;
			remote->nasked = 0;
			psync_early_purge(img, &remote->early, U32_MAX,
					  PSYNC_DROP_LEFT_OVER);
			continue;
		}
		remote->deadline = now + psync_confirm_wait(img, remote->tries);
		remote->tries++;
		psync_confirm_hello(img, remote);
		psync_image_arm(img, remote->deadline);
	}
}

void psync_image_refusal(const struct psync_pkt *pkt, u64 digest, u32 opening,
			 enum psync_refuse_reason reason, struct psync_pkt *out)
{
	*out = (struct psync_pkt){
		.type	 = PSYNC_PKT_REFUSE,
		.cid	 = pkt->cid,
		.digest	 = pkt->digest,
		.group	 = pkt->group,
		.number	 = pkt->number,
		.opening = opening,
		.refuse	 = {
			.reason	 = reason,
			.opening = pkt->opening,
			.digest	 = digest,
		},
	};
}

/* Says here that @site is refused, if it is time again. */
static void psync_confirm_note(struct psync_image *img, u32 site, u64 *quiet,
			       enum psync_refuse_reason reason, u64 now)
{
	if (now < *quiet)
		return;
	*quiet = now + PSYNC_CONFIRM_QUIET_NS;
	psync_image_event(img, NULL, reason == PSYNC_REFUSE_DIGEST ?
			  PSYNC_EV_MISMATCH : PSYNC_EV_REOPENED, site, 0, 0);
}

/* Answers @pkt with a refusal, and says so. */
static void psync_confirm_say(struct psync_image *img,
			      const struct psync_pkt *pkt, u64 *quiet,
			      enum psync_refuse_reason reason, u64 now)
{
	struct psync_pkt refusal;

	/* A refusal names an opening, and who only listens has none. */
	if (pkt->opening) {
		psync_image_refusal(pkt, img->p.digest, img->opening, reason,
				    &refusal);
		img->ops->transmit(img, pkt->src_site, &refusal, NULL);
	}
	psync_confirm_note(img, pkt->src_site, quiet, reason, now);
}

/*
 * Every opening that is refused is told at once, then now and then.  To name
 * another one costs nothing: between any two there is a wait.
 */
static void psync_confirm_refuse(struct psync_image *img,
				 const struct psync_pkt *pkt,
				 struct psync_remote *remote, u64 now)
{
	if (now < remote->refuse_at ||
	    (now < remote->quiet && pkt->opening == remote->quiet_opening))
		return;
	remote->refuse_at = now + psync_ack_wait(img, remote, 0);
	remote->quiet_opening = pkt->opening;
	psync_confirm_say(img, pkt, &remote->quiet, PSYNC_REFUSE_RESTART, now);
}

enum psync_drop psync_confirm_mismatch(struct psync_image *img,
				       const struct psync_pkt *pkt, u64 now)
{
	struct psync_remote *remote = psync_remote_find(img, pkt->src_site);
	u64 *quiet = remote ? &remote->quiet : &img->quiet;

	if (now >= *quiet)
		psync_confirm_say(img, pkt, quiet, PSYNC_REFUSE_DIGEST, now);
	return PSYNC_DROP_DIGEST;
}

void psync_confirm_fix(struct psync_remote *remote, u64 inc, u32 opening)
{
	remote->state = PSYNC_REMOTE_CONFIRMED;
	remote->inc = inc;
	remote->opening = opening;
	remote->hearsay = false;
}

int psync_confirm_compare(const struct psync_remote *remote, u64 inc,
			  u32 opening)
{
	if (inc != remote->inc)
		return inc < remote->inc ? -1 : 1;
	if (opening != remote->opening)
		return opening < remote->opening ? -1 : 1;
	return 0;
}

/* It tells us itself which it is; and if it is back (S7), that it is. */
static void psync_confirm_greet(struct psync_image *img,
				struct psync_remote *remote, u64 now)
{
	/* First that we are back ourselves, however late; its answer will do. */
	if (img->restart && !remote->answers) {
		psync_restart_remind(img, remote);
		return;
	}
	if (now < remote->rs_at)
		return;
	remote->rs_at = now + psync_ack_wait(img, remote, 0);
	if (!remote->nonce)
		remote->nonce = img->ops->nonce(img);
	psync_confirm_hello(img, remote);
}

bool psync_confirm_doubt(struct psync_image *img, struct psync_remote *remote,
			 u64 inc, u64 now)
{
	if (!remote->hearsay || remote->inc == inc)
		return false;
	psync_confirm_greet(img, remote, now);
	return true;
}

/*
 * The site of a packet came back while its earlier opening goes on here.  What
 * is open here refuses it.  What only lingers here is no conversation to come
 * back to: soon it is over, and then the packet, sent again, finds a new one.
 */
static enum psync_drop psync_confirm_later(struct psync_image *img,
					   struct psync_remote *remote,
					   const struct psync_pkt *pkt, u64 now)
{
	if (psync_confirm_doubt(img, remote, pkt->src_inc, now))
		return PSYNC_DROP_UNCONFIRMED;
	psync_ack_moved(img, remote);
	if (psync_image_lingers(img))
		return PSYNC_DROP_CLOSED;
	psync_confirm_refuse(img, pkt, remote, now);
	return PSYNC_DROP_REOPENED;
}

/* A site is heard for the first time. */
static void psync_confirm_first(struct psync_image *img,
				struct psync_remote *remote,
				const struct psync_pkt *pkt)
{
	psync_confirm_fix(remote, pkt->src_inc, pkt->opening);
	/* Who is back cannot know whether that one is, too. */
	if (img->restart)
		psync_restart_doubt(img, remote);
}

enum psync_drop psync_confirm_msg(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt, void *body,
				  u64 now, bool *kept)
{
	enum psync_drop drop;

	if (remote->state != PSYNC_REMOTE_CONFIRMED && img->p.number) {
		if (psync_image_lingers(img))
			return PSYNC_DROP_CLOSED;
		drop = psync_early_keep(img, &remote->early, pkt, body);
		*kept = !drop;
		/* What finds no room is sent again, once it can be judged. */
		if (img->nopen && remote->state == PSYNC_REMOTE_UNKNOWN)
			psync_confirm_ask(img, remote, now);
		return drop;
	}
	if (remote->state != PSYNC_REMOTE_CONFIRMED)
		psync_confirm_first(img, remote, pkt);
	switch (psync_confirm_compare(remote, pkt->src_inc, pkt->opening)) {
	case 0:
		psync_ack_heard(img, remote);
		return PSYNC_OK;
	case 1:
		return psync_confirm_later(img, remote, pkt, now);
	default:
		return PSYNC_DROP_STALE_OPENING;
	}
}

enum psync_drop psync_confirm_foreign(struct psync_image *img,
				      struct psync_remote *origin,
				      const struct psync_pkt *pkt, u64 now)
{
	int later;

	if (origin->state != PSYNC_REMOTE_CONFIRMED) {
		if (psync_image_lingers(img))
			return PSYNC_DROP_CLOSED;
		psync_confirm_fix(origin, pkt->msg.inc, pkt->msg.opening);
		origin->hearsay = true;
		psync_restart_doubt(img, origin);
		/*
		 * What is kept of it may confirm the next site, and so on: the
		 * timer feeds it.
		 */
		psync_image_arm(img, now);
	}
	later = psync_confirm_compare(origin, pkt->msg.inc, pkt->msg.opening);
	/* Others say that it is back. */
	if (later > 0 && !psync_image_lingers(img))
		psync_confirm_greet(img, origin, now);
	/*
	 * Who was back may have died before all could be told: what is kept of
	 * any of its lives is of this conversation, and numbered apart.
	 */
	if (later && (origin->hearsay || !img->parts[pkt->msg.sender].past))
		return PSYNC_DROP_STALE_OPENING;
	return PSYNC_OK;
}

enum psync_drop psync_confirm_vector(struct psync_image *img,
				     struct psync_remote *remote,
				     const struct psync_pkt *pkt, u64 now)
{
	if (remote->state == PSYNC_REMOTE_CONFIRMED) {
		switch (psync_confirm_compare(remote, pkt->src_inc,
					      pkt->opening)) {
		case 0:
			psync_ack_heard(img, remote);
			return PSYNC_OK;
		case 1:
			return psync_confirm_later(img, remote, pkt, now);
		default:
			return PSYNC_DROP_STALE_OPENING;
		}
	}
	/* A random cid: it tells what its listeners keep, or who it is. */
	if (!img->p.number) {
		if (pkt->opening)
			psync_confirm_first(img, remote, pkt);
		psync_ack_heard(img, remote);
		return PSYNC_OK;
	}
	if (img->nopen && remote->state == PSYNC_REMOTE_UNKNOWN)
		psync_confirm_ask(img, remote, now);
	return PSYNC_DROP_UNCONFIRMED;
}

bool psync_image_absence(const struct psync_pkt *pkt, struct psync_pkt *out)
{
	bool ask = false;

	if (pkt->type == PSYNC_PKT_MSG)
		ask = pkt->msg.flags & PSYNC_MSGF_ASK;
	else if (pkt->type == PSYNC_PKT_RS)
		ask = true;
	else if (pkt->type == PSYNC_PKT_ACK)
		ask = pkt->vector.flags & PSYNC_VECTORF_ASK;
	if (!ask || !pkt->opening || !pkt->digest)
		return false;
	psync_image_refusal(pkt, pkt->digest, 0, PSYNC_REFUSE_ABSENT, out);
	return true;
}

/*
 * The site that we wait for is there: it is asked at once, or as soon as the
 * first wait after the last question is over, and waits begin anew.
 */
static void psync_confirm_hurry(struct psync_image *img,
				struct psync_remote *remote, u64 now)
{
	u64 at = remote->deadline - psync_confirm_wait(img, remote->tries - 1) +
		 psync_confirm_wait(img, 0);

	if (at <= now) {
		psync_confirm_ask(img, remote, now);
		return;
	}
	remote->tries = 1;
	remote->deadline = at;
	psync_image_arm(img, at);
}

void psync_image_greeted(struct psync_image *img, const struct psync_pkt *pkt,
			 u64 now)
{
	struct psync_remote *remote = psync_remote_find(img, pkt->src_site);

	img->now = now;
	if (!remote)
		return;
	if (!remote->answers)
		psync_restart_remind(img, remote);
	if (!img->p.number || !img->nopen)
		return;
	if (remote->state == PSYNC_REMOTE_UNKNOWN) {
		psync_confirm_ask(img, remote, now);
	} else if (remote->state == PSYNC_REMOTE_ASKED) {
		if (remote->tries > 1)
			psync_confirm_hurry(img, remote, now);
	} else if (remote->inc == pkt->src_inc &&
		   psync_confirm_compare(remote, pkt->src_inc,
					 pkt->opening) > 0) {
		/* Our answer refuses it as much as a REFUSE does. */
		psync_ack_moved(img, remote);
		psync_confirm_note(img, remote->site, &remote->quiet,
				   PSYNC_REFUSE_RESTART, now);
	}
}

/* Others go on with an earlier opening of ours. */
static void psync_confirm_stale(struct psync_image *img,
				struct psync_remote *remote)
{
	if (img->refused)
		return;
	/* They are told that it is a restart. */
	if (img->restart) {
		psync_restart_remind(img, remote);
		return;
	}
	img->refused = true;
	psync_image_event(img, NULL, PSYNC_EV_STALE, remote->site, 0, 0);
}

/* Was the conversation there open while ours was?  It was closed at most @age
 * (in whole milliseconds, so one more) before the answer, which came after we
 * asked.
 */
static bool psync_confirm_overlaps(const struct psync_image *img,
				   const struct psync_remote *remote,
				   const struct psync_pkt *pkt)
{
	u64 age = (pkt->hello.age + 1ULL) * PSYNC_CONFIRM_NS_PER_MS;

	if (pkt->hello.state == PSYNC_HELLO_OPEN)
		return true;
	return pkt->hello.state == PSYNC_HELLO_CLOSED &&
	       remote->asked >= img->opened + age;
}

/* No packet of an earlier incarnation comes any more, whatever it answers. */
static enum psync_drop psync_confirm_witness(struct psync_image *img,
					     struct psync_remote *remote,
					     const struct psync_pkt *pkt)
{
	remote->hearsay = false;
	if (pkt->hello.state == PSYNC_HELLO_OPEN &&
	    !psync_confirm_compare(remote, pkt->src_inc, pkt->opening))
		psync_ack_heard(img, remote);
	return PSYNC_OK;
}

enum psync_drop psync_confirm_ack(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt, u64 now)
{
	if ((remote->state == PSYNC_REMOTE_CONFIRMED && !remote->hearsay) ||
	    !remote->nonce || remote->nonce != pkt->hello.nonce)
		return PSYNC_DROP_BAD_NONCE;
	remote->nonce = 0;
	if (remote->hearsay)
		return psync_confirm_witness(img, remote, pkt);
	if (pkt->hello.known && pkt->hello.known != img->opening)
		psync_confirm_stale(img, remote);
	if (psync_image_lingers(img)) {
		remote->state = PSYNC_REMOTE_UNKNOWN;
		psync_early_purge(img, &remote->early, U32_MAX,
				  PSYNC_DROP_CLOSED);
		return PSYNC_OK;
	}
	if (psync_confirm_overlaps(img, remote, pkt)) {
		psync_confirm_first(img, remote, pkt);
		if (pkt->hello.state == PSYNC_HELLO_OPEN)
			psync_ack_heard(img, remote);
		psync_early_feed(img, &remote->early, now);
		return PSYNC_OK;
	}
	/* What was there when we asked is older than the answer. */
	remote->state = PSYNC_REMOTE_UNKNOWN;
	psync_early_purge(img, &remote->early, remote->nasked,
			  PSYNC_DROP_STALE_OPENING);
	if (img->nopen && !list_empty(&remote->early))
		psync_confirm_ask(img, remote, now);
	return PSYNC_OK;
}

enum psync_drop psync_confirm_refused(struct psync_image *img,
				      struct psync_remote *remote,
				      const struct psync_pkt *pkt, u64 now)
{
	if (!img->opening || pkt->refuse.opening != img->opening)
		return PSYNC_DROP_STALE_OPENING;
	if (pkt->refuse.reason == PSYNC_REFUSE_ABSENT) {
		psync_ack_denied(img, remote);
		psync_restart_denied(img, remote);
		return PSYNC_OK;
	}
	if (pkt->refuse.reason == PSYNC_REFUSE_RESTART && img->restart) {
		psync_confirm_stale(img, remote);
		return PSYNC_OK;
	}
	if (now >= remote->quiet_refused) {
		remote->quiet_refused = now + PSYNC_CONFIRM_QUIET_NS;
		psync_image_event(img, NULL, PSYNC_EV_REFUSED, remote->site, 0,
				  pkt->refuse.reason);
	}
	if (pkt->refuse.reason == PSYNC_REFUSE_RESTART)
		psync_confirm_stale(img, remote);
	return PSYNC_OK;
}

u32 psync_image_opening(const struct psync_image *img, u32 site, u64 *inc)
{
	const struct psync_remote *remote = psync_remote_find(img, site);

	*inc = 0;
	if (!remote || remote->state != PSYNC_REMOTE_CONFIRMED)
		return 0;
	*inc = remote->inc;
	return remote->opening;
}

void psync_image_address(const struct psync_image *img, u32 site,
			 struct psync_pkt *pkt)
{
	u32 opening;
	u64 inc;

	/* Questions and refusals are for whoever is there. */
	pkt->dst_inc = 0;
	opening = psync_image_opening(img, site, &inc);
	if (pkt->type == PSYNC_PKT_MSG) {
		pkt->dst_inc = inc;
		pkt->msg.dst_opening = opening;
	} else if (psync_wire_is_vector(pkt->type) &&
		   pkt->type != PSYNC_PKT_RS) {
		pkt->dst_inc = inc;
		pkt->vector.dst_opening = opening;
	}
}

void psync_image_hello_answer(const struct psync_image *img, u32 closed,
			      u32 age_ms, const struct psync_pkt *hello,
			      struct psync_pkt *ack)
{
	const struct psync_remote *remote;

	*ack = (struct psync_pkt){
		.type	= PSYNC_PKT_HELLO_ACK,
		.cid	= hello->cid,
		.digest	= hello->digest,
		.group	= hello->group,
		.number	= hello->number,
		.hello	= {
			.nonce	= hello->hello.nonce,
			.state	= PSYNC_HELLO_NONE,
		},
	};
	if (img && img->nopen) {
		remote = psync_remote_find(img, hello->src_site);
		ack->opening = img->opening;
		ack->hello.state = PSYNC_HELLO_OPEN;
		if (remote && remote->state == PSYNC_REMOTE_CONFIRMED &&
		    remote->inc == hello->src_inc)
			ack->hello.known = remote->opening;
	} else if (closed) {
		ack->opening = closed;
		ack->hello.state = PSYNC_HELLO_CLOSED;
		ack->hello.age = age_ms;
	}
}
