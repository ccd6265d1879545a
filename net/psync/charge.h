/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory charged to sockets; see charge.c. */
#ifndef _PSYNC_CHARGE_H
#define _PSYNC_CHARGE_H

#include <linux/types.h>

struct ctl_table_header;
struct psync_conv;
struct psync_sock;
struct sk_buff;

/**
 * struct psync_charge - who pays for what a conversation keeps
 * @payer: the socket, or NULL: the namespace; it is in psync_image.views, or
 *	listens for somebody there, so it outlives this pointer
 * @bytes: what is kept and charged to no sender
 * @paid: bytes taken from @payer's purse, a multiple of PAGE_SIZE
 * @owed: the rest of @bytes, in psync_net.owed
 *
 * Under psync_conv.lock.
 */
struct psync_charge {
	struct psync_sock	*payer;
	u64			bytes;
	u64			paid;
	u64			owed;
};

int psync_charge_init(void);
void psync_charge_exit(void);

/* A socket gets its purse, and gives it back empty when it is destroyed. */
int psync_purse_open(struct psync_sock *psk);
void psync_purse_close(struct psync_sock *psk);

/* Bytes that are charged to a socket now. */
u32 psync_purse_charged(const struct psync_sock *psk);

/**
 * psync_charge_own - charge a socket for what it keeps beside any conversation
 * @psk: socket
 * @size: bytes of memory
 *
 * What is charged so is allocated without __GFP_ACCOUNT: its control group is
 * charged by the purse.  Context: any but hard interrupts.
 * Return: 0, -ENOBUFS.
 */
int psync_charge_own(struct psync_sock *psk, u32 size);
/* It is freed. */
void psync_charge_own_put(struct psync_sock *psk, u32 size);

/**
 * psync_charge_sent - charge a message to the socket that sends it
 * @psk: socket whose skb it is (sock_alloc_send_pskb())
 * @skb: the message; given back by its destructor
 *
 * Context: process.  Return: 0, -ENOBUFS.
 */
int psync_charge_sent(struct psync_sock *psk, struct sk_buff *skb);

/**
 * psync_charge_more - charge what is added to a message
 * @psk: the socket that it is charged to
 * @skb: the message; given back with it
 * @size: bytes of memory, at most PSYNC_BODY_MAX
 *
 * Context: process.  Return: 0, -ENOBUFS.
 */
int psync_charge_more(struct psync_sock *psk, struct sk_buff *skb, u32 size);

/**
 * psync_charge_counts - can so much more be counted in sk_wmem_alloc?
 * @sk: socket
 * @size: bytes of memory, at most PSYNC_BODY_MAX
 *
 * That is a reference count and holds less than INT_MAX.  Half of it is left for
 * what is counted at the same time, and by who waits for SO_SNDBUF.
 */
bool psync_charge_counts(const struct sock *sk, u32 size);

/**
 * psync_charge_received - charge a datagram to the socket in whose queue it waits
 * @psk: socket, which the caller holds
 * @skb: datagram, nobody's yet; counts in sk_rmem_alloc, too, and is given back
 *	by its destructor
 *
 * Context: any but hard interrupts.  Return: 0, -ENOBUFS.
 */
int psync_charge_received(struct psync_sock *psk, struct sk_buff *skb);

/**
 * psync_charge_disown - what a socket sent is the conversation's from now on
 * @conv: locked
 * @skb: body
 */
void psync_charge_disown(struct psync_conv *conv, struct sk_buff *skb);

/* The core takes over, or gives back, a reference to a body; @conv locked. */
void psync_charge_body(struct psync_conv *conv, const struct sk_buff *skb);
void psync_charge_body_put(struct psync_conv *conv, const struct sk_buff *skb);

/**
 * psync_charge_move - participants have come or gone
 * @conv: locked
 *
 * Who has been here longest pays.
 */
void psync_charge_move(struct psync_conv *conv);

/**
 * psync_charge_settle - pay for what is kept now
 * @conv: locked
 *
 * Return: true when somebody pays for all of it, or when no socket could and
 * the namespace's bound allows it.
 */
bool psync_charge_settle(struct psync_conv *conv);

#endif /* _PSYNC_CHARGE_H */
