// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: which socket is which pid (S1.1).
 *
 * A pid belongs to the open socket.  Ports from PSYNC_PORT_AUTO on are given
 * out one after the other and never twice within a site incarnation; below,
 * programs choose, and may bind a number again once it is free: then with a
 * greater binding number.
 */

#include <linux/jhash.h>

#include "psync.h"

static struct hlist_head *psync_port_bucket(struct psync_net *pnet, u32 port)
{
	return &pnet->ports[jhash_1word(port, pnet->hash_seed) %
			    PSYNC_PORT_HASH];
}

/* Under RCU or table_lock. */
static struct psync_sock *psync_port_lookup(struct psync_net *pnet, u32 port)
{
	struct psync_sock *psk;

	hlist_for_each_entry_rcu(psk, psync_port_bucket(pnet, port), port_node,
				 lockdep_is_held(&pnet->table_lock))
		if (psk->pid.port == port)
			return psk;
	return NULL;
}

int psync_port_bind(struct psync_sock *psk, u32 port)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));
	int err = 0;

	if (port >= PSYNC_PORT_AUTO)
		return -EINVAL;
	spin_lock_bh(&pnet->table_lock);
	if (!port && pnet->next_port)
		port = pnet->next_port++;
	if (!port || psync_port_lookup(pnet, port)) {
		err = -EADDRINUSE;
		goto out;
	}
	psk->pid.site = pnet->site;
	psk->pid.port = port;
	/* On the wire 0 means any. */
	psk->binding = ++pnet->next_binding ?: ++pnet->next_binding;
	hlist_add_head_rcu(&psk->port_node, psync_port_bucket(pnet, port));
out:
	spin_unlock_bh(&pnet->table_lock);
	return err;
}

void psync_port_unbind(struct psync_sock *psk)
{
	struct psync_net *pnet = psync_pernet(sock_net(&psk->sk));

	spin_lock_bh(&pnet->table_lock);
	hlist_del_init_rcu(&psk->port_node);
	spin_unlock_bh(&pnet->table_lock);
}

struct sock *psync_port_find_get(struct psync_net *pnet, u32 port, int type)
{
	struct psync_sock *psk;
	struct sock *sk = NULL;

	/* SOCK_RCU_FREE keeps the memory; a closed one has no references. */
	rcu_read_lock();
	psk = psync_port_lookup(pnet, port);
	if (psk && (!type || psk->sk.sk_type == type) &&
	    refcount_inc_not_zero(&psk->sk.sk_refcnt))
		sk = &psk->sk;
	rcu_read_unlock();
	return sk;
}

void psync_port_reset(struct psync_net *pnet)
{
	spin_lock_bh(&pnet->table_lock);
	pnet->next_port = PSYNC_PORT_AUTO;
	spin_unlock_bh(&pnet->table_lock);
}

bool psync_port_listening(struct psync_net *pnet)
{
	return READ_ONCE(pnet->nlisteners);
}
