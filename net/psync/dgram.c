// SPDX-License-Identifier: GPL-2.0-only
/*
 * SOCK_DGRAM: the degenerate graph of one vertex (P 4.1): unreliable,
 * unordered, to a pid or to every other member of a group.  It may duplicate
 * and never opens a conversation (S10.3).
 */

#include <linux/filter.h>

#include "psync.h"
#include "trace.h"

/* Where a queued datagram came from, in its cb. */
struct psync_dgram_cb {
	struct psync_pid	src;
	u32			binding;
};

static struct psync_dgram_cb *psync_dgram_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct psync_dgram_cb) >
		     sizeof_field(struct sk_buff, cb));
	return (struct psync_dgram_cb *)skb->cb;
}

/*
 * As sock_queue_rcv_skb(), but the memory is charged.  Borrows skb, or, with
 * PSYNC_OK, has queued it.
 */
static enum psync_drop psync_dgram_queue(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;

	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf) ||
	    sk_filter(sk, skb)) {
		atomic_inc(&sk->sk_drops);
		return PSYNC_DROP_RCVBUF;
	}
	/* Nothing of the way that it came is needed any more. */
	skb_dst_drop(skb);
	skb->dev = NULL;
	if (psync_charge_received(psync_sk(sk), skb)) {
		atomic_inc(&sk->sk_drops);
		return PSYNC_DROP_NO_MEM;
	}
	spin_lock_bh(&queue->lock);
	sock_skb_set_dropcount(sk, skb);
	__skb_queue_tail(queue, skb);
	spin_unlock_bh(&queue->lock);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_data_ready(sk);
	return PSYNC_OK;
}

/* Queue on a local socket; consumes skb. */
static void psync_dgram_deliver(struct psync_net *pnet, struct sk_buff *skb,
				u32 port, u32 binding)
{
	enum psync_drop reason = PSYNC_OK;
	struct sock *sk;

	sk = psync_port_find_get(pnet, port, SOCK_DGRAM);
	if (!sk) {
		psync_drop(pnet, skb, PSYNC_DROP_NO_PORT);
		return;
	}
	if (binding && binding != psync_sk(sk)->binding) {
		reason = PSYNC_DROP_OTHER_BINDING;
	} else {
		skb_orphan(skb);
		reason = psync_dgram_queue(sk, skb);
	}
	if (reason)
		psync_drop(pnet, skb, reason);
	sock_put(sk);
}

/* To every member of a group at this site but the sender; borrows skb. */
static void psync_dgram_local(struct psync_net *pnet, struct sk_buff *skb,
			      const struct psync_group *group,
			      const struct psync_pid *src, u32 binding)
{
	struct sk_buff *copy;
	u32 i;

	for (i = 0; i < group->n; i++) {
		if (group->pids[i].site != pnet->site ||
		    (src->site == pnet->site &&
		     src->port == group->pids[i].port))
			continue;
		copy = skb_clone(skb, GFP_ATOMIC);
		if (!copy) {
			psync_drop(pnet, NULL, PSYNC_DROP_NO_MEM);
			continue;
		}
		psync_dgram_cb(copy)->src = *src;
		psync_dgram_cb(copy)->binding = binding;
		psync_dgram_deliver(pnet, copy, group->pids[i].port, 0);
	}
}

void psync_dgram_input(struct psync_net *pnet, struct sk_buff *skb,
		       const struct psync_pkt *pkt)
{
	struct psync_pid src = {
		.site	= pkt->src_site,
		.port	= pkt->dgram.src_port,
	};
	const struct psync_group *group;

	if (!pkt->dgram.group) {
		psync_dgram_cb(skb)->src = src;
		psync_dgram_cb(skb)->binding = pkt->dgram.src_binding;
		psync_dgram_deliver(pnet, skb, pkt->dgram.dst_port,
				    pkt->dgram.dst_binding);
		return;
	}
	/* Under RCU: input is. */
	group = psync_group_find_rcu(pnet, pkt->dgram.group);
	if (!group) {
		psync_drop(pnet, skb, PSYNC_DROP_NO_GROUP);
	} else if (group->digest != pkt->dgram.digest) {
		psync_drop(pnet, skb, PSYNC_DROP_DIGEST);
	} else {
		psync_dgram_local(pnet, skb, group, &src,
				  pkt->dgram.src_binding);
		consume_skb(skb);
	}
}

static void psync_dgram_pkt(const struct psync_sock *psk,
			    struct psync_pkt *pkt)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->type = PSYNC_PKT_DGRAM;
	pkt->dgram.src_port = psk->pid.port;
	pkt->dgram.src_binding = psk->binding;
}

/* Bytes of body that fit a packet to @site; -EHOSTUNREACH without a peer. */
static int psync_dgram_room(struct psync_net *pnet, u32 site,
			    struct psync_pkt *pkt)
{
	u32 mtu = min_t(u32, psync_output_mtu(pnet, site), U16_MAX);
	u32 size = psync_wire_hdr_size(pkt);

	if (!mtu)
		return -EHOSTUNREACH;
	return mtu > size ? mtu - size : 0;
}

/* Sends skb (borrowed) to one site. */
static int psync_dgram_transmit(struct psync_net *pnet, u32 site,
				struct psync_pkt *pkt, struct sk_buff *skb)
{
	struct sk_buff *out;

	out = psync_output_build(pnet, site, pkt, skb);
	if (!out)
		return -ENOBUFS;
	/* To a great group it is many times what was paid for. */
	if (psync_charge_counts(skb->sk, out->truesize))
		skb_set_owner_w(out, skb->sk);
	psync_output_send(pnet, out);
	return 0;
}

static int psync_dgram_to_pid(struct psync_sock *psk,
			      const struct sockaddr_psync *to,
			      struct sk_buff *skb)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	struct psync_peer *peer;
	struct psync_pkt pkt;
	struct sk_buff *copy;
	struct sock *sk;
	int room;

	if (to->sp_site == pnet->site) {
		sk = psync_port_find_get(pnet, to->sp_port, SOCK_DGRAM);
		if (!sk)
			return -ECONNREFUSED;
		sock_put(sk);
		copy = skb_clone(skb, GFP_KERNEL);
		if (!copy)
			return -ENOBUFS;
		psync_dgram_cb(copy)->src = psk->pid;
		psync_dgram_cb(copy)->binding = psk->binding;
		psync_dgram_deliver(pnet, copy, to->sp_port, to->sp_binding);
		return 0;
	}
	psync_dgram_pkt(psk, &pkt);
	pkt.dgram.dst_port = to->sp_port;
	pkt.dgram.dst_binding = to->sp_binding;
	/* A binding number means something within one incarnation only. */
	rcu_read_lock();
	peer = psync_peer_find_rcu(pnet, to->sp_site);
	if (peer && to->sp_binding)
		pkt.dst_inc = READ_ONCE(peer->inc.inc);
	rcu_read_unlock();
	room = psync_dgram_room(pnet, to->sp_site, &pkt);
	if (room < 0)
		return room;
	if (skb->len > room)
		return -EMSGSIZE;
	return psync_dgram_transmit(pnet, to->sp_site, &pkt, skb);
}

/* Copies the group, so that nothing is held while sending. */
static struct psync_group *psync_dgram_group(struct psync_net *pnet,
					     u32 number)
{
	const struct psync_group *group;
	struct psync_group *copy = NULL;

	rcu_read_lock();
	group = psync_group_find_rcu(pnet, number);
	if (group)
		copy = kmemdup(group, struct_size(group, pids, group->n),
			       GFP_ATOMIC);
	rcu_read_unlock();
	if (!group)
		return ERR_PTR(-ENOENT);
	return copy ?: ERR_PTR(-ENOBUFS);
}

/* The next member whose site is another than those of all before it. */
static bool psync_dgram_first_of_site(const struct psync_group *group, u32 i)
{
	u32 j;

	for (j = 0; j < i; j++)
		if (group->pids[j].site == group->pids[i].site)
			return false;
	return true;
}

static int psync_dgram_to_group(struct psync_sock *psk, u32 number,
				struct sk_buff *skb)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	struct psync_group *group;
	struct psync_pkt pkt;
	int room, err = 0;
	u32 i, pass;

	group = psync_dgram_group(pnet, number);
	if (IS_ERR(group))
		return PTR_ERR(group);
	psync_dgram_pkt(psk, &pkt);
	pkt.dgram.group = number;
	pkt.dgram.digest = group->digest;
	/* First whether it fits everywhere, then to all or to none. */
	for (pass = 0; pass < 2 && !err; pass++) {
		for (i = 0; i < group->n && !err; i++) {
			u32 site = group->pids[i].site;

			if (site == pnet->site ||
			    !psync_dgram_first_of_site(group, i))
				continue;
			room = psync_dgram_room(pnet, site, &pkt);
			if (room < 0)
				err = room;
			else if (skb->len > room)
				err = -EMSGSIZE;
			else if (pass)
				err = psync_dgram_transmit(pnet, site, &pkt,
							   skb);
		}
	}
	if (!err)
		psync_dgram_local(pnet, skb, group, &psk->pid, psk->binding);
	kfree(group);
	return err;
}

/* Where to: the given address or the connected one. */
static int psync_dgram_address(struct psync_sock *psk, struct msghdr *msg,
			       struct sockaddr_psync *to)
{
	struct sockaddr_psync *name = msg->msg_name;
	int err;

	if (!name) {
		*to = psk->peer;
		return to->sp_type ? 0 : -EDESTADDRREQ;
	}
	err = psync_addr_check(name, msg->msg_namelen, 0);
	if (err)
		return err;
	if (name->sp_number)
		return -EINVAL;
	if (name->sp_type == PSYNC_ADDR_PID ? !name->sp_site || !name->sp_port :
					      !name->sp_group)
		return -EINVAL;
	*to = *name;
	return 0;
}

int psync_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct psync_sock *psk = psync_sk(sock->sk);
	struct sock *sk = sock->sk;
	struct sockaddr_psync to;
	struct sk_buff *skb;
	int err;

	if (msg->msg_flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR |
			       MSG_CMSG_COMPAT))
		return -EOPNOTSUPP;
	if (msg->msg_controllen)
		return -EINVAL;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	lock_sock(sk);
	err = psync_dgram_address(psk, msg, &to);
	if (!err && !psk->pid.port)
		err = psync_sock_bind(psk, 0);
	release_sock(sk);
	if (err)
		return err;
	if (len > U16_MAX)
		return -EMSGSIZE;
	skb = psync_msg_copy(sk, msg, len, &err);
	if (!skb)
		return err;
	if (to.sp_type == PSYNC_ADDR_PID)
		err = psync_dgram_to_pid(psk, &to, skb);
	else
		err = psync_dgram_to_group(psk, to.sp_group, skb);
	if (!err)
		PSYNC_INC(psync_pernet(sock_net(sk)), DGRAM_SENT);
	consume_skb(skb);
	return err ?: len;
}

int psync_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
			int flags)
{
	struct sock *sk = sock->sk;
	struct psync_dgram_cb *cb;
	struct sk_buff *skb;
	size_t len;
	int err;

	if (flags & ~(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_COMPAT |
		      MSG_CMSG_CLOEXEC | MSG_NOSIGNAL))
		return -EOPNOTSUPP;
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	len = min_t(size_t, size, skb->len);
	if (len < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, 0, msg, len);
	if (err)
		goto out;
	cb = psync_dgram_cb(skb);
	if (msg->msg_name) {
		psync_addr_pid(msg->msg_name, cb->src.site, cb->src.port,
			       cb->binding);
		msg->msg_namelen = sizeof(struct sockaddr_psync);
	}
	if (!(flags & MSG_PEEK))
		PSYNC_INC(psync_pernet(sock_net(sk)), DGRAM_RECEIVED);
	err = flags & MSG_TRUNC ? skb->len : len;
out:
	skb_free_datagram(sk, skb);
	return err;
}
