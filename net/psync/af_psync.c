// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket family: create, bind, connect, listen, accept, poll, release.
 *
 * SOCK_SEQPACKET sockets take part in conversations.  States (sk_state, in
 * TCP's words so that tools understand them):
 *
 *	TCP_CLOSE	  new or bound
 *	TCP_LISTEN	  listen(): P 2, passive_open
 *	TCP_ESTABLISHED	  connect() or accept(): has a participant
 *
 * SOCK_DGRAM sockets exchange single messages (dgram.c).
 *
 * A participant is the open file: fork and descriptor passing share it, and
 * release() runs when the last reference is closed, so nobody else is then
 * inside a system call of this socket.  release() empties a listener's queue,
 * leaves the conversation (after which the core knows no view of it and no event
 * or wake-up finds the socket), gives the port back and drops the socket;
 * packets on their way to a device may keep its memory until they are sent.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/sockios.h>

#include <asm/ioctls.h>

#include "psync.h"

static int psync_family_nr = PSYNC_FAMILY_DEFAULT;
module_param_named(family, psync_family_nr, int, 0444);
MODULE_PARM_DESC(family, "Number of the socket family to borrow (default 18, AF_ASH)");

static struct proto_ops psync_seqpacket_ops;
static struct proto_ops psync_dgram_ops;

int psync_family(void)
{
	return psync_family_nr;
}

static struct proto psync_proto = {
	.name		= "PSYNC",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct psync_sock),
};

int psync_addr_check(const struct sockaddr_psync *addr, int len, int type)
{
	if (len != sizeof(*addr))
		return -EINVAL;
	if (addr->sp_family != psync_family_nr)
		return -EAFNOSUPPORT;
	if (addr->sp_reserved0 || addr->sp_reserved1)
		return -EINVAL;
	if (type && addr->sp_type != type)
		return -EINVAL;
	switch (addr->sp_type) {
	case PSYNC_ADDR_PID:
		return addr->sp_group || addr->sp_number ? -EINVAL : 0;
	case PSYNC_ADDR_GROUP:
		return addr->sp_site || addr->sp_port || addr->sp_binding ?
			-EINVAL : 0;
	}
	return -EINVAL;
}

void psync_addr_pid(struct sockaddr_psync *addr, u32 site, u32 port,
		    u32 binding)
{
	memset(addr, 0, sizeof(*addr));
	addr->sp_family = psync_family_nr;
	addr->sp_type = PSYNC_ADDR_PID;
	addr->sp_site = site;
	addr->sp_port = port;
	addr->sp_binding = binding;
}

/* The socket relies on the site's id until it is released. */
static int psync_sock_hold_site(struct psync_sock *psk)
{
	if (psk->holds_site)
		return 0;
	if (!psync_site_hold(psync_pernet(sock_net(&psk->sk))))
		return -ENETDOWN;
	psk->holds_site = true;
	return 0;
}

int psync_sock_bind(struct psync_sock *psk, u32 port)
{
	int err;

	if (psk->pid.port)
		return -EINVAL;
	err = psync_sock_hold_site(psk);
	if (err)
		return err;
	return psync_port_bind(psk, port);
}

static int psync_bind(struct socket *sock, psync_sockaddr *uaddr, int len)
{
	struct sockaddr_psync *addr = (struct sockaddr_psync *)uaddr;
	struct psync_sock *psk = psync_sk(sock->sk);
	struct psync_net *pnet = psync_pernet(sock_net(sock->sk));
	int err;

	err = psync_addr_check(addr, len, PSYNC_ADDR_PID);
	if (err)
		return err;
	if (addr->sp_binding)
		return -EINVAL;
	lock_sock(sock->sk);
	err = psync_sock_hold_site(psk);
	if (!err && addr->sp_site && addr->sp_site != pnet->site)
		err = -EADDRNOTAVAIL;
	if (!err)
		err = psync_sock_bind(psk, addr->sp_port);
	release_sock(sock->sk);
	return err;
}

/* Where in the list is this socket, or could it be?  lock_sock held. */
static int psync_connect_index(struct psync_sock *psk,
			       const struct psync_pid *pids, u32 n)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	bool here = false;
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		if (pids[i].site != pnet->site)
			continue;
		here = true;
		if (psk->pid.port) {
			if (psk->pid.port == pids[i].port)
				return i;
			continue;
		}
		/* Unbound: the first member's port here that is free. */
		err = psync_sock_bind(psk, pids[i].port);
		if (!err)
			return i;
		if (err != -EADDRINUSE)
			return err;
	}
	if (!here)
		return -EADDRNOTAVAIL;
	return psk->pid.port ? -EACCES : -EADDRINUSE;
}

/* Every other site must be reachable in principle: it has a peer. */
static int psync_connect_reach(struct psync_net *pnet,
			       const struct psync_pid *pids, u32 n)
{
	int err = 0;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < n && !err; i++)
		if (pids[i].site != pnet->site &&
		    !psync_peer_find_rcu(pnet, pids[i].site))
			err = -EHOSTUNREACH;
	rcu_read_unlock();
	return err;
}

/* Copies the participants that an address means; the caller frees *pids. */
static int psync_connect_list(struct psync_sock *psk,
			      const struct sockaddr_psync *addr,
			      struct psync_pid **pids, u32 *n)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	const struct psync_pid *from = psk->pids;
	const struct psync_group *group;
	struct psync_pid pair[2];
	int err = 0;

	*n = psk->npids;
	rcu_read_lock();
	if (addr->sp_type == PSYNC_ADDR_PID) {
		pair[0] = psk->pid;
		pair[1].site = addr->sp_site;
		pair[1].port = addr->sp_port;
		from = pair;
		*n = 2;
	} else if (addr->sp_group) {
		group = psync_group_find_rcu(pnet, addr->sp_group);
		if (group) {
			from = group->pids;
			*n = group->n;
		} else {
			err = -ENOENT;
		}
	} else if (!from || addr->sp_number) {
		err = -EDESTADDRREQ;
	}
	if (!err) {
		*pids = kmemdup(from, *n * sizeof(*from), GFP_ATOMIC);
		if (!*pids)
			err = -ENOMEM;
	}
	rcu_read_unlock();
	return err;
}

/* Finds or makes the conversation of that id; gives a reference. */
static int psync_connect_named(struct psync_sock *psk,
			       struct psync_image_params *p,
			       struct psync_conv **conv)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	const struct psync_image *img;
	int err;

	while ((err = psync_conv_open(pnet, p, 0, conv)) == -EEXIST &&
	       psync_conv_supersede(*conv, psk->restart))
		psync_conv_put(*conv);
	if (err != -EEXIST)
		return err;
	/* Its id may have been chosen by whoever opened it. */
	img = &(*conv)->img;
	if (img->p.group == p->group && img->p.number == p->number &&
	    img->p.digest == p->digest)
		return 0;
	psync_conv_put(*conv);
	return -EBUSY;
}

/* Finds or makes the conversation; gives a reference. */
static int psync_connect_open(struct psync_sock *psk,
			      const struct sockaddr_psync *addr,
			      const struct psync_pid *pids, u32 n,
			      struct psync_conv **conv)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	struct psync_image_params p = {
		.group	= addr->sp_group,
		.number	= addr->sp_number,
		.digest	= psync_wire_digest(pids, n),
		.pids	= pids,
		.n	= n,
	};
	int err;

	if (p.number) {
		p.cid = psync_wire_cid(p.group, p.number, p.digest);
		if (psk->restart && psk->restart->cid &&
		    psk->restart->cid != p.cid)
			return -EINVAL;
		return psync_connect_named(psk, &p, conv);
	}
	if (psk->restart) {
		p.cid = psk->restart->cid;
		return p.cid ? psync_connect_named(psk, &p, conv) : -EINVAL;
	}
	do {
		p.cid = get_random_u64() ?: 1;
		err = psync_conv_open(pnet, &p, 0, conv);
		/* A random cid that exists already is somebody else's. */
		if (err == -EEXIST)
			psync_conv_put(*conv);
	} while (err == -EEXIST);
	return err;
}

static int psync_connect_enter(struct psync_sock *psk, struct psync_conv *conv,
			       const struct psync_pid *pids, u32 n, u32 index)
{
	bool started = false;
	int err = 0;

	psync_conv_lock(conv);
	/* Of one that restarts, what the others say may come before it. */
	if (!conv->dead && !conv->img.p.pids) {
		err = psync_conv_start(conv, pids, n);
		started = !err;
	}
	/* Too small a link to carry even fragments? */
	if (!err && !psync_conv_max_body(conv))
		err = -EMSGSIZE;
	if (!err)
		err = psync_conv_join(conv, psk, index);
	/* It does not end by itself any more: somebody here has it, or nobody. */
	if (started && !psync_conv_announce(conv) && err)
		psync_conv_kill(conv);
	else if (err)
		psync_conv_abandon(conv);
	psync_conv_unlock(conv);
	return err;
}

static int psync_connect_join(struct psync_sock *psk,
			      const struct sockaddr_psync *addr)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	struct psync_conv *conv;
	struct psync_pid *pids;
	int err, index;
	u32 n;

	err = psync_connect_list(psk, addr, &pids, &n);
	if (err)
		return err;
	index = psync_connect_index(psk, pids, n);
	err = index < 0 ? index : psync_connect_reach(pnet, pids, n);
	if (err)
		goto out;
	do {
		err = psync_connect_open(psk, addr, pids, n, &conv);
		if (err)
			break;
		/* It may end between finding and entering it: another then. */
		err = psync_connect_enter(psk, conv, pids, n, index);
		psync_conv_put(conv);
	} while (err == -ECONNABORTED);
out:
	kfree(pids);
	return err;
}

static int psync_connect(struct socket *sock, psync_sockaddr *uaddr, int len,
			 int flags)
{
	struct sockaddr_psync *addr = (struct sockaddr_psync *)uaddr;
	struct psync_sock *psk = psync_sk(sock->sk);
	int err;

	err = psync_addr_check(addr, len, 0);
	if (err)
		return err;
	lock_sock(sock->sk);
	if (sock->sk->sk_state == TCP_LISTEN)
		err = -EOPNOTSUPP;
	else if (psk->part)
		err = -EISCONN;
	else
		err = psync_sock_hold_site(psk);
	if (err)
		goto out;
	if (addr->sp_type == PSYNC_ADDR_PID) {
		err = addr->sp_site && addr->sp_port && !addr->sp_binding ?
			0 : -EINVAL;
		if (!err && !psk->pid.port)
			err = psync_sock_bind(psk, 0);
		if (err)
			goto out;
	}
	err = psync_connect_join(psk, addr);
	if (err)
		goto out;
	psk->peer = *addr;
	sock->state = SS_CONNECTED;
	sock->sk->sk_state = TCP_ESTABLISHED;
	/* Who polls already: there is room, and perhaps something to receive. */
	sock->sk->sk_state_change(sock->sk);
out:
	release_sock(sock->sk);
	return err;
}

/* SOCK_DGRAM: sets where send() goes; an address of no type takes it back. */
static int psync_dgram_connect(struct socket *sock, psync_sockaddr *uaddr,
			       int len, int flags)
{
	struct sockaddr_psync *addr = (struct sockaddr_psync *)uaddr;
	struct psync_sock *psk = psync_sk(sock->sk);
	int err;

	if (len >= (int)sizeof(sa_family_t) && addr->sp_family == AF_UNSPEC) {
		lock_sock(sock->sk);
		memset(&psk->peer, 0, sizeof(psk->peer));
		sock->state = SS_UNCONNECTED;
		release_sock(sock->sk);
		return 0;
	}
	err = psync_addr_check(addr, len, 0);
	if (err)
		return err;
	if (addr->sp_number ||
	    (addr->sp_type == PSYNC_ADDR_PID ?
	     !addr->sp_site || !addr->sp_port : !addr->sp_group))
		return -EINVAL;
	lock_sock(sock->sk);
	psk->peer = *addr;
	sock->state = SS_CONNECTED;
	release_sock(sock->sk);
	return 0;
}

static int psync_listen(struct socket *sock, int backlog)
{
	struct psync_sock *psk = psync_sk(sock->sk);
	struct psync_net *pnet = psync_pernet(sock_net(sock->sk));
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	if (psk->part)
		err = -EISCONN;
	else if (!psk->pid.port)
		err = -EDESTADDRREQ;
	if (err)
		goto out;
	spin_lock_bh(&sk->sk_receive_queue.lock);
	sk->sk_max_ack_backlog = max(backlog, 1);
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	if (sk->sk_state != TCP_LISTEN) {
		spin_lock_bh(&pnet->table_lock);
		pnet->nlisteners++;
		spin_unlock_bh(&pnet->table_lock);
		WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	}
out:
	release_sock(sk);
	return err;
}

static struct psync_participant *psync_accept_dequeue(struct sock *sk)
{
	struct psync_participant *part;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	part = list_first_entry_or_null(&psync_sk(sk)->accept_queue,
					struct psync_participant, queue);
	if (part) {
		list_del_init(&part->queue);
		sk_acceptq_removed(sk);
	}
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	return part;
}

static bool psync_accept_ready(struct sock *sk)
{
	return !list_empty_careful(&psync_sk(sk)->accept_queue);
}

/* Waits for a pending conversation; lock_sock held and given back meanwhile. */
static int psync_accept_wait(struct sock *sk, bool nonblock)
{
	long timeo = sock_rcvtimeo(sk, nonblock);
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!err && !psync_accept_ready(sk)) {
		if (sk->sk_state != TCP_LISTEN)
			err = -EINVAL;
		else if (!timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		else
			sk_wait_event(sk, &timeo, psync_accept_ready(sk) ||
				      sk->sk_state != TCP_LISTEN, &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* A pending conversation becomes the new socket's. */
static int psync_accept_take(struct psync_sock *listener,
			     struct psync_sock *new,
			     struct psync_participant *part)
{
	const struct psync_image_params *p = &part->conv->img.p;
	int err;

	err = psync_sock_hold_site(new);
	if (!err) {
		new->recvinfo = listener->recvinfo;
		new->manual = listener->manual;
		new->slow = listener->slow;
		new->history = listener->history;
		new->peer.sp_family = psync_family_nr;
		new->peer.sp_type = PSYNC_ADDR_GROUP;
		new->peer.sp_group = p->group;
		new->peer.sp_number = p->number;
		new->sk.sk_state = TCP_ESTABLISHED;
		err = psync_conv_accept(part, &new->sk);
	}
	if (err)
		psync_conv_leave(part);
	return err;
}

static struct sock *psync_sock_alloc(struct net *net, struct socket *sock,
				     int type, int kern);

static int psync_accept(struct socket *sock, struct socket *newsock,
			psync_accept_args)
{
	bool nonblock = psync_accept_flags & O_NONBLOCK;
	struct psync_participant *part;
	struct sock *sk = sock->sk;
	struct sock *new;
	int err;

	new = psync_sock_alloc(sock_net(sk), newsock, SOCK_SEQPACKET,
			       psync_accept_kern);
	if (!new)
		return -ENOMEM;
	newsock->ops = &psync_seqpacket_ops;
	lock_sock(sk);
	/* Before anything reaches it. */
	security_sk_clone(sk, new);
	do {
		err = sk->sk_state == TCP_LISTEN ?
			psync_accept_wait(sk, nonblock) : -EINVAL;
		/* While what waits can still wait for another accept(). */
		if (!err)
			err = psync_event_subscribe(psync_sk(new),
						    psync_sk(sk)->events);
		if (err)
			break;
		/* What ended while it waited is passed over. */
		part = psync_accept_dequeue(sk);
		err = part ? psync_accept_take(psync_sk(sk), psync_sk(new),
					       part) : -ECONNABORTED;
	} while (err == -ECONNABORTED);
	if (!err)
		newsock->state = SS_CONNECTED;
	release_sock(sk);
	/* On an error the caller releases newsock, and with it the new sock. */
	return err;
}

static int psync_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sockaddr_psync *addr = (struct sockaddr_psync *)uaddr;
	struct psync_sock *psk = psync_sk(sock->sk);
	int err = 0;

	lock_sock(sock->sk);
	if (!peer)
		psync_addr_pid(addr, psk->pid.site, psk->pid.port,
			       psk->binding);
	else if (sock->state == SS_CONNECTED)
		*addr = psk->peer;
	else
		err = -ENOTCONN;
	release_sock(sock->sk);
	return err ?: sizeof(*addr);
}

/*
 * Is there room?  In the send buffer, which has what was sent here and is not
 * held yet, and in the share of the site.  What ends sending for good is told
 * by the next send at once.
 */
static bool psync_poll_writable(struct sock *sk, struct psync_participant *part)
{
	if (sk->sk_type == SOCK_DGRAM)
		return sock_writeable(sk);
	if (!part)
		return false;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ||
	    psync_conv_stale(part))
		return true;
	return sock_writeable(sk) && psync_conv_writable(part);
}

static __poll_t psync_poll(struct file *file, struct socket *sock,
			   poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct psync_participant *part;
	__poll_t mask = 0;
	u8 shut;

	/* Whoever changes what is read below wakes those who wait. */
	sock_poll_wait(file, sock, wait);
	shut = READ_ONCE(sk->sk_shutdown);
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	if (shut == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (shut & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return mask | (psync_accept_ready(sk) ?
			       EPOLLIN | EPOLLRDNORM : 0);
	/* Pairs with psync_conv_join() and psync_conv_accept(). */
	part = smp_load_acquire(&psync_sk(sk)->part);
	if (part && psync_conv_stale(part))
		mask |= EPOLLERR;
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	    READ_ONCE(psync_sk(sk)->events_queued) ||
	    (part && READ_ONCE(part->view.outstanding)))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (part && READ_ONCE(part->watch.answer))
		mask |= EPOLLPRI;
	if (psync_poll_writable(sk, part))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return mask;
}

void psync_sock_wake_writers(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* Bytes of the next message, 0 if there is none (S2.1: speaks of delivery). */
static int psync_next_len(struct sock *sk)
{
	struct psync_participant *part = psync_sk(sk)->part;
	struct psync_node *node;
	struct sk_buff *skb;
	int len = 0;

	if (READ_ONCE(psync_sk(sk)->events_queued))
		return sizeof(struct psync_event);
	spin_lock_bh(&sk->sk_receive_queue.lock);
	skb = skb_peek(&sk->sk_receive_queue);
	if (skb)
		len = skb->len;
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	if (skb || !part)
		return len;
	psync_conv_lock(part->conv);
	node = psync_view_next(&part->view);
	if (node)
		len = node->body_len;
	psync_conv_unlock(part->conv);
	return len;
}

static int psync_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	int value;

	switch (cmd) {
	case SIOCINQ:
		lock_sock(sk);
		value = sk->sk_state == TCP_LISTEN ? -EINVAL :
			psync_next_len(sk);
		release_sock(sk);
		break;
	case SIOCOUTQ:
		/* Bodies that are not held everywhere are still charged. */
		value = sk_wmem_alloc_get(sk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	if (value < 0)
		return value;
	return put_user(value, (int __user *)arg);
}

static int psync_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	lock_sock(sk);
	if (sock->state != SS_CONNECTED) {
		err = -ENOTCONN;
	} else {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | (how + 1));
		sk->sk_state_change(sk);
	}
	release_sock(sk);
	return err;
}

/* Nobody accepts these any more; see psync_conv_offer() for the other side. */
static void psync_release_listener(struct sock *sk)
{
	struct psync_net *pnet = psync_pernet(sock_net(sk));
	struct psync_participant *part;

	spin_lock_bh(&pnet->table_lock);
	pnet->nlisteners--;
	spin_unlock_bh(&pnet->table_lock);
	spin_lock_bh(&sk->sk_receive_queue.lock);
	sk->sk_state = TCP_CLOSE;
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	while ((part = psync_accept_dequeue(sk)))
		psync_conv_leave(part);
}

static int psync_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct psync_sock *psk;

	if (!sk)
		return 0;
	psk = psync_sk(sk);
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN)
		psync_release_listener(sk);
	if (psk->part) {
		/* What ends with its process was not closed by it. */
		psk->part->view.died = current->flags & PF_EXITING;
		psync_conv_leave(psk->part);
	}
	psk->part = NULL;
	/* Last: whoever gets the port next finds its places free. */
	psync_port_unbind(psk);
	psync_sockopt_release(psk);
	if (psk->holds_site)
		psync_site_release(psync_pernet(sock_net(sk)));
	psk->holds_site = false;
	sk->sk_shutdown = SHUTDOWN_MASK;
	sk->sk_state = TCP_CLOSE;
	sock_orphan(sk);
	release_sock(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

/*
 * The last reference is gone: port look-ups and events held one while they
 * queued, so this is when the queue is final.
 */
static void psync_sock_destruct(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
	psync_event_free(psync_sk(sk));
	psync_purse_close(psync_sk(sk));
}

static struct sock *psync_sock_alloc(struct net *net, struct socket *sock,
				     int type, int kern)
{
	struct psync_sock *psk;
	struct sock *sk;

	sk = sk_alloc(net, psync_family_nr, GFP_KERNEL, &psync_proto, kern);
	if (!sk)
		return NULL;
	sock_init_data(sock, sk);
	sk->sk_type = type;
	sk->sk_state = TCP_CLOSE;
	sk->sk_destruct = psync_sock_destruct;
	sock_set_flag(sk, SOCK_RCU_FREE);	/* psync_port_find_get() */
	psk = psync_sk(sk);
	INIT_HLIST_NODE(&psk->port_node);
	INIT_LIST_HEAD(&psk->accept_queue);
	if (psync_purse_open(psk)) {
		sk_free(sk);
		if (sock)
			sock->sk = NULL;
		return NULL;
	}
	/* Unread messages have as much room as the image, unless told. */
	if (type == SOCK_SEQPACKET)
		WRITE_ONCE(sk->sk_rcvbuf,
			   READ_ONCE(psync_pernet(net)->sysctl.image_bytes));
	return sk;
}

static int psync_create(struct net *net, struct socket *sock, int protocol,
			int kern)
{
	if (protocol)
		return -EPROTONOSUPPORT;
	switch (sock->type) {
	case SOCK_SEQPACKET:
		sock->ops = &psync_seqpacket_ops;
		break;
	case SOCK_DGRAM:
		sock->ops = &psync_dgram_ops;
		break;
	default:
		return -ESOCKTNOSUPPORT;
	}
	sock->state = SS_UNCONNECTED;
	return psync_sock_alloc(net, sock, sock->type, kern) ? 0 : -ENOMEM;
}

/* The family's number is a parameter: filled in at load. */
static struct proto_ops psync_seqpacket_ops __ro_after_init = {
	.owner		= THIS_MODULE,
	.release	= psync_release,
	.bind		= psync_bind,
	.connect	= psync_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= psync_accept,
	.getname	= psync_getname,
	.poll		= psync_poll,
	.ioctl		= psync_ioctl,
	.gettstamp	= sock_gettstamp,
	.listen		= psync_listen,
	.shutdown	= psync_shutdown,
	.setsockopt	= psync_setsockopt,
	.getsockopt	= psync_getsockopt,
	.sendmsg	= psync_sendmsg,
	.recvmsg	= psync_recvmsg,
	.mmap		= sock_no_mmap,
};

static struct proto_ops psync_dgram_ops __ro_after_init = {
	.owner		= THIS_MODULE,
	.release	= psync_release,
	.bind		= psync_bind,
	.connect	= psync_dgram_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= psync_getname,
	.poll		= psync_poll,
	.ioctl		= psync_ioctl,
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= psync_shutdown,
	.setsockopt	= psync_setsockopt,
	.getsockopt	= psync_getsockopt,
	.sendmsg	= psync_dgram_sendmsg,
	.recvmsg	= psync_dgram_recvmsg,
	.mmap		= sock_no_mmap,
};

static struct net_proto_family psync_family_ops __ro_after_init = {
	.create		= psync_create,
	.owner		= THIS_MODULE,
};

/* Registered last and unregistered first: a socket finds all else ready. */
int __init psync_family_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct sockaddr_psync) != 32);
	if (psync_family_nr <= 0 || psync_family_nr >= AF_MAX)
		return -EINVAL;
	psync_seqpacket_ops.family = psync_family_nr;
	psync_dgram_ops.family = psync_family_nr;
	psync_family_ops.family = psync_family_nr;
	err = proto_register(&psync_proto, 0);
	if (err)
		return err;
	err = sock_register(&psync_family_ops);
	if (err) {
		pr_err("psync: socket family %d is taken; choose another with family=\n",
		       psync_family_nr);
		proto_unregister(&psync_proto);
		/* EEXIST would tell modprobe that we are loaded already. */
		err = -EBUSY;
	}
	return err;
}

void psync_family_exit(void)
{
	sock_unregister(psync_family_nr);
	proto_unregister(&psync_proto);
}
