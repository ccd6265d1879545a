// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links over UDP, IPv4 or IPv6: one kernel socket per link, bound to its local
 * address and port, that takes its packets in softirq (encap_rcv).
 *
 * Checksums.  Every packet carries UDP's, never the zero that means "none";
 * the UDP layer has verified it before it calls us (a wrong one is counted
 * there as InCsumErrors).  Our own csum field is zero.
 *
 * Routes.  Looked up per peer and kept per CPU (psync_addr.routes, a dst_cache)
 * until the routing tables, the addresses or the path MTU change.  ICMP errors
 * find the socket by its port, so path MTU discovery is the IP layer's.
 * Packets are never fragmented: those longer than the path takes are dropped.
 *
 * Congestion marks (ECN).  Messages and fragments are sent as able to take one,
 * ECT(0), since the core heeds what it is told of them; other packets are not.
 * Whether a packet came with one (CE) is said with its address.
 *
 * The socket.  A kernel socket does not hold its namespace; psync_link_flush()
 * closes it when that ends.  Link and socket point to each other: encap_rcv
 * finds the link through sk_user_data, senders the socket through
 * psync_link.sock, both under RCU.  close takes the socket away from both, out of
 * psync_link.sock and out of the hash in which packets find it, and waits for a
 * grace period; then nobody uses either and the socket is released.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "psync.h"

#define PSYNC_LINK_UDP_TTL	64
#define PSYNC_LINK_UDP_HEAD4	(sizeof(struct iphdr) + sizeof(struct udphdr))
#define PSYNC_LINK_UDP_HEAD6	(sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/* What is left of its way here must not outlive the handler. */
static void psync_link_udp_strip(struct sk_buff *skb)
{
	skb_scrub_packet(skb, false);
	skb_orphan(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb->dev = NULL;
}

static void psync_link_udp_from(const struct sk_buff *skb,
				struct psync_addr *from)
{
	from->port = udp_hdr(skb)->source;
	if (ip_hdr(skb)->version == 4) {
		from->family = AF_INET;
		from->ip4 = ip_hdr(skb)->saddr;
		from->marked = INET_ECN_is_ce(ip_hdr(skb)->tos);
	} else {
		from->family = AF_INET6;
		from->ip6 = ipv6_hdr(skb)->saddr;
		from->marked = INET_ECN_is_ce(ipv6_get_dsfield(ipv6_hdr(skb)));
	}
}

/* Softirq, under RCU; data is at the UDP header.  Always consumes skb. */
static int psync_link_udp_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct psync_link *link = rcu_dereference_sk_user_data(sk);
	struct psync_net *pnet = psync_pernet(sock_net(sk));
	struct psync_addr from = {};
	enum psync_drop reason;

	if (!pskb_may_pull(skb, sizeof(struct udphdr))) {
		psync_drop(pnet, skb, PSYNC_DROP_TOO_SHORT);
		return 0;
	}
	if (!udp_hdr(skb)->check) {
		psync_drop(pnet, skb, PSYNC_DROP_BAD_CSUM);
		return 0;
	}
	psync_link_udp_from(skb, &from);
	__skb_pull(skb, sizeof(struct udphdr));
	psync_link_udp_strip(skb);
	reason = psync_link_frame(skb);
	if (!reason && ((struct psync_wire_hdr *)skb->data)->csum)
		reason = PSYNC_DROP_BAD_HEADER;
	if (reason)
		psync_drop(pnet, skb, reason);
	else
		psync_input(link, skb, &from);
	return 0;
}

/* A route to addr over IPv4, with a reference, and the source address. */
static struct rtable *psync_link_udp_route4(const struct psync_link *link,
					    struct sock *sk,
					    const struct psync_addr *addr,
					    __be32 *saddr)
{
	struct flowi4 fl4 = {
		.saddr		= link->local.ip4,
		.daddr		= addr->ip4,
		.fl4_sport	= link->local.port,
		.fl4_dport	= addr->port,
		.flowi4_proto	= IPPROTO_UDP,
	};
	struct rtable *rt = NULL;

	if (addr->routes)
		rt = dst_cache_get_ip4(addr->routes, saddr);
	if (rt)
		return rt;
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(link->pnet->net, &fl4, sk);
	if (IS_ERR(rt))
		return NULL;
	if (addr->routes)
		dst_cache_set_ip4(addr->routes, &rt->dst, fl4.saddr);
	*saddr = fl4.saddr;
	return rt;
}

/* The same over IPv6. */
static struct dst_entry *psync_link_udp_route6(const struct psync_link *link,
					       struct sock *sk,
					       const struct psync_addr *addr,
					       struct in6_addr *saddr)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct flowi6 fl6 = {
		.saddr		= link->local.ip6,
		.daddr		= addr->ip6,
		.fl6_sport	= link->local.port,
		.fl6_dport	= addr->port,
		.flowi6_proto	= IPPROTO_UDP,
	};
	struct net *net = link->pnet->net;
	struct dst_entry *dst = NULL;

	if (addr->routes)
		dst = dst_cache_get_ip6(addr->routes, saddr);
	if (dst)
		return dst;
	/* IPv4's look-up checks this, IPv6's does not. */
	if (!ipv6_addr_any(&fl6.saddr) &&
	    !ipv6_chk_addr(net, &fl6.saddr, NULL, 0))
		return NULL;
	security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl6));
	dst = ip6_dst_lookup_flow(net, sk, &fl6, NULL);
	if (IS_ERR(dst))
		return NULL;
	if (addr->routes)
		dst_cache_set_ip6(addr->routes, dst, &fl6.saddr);
	*saddr = fl6.saddr;
	return dst;
#else
	return NULL;
#endif
}

/* What a route leaves for a packet of ours; neither header holds more. */
static unsigned int psync_link_udp_room(const struct dst_entry *dst,
					unsigned int head)
{
	unsigned int mtu = min_t(unsigned int, dst_mtu(dst), U16_MAX);

	return mtu > head ? mtu - head : 0;
}

/* Can it go this way?  Then makes room for the headers. */
static enum psync_drop psync_link_udp_prepare(struct sk_buff *skb,
					      const struct dst_entry *dst,
					      unsigned int head)
{
	if (skb->len > psync_link_udp_room(dst, head))
		return PSYNC_DROP_TX_TOO_BIG;
	if (skb_cow_head(skb, LL_RESERVED_SPACE(dst->dev) + dst->header_len +
			 head))
		return PSYNC_DROP_TX_NO_MEM;
	/*
	 * The IP layer takes skb->sk for a socket of its own (IPv6 looks into
	 * it for the MTU), so a packet leaves its sender's account here.
	 */
	skb_orphan(skb);
	skb->dev = NULL; /* no tunnel device counts it */
	skb->ip_summed = CHECKSUM_NONE;
	return PSYNC_OK;
}

/* What the IP header says of congestion. */
static u8 psync_link_udp_ecn(const struct sk_buff *skb)
{
	const struct psync_wire_hdr *hdr = (const void *)skb->data;

	return psync_wire_is_markable(hdr->type) ? INET_ECN_ECT_0 :
						   INET_ECN_NOT_ECT;
}

static enum psync_drop psync_link_udp_xmit4(struct psync_link *link,
					    struct sock *sk,
					    struct sk_buff *skb,
					    const struct psync_addr *addr)
{
	u8 ecn = psync_link_udp_ecn(skb);
	enum psync_drop reason;
	struct rtable *rt;
	__be32 saddr;

	rt = psync_link_udp_route4(link, sk, addr, &saddr);
	if (!rt)
		return PSYNC_DROP_TX_NO_ROUTE;
	reason = psync_link_udp_prepare(skb, &rt->dst, PSYNC_LINK_UDP_HEAD4);
	if (reason) {
		ip_rt_put(rt);
		return reason;
	}
	psync_udp_xmit4(rt, sk, skb, saddr, addr->ip4, ecn, PSYNC_LINK_UDP_TTL,
			htons(IP_DF), link->local.port, addr->port, false,
			false);
	return PSYNC_OK;
}

static enum psync_drop psync_link_udp_xmit6(struct psync_link *link,
					    struct sock *sk,
					    struct sk_buff *skb,
					    const struct psync_addr *addr)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct in6_addr saddr, daddr = addr->ip6;
	u8 ecn = psync_link_udp_ecn(skb);
	enum psync_drop reason;
	struct dst_entry *dst;

	dst = psync_link_udp_route6(link, sk, addr, &saddr);
	if (!dst)
		return PSYNC_DROP_TX_NO_ROUTE;
	reason = psync_link_udp_prepare(skb, dst, PSYNC_LINK_UDP_HEAD6);
	if (reason) {
		dst_release(dst);
		return reason;
	}
	psync_udp_xmit6(dst, sk, skb, NULL, &saddr, &daddr, ecn,
			PSYNC_LINK_UDP_TTL, 0, link->local.port, addr->port,
			false);
	return PSYNC_OK;
#else
	return PSYNC_DROP_TX_NO_ROUTE;
#endif
}

static void psync_link_udp_xmit(struct psync_link *link, struct sk_buff *skb,
				const struct psync_addr *addr)
{
	enum psync_drop reason = PSYNC_DROP_TX_NO_ROUTE;
	struct socket *sock = rcu_dereference(link->sock);

	local_bh_disable(); /* for the per-CPU routes and the IP layer */
	if (sock && addr->family == AF_INET)
		reason = psync_link_udp_xmit4(link, sock->sk, skb, addr);
	else if (sock)
		reason = psync_link_udp_xmit6(link, sock->sk, skb, addr);
	local_bh_enable();
	if (reason)
		psync_drop(link->pnet, skb, reason);
}

static unsigned int psync_link_udp_mtu(const struct psync_link *link,
				       const struct psync_addr *addr)
{
	struct socket *sock = rcu_dereference(link->sock);
	struct dst_entry *dst = NULL;
	struct in6_addr saddr6;
	unsigned int mtu = 0;
	struct rtable *rt;
	__be32 saddr4;

	if (!sock)
		return 0;
	local_bh_disable();
	if (addr->family == AF_INET) {
		rt = psync_link_udp_route4(link, sock->sk, addr, &saddr4);
		dst = rt ? &rt->dst : NULL;
	} else {
		dst = psync_link_udp_route6(link, sock->sk, addr, &saddr6);
	}
	if (dst)
		mtu = psync_link_udp_room(dst, addr->family == AF_INET ?
					  PSYNC_LINK_UDP_HEAD4 :
					  PSYNC_LINK_UDP_HEAD6);
	dst_release(dst);
	local_bh_enable();
	return mtu;
}

/* Is this an address that one host can have? */
static bool psync_link_udp_local_ok(const struct psync_addr *local)
{
	if (local->family == AF_INET)
		return !ipv4_is_multicast(local->ip4) &&
		       !ipv4_is_lbcast(local->ip4);
	/* Link-local ones say nothing without an interface. */
	return !(ipv6_addr_type(&local->ip6) &
		 (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL |
		  IPV6_ADDR_MAPPED));
}

static int psync_link_udp_check(const struct psync_addr *local,
				struct netlink_ext_ack *extack)
{
	if (local->family != AF_INET && local->family != AF_INET6) {
		NL_SET_ERR_MSG_MOD(extack,
				   "a UDP link has a local IPv4 or IPv6 address");
		return -EINVAL;
	}
	if (!local->port) {
		NL_SET_ERR_MSG_MOD(extack, "a UDP link has a local port");
		return -EINVAL;
	}
	if (!psync_link_udp_local_ok(local)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "not a local address: multicast, broadcast or link-local");
		return -EINVAL;
	}
	return 0;
}

/* Says why the socket could not be made. */
static int psync_link_udp_failed(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -EADDRINUSE:
		NL_SET_ERR_MSG_MOD(extack, "UDP port is in use");
		break;
	case -EADDRNOTAVAIL:
		NL_SET_ERR_MSG_MOD(extack, "no interface has this address");
		break;
	case -EAFNOSUPPORT:
	case -EPFNOSUPPORT:
		NL_SET_ERR_MSG_MOD(extack, "the kernel has no IPv6");
		return -EAFNOSUPPORT;
	default:
		NL_SET_ERR_MSG_MOD(extack, "cannot make the UDP socket");
	}
	return err;
}

static int psync_link_udp_bind(struct socket *sock,
			       const struct psync_addr *local)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family	= AF_INET6,
		.sin6_port	= local->port,
	};
	struct sockaddr_in sin = {
		.sin_family	= AF_INET,
		.sin_port	= local->port,
	};
	int err;

	if (local->family == AF_INET) {
		sin.sin_addr.s_addr = local->ip4;
		return kernel_bind(sock, (psync_sockaddr *)&sin, sizeof(sin));
	}
	sin6.sin6_addr = local->ip6;
	err = ip6_sock_set_v6only(sock->sk);
	if (err)
		return err;
	return kernel_bind(sock, (psync_sockaddr *)&sin6, sizeof(sin6));
}

static bool psync_link_udp_any(const struct psync_addr *local)
{
	return local->family == AF_INET ? !local->ip4 :
					  ipv6_addr_any(&local->ip6);
}

/* Would one socket's address be in the way of the other's? */
static bool psync_link_udp_overlap(const struct psync_addr *a,
				   const struct psync_addr *b)
{
	return a->family == b->family && a->port == b->port &&
	       (psync_link_udp_any(a) || psync_link_udp_any(b));
}

static void psync_link_udp_share(struct socket *sock, bool share)
{
	lock_sock(sock->sk);
	sock->sk->sk_reuse = share ? SK_CAN_REUSE : SK_NO_REUSE;
	release_sock(sock->sk);
}

/*
 * Binds the socket of a link that takes the place of another, which stays open:
 * if it were closed first and this failed, somebody else might have the port by
 * then.  Two sockets get along with each other when both are willing to share
 * (SO_REUSEADDR); these are so only meanwhile.  A program's that is willing, too,
 * does not stand in the way either, and keeps the packets to its own address.
 */
static int psync_link_udp_bind_over(struct psync_link *link,
				    struct psync_link *old, struct socket *sock)
{
	struct socket *other;
	int err;

	if (!old || !psync_link_udp_overlap(&link->local, &old->local))
		return psync_link_udp_bind(sock, &link->local);
	other = rcu_dereference_protected(old->sock,
					  lockdep_is_held(&link->pnet->lock));
	psync_link_udp_share(other, true);
	psync_link_udp_share(sock, true);
	err = psync_link_udp_bind(sock, &link->local);
	psync_link_udp_share(sock, false);
	psync_link_udp_share(other, false);
	return err;
}

static int psync_link_udp_open(struct psync_link *link, struct psync_link *old,
			       struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data	= link,
		.encap_type	= 1,
		.encap_rcv	= psync_link_udp_rcv,
	};
	struct net *net = link->pnet->net;
	struct socket *sock;
	int err;

	err = psync_link_udp_check(&link->local, extack);
	if (err)
		return err;
	err = sock_create_kern(net, link->local.family, SOCK_DGRAM, 0, &sock);
	if (err)
		return psync_link_udp_failed(err, extack);
	sock->sk->sk_allocation = GFP_ATOMIC;
	link->headroom = LL_MAX_HEADER + PSYNC_LINK_UDP_HEAD6;
	/* Before it is bound, so that no packet waits in the socket's queue. */
	setup_udp_tunnel_sock(net, psync_udp_tunnel(sock), &tunnel);
	err = psync_link_udp_bind_over(link, old, sock);
	if (err) {
		udp_tunnel_sock_release(psync_udp_tunnel(sock));
		return psync_link_udp_failed(err, extack);
	}
	rcu_assign_pointer(link->sock, sock);
	return 0;
}

static void psync_link_udp_close(struct psync_link *link)
{
	struct socket *sock;

	sock = rcu_replace_pointer(link->sock, NULL,
				   lockdep_is_held(&link->pnet->lock));
	/*
	 * As its release would do, but while encap_rcv still finds the link: a
	 * packet is for this one or for the one that took its place.
	 */
	sock->sk->sk_prot->unhash(sock->sk);
	synchronize_rcu();
	udp_tunnel_sock_release(psync_udp_tunnel(sock));
	/* A packet that found the socket meanwhile counts its drop. */
	synchronize_rcu();
}

const struct psync_link_ops psync_link_udp_ops = {
	.type	= PSYNC_LINK_UDP,
	.open	= psync_link_udp_open,
	.close	= psync_link_udp_close,
	.xmit	= psync_link_udp_xmit,
	.mtu	= psync_link_udp_mtu,
};
