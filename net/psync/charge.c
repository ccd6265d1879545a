// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory charged to sockets, so that control groups and net.psync.psync_mem
 * bound it.
 *
 * What a program sends is charged to its socket, skb by skb, until the body is
 * freed; a datagram likewise, to the socket in whose queue it waits.  All else
 * that a conversation keeps (nodes, vectors, tables, bodies that came from
 * elsewhere or whose sender has closed) is counted in psync_charge.bytes and
 * charged, a page at least, to one socket here: the participant that has been in
 * the conversation longest, or, while that one waits to be accepted, the
 * listener.  Where there is none (an early rendezvous, an embryo, a conversation
 * that lingers) and for what no limit may refuse (S2.5) when a purse is empty,
 * the namespace owes it: psync_net.owed, bounded by net.psync.owed_bytes; beyond
 * that no more is taken in and the oldest that linger are given up.  A byte is
 * charged once, however many participants have yet to read it; each one's
 * SO_RCVBUF bounds those it has yet to read.  What a socket keeps beside any
 * conversation, its queue of events and what options hold, is charged to it when
 * it asks for that.
 *
 * Purses.  The core runs under the conversation's lock, in softirq, where
 * sk_forward_alloc of a user's socket, which lock_sock protects (SO_RESERVE_MEM
 * changes it), must not be touched.  So what is charged goes through a purse:
 * a sock of its own per psync_sock that no program can reach, made in the
 * context of the one that made the socket and therefore of its control group.
 * The rule: its sk_forward_alloc and sk_wmem_queued are only touched in this
 * file, under psync_sock.purse_lock, which is innermost.
 *
 * Each charge is given back exactly once:
 *
 *  - of a sent body, by its skb's destructor, which skb_orphan() and the last
 *    kfree_skb() run once; the skb holds the socket and so the purse;
 *  - of a datagram that waits likewise; the queue is emptied before the socket's
 *    purse is closed, and who has taken one out of it holds the socket;
 *  - of what a socket keeps itself, by the function that frees it:
 *    psync_sockopt_free(), for what another value replaces and when the socket
 *    is released, and psync_event_free(), before its purse is closed;
 *  - psync_charge.paid is all that was taken for a conversation.  It changes
 *    in psync_charge_pay() alone, together with the purse of the same payer;
 *    psync_charge_move() gives it all back before the payer becomes another;
 *    the payer cannot go before, since the participant that it pays as leaves
 *    (psync_conv_leave(), also of those in a listener's queue) while the
 *    socket is being released, and that moves the charge;
 *  - psync_charge.owed is what of psync_net.owed is this conversation's: both
 *    change by the same amount in psync_charge_settle() alone;
 *  - when a conversation is destroyed no participant is left, so the payer is
 *    NULL and nothing is paid, and bytes come to zero with what is freed.
 */

#include <linux/percpu_counter.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/sysctl.h>

#include "psync.h"

/* What a conversation may have paid too much, so that it pays less often. */
#define PSYNC_CHARGE_SLACK	(4 * PAGE_SIZE)
/* One step: sk_wmem_schedule() takes an int. */
#define PSYNC_CHARGE_STEP	SZ_16M

static atomic_long_t psync_mem_allocated;
static DEFINE_PER_CPU(int, psync_mem_per_cpu_fw_alloc);
static struct percpu_counter psync_mem_sockets;
static unsigned long psync_mem_pressure;
static long psync_mem[3];		/* pages: low, pressure, most */
static int psync_mem_least[3];		/* no socket is let off */

static void psync_mem_enter_pressure(struct sock *sk)
{
	WRITE_ONCE(psync_mem_pressure, 1);
}

static struct proto psync_mem_proto = {
	.name			= "PSYNC-MEM",
	.owner			= THIS_MODULE,
	.obj_size		= sizeof(struct sock),
	.enter_memory_pressure	= psync_mem_enter_pressure,
	.memory_allocated	= &psync_mem_allocated,
	.per_cpu_fw_alloc	= &psync_mem_per_cpu_fw_alloc,
	.sockets_allocated	= &psync_mem_sockets,
	.memory_pressure	= &psync_mem_pressure,
	.sysctl_mem		= psync_mem,
	.sysctl_wmem		= psync_mem_least,
	.sysctl_rmem		= psync_mem_least,
};

static const struct ctl_table psync_mem_table[] = {
	{
		.procname	= "psync_mem",
		.data		= psync_mem,
		.maxlen		= sizeof(psync_mem),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
	},
	{}
};

static struct ctl_table *psync_mem_entries;
static struct ctl_table_header *psync_mem_hdr;

int psync_purse_open(struct psync_sock *psk)
{
	struct sock *purse;

	spin_lock_init(&psk->purse_lock);
	/* The socket holds the namespace for it. */
	purse = sk_alloc(sock_net(&psk->sk), psync_family(), GFP_KERNEL,
			 &psync_mem_proto, 1);
	if (!purse)
		return -ENOMEM;
	sock_init_data(NULL, purse);
	sk_sockets_allocated_inc(purse);
	psk->purse = purse;
	return 0;
}

void psync_purse_close(struct psync_sock *psk)
{
	struct sock *purse = psk->purse;

	if (!purse)
		return;
	if (purse->sk_wmem_queued || purse->sk_forward_alloc)
		pr_err_ratelimited("psync: leak: a socket ends charged, %d and %d\n",
				   purse->sk_wmem_queued,
				   purse->sk_forward_alloc);
	sk_sockets_allocated_dec(purse);
	psk->purse = NULL;
	sk_free(purse);
}

u32 psync_purse_charged(const struct psync_sock *psk)
{
	return READ_ONCE(psk->purse->sk_wmem_queued);
}

static bool psync_purse_take(struct psync_sock *psk, u32 size)
{
	struct sock *purse = psk->purse;
	bool taken;

	spin_lock_bh(&psk->purse_lock);
	taken = purse->sk_wmem_queued <= INT_MAX - (int)size &&
		sk_wmem_schedule(purse, size);
	if (taken) {
		sk_mem_charge(purse, size);
		WRITE_ONCE(purse->sk_wmem_queued,
			   purse->sk_wmem_queued + (int)size);
	}
	spin_unlock_bh(&psk->purse_lock);
	return taken;
}

static void psync_purse_give(struct psync_sock *psk, u32 size)
{
	struct sock *purse = psk->purse;

	spin_lock_bh(&psk->purse_lock);
	WRITE_ONCE(purse->sk_wmem_queued, purse->sk_wmem_queued - (int)size);
	sk_mem_uncharge(purse, size);
	spin_unlock_bh(&psk->purse_lock);
}

/* Of a sent body, instead of sock_wfree(). */
static void psync_charge_wfree(struct sk_buff *skb)
{
	psync_purse_give(psync_sk(skb->sk), skb->truesize);
	sock_wfree(skb);
}

/* Of a datagram that waits to be received, instead of sock_rfree(). */
static void psync_charge_rfree(struct sk_buff *skb)
{
	psync_purse_give(psync_sk(skb->sk), skb->truesize);
	sock_rfree(skb);
}

int psync_charge_own(struct psync_sock *psk, u32 size)
{
	if (psync_purse_take(psk, size))
		return 0;
	PSYNC_INC(psync_pernet(sock_net(&psk->sk)), CHARGE_REFUSED);
	return -ENOBUFS;
}

void psync_charge_own_put(struct psync_sock *psk, u32 size)
{
	psync_purse_give(psk, size);
}

int psync_charge_received(struct psync_sock *psk, struct sk_buff *skb)
{
	int err = psync_charge_own(psk, skb->truesize);

	if (err)
		return err;
	skb_set_owner_r(skb, &psk->sk);
	skb->destructor = psync_charge_rfree;
	return 0;
}

int psync_charge_sent(struct psync_sock *psk, struct sk_buff *skb)
{
	int err = psync_charge_own(psk, skb->truesize);

	if (err)
		return err;
	skb->destructor = psync_charge_wfree;
	return 0;
}

int psync_charge_more(struct psync_sock *psk, struct sk_buff *skb, u32 size)
{
	if (!psync_charge_counts(&psk->sk, size) ||
	    !psync_purse_take(psk, size)) {
		PSYNC_INC(psync_pernet(sock_net(&psk->sk)), CHARGE_REFUSED);
		return -ENOBUFS;
	}
	refcount_add(size, &psk->sk.sk_wmem_alloc);
	skb->truesize += size;
	return 0;
}

bool psync_charge_counts(const struct sock *sk, u32 size)
{
	return refcount_read(&sk->sk_wmem_alloc) <= INT_MAX / 2 - size;
}

void psync_charge_disown(struct psync_conv *conv, struct sk_buff *skb)
{
	lockdep_assert_held(&conv->lock);
	if (!skb->sk)
		return;
	skb_orphan(skb);
	conv->charge.bytes += skb->truesize;
}

void psync_charge_body(struct psync_conv *conv, const struct sk_buff *skb)
{
	lockdep_assert_held(&conv->lock);
	if (!skb->sk)
		conv->charge.bytes += skb->truesize;
}

void psync_charge_body_put(struct psync_conv *conv, const struct sk_buff *skb)
{
	lockdep_assert_held(&conv->lock);
	if (!skb->sk)
		conv->charge.bytes -= skb->truesize;
}

/* Pays up to @want bytes, or as much of it as the purse has; or gets back. */
static void psync_charge_pay(struct psync_charge *charge, u64 want)
{
	u32 step;

	while (charge->paid < want) {
		step = min_t(u64, want - charge->paid, PSYNC_CHARGE_STEP);
		if (!psync_purse_take(charge->payer, step))
			return;
		charge->paid += step;
	}
	while (charge->paid > want) {
		step = min_t(u64, charge->paid - want, PSYNC_CHARGE_STEP);
		psync_purse_give(charge->payer, step);
		charge->paid -= step;
	}
}

bool psync_charge_settle(struct psync_conv *conv)
{
	struct psync_charge *charge = &conv->charge;
	struct psync_net *pnet = conv->pnet;
	u64 want = round_up(charge->bytes, PAGE_SIZE);
	u64 owed;

	lockdep_assert_held(&conv->lock);
	if (charge->payer && (charge->paid < charge->bytes ||
			      charge->paid > want + PSYNC_CHARGE_SLACK))
		psync_charge_pay(charge, want);
	owed = charge->bytes > charge->paid ? charge->bytes - charge->paid : 0;
	if (owed != charge->owed)
		atomic_long_add((long)(owed - charge->owed), &pnet->owed);
	charge->owed = owed;
	return !owed || (!charge->payer &&
			 atomic_long_read(&pnet->owed) <=
			 READ_ONCE(pnet->sysctl.owed_bytes));
}

/* The participant that has been here longest, or its listener. */
static struct psync_sock *psync_charge_payer(const struct psync_conv *conv)
{
	const struct psync_participant *part;
	const struct psync_view *view;

	list_for_each_entry(view, &conv->img.views, link) {
		part = container_of(view, struct psync_participant, view);
		if (part->sk)
			return psync_sk(part->sk);
		if (part->listener)
			return psync_sk(part->listener);
	}
	return NULL;
}

void psync_charge_move(struct psync_conv *conv)
{
	struct psync_charge *charge = &conv->charge;
	struct psync_sock *payer = psync_charge_payer(conv);

	lockdep_assert_held(&conv->lock);
	if (payer == charge->payer)
		return;
	if (charge->payer)
		psync_charge_pay(charge, 0);
	charge->payer = payer;
	psync_charge_settle(conv);
}

int __init psync_charge_init(void)
{
	unsigned long pages = max(nr_free_buffer_pages() / 8, 128UL);
	int err;

	psync_mem[0] = pages / 4 * 3;
	psync_mem[1] = pages;
	psync_mem[2] = psync_mem[0] * 2;
	err = percpu_counter_init(&psync_mem_sockets, 0, GFP_KERNEL);
	if (err)
		return err;
	err = proto_register(&psync_mem_proto, 0);
	if (err)
		goto err_counter;
	err = -ENOMEM;
	psync_mem_entries = kmemdup(psync_mem_table, sizeof(psync_mem_table),
				    GFP_KERNEL);
	if (!psync_mem_entries)
		goto err_proto;
	psync_mem_hdr = register_net_sysctl_sz(&init_net, "net/psync",
					       psync_mem_entries,
					       ARRAY_SIZE(psync_mem_table) - 1);
	if (psync_mem_hdr)
		return 0;
	kfree(psync_mem_entries);
err_proto:
	proto_unregister(&psync_mem_proto);
err_counter:
	percpu_counter_destroy(&psync_mem_sockets);
	return err;
}

void psync_charge_exit(void)
{
	unregister_net_sysctl_table(psync_mem_hdr);
	kfree(psync_mem_entries);
	proto_unregister(&psync_mem_proto);
	percpu_counter_destroy(&psync_mem_sockets);
}
