// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to sockets: queued in sk_receive_queue, which on SEQPACKET sockets
 * holds nothing else (messages stay in the image), and received before them.
 */

#include "psync.h"

/* Events waiting on one socket; more are counted and told as LOST. */
#define PSYNC_EVENTS_MAX	64

static void psync_event_add(struct sock *sk, const struct psync_event *ev)
{
	struct sk_buff_head *q = &sk->sk_receive_queue;
	struct sk_buff *skb = NULL;

	lockdep_assert_held(&q->lock);
	if (skb_queue_len(q) < PSYNC_EVENTS_MAX)
		skb = alloc_skb(sizeof(*ev), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb) {
		psync_sk(sk)->events_lost++;
		return;
	}
	skb_put_data(skb, ev, sizeof(*ev));
	__skb_queue_tail(q, skb);
}

void psync_event_queue(struct sock *sk, const struct psync_event *ev)
{
	struct sk_buff_head *q = &sk->sk_receive_queue;

	if (!(READ_ONCE(psync_sk(sk)->events) & PSYNC_EVMASK(ev->type)))
		return;
	spin_lock_bh(&q->lock);
	psync_event_add(sk, ev);
	spin_unlock_bh(&q->lock);
	sk->sk_data_ready(sk);
}

/* The queue has room again: say what did not find any. */
static void psync_event_lost(struct psync_sock *psk)
{
	struct psync_event ev = {
		.type	= PSYNC_EV_LOST,
		.reason	= psk->events_lost,
	};

	if (!psk->events_lost)
		return;
	psk->events_lost = 0;
	if (psk->events & PSYNC_EVMASK(PSYNC_EV_LOST))
		psync_event_add(&psk->sk, &ev);
}

int psync_event_recv(struct psync_sock *psk, struct msghdr *msg, size_t size,
		     int flags)
{
	struct sk_buff_head *q = &psk->sk.sk_receive_queue;
	struct sk_buff *skb;
	size_t len;
	int err;

	spin_lock_bh(&q->lock);
	skb = skb_peek(q);
	if (skb)
		skb_get(skb);
	spin_unlock_bh(&q->lock);
	if (!skb)
		return -EAGAIN;

	len = min_t(size_t, size, skb->len);
	if (len < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, 0, msg, len);
	if (!err) {
		msg->msg_flags |= MSG_PSYNC_NOTIFICATION;
		msg->msg_namelen = 0;
		err = flags & MSG_TRUNC ? skb->len : len;
		if (!(flags & MSG_PEEK)) {
			spin_lock_bh(&q->lock);
			/* lock_sock: nobody else takes from the head. */
			__skb_unlink(skb, q);
			psync_event_lost(psk);
			spin_unlock_bh(&q->lock);
			consume_skb(skb);
		}
	}
	consume_skb(skb);
	return err;
}
