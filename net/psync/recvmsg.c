// SPDX-License-Identifier: GPL-2.0-only
/*
 * receive in a conversation (P 2): hand over the earliest outstanding message;
 * only then the view grows by it (S2.1).
 *
 * lock_sock is held from choosing the message to taking it, so two readers of
 * one socket get two messages and a failed copy leaves the message where it
 * was.  The conversation's lock is not held while copying; the body stays
 * because it is referenced.  Another message may come before it meanwhile, of
 * one who is masked in again: then that one is chosen instead.
 */

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "psync.h"
#include "trace.h"

/**
 * struct psync_recv - a message on its way to the user
 * @node: stays until the view takes it
 * @skb: its body, referenced, or NULL: there is none
 * @len: its length
 * @info: what is known of it
 * @preds: copies of its predecessors, if asked for
 * @npreds: entries
 */
struct psync_recv {
	struct sk_buff		*skb;
	u32			len;
	struct psync_msginfo	info;
	u64			*preds;
	u32			npreds;
};

static bool psync_recv_ready(struct sock *sk)
{
	struct psync_participant *part = psync_sk(sk)->part;

	return READ_ONCE(psync_sk(sk)->events_queued) ||
	       READ_ONCE(part->view.outstanding) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(part->view.lost) || psync_conv_stale(part) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

/* Waits until there is something to receive; lock_sock given back meanwhile. */
static int psync_recv_wait(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, timeo, psync_recv_ready(sk), &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

static u32 psync_recv_flags(const struct psync_node *node)
{
	u32 flags = 0;

	if (node->kind == PSYNC_KIND_NULL)
		flags |= PSYNC_MSG_NULL;
	if (node->kind == PSYNC_KIND_END)
		flags |= PSYNC_MSG_END;
	if (node->manual)
		flags |= PSYNC_MSG_MANUAL;
	if (node->repeated)
		flags |= PSYNC_MSG_REPEATED;
	if (node->resent)
		flags |= PSYNC_MSG_RESENT;
	return flags;
}

/* Chooses the earliest outstanding message. */
static int psync_recv_choose(struct psync_sock *psk, struct psync_recv *r)
{
	struct psync_participant *part = psk->part;
	struct psync_conv *conv = part->conv;
	const struct psync_pid *pid;
	struct psync_node *node;
	int err = -EAGAIN;

	psync_conv_lock(conv);
	node = psync_view_next(&part->view);
	if (!node)
		goto out;
	err = 0;
	if (psk->recvinfo & PSYNC_RECV_PREDS && node->npred) {
		r->preds = kmemdup(node->preds,
				   node->npred * sizeof(*node->preds),
				   GFP_ATOMIC | __GFP_NOWARN);
		if (!r->preds) {
			err = -ENOBUFS;
			goto out;
		}
	}
	r->npreds = node->npred;
	if (node->body)
		r->skb = skb_get(node->body);
	r->len = node->body_len;
	pid = &conv->img.p.pids[node->sender];
	r->info.mid = PSYNC_MID(node->sender, node->seq);
	r->info.sender = *pid;
	r->info.binding = node->binding;
	r->info.index = node->sender;
	r->info.wave = node->wave;
	r->info.flags = psync_recv_flags(node);
out:
	psync_conv_unlock(conv);
	return err;
}

/* What goes with the @len bytes that were copied. */
static void psync_recv_describe(const struct psync_sock *psk,
				struct psync_recv *r, struct msghdr *msg,
				size_t len)
{
	if (len < r->len)
		msg->msg_flags |= MSG_TRUNC;
	if (msg->msg_name) {
		psync_addr_pid(msg->msg_name, r->info.sender.site,
			       r->info.sender.port, r->info.binding);
		msg->msg_namelen = sizeof(struct sockaddr_psync);
	}
	if (psk->recvinfo & PSYNC_RECV_INFO)
		put_cmsg(msg, SOL_PSYNC, PSYNC_CMSG_INFO, sizeof(r->info),
			 &r->info);
	if (psk->recvinfo & PSYNC_RECV_PREDS)
		put_cmsg(msg, SOL_PSYNC, PSYNC_CMSG_PREDS,
			 r->npreds * sizeof(*r->preds), r->preds);
}

/* Is it the earliest still?  Then it is received. */
static bool psync_recv_take(struct psync_participant *part,
			    const struct psync_recv *r)
{
	struct psync_conv *conv = part->conv;
	bool taken;

	psync_conv_lock(conv);
	taken = psync_view_take(&part->view, r->info.mid, ktime_get_ns());
	psync_conv_unlock(conv);
	if (!taken)
		return false;
	/* What the kernel made is counted as such. */
	if (!(r->info.flags & (PSYNC_MSG_NULL | PSYNC_MSG_END)))
		PSYNC_INC(conv->pnet, MSG_RECEIVED);
	trace_psync_deliver(conv->pnet, conv->cid, r->info.mid, r->len);
	return true;
}

static int psync_recv_message(struct psync_sock *psk, struct msghdr *msg,
			      size_t size, int flags)
{
	struct psync_recv r;
	bool again;
	size_t len;
	int err;

	do {
		memset(&r, 0, sizeof(r));
		err = psync_recv_choose(psk, &r);
		if (err)
			return err;
		len = min_t(size_t, size, r.len);
		if (r.skb)
			err = skb_copy_datagram_msg(r.skb, 0, msg, len);
		again = !err && !(flags & MSG_PEEK) &&
			!psync_recv_take(psk->part, &r);
		if (again && r.skb)
			iov_iter_revert(&msg->msg_iter, len);
		else if (!again && !err)
			psync_recv_describe(psk, &r, msg, len);
		consume_skb(r.skb);
		kfree(r.preds);
	} while (again);
	if (err)
		return err;
	return flags & MSG_TRUNC ? r.len : len;
}

/* One try: an event, else a message, else what ends the waiting. */
static int psync_recv_try(struct psync_sock *psk, struct msghdr *msg,
			  size_t size, int flags)
{
	struct sock *sk = &psk->sk;
	int err;

	err = psync_event_recv(psk, msg, size, flags);
	/* All was asked for, and not all there is (S7.3). */
	if (err == -EAGAIN && READ_ONCE(psk->part->view.lost))
		return -ENODATA;
	if (err == -EAGAIN)
		err = psync_recv_message(psk, msg, size, flags);
	if (err != -EAGAIN)
		return err;
	err = sock_error(sk);
	if (err)
		return err;
	/* Also when that was told: the others go on without it (S1.4, S5.3). */
	if (psync_conv_stale(psk->part))
		return -ESTALE;
	/* Shut down: the end, like a stream's; distinct from "nothing now". */
	if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		return -ESHUTDOWN;
	return -EAGAIN;
}

int psync_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		  int flags)
{
	struct psync_sock *psk = psync_sk(sock->sk);
	struct sock *sk = sock->sk;
	long timeo;
	int err;

	if (flags & ~(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_COMPAT |
		      MSG_CMSG_CLOEXEC | MSG_NOSIGNAL))
		return -EOPNOTSUPP;
	lock_sock(sk);
	err = psk->part ? 0 : -ENOTCONN;
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	while (!err) {
		err = psync_recv_try(psk, msg, size, flags);
		if (err != -EAGAIN)
			goto out;
		err = psync_recv_wait(sk, &timeo);
	}
out:
	release_sock(sk);
	return err == -ESHUTDOWN ? 0 : err;
}
