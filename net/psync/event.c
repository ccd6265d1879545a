// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to sockets, received before messages, which stay in the image.
 *
 * A socket's queue is made whole, and charged to it, when it first asks for
 * events.  Who cannot pay is told there, where a program can still do something
 * about it.  Were each event charged by itself, those that come when memory is
 * short, that senders are held back or somebody has failed, would be lost; so
 * none is for want of memory, nor for what waits in SO_RCVBUF.  It is 3 KB; 64
 * skbs would be 16 times as much.  It stays until the socket is destroyed: what
 * waits is received whatever the socket asks for later.
 */

#include <linux/slab.h>

#include "psync.h"

/* Events waiting on one socket; more are counted and told as LOST. */
#define PSYNC_EVENTS_MAX	64
#define PSYNC_EVENTS_SIZE	(PSYNC_EVENTS_MAX * sizeof(struct psync_event))

int psync_event_subscribe(struct psync_sock *psk, u32 events)
{
	struct sk_buff_head *q = &psk->sk.sk_receive_queue;
	struct psync_event *ring = NULL;
	int err;

	if (events && !psk->event_ring) {
		err = psync_charge_own(psk, PSYNC_EVENTS_SIZE);
		if (err)
			return err;
		ring = kmalloc(PSYNC_EVENTS_SIZE, GFP_KERNEL);
		if (!ring) {
			psync_charge_own_put(psk, PSYNC_EVENTS_SIZE);
			return -ENOMEM;
		}
	}
	/* Both at once: who sees the bits without the lock finds the ring. */
	spin_lock_bh(&q->lock);
	if (ring)
		psk->event_ring = ring;
	WRITE_ONCE(psk->events, events);
	spin_unlock_bh(&q->lock);
	return 0;
}

void psync_event_free(struct psync_sock *psk)
{
	if (!psk->event_ring)
		return;
	kfree(psk->event_ring);
	psk->event_ring = NULL;
	psync_charge_own_put(psk, PSYNC_EVENTS_SIZE);
}

static void psync_event_add(struct psync_sock *psk,
			    const struct psync_event *ev)
{
	u32 n = psk->events_queued;

	lockdep_assert_held(&psk->sk.sk_receive_queue.lock);
	if (n == PSYNC_EVENTS_MAX) {
		psk->events_lost++;
		return;
	}
	psk->event_ring[(psk->events_first + n) % PSYNC_EVENTS_MAX] = *ev;
	WRITE_ONCE(psk->events_queued, n + 1);
}

void psync_event_queue(struct sock *sk, const struct psync_event *ev)
{
	struct sk_buff_head *q = &sk->sk_receive_queue;

	if (!(READ_ONCE(psync_sk(sk)->events) & PSYNC_EVMASK(ev->type)))
		return;
	spin_lock_bh(&q->lock);
	psync_event_add(psync_sk(sk), ev);
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
		psync_event_add(psk, &ev);
}

static bool psync_event_peek(struct psync_sock *psk, struct psync_event *ev)
{
	struct sk_buff_head *q = &psk->sk.sk_receive_queue;
	bool waits;

	spin_lock_bh(&q->lock);
	waits = psk->events_queued;
	if (waits)
		*ev = psk->event_ring[psk->events_first];
	spin_unlock_bh(&q->lock);
	return waits;
}

/* lock_sock: nobody else takes from the head. */
static void psync_event_take(struct psync_sock *psk)
{
	struct sk_buff_head *q = &psk->sk.sk_receive_queue;

	spin_lock_bh(&q->lock);
	psk->events_first = (psk->events_first + 1) % PSYNC_EVENTS_MAX;
	WRITE_ONCE(psk->events_queued, psk->events_queued - 1);
	psync_event_lost(psk);
	spin_unlock_bh(&q->lock);
}

int psync_event_recv(struct psync_sock *psk, struct msghdr *msg, size_t size,
		     int flags)
{
	struct psync_event ev;
	size_t len;

	if (!psync_event_peek(psk, &ev))
		return -EAGAIN;
	len = min(size, sizeof(ev));
	if (memcpy_to_msg(msg, &ev, len))
		return -EFAULT;
	if (len < sizeof(ev))
		msg->msg_flags |= MSG_TRUNC;
	msg->msg_flags |= MSG_PSYNC_NOTIFICATION;
	msg->msg_namelen = 0;
	if (!(flags & MSG_PEEK))
		psync_event_take(psk);
	return flags & MSG_TRUNC ? sizeof(ev) : len;
}
