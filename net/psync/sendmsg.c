// SPDX-License-Identifier: GPL-2.0-only
/*
 * send in a conversation (P 2, 3.1.3): copy once from the user, attach to the
 * leaves of the sender's view, fan out.
 */

#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "psync.h"

/* Up to here a body is copied for every destination; above it is shared. */
#define PSYNC_COPY_MAX		256

/* So much is in one skb: not more pages than it takes on any kernel. */
#define PSYNC_MSG_PIECE		(16U * PAGE_SIZE)

/*
 * Adds @len bytes behind those of @skb, in skbs of their own on its frag_list.
 * They count as @sk's, and are not waited for: the first bytes were.  Each is
 * paid for before the next is made.
 */
static int psync_msg_extend(struct sock *sk, struct sk_buff *skb, size_t len)
{
	struct sk_buff **at = &skb_shinfo(skb)->frag_list;
	struct sk_buff *piece;
	size_t part;
	int err;

	for (; len; len -= part) {
		part = min_t(size_t, len, PSYNC_MSG_PIECE);
		piece = alloc_skb_with_frags(0, part, PAGE_ALLOC_COSTLY_ORDER,
					     &err, sk->sk_allocation);
		if (!piece)
			return err;
		err = psync_charge_more(psync_sk(sk), skb, piece->truesize);
		if (err) {
			kfree_skb(piece);
			return err;
		}
		piece->data_len = part;
		piece->len = part;
		*at = piece;
		at = &piece->next;
		skb->data_len += part;
		skb->len += part;
	}
	return 0;
}

struct sk_buff *psync_msg_copy(struct sock *sk, struct msghdr *msg, size_t len,
			       int *err)
{
	bool nonblock = msg->msg_flags & MSG_DONTWAIT;
	size_t first = min_t(size_t, len, PSYNC_MSG_PIECE);
	size_t data_len = first > PSYNC_COPY_MAX ? first : 0;
	struct sk_buff *skb;

	skb = sock_alloc_send_pskb(sk, first - data_len, data_len, nonblock,
				   err, PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return NULL;
	skb_put(skb, first - data_len);
	skb->data_len = data_len;
	skb->len = first;
	*err = psync_charge_sent(psync_sk(sk), skb);
	if (!*err)
		*err = psync_msg_extend(sk, skb, len - first);
	if (!*err)
		*err = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
	if (*err) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* What can be said against a send before anything is done. */
static int psync_sendmsg_check(struct sock *sk, const struct msghdr *msg,
			       const struct psync_participant *part)
{
	if (msg->msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR |
			       MSG_CMSG_COMPAT))
		return -EOPNOTSUPP;
	if (msg->msg_controllen)
		return -EINVAL;
	if (!part)
		return -ENOTCONN;
	if (msg->msg_name)
		return -EISCONN;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	return sock_error(sk);
}

/*
 * Consumes skb.  Waits while the site's share is full.  Nothing that could end
 * the wait is missed: each look is after the entry into the queue.
 */
static int psync_sendmsg_attach(struct sock *sk, struct psync_participant *part,
				struct sk_buff *skb, bool nonblock)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long timeo = sock_sndtimeo(sk, nonblock);
	int err;

	add_wait_queue(sk_sleep(sk), &wait);
	for (;;) {
		err = READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ? -EPIPE :
		      psync_conv_send(part, skb);
		if (err != -EAGAIN || !timeo)
			break;
		if (signal_pending(current)) {
			err = sock_intr_errno(timeo);
			break;
		}
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	/* That it is over is told by this one, not by SO_ERROR once more. */
	if (err == -ESTALE)
		sock_error(sk);
	if (err)
		kfree_skb(skb);
	else
		PSYNC_INC(part->conv->pnet, MSG_SENT);
	return err;
}

int psync_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct psync_participant *part;
	struct sk_buff *skb;
	u32 max;
	int err;

	/* Looked at once: connect() may be under way. */
	part = smp_load_acquire(&psync_sk(sk)->part);
	err = psync_sendmsg_check(sk, msg, part);
	if (err)
		goto out;
	psync_conv_lock(part->conv);
	max = psync_conv_max_body(part->conv);
	psync_conv_unlock(part->conv);
	err = -EMSGSIZE;
	if (len > max)
		goto out;
	skb = psync_msg_copy(sk, msg, len, &err);
	if (skb)
		err = psync_sendmsg_attach(sk, part, skb,
					   msg->msg_flags & MSG_DONTWAIT);
out:
	if (err == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return err ?: len;
}
