/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels differ here and nowhere else.  Kbuild includes this before every
 * file; it looks for features in the headers (PSYNC_COMPAT_*) where the
 * preprocessor cannot.
 */
#ifndef _PSYNC_COMPAT_H
#define _PSYNC_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "psync needs Linux 6.1 or newer"
#endif

/* Came with 6.2 and later updates of 6.1. */
#ifdef PSYNC_COMPAT_NO_TIMER_DELETE
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

/* Came with 6.13. */
#ifdef PSYNC_COMPAT_NO_HRTIMER_SETUP
#define hrtimer_setup(timer, callback, clock, mode)			\
	do {								\
		struct hrtimer *_timer = (timer);			\
									\
		hrtimer_init(_timer, clock, mode);			\
		_timer->function = (callback);				\
	} while (0)
#endif

/* Up to 6.15 or so a packet's control block got no flags from the caller. */
#ifdef PSYNC_COMPAT_UDP_XMIT_FLAGS
#define psync_udp_xmit4(...)	udp_tunnel_xmit_skb(__VA_ARGS__, 0)
#define psync_udp_xmit6(...)	udp_tunnel6_xmit_skb(__VA_ARGS__, 0)
#else
#define psync_udp_xmit4(...)	udp_tunnel_xmit_skb(__VA_ARGS__)
#define psync_udp_xmit6(...)	udp_tunnel6_xmit_skb(__VA_ARGS__)
#endif

/* What tunnels are made of: 7.2 means the struct sock. */
#ifdef PSYNC_COMPAT_UDP_TUNNEL_SK
#define psync_udp_tunnel(sock)	((sock)->sk)
#else
#define psync_udp_tunnel(sock)	(sock)
#endif

/* 6.6 wants the length of the table, before that it ends with an empty entry. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define register_net_sysctl_sz(net, path, table, size) \
	register_net_sysctl(net, path, table)
#endif

/* 6.11 gives handlers a table that they cannot write to. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define PSYNC_CTL_CONST			const
#else
#define PSYNC_CTL_CONST
#endif

/* 6.10 gathers what accept() is asked in a struct. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define psync_accept_args		struct proto_accept_arg *arg
#define psync_accept_flags		(arg->flags)
#define psync_accept_kern		(arg->kern)
#else
#define psync_accept_args		int flags, bool kern
#define psync_accept_flags		flags
#define psync_accept_kern		kern
#endif

/* 6.19 names the addresses of bind() and connect() for what they are. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define psync_sockaddr			struct sockaddr_unsized
#else
#define psync_sockaddr			struct sockaddr
#endif

/* 6.7 has it, in the same words. */
#define NLA_POLICY_MAX_LEN(_len)	NLA_POLICY_MAX(NLA_BINARY, _len)

/* 6.6 puts the attributes of a dump's request into a struct genl_info. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define psync_genl_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#else
#define psync_genl_dump_attrs(cb)	(genl_info_dump(cb)->attrs)
#endif

#endif /* _PSYNC_COMPAT_H */
