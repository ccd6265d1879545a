// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations of a site: their table, lifetime, timer and participants.
 *
 * A psync_conv wraps the core's image with what the core must not know: a
 * lock, a reference count, a timer, and the queue of packets to leave.  It is
 * entered from system calls, from softirq (links) and from its own timer.
 *
 * Lingering.  When the last participant has left, the conversation is closed:
 * it is remembered as closed, HELLO is told so, nobody joins it.  It stays in
 * the table, without any participant's reference, while others lack what was
 * sent here: packets and the timer go on, which is what psync_image_over()
 * waits for and psync_conv_check() looks at after each.  It is given up before
 * that when linger_ms are over, when more than linger_max linger, when the
 * rendezvous is opened anew, when the site's id changes, and at once at the
 * end of the namespace, whose devices are gone then.  Bodies are no socket's
 * any more once their sender has left, so what lingers holds neither a socket
 * nor its namespace.
 *
 * Lifetime.  References: the table's, one per participant, one while the timer
 * is armed or its callback runs (psync_conv.armed), one per user of
 * psync_conv_find_get().  The end is psync_conv_kill(), under the lock, when
 * nobody has it open and it need not linger any more, when a pending
 * conversation is given up, or at the end of the namespace:
 *
 *  1. it sets dead, after which nobody arms the timer, joins or feeds packets
 *     (each checks under the same lock);
 *  2. it takes the conversation out of the table, so that no new reference
 *     comes from there but those of readers already inside rcu_read_lock(),
 *     who use kref_get_unless_zero() and then see dead;
 *  3. it tries to stop the timer: a queued one is taken out and its reference
 *     dropped; a running callback waits for the lock, sees dead and drops the
 *     reference itself; should it be queued again behind a running callback,
 *     which need not look any more, that last expiry, which cannot be taken
 *     out, comes at once and inherits the reference;
 *  4. it drops the table's reference.
 *
 * With the last reference the image is destroyed and the memory freed after a
 * grace period.  psync_conv_net_exit() waits until none is left, so no timer
 * of a namespace outlives it; module exit waits for the RCU callbacks.
 */

#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "core/hash.h"
#include "psync.h"
#include "trace.h"

static const struct rhashtable_params psync_conv_params = {
	.key_len		= sizeof(u64),
	.key_offset		= offsetof(struct psync_conv, cid),
	.head_offset		= offsetof(struct psync_conv, node),
	.automatic_shrinking	= true,
};

/* Caches of their own: what is left at unload is reported by the kernel. */
static struct kmem_cache *psync_conv_cache;
static struct kmem_cache *psync_participant_cache;

static struct psync_conv *psync_conv_of(struct psync_image *img)
{
	return container_of(img, struct psync_conv, img);
}

/* The core's surroundings: called with the conversation's lock held. */

static void *psync_conv_op_alloc(struct psync_image *img, size_t size)
{
	void *mem = kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);

	if (mem)
		psync_conv_of(img)->charge.bytes += size;
	return mem;
}

static void psync_conv_op_free(struct psync_image *img, void *mem, size_t size)
{
	if (mem)
		psync_conv_of(img)->charge.bytes -= size;
	kfree(mem);
}

/* A body takes what its skb does, shared data included. */
static u32 psync_conv_op_cost(struct psync_image *img, void *body, u32 len,
			      size_t size)
{
	struct psync_conv *conv = psync_conv_of(img);
	const struct sk_buff *skb = body;

	conv->cost = size + (skb ? skb->truesize : 0);
	return conv->cost;
}

/*
 * The bytes of @skb itself, and then of each piece on its frag_list, which has
 * one of its own if IP has put it together.  (skb_seq_read() goes down once.)
 */
static void psync_conv_hash(struct psync_hash *hash, struct sk_buff *skb)
{
	unsigned int at = 0, len = skb->len, n;
	struct skb_seq_state state;
	struct sk_buff *piece;
	const u8 *data;

	skb_walk_frags(skb, piece)
		len -= piece->len;
	skb_prepare_seq_read(skb, 0, len, &state);
	while ((n = skb_seq_read(at, &data, &state))) {
		psync_hash_add(hash, data, n);
		at += n;
	}
	skb_walk_frags(skb, piece)
		psync_conv_hash(hash, piece);
}

/*
 * Its pieces are read one after the other: were each few bytes looked for from
 * the beginning, a long message in small fragments would take minutes.
 */
static u64 psync_conv_op_hash(struct psync_image *img, const void *body,
			      u32 len)
{
	struct psync_hash hash = {};

	/* It is only read, whatever the type says. */
	psync_conv_hash(&hash, (struct sk_buff *)body);
	return psync_hash_end(&hash);
}

/* Nobody waits for it any more: it is not its sender's to pay for. */
static void psync_conv_op_rest(struct psync_image *img, void *body)
{
	psync_charge_disown(psync_conv_of(img), body);
}

static void psync_conv_op_body_put(struct psync_image *img, void *body)
{
	psync_charge_body_put(psync_conv_of(img), body);
	consume_skb(body);
}

/* Is there somebody to pay for what was just made of a message? */
static bool psync_conv_op_afford(struct psync_image *img)
{
	struct psync_conv *conv = psync_conv_of(img);

	if (psync_charge_settle(conv))
		return true;
	PSYNC_INC(conv->pnet, CHARGE_REFUSED);
	return false;
}

static u32 psync_conv_op_room(struct psync_image *img, struct psync_view *view)
{
	struct psync_participant *part;

	part = container_of(view, struct psync_participant, view);
	return part->sk ? READ_ONCE(part->sk->sk_rcvbuf) : U32_MAX;
}

static void psync_conv_queue_tx(struct psync_conv *conv, u32 site,
				struct psync_pkt *pkt, struct sk_buff *body)
{
	struct sk_buff *skb;

	psync_image_address(&conv->img, site, pkt);
	skb = psync_output_build(conv->pnet, site, pkt, body);
	if (!skb)
		return;
	/*
	 * Back-pressure: what waits in a device counts as the sender's.  What is
	 * cut does not wait there itself, and its copies, one for each site,
	 * would all count the body that they share.
	 */
	if (body && body->sk && skb->len <= U16_MAX &&
	    psync_charge_counts(body->sk, skb->truesize))
		skb_set_owner_w(skb, body->sk);
	__skb_queue_tail(&conv->txq, skb);
}

static void psync_conv_count_tx(struct psync_net *pnet, u32 site,
				const struct psync_pkt *pkt)
{
	switch (pkt->type) {
	case PSYNC_PKT_MSG:
		if (pkt->msg.flags & PSYNC_MSGF_REPEAT)
			PSYNC_INC(pnet, MSG_REPEATED);
		break;
	case PSYNC_PKT_HELLO:
		PSYNC_INC(pnet, HELLO_SENT);
		trace_psync_hello(pnet, site, pkt->cid, pkt->hello.nonce,
				  false);
		break;
	case PSYNC_PKT_REFUSE:
		PSYNC_INC(pnet, REFUSE_SENT);
		break;
	case PSYNC_PKT_ACK:
		PSYNC_INC(pnet, ACK_SENT);
		break;
	case PSYNC_PKT_RR:
		PSYNC_INC(pnet, RR_SENT);
		break;
	case PSYNC_PKT_GONE:
		PSYNC_INC(pnet, GONE_SENT);
		break;
	case PSYNC_PKT_RS:
		PSYNC_INC(pnet, RS_SENT);
		break;
	case PSYNC_PKT_RS_ACK:
		PSYNC_INC(pnet, RS_ANSWERED);
		break;
	}
}

static void psync_conv_op_transmit(struct psync_image *img, u32 site,
				   struct psync_pkt *pkt, void *body)
{
	struct psync_conv *conv = psync_conv_of(img);
	u32 i;

	psync_conv_count_tx(conv->pnet, site, pkt);
	if (site) {
		psync_conv_queue_tx(conv, site, pkt, body);
		return;
	}
	for (i = 0; i < img->nremotes; i++)
		psync_conv_queue_tx(conv, img->remotes[i].site, pkt, body);
}

static void psync_conv_op_readable(struct psync_image *img,
				   struct psync_view *view)
{
	struct psync_participant *part;

	part = container_of(view, struct psync_participant, view);
	if (part->sk)
		part->sk->sk_data_ready(part->sk);
}

static void psync_conv_event_one(struct psync_view *view,
				 const struct psync_event *ev)
{
	struct psync_participant *part;

	part = container_of(view, struct psync_participant, view);
	if (!part->sk)
		return;
	psync_event_queue(part->sk, ev);
	if (ev->type == PSYNC_EV_STALE ||
	    (ev->type == PSYNC_EV_AGREED && view->out &&
	     PSYNC_MID_INDEX(ev->mid) == view->index)) {
		part->sk->sk_err = ESTALE;
		sk_error_report(part->sk);
	} else if (view->lost && ev->type == PSYNC_EV_GAP) {
		part->sk->sk_err = ENODATA;
		sk_error_report(part->sk);
	}
}

static void psync_conv_op_event(struct psync_image *img,
				struct psync_view *view,
				const struct psync_event *ev)
{
	struct psync_net *pnet = psync_conv_of(img)->pnet;
	struct psync_view *each;

	if (view) {
		psync_conv_event_one(view, ev);
		return;
	}
	if (ev->type == PSYNC_EV_BLOCKED)
		PSYNC_INC(pnet, SLOW_BLOCKED);
	else if (ev->type == PSYNC_EV_SUSPECT)
		PSYNC_INC(pnet, SLOW_SUSPECTED);
	else if (ev->type == PSYNC_EV_SKIPPED)
		PSYNC_INC(pnet, SLOW_SKIPPED);
	else if (ev->type == PSYNC_EV_RESUMED)
		PSYNC_INC(pnet, SLOW_RESUMED);
	list_for_each_entry(each, &img->views, link)
		psync_conv_event_one(each, ev);
	psync_netlink_event(pnet, ev);
}

/* There is room again: who sleeps or polls for it looks once more. */
static void psync_conv_op_writable(struct psync_image *img)
{
	struct psync_participant *part;
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link) {
		part = container_of(view, struct psync_participant, view);
		if (part->sk)
			psync_sock_wake_writers(part->sk);
	}
}

/* The kernel sent @node for @view's participant, or received it for it. */
static void psync_conv_op_passed(struct psync_image *img,
				 struct psync_view *view,
				 const struct psync_node *node)
{
	struct psync_net *pnet = psync_conv_of(img)->pnet;
	bool own = node->made && node->sender == view->index;

	if (node->kind == PSYNC_KIND_RESTART && own)
		PSYNC_INC(pnet, RESTART_SENT);
	else if (node->kind == PSYNC_KIND_RESTART)
		PSYNC_INC(pnet, RESTART_RECEIVED);
	else if (node->kind == PSYNC_KIND_END && own)
		PSYNC_INC(pnet, END_SENT);
	else if (node->kind == PSYNC_KIND_END)
		PSYNC_INC(pnet, END_RECEIVED);
	else if (node->kind == PSYNC_KIND_MASK && own)
		PSYNC_INC(pnet, MASK_SENT);
	else if (node->kind == PSYNC_KIND_MASK)
		PSYNC_INC(pnet, MASK_RECEIVED);
	else if (node->kind == PSYNC_KIND_GAP && own)
		PSYNC_INC(pnet, GAP_SENT);
	else if (node->kind == PSYNC_KIND_GAP)
		PSYNC_INC(pnet, GAP_RECEIVED);
	else if (node->kind == PSYNC_KIND_NULL && own)
		PSYNC_INC(pnet, NULL_SENT);
	else if (node->kind == PSYNC_KIND_NULL)
		PSYNC_INC(pnet, NULL_RECEIVED);
	trace_psync_pass(pnet, img->p.cid, view->index,
			 PSYNC_MID(node->sender, node->seq), node->kind);
}

static void psync_conv_op_stable(struct psync_image *img,
				 struct psync_watch *watch)
{
	struct sock *sk = watch->user;

	sk->sk_data_ready(sk);
}

static void psync_conv_op_dropped(struct psync_image *img,
				  enum psync_drop reason)
{
	psync_drop(psync_conv_of(img)->pnet, NULL, reason);
}

static u64 psync_conv_op_nonce(struct psync_image *img)
{
	return get_random_u64() ?: 1;
}

/* The earliest time at which this conversation has something to do. */
static u64 psync_conv_deadline(const struct psync_conv *conv)
{
	return min(conv->img.deadline, conv->embryo_end);
}

/* Lock held.  Slack of an eighth of the wait lets wake-ups coincide. */
static void psync_conv_arm(struct psync_conv *conv)
{
	u64 deadline = psync_conv_deadline(conv);
	u64 now = ktime_get_ns();
	u64 slack;

	lockdep_assert_held(&conv->lock);
	if (conv->dead || deadline == U64_MAX)
		return;
	if (conv->armed && hrtimer_is_queued(&conv->timer) &&
	    ktime_to_ns(hrtimer_get_softexpires(&conv->timer)) <= deadline)
		return;
	if (!conv->armed) {
		kref_get(&conv->ref);
		conv->armed = true;
	}
	slack = deadline > now ? (deadline - now) >> 3 : 0;
	hrtimer_start_range_ns(&conv->timer, ns_to_ktime(deadline), slack,
			       HRTIMER_MODE_ABS_SOFT);
}

static void psync_conv_op_arm(struct psync_image *img, u64 deadline)
{
	psync_conv_arm(psync_conv_of(img));
}

static const struct psync_image_ops psync_conv_ops = {
	.alloc		= psync_conv_op_alloc,
	.free		= psync_conv_op_free,
	.transmit	= psync_conv_op_transmit,
	.body_put	= psync_conv_op_body_put,
	.readable	= psync_conv_op_readable,
	.event		= psync_conv_op_event,
	.arm		= psync_conv_op_arm,
	.cost		= psync_conv_op_cost,
	.room		= psync_conv_op_room,
	.afford		= psync_conv_op_afford,
	.writable	= psync_conv_op_writable,
	.hash		= psync_conv_op_hash,
	.rest		= psync_conv_op_rest,
	.passed		= psync_conv_op_passed,
	.stable		= psync_conv_op_stable,
	.dropped	= psync_conv_op_dropped,
	.nonce		= psync_conv_op_nonce,
};

static void psync_conv_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(psync_conv_cache,
			container_of(rcu, struct psync_conv, rcu));
}

static void psync_conv_release(struct kref *ref)
{
	struct psync_conv *conv = container_of(ref, struct psync_conv, ref);
	struct psync_net *pnet = conv->pnet;

	/* Nobody else can reach it: the lock is for the core's contract. */
	spin_lock_bh(&conv->lock);
	psync_image_destroy(&conv->img);
	if (conv->charge.bytes != sizeof(*conv))
		pr_err_ratelimited("psync: leak: a conversation ends with %llu bytes\n",
				   conv->charge.bytes);
	conv->charge.bytes = 0;
	psync_charge_move(conv);
	psync_charge_settle(conv);
	spin_unlock_bh(&conv->lock);
	__skb_queue_purge(&conv->txq);
	call_rcu(&conv->rcu, psync_conv_free_rcu);
	psync_site_release(pnet);
	if (atomic_dec_and_test(&pnet->alive))
		wake_up_var(&pnet->alive);
}

void psync_conv_put(struct psync_conv *conv)
{
	kref_put(&conv->ref, psync_conv_release);
}

void psync_conv_lock(struct psync_conv *conv)
	__acquires(&conv->lock)
{
	spin_lock_bh(&conv->lock);
}

/*
 * How often, and why, the window was made smaller since it was looked at, and how
 * often a slow site was masked out.
 */
static void psync_conv_count_flow(struct psync_conv *conv)
{
	u32 i, more;

	for (i = 0; i < PSYNC_CUT_MAX; i++) {
		more = conv->img.cuts[i] - conv->cuts[i];
		conv->cuts[i] += more;
		if (more)
			psync_count_cuts(conv->pnet, i, more);
	}
	for (; conv->shuts != conv->img.shuts; conv->shuts++)
		PSYNC_INC(conv->pnet, SLOW_MASKED);
}

void psync_conv_unlock(struct psync_conv *conv)
	__releases(&conv->lock)
{
	struct sk_buff_head txq;
	struct sk_buff *skb;

	__skb_queue_head_init(&txq);
	skb_queue_splice_tail_init(&conv->txq, &txq);
	psync_charge_settle(conv);
	psync_conv_count_flow(conv);
	spin_unlock_bh(&conv->lock);
	while ((skb = __skb_dequeue(&txq)))
		psync_output_send(conv->pnet, skb);
}

struct psync_conv *psync_conv_find_get(struct psync_net *pnet, u64 cid)
{
	struct psync_conv *conv;

	rcu_read_lock();
	conv = rhashtable_lookup(&pnet->convs, &cid, psync_conv_params);
	if (conv && !kref_get_unless_zero(&conv->ref))
		conv = NULL;
	rcu_read_unlock();
	return conv;
}

static void psync_conv_pend(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->pnet->table_lock);
	conv->pending = true;
	list_add_tail(&conv->pending_link, &conv->pnet->pending_list);
	conv->pnet->npending++;
}

static void psync_conv_unpend(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->pnet->table_lock);
	if (!conv->pending)
		return;
	conv->pending = false;
	list_del(&conv->pending_link);
	conv->pnet->npending--;
}

static void psync_conv_unlinger(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->pnet->table_lock);
	if (!conv->lingering)
		return;
	conv->lingering = false;
	list_del(&conv->linger_link);
	conv->pnet->nlinger--;
}

/*
 * Takes a conversation out of the world; see the proof above.  The lock is
 * held; the caller holds a reference of its own, so that the lock survives.
 */
void psync_conv_kill(struct psync_conv *conv)
{
	struct psync_net *pnet = conv->pnet;

	lockdep_assert_held(&conv->lock);
	if (conv->dead)
		return;
	conv->dead = true;
	spin_lock(&pnet->table_lock);
	rhashtable_remove_fast(&pnet->convs, &conv->node, psync_conv_params);
	list_del(&conv->list);
	pnet->nconvs--;
	psync_conv_unpend(conv);
	psync_conv_unlinger(conv);
	spin_unlock(&pnet->table_lock);
	if (hrtimer_try_to_cancel(&conv->timer) == 1 && conv->armed) {
		conv->armed = false;
		psync_conv_put(conv);
	} else if (conv->armed && hrtimer_is_queued(&conv->timer)) {
		hrtimer_start(&conv->timer, ns_to_ktime(ktime_get_ns()),
			      HRTIMER_MODE_ABS_SOFT);
	}
	PSYNC_INC(pnet, CONV_CLOSED);
	psync_conv_put(conv);
}

/* Not all of what was sent here is held everywhere: nobody will repair it. */
static void psync_conv_give_up(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->lock);
	if (!conv->dead && conv->lingering && conv->img.nowed &&
	    !conv->img.refused)
		PSYNC_INC(conv->pnet, CONV_GIVEN_UP);
	psync_conv_kill(conv);
}

void psync_conv_check(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->lock);
	if (conv->lingering && psync_image_over(&conv->img))
		psync_conv_give_up(conv);
}

static enum hrtimer_restart psync_conv_timer(struct hrtimer *timer)
{
	struct psync_conv *conv = container_of(timer, struct psync_conv, timer);
	u64 now = ktime_get_ns();
	bool last;

	psync_conv_lock(conv);
	if (!conv->dead) {
		if (conv->embryo_end <= now) {
			PSYNC_INC(conv->pnet, CONV_EVICTED);
			psync_conv_kill(conv);
		} else {
			psync_image_timer(&conv->img, now);
			psync_conv_check(conv);
			psync_conv_arm(conv);
		}
	}
	/* Queued again means: that expiry inherits the reference. */
	last = !hrtimer_is_queued(timer);
	if (last)
		conv->armed = false;
	psync_conv_unlock(conv);
	if (last)
		psync_conv_put(conv);
	return HRTIMER_NORESTART;
}

/*
 * The oldest pending conversation that no participant here waits for (an
 * embryo or an early rendezvous), of one opener or, @opener 0, of any.  Given
 * with a reference, to be killed by the caller without table_lock.
 */
static struct psync_conv *psync_conv_victim(struct psync_net *pnet, u32 opener)
{
	struct psync_conv *conv;

	lockdep_assert_held(&pnet->table_lock);
	list_for_each_entry(conv, &pnet->pending_list, pending_link) {
		if ((!opener || conv->opener == opener) &&
		    !READ_ONCE(conv->img.nviews) &&
		    kref_get_unless_zero(&conv->ref))
			return conv;
	}
	return NULL;
}

/*
 * Is there room for another pending conversation, perhaps for a victim?  No
 * opener may have more than half of all: the others' must fit, too.
 */
static int psync_conv_room(struct psync_net *pnet, u32 opener,
			   struct psync_conv **victim)
{
	unsigned int max = READ_ONCE(pnet->sysctl.pending_max);
	struct psync_conv *conv;
	unsigned int same = 0;

	lockdep_assert_held(&pnet->table_lock);
	list_for_each_entry(conv, &pnet->pending_list, pending_link)
		same += conv->opener == opener;
	if (same > max / 2)
		*victim = psync_conv_victim(pnet, opener);
	else if (pnet->npending >= max)
		*victim = psync_conv_victim(pnet, 0);
	else
		return 0;
	return *victim ? 0 : -EBUSY;
}

static void psync_conv_evict(struct psync_conv *conv)
{
	psync_conv_lock(conv);
	/* Meanwhile somebody may have opened it, sent and left: it lingers. */
	if (!conv->dead && conv->pending && !conv->img.nviews) {
		PSYNC_INC(conv->pnet, CONV_EVICTED);
		psync_conv_kill(conv);
	}
	psync_conv_unlock(conv);
	psync_conv_put(conv);
}

void psync_conv_evict_pending(struct psync_net *pnet)
{
	struct psync_conv *conv;

	do {
		spin_lock_bh(&pnet->table_lock);
		conv = psync_conv_victim(pnet, 0);
		spin_unlock_bh(&pnet->table_lock);
		if (conv)
			psync_conv_evict(conv);
	} while (conv);
}

/* The oldest that lingers, with a reference, when there are more than @max. */
static struct psync_conv *psync_conv_lingerer(struct psync_net *pnet,
					      unsigned int max)
{
	struct psync_conv *conv, *found = NULL;

	spin_lock_bh(&pnet->table_lock);
	if (pnet->nlinger > max) {
		/* In the table under table_lock: the table's reference holds. */
		conv = list_first_entry(&pnet->linger_list, struct psync_conv,
					linger_link);
		kref_get(&conv->ref);
		found = conv;
	}
	spin_unlock_bh(&pnet->table_lock);
	return found;
}

void psync_conv_evict_lingering(struct psync_net *pnet, unsigned int max)
{
	struct psync_conv *conv;

	while ((conv = psync_conv_lingerer(pnet, max))) {
		psync_conv_lock(conv);
		psync_conv_give_up(conv);
		psync_conv_unlock(conv);
		psync_conv_put(conv);
	}
}

/* The oldest that linger go while more is owed than may be. */
static void psync_conv_evict_owing(struct psync_net *pnet)
{
	unsigned int n;

	while (atomic_long_read(&pnet->owed) >
	       READ_ONCE(pnet->sysctl.owed_bytes)) {
		n = READ_ONCE(pnet->nlinger);
		if (!n)
			return;
		psync_conv_evict_lingering(pnet, n - 1);
	}
}

static int psync_conv_insert(struct psync_net *pnet, struct psync_conv *conv,
			     struct psync_conv **old, struct psync_conv **victim)
{
	struct psync_conv *there;
	int err = 0;

	*victim = NULL;
	spin_lock_bh(&pnet->table_lock);
	if (pnet->nconvs >= READ_ONCE(pnet->sysctl.convs_max))
		err = -ENFILE;
	else if (conv->opener)
		err = psync_conv_room(pnet, conv->opener, victim);
	if (err)
		goto out;
	there = rhashtable_lookup_get_insert_fast(&pnet->convs, &conv->node,
						  psync_conv_params);
	if (IS_ERR(there)) {
		err = PTR_ERR(there);
	} else if (there) {
		/* In the table under table_lock: the table's reference holds. */
		kref_get(&there->ref);
		*old = there;
		err = -EEXIST;
	} else {
		conv->serial = ++pnet->serial;
		list_add_tail(&conv->list, &pnet->conv_list);
		pnet->nconvs++;
		if (conv->opener)
			psync_conv_pend(conv);
	}
out:
	spin_unlock_bh(&pnet->table_lock);
	return err;
}

static void psync_conv_limits(const struct psync_net *pnet,
			      struct psync_limits *limits)
{
	const struct psync_sysctl *ctl = &pnet->sysctl;

	limits->max_nodes = READ_ONCE(ctl->graph_depth);
	limits->max_held = READ_ONCE(ctl->held_max);
	limits->max_early = READ_ONCE(ctl->early_max);
	limits->max_bytes = READ_ONCE(ctl->image_bytes);
	limits->max_pending = READ_ONCE(ctl->pending_bytes);
	limits->hello_ns = (u64)READ_ONCE(ctl->hello_ms) * NSEC_PER_MSEC;
	limits->hello_tries = READ_ONCE(ctl->hello_tries);
	limits->ack_ns = (u64)READ_ONCE(ctl->ack_us) * NSEC_PER_USEC;
	limits->null_ns = (u64)READ_ONCE(ctl->null_ms) * NSEC_PER_MSEC;
	limits->rto_ns = (u64)READ_ONCE(ctl->rto_ms) * NSEC_PER_MSEC;
	limits->rto_min_ns = (u64)READ_ONCE(ctl->rto_min_us) * NSEC_PER_USEC;
	limits->rto_max_ns = (u64)READ_ONCE(ctl->rto_max_ms) * NSEC_PER_MSEC;
	limits->absent_ns = (u64)READ_ONCE(ctl->absent_ms) * NSEC_PER_MSEC;
	limits->silent_ns = (u64)READ_ONCE(ctl->silent_ms) * NSEC_PER_MSEC;
	limits->suspect_ns = (u64)READ_ONCE(ctl->suspect_ms) * NSEC_PER_MSEC;
	limits->linger_ns = (u64)READ_ONCE(ctl->linger_ms) * NSEC_PER_MSEC;
	limits->repair_rate = READ_ONCE(ctl->repair_rate);
	limits->max_msgs = READ_ONCE(ctl->image_msgs);
	limits->first_msgs = READ_ONCE(ctl->first_msgs);
	limits->first_bytes = READ_ONCE(ctl->first_bytes);
}

/* S6.6; it acts where messages are sent, so each site goes by its own. */
static void psync_conv_slow(struct psync_net *pnet, u32 number,
			    struct psync_limits *limits)
{
	const struct psync_group *group = NULL;
	struct psync_slow slow = {};

	rcu_read_lock();
	if (number)
		group = psync_group_find_rcu(pnet, number);
	if (group)
		slow = group->slow;
	rcu_read_unlock();
	if (!slow.ms)
		slow.ms = READ_ONCE(pnet->sysctl.slow_ms);
	limits->slow = slow.policy;
	limits->slow_ns = (u64)slow.ms * NSEC_PER_MSEC;
}

int psync_conv_open(struct psync_net *pnet, struct psync_image_params *p,
		    u32 opener, struct psync_conv **conv)
{
	struct psync_conv *new, *old = NULL, *victim = NULL;
	int err;

	if (READ_ONCE(pnet->nconvs) >= READ_ONCE(pnet->sysctl.convs_max))
		return -ENFILE;
	if (!psync_site_hold(pnet))
		return -ENETDOWN;
	p->site = pnet->site;
	p->inc = pnet->inc;
	p->seq_base = 0;
	psync_conv_limits(pnet, &p->limits);
	psync_conv_slow(pnet, p->group, &p->limits);

	err = -ENOMEM;
	new = kmem_cache_zalloc(psync_conv_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		goto err_release;
	spin_lock_init(&new->lock);
	kref_init(&new->ref);
	__skb_queue_head_init(&new->txq);
	hrtimer_setup(&new->timer, psync_conv_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
	new->pnet = pnet;
	new->cid = p->cid;
	new->opener = opener;
	new->charge.bytes = sizeof(*new);
	new->embryo_end = U64_MAX;
	if (!p->n)
		new->embryo_end = ktime_get_ns() +
			(u64)READ_ONCE(pnet->sysctl.embryo_ms) * NSEC_PER_MSEC;
	err = psync_image_init(&new->img, p, &psync_conv_ops);
	if (err)
		goto err_free;
	atomic_inc(&pnet->alive);
	kref_get(&new->ref);		/* the caller's, beside the table's */
	err = psync_conv_insert(pnet, new, &old, &victim);
	if (err) {
		if (victim)
			psync_conv_put(victim);
		psync_conv_put(new);
		psync_conv_put(new);	/* releases the site too */
		*conv = old;
		return err;
	}
	if (victim)
		psync_conv_evict(victim);
	psync_conv_lock(new);
	psync_conv_arm(new);
	psync_conv_unlock(new);
	*conv = new;
	return 0;

err_free:
	kmem_cache_free(psync_conv_cache, new);
err_release:
	psync_site_release(pnet);
	return err;
}

/* Not pending any more: somebody here takes part.  Lock held. */
static void psync_conv_opened(struct psync_conv *conv)
{
	struct psync_net *pnet = conv->pnet;

	lockdep_assert_held(&conv->lock);
	PSYNC_INC(pnet, CONV_OPENED);
	spin_lock(&pnet->table_lock);
	psync_conv_unpend(conv);
	psync_conv_unlinger(conv);
	spin_unlock(&pnet->table_lock);
}

/* The next count of openings (S1.2); 0 would mean none. */
static u32 psync_conv_opening(struct psync_net *pnet)
{
	return atomic_inc_return(&pnet->openings) ?:
	       atomic_inc_return(&pnet->openings);
}

static struct psync_participant *
psync_conv_participant(struct psync_conv *conv, const struct psync_sock *psk)
{
	struct psync_participant *part;

	lockdep_assert_held(&conv->lock);
	part = kmem_cache_zalloc(psync_participant_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!part)
		return NULL;
	/* The conversation's, as its view is: a stranger's packet may make it. */
	conv->charge.bytes += sizeof(*part);
	INIT_LIST_HEAD(&part->queue);
	part->conv = conv;
	part->pid = psk->pid;
	part->binding = psk->binding;
	part->view.manual = psk->manual;
	part->view.nulls = psk->recvinfo & PSYNC_RECV_NULLS;
	part->view.slow = psk->slow.policy;
	part->view.slow_ns = (u64)psk->slow.ms * NSEC_PER_MSEC;
	return part;
}

static void psync_conv_participant_free(struct psync_participant *part)
{
	lockdep_assert_held(&part->conv->lock);
	part->conv->charge.bytes -= sizeof(*part);
	kmem_cache_free(psync_participant_cache, part);
}

/* Queue the conversation on one listener; false when its backlog is full. */
static bool psync_conv_offer(struct psync_conv *conv, u32 index,
			     struct sock *sk)
{
	struct psync_sock *psk = psync_sk(sk);
	struct sk_buff_head *q = &sk->sk_receive_queue;
	struct psync_participant *part;
	bool queued = false;

	part = psync_conv_participant(conv, psk);
	if (!part)
		return false;
	part->view.pending = true;
	/* It asked before it could know what the group allows. */
	if (!psync_image_slow_ok(&conv->img, part->view.slow,
				 part->view.slow_ns)) {
		part->view.slow = PSYNC_SLOW_BLOCK;
		part->view.slow_ns = 0;
	}
	if (psync_image_join(&conv->img, &part->view, index, part->binding, 0,
			     ktime_get_ns()))
		goto out;

	spin_lock(&q->lock);
	if (sk->sk_state == TCP_LISTEN && !sk_acceptq_is_full(sk)) {
		list_add_tail(&part->queue, &psk->accept_queue);
		sk_acceptq_added(sk);
		kref_get(&conv->ref);
		part->listener = sk;
		queued = true;
	}
	spin_unlock(&q->lock);
	if (queued) {
		psync_charge_move(conv);
		sk->sk_data_ready(sk);
		return true;
	}
	psync_image_leave(&conv->img, &part->view, ktime_get_ns());
out:
	psync_conv_participant_free(part);
	return false;
}

unsigned int psync_conv_announce(struct psync_conv *conv)
{
	struct psync_image *img = &conv->img;
	unsigned int taken = 0;
	struct sock *sk;
	u32 i;

	lockdep_assert_held(&conv->lock);
	if (conv->announced || conv->lingering || !img->p.pids)
		return 0;
	conv->announced = true;
	for (i = 0; i < img->p.n; i++) {
		if (img->p.pids[i].site != img->p.site || img->parts[i].view)
			continue;
		sk = psync_port_find_get(conv->pnet, img->p.pids[i].port,
					 SOCK_SEQPACKET);
		if (!sk)
			continue;
		if (sk->sk_state == TCP_LISTEN) {
			if (psync_conv_offer(conv, i, sk))
				taken++;
			else
				psync_drop(conv->pnet, NULL,
					   PSYNC_DROP_PENDING_FULL);
		}
		sock_put(sk);
	}
	return taken;
}

int psync_conv_start(struct psync_conv *conv, const struct psync_pid *pids,
		     u32 n)
{
	int err;

	lockdep_assert_held(&conv->lock);
	err = psync_image_start(&conv->img, pids, n, ktime_get_ns());
	if (!err)
		conv->embryo_end = U64_MAX;
	return err;
}

/* P 5, restart. */
static int psync_conv_rejoin(struct psync_conv *conv,
			     const struct psync_sock *psk,
			     struct psync_participant *part, u32 index)
{
	struct psync_restart_how how = {
		.leaves		= psk->restart->leaves,
		.nleaves	= psk->restart->count,
		.all		= psk->restart->flags & PSYNC_RESTART_ALL,
		.redo		= psk->restart->flags & PSYNC_RESTART_REEXECUTE,
	};

	return psync_image_rejoin(&conv->img, &part->view, index,
				  part->binding,
				  psync_conv_opening(conv->pnet), &how,
				  ktime_get_ns());
}

int psync_conv_join(struct psync_conv *conv, struct psync_sock *psk, u32 index)
{
	struct psync_net *pnet = conv->pnet;
	struct psync_participant *part;
	int err;

	lockdep_assert_held(&conv->lock);
	if (conv->dead || (conv->lingering && !psk->restart))
		return -ECONNABORTED;
	if (!psync_image_slow_ok(&conv->img, psk->slow.policy,
				 (u64)psk->slow.ms * NSEC_PER_MSEC))
		return -EINVAL;
	part = psync_conv_participant(conv, psk);
	if (!part)
		return -ENOMEM;
	/* Before: what joining has to tell finds the socket. */
	part->sk = &psk->sk;
	if (psk->restart)
		err = psync_conv_rejoin(conv, psk, part, index);
	else
		err = psync_image_join(&conv->img, &part->view, index,
				       part->binding, psync_conv_opening(pnet),
				       ktime_get_ns());
	if (err) {
		psync_conv_participant_free(part);
		return err;
	}
	kref_get(&conv->ref);
	psync_charge_move(conv);
	if (psk->history)
		psync_image_history(&conv->img, psk->history);
	psync_conv_opened(conv);
	/* Pairs with the acquire of whoever looks without lock_sock. */
	smp_store_release(&psk->part, part);
	return 0;
}

bool psync_conv_supersede(struct psync_conv *conv, bool restart)
{
	bool dead;

	psync_conv_lock(conv);
	if (conv->lingering && (!restart || conv->img.refused))
		psync_conv_give_up(conv);
	dead = conv->dead;
	psync_conv_unlock(conv);
	return dead;
}

void psync_conv_abandon(struct psync_conv *conv)
{
	lockdep_assert_held(&conv->lock);
	/* A pending one has early packets that somebody may yet open for. */
	if (!conv->pending && !conv->lingering && !conv->img.nviews)
		psync_conv_kill(conv);
}

int psync_conv_accept(struct psync_participant *part, struct sock *sk)
{
	struct psync_conv *conv = part->conv;
	struct psync_sock *psk = psync_sk(sk);

	psk->pid = part->pid;
	psk->binding = part->binding;
	psync_conv_lock(conv);
	if (conv->dead || conv->lingering) {
		psync_conv_unlock(conv);
		return -ECONNABORTED;
	}
	part->sk = sk;
	part->listener = NULL;
	psync_charge_move(conv);
	psync_view_accept(&part->view, part->binding,
			  psync_conv_opening(conv->pnet),
			  ktime_get_ns());
	/* The listener may have changed its mind meanwhile. */
	psync_view_manual(&part->view, psk->manual, ktime_get_ns());
	if (psync_view_slow(&part->view, psk->slow.policy,
			    (u64)psk->slow.ms * NSEC_PER_MSEC,
			    ktime_get_ns())) {
		memset(&psk->slow, 0, sizeof(psk->slow));
		psync_view_slow(&part->view, PSYNC_SLOW_BLOCK, 0,
				ktime_get_ns());
	}
	psync_view_nulls(&part->view, psk->recvinfo & PSYNC_RECV_NULLS,
			 ktime_get_ns());
	if (psk->history)
		psync_image_history(&conv->img, psk->history);
	psync_conv_opened(conv);
	psync_conv_unlock(conv);
	/* Pairs with the acquire of whoever looks without lock_sock. */
	smp_store_release(&psk->part, part);
	return 0;
}

/*
 * The socket goes: what it sent and others lack stays, but is its no more, or
 * it could not be freed, nor its namespace.
 */
static void psync_conv_disown(struct psync_conv *conv,
			      const struct psync_participant *part)
{
	struct psync_node *node;

	lockdep_assert_held(&conv->lock);
	list_for_each_entry(node, &conv->img.order, order)
		if (node->sender == part->view.index && node->body)
			psync_charge_disown(conv, node->body);
}

/*
 * Nobody here has it open any more.  A rendezvous that was open is closed when
 * the last who had opened it leaves: those who only wait to be accepted would
 * otherwise carry it into the next one (S1.4).
 */
static void psync_conv_closed(struct psync_conv *conv)
{
	struct psync_net *pnet = conv->pnet;
	struct psync_image *img = &conv->img;

	lockdep_assert_held(&conv->lock);
	if (conv->dead || conv->lingering ||
	    (img->nviews && !(img->p.number && img->opening && !img->nopen)))
		return;
	/*
	 * A rendezvous that nobody here had opened may still be opened;
	 * everything else must not start again.
	 */
	if (!img->p.number || img->opening)
		psync_closed_add(pnet, conv->cid, img->opening);
	if (!img->opening || psync_image_over(img)) {
		psync_conv_kill(conv);
		return;
	}
	PSYNC_INC(pnet, CONV_LINGERED);
	conv->closed_at = ktime_get_ns();
	spin_lock(&pnet->table_lock);
	conv->lingering = true;
	list_add_tail(&conv->linger_link, &pnet->linger_list);
	pnet->nlinger++;
	spin_unlock(&pnet->table_lock);
}

void psync_conv_leave(struct psync_participant *part)
{
	struct psync_conv *conv = part->conv;
	struct psync_net *pnet = conv->pnet;

	psync_conv_lock(conv);
	psync_conv_disown(conv, part);
	psync_stable_unwatch(&part->watch);
	part->sk = NULL;
	part->listener = NULL;
	psync_image_leave(&conv->img, &part->view, ktime_get_ns());
	psync_conv_participant_free(part);
	psync_charge_move(conv);
	psync_conv_closed(conv);
	psync_conv_unlock(conv);
	psync_conv_evict_lingering(pnet, READ_ONCE(pnet->sysctl.linger_max));
	psync_conv_evict_owing(pnet);
	psync_conv_put(conv);
}

int psync_conv_send(struct psync_participant *part, struct sk_buff *skb)
{
	struct psync_conv *conv = part->conv;
	struct psync_image *img = &conv->img;
	u64 mid;
	int err;

	psync_conv_lock(conv);
	/* Local listeners hear of it before the message, so none misses it. */
	psync_conv_announce(conv);
	err = psync_image_send(img, &part->view, skb, skb->len, &mid,
			       ktime_get_ns());
	/* Who is kept from sending by a restart was not asked how much it is. */
	part->wanted = err == -EAGAIN && !img->recover && !part->view.barred ?
		       conv->cost : 0;
	psync_conv_unlock(conv);
	return err;
}

/*
 * A message smaller than the last one that found no room is not told of room,
 * a greater one may be told of too little; both are tried when it is sent.
 */
bool psync_conv_writable(struct psync_participant *part)
{
	struct psync_image *img = &part->conv->img;
	bool may;

	psync_conv_lock(part->conv);
	may = !part->view.barred && psync_image_may_send(img, 0) &&
	      (!part->wanted || psync_image_may_send(img, part->wanted));
	/*
	 * As if a send had been refused: psync_conv_op_writable() follows, as it
	 * does when one that was barred is let in.
	 */
	if (!may && !part->view.barred)
		psync_image_block(img, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return may;
}

u32 psync_conv_max_body(struct psync_conv *conv)
{
	const struct psync_sysctl *ctl = &conv->pnet->sysctl;
	struct psync_image *img = &conv->img;
	u32 i, mtu;

	lockdep_assert_held(&conv->lock);
	/* What does not fit the link goes in fragments, if those do. */
	for (i = 0; i < img->nremotes; i++) {
		mtu = psync_output_mtu(conv->pnet, img->remotes[i].site);
		if (mtu && !psync_frags_size(mtu))
			return 0;
	}
	return min(READ_ONCE(ctl->max_message), READ_ONCE(ctl->image_bytes));
}

u64 psync_conv_lacking(const struct psync_conv *conv)
{
	const struct psync_image *img = &conv->img;
	u64 lacking = 0;
	u32 i;

	lockdep_assert_held(&conv->lock);
	for (i = 0; img->nlack && i < img->p.n; i++)
		if (img->parts[i].claimed > img->parts[i].seq)
			lacking += img->parts[i].claimed - img->parts[i].seq;
	return lacking;
}

int __init psync_conv_init(void)
{
	psync_conv_cache = KMEM_CACHE(psync_conv, 0);
	if (!psync_conv_cache)
		return -ENOMEM;
	psync_participant_cache = KMEM_CACHE(psync_participant, 0);
	if (!psync_participant_cache) {
		kmem_cache_destroy(psync_conv_cache);
		return -ENOMEM;
	}
	return 0;
}

void psync_conv_exit(void)
{
	kmem_cache_destroy(psync_participant_cache);
	kmem_cache_destroy(psync_conv_cache);
}

int psync_conv_net_init(struct psync_net *pnet)
{
	int err;

	spin_lock_init(&pnet->table_lock);
	INIT_LIST_HEAD(&pnet->conv_list);
	INIT_LIST_HEAD(&pnet->pending_list);
	INIT_LIST_HEAD(&pnet->linger_list);
	atomic_set(&pnet->openings, 0);
	atomic_set(&pnet->alive, 0);
	pnet->next_port = PSYNC_PORT_AUTO;
	err = psync_closed_init(pnet);
	if (err)
		return err;
	err = rhashtable_init(&pnet->convs, &psync_conv_params);
	if (err)
		psync_closed_exit(pnet);
	return err;
}

static struct psync_conv *psync_conv_first_get(struct psync_net *pnet)
{
	struct psync_conv *conv;

	spin_lock_bh(&pnet->table_lock);
	conv = list_first_entry_or_null(&pnet->conv_list, struct psync_conv,
					list);
	if (conv)
		kref_get(&conv->ref);
	spin_unlock_bh(&pnet->table_lock);
	return conv;
}

/*
 * No socket of the namespace is left (each holds it) and its links and peers
 * are gone, so nothing makes new conversations.  What is in the table are
 * those that no participant holds, pending or lingering; what others lack of
 * the latter cannot be sent any more.  Kill them, stop their timers, and wait
 * for the last reference, which a timer's callback may hold.
 */
void psync_conv_net_exit(struct psync_net *pnet)
{
	struct psync_conv *conv;

	while ((conv = psync_conv_first_get(pnet))) {
		psync_conv_lock(conv);
		psync_conv_give_up(conv);
		psync_conv_unlock(conv);
		psync_conv_put(conv);
	}
	wait_var_event(&pnet->alive, !atomic_read(&pnet->alive));
	rhashtable_destroy(&pnet->convs);
	psync_closed_exit(pnet);
}
