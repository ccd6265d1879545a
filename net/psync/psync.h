/* SPDX-License-Identifier: GPL-2.0-only */
/* The shell's objects and the prototypes of its files. */
#ifndef _PSYNC_PSYNC_H
#define _PSYNC_PSYNC_H

#include <linux/hrtimer.h>
#include <linux/in6.h>
#include <linux/if_ether.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/dst_cache.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <uapi/linux/psync.h>

#include "core/frag.h"
#include "core/image.h"
#include "core/mask.h"
#include "core/vote.h"
#include "core/peer.h"
#include "core/stable.h"
#include "core/wire.h"
#include "charge.h"
#include "mib.h"

/**
 * DOC: locking
 *
 * Order, outermost first; a lock is never taken while one below it is held:
 *
 *	lock_sock(sk)		one socket's system calls
 *	psync_net.lock		configuration: site, links, peers, groups (mutex)
 *	RTNL			members of psync_net.links, psync_link.dev
 *	psync_conv.lock		one conversation and its image (spinlock, BH)
 *	psync_net.table_lock	conversations by cid, closed cids, ports (spinlock, BH)
 *	sk_receive_queue.lock	a listener's or socket's queue (spinlock, BH)
 *	psync_peer.lock		one peer's incarnation and parked packets (spinlock, BH)
 *	psync_peer.frag_lock	what is under way in fragments with a peer (spinlock, BH)
 *	psync_sock.purse_lock	what is charged to one socket (spinlock, BH)
 *
 * Packets are looked up and dispatched under RCU alone.  Nothing is sent while
 * psync_conv.lock or psync_peer.frag_lock is held: packets gather in
 * psync_conv.txq or psync_peer.frag_txq and leave when the lock is given back
 * (psync_conv_unlock, psync_frag_unlock).
 *
 * Everything that changes configuration (psync_site_set, psync_link_*,
 * psync_peer_add/set/del/flush, psync_group_add/set/del/flush) is called with
 * psync_net.lock held and asserts it.  The netdevice notifier comes with RTNL
 * held and must not take psync_net.lock; therefore psync_net.links changes
 * under both locks and may be walked under either (or RCU), and a link's
 * device is attached and detached under RTNL alone.
 */

#define PSYNC_NAME_LEN		16	/* of links and groups, with the NUL */
#define PSYNC_PORT_AUTO		0x80000000U /* automatic ports begin here */
#define PSYNC_PORT_HASH		256
#define PSYNC_PEER_HASH		256
#define PSYNC_GROUP_HASH	64

/**
 * struct psync_sysctl - per-namespace defaults and limits (net.psync.*)
 * @graph_depth: psync_limits.max_nodes
 * @held_max: psync_limits.max_held
 * @early_max: psync_limits.max_early
 * @image_bytes: psync_limits.max_bytes
 * @pending_bytes: psync_limits.max_pending
 * @hello_ms: psync_limits.hello_ns, in ms
 * @hello_tries: psync_limits.hello_tries
 * @pending_max: conversations that nobody here has accepted, at most
 * @embryo_ms: how long a start message is waited for
 * @closed_ms: how long a closed cid is remembered
 * @closed_max: closed cids remembered at most
 * @park_max: packets parked for one peer's confirmation
 * @peers_max: peers of this namespace at most
 * @groups_max: groups likewise
 * @links_max: links likewise
 * @convs_max: conversations of this namespace at most
 * @linger_max: conversations that nobody here has open any more, at most
 * @linger_ms: psync_limits.linger_ns, in ms
 * @absent_ms: psync_limits.absent_ns, in ms
 * @repair_rate: psync_limits.repair_rate
 * @max_message: greatest body that is accepted to be sent
 * @frag_bytes: bytes of memory for incomplete packets, and again so many for
 *	those that go out in fragments; half of it with one peer
 * @frag_max: packets likewise
 * @frag_ms: psync_frag_limits.keep_ns, in ms
 * @owed_bytes: memory of conversations that is charged to no socket
 * @image_msgs: psync_limits.max_msgs
 * @ack_us: psync_limits.ack_ns, in us; from here on a namespace's values are
 *	its own affair
 * @null_ms: psync_limits.null_ns, in ms
 * @rto_ms: psync_limits.rto_ns, in ms
 * @rto_min_us: psync_limits.rto_min_ns, in us
 * @rto_max_ms: psync_limits.rto_max_ns, in ms
 * @silent_ms: psync_limits.silent_ns, in ms; 0: for ever
 * @suspect_ms: psync_limits.suspect_ns, in ms; 0: never
 * @first_msgs: psync_limits.first_msgs
 * @first_bytes: psync_limits.first_bytes
 * @slow_ms: psync_limits.slow_ns of conversations whose group does not say, in
 *	ms
 */
struct psync_sysctl {
	unsigned int	graph_depth;
	unsigned int	held_max;
	unsigned int	early_max;
	unsigned int	image_bytes;
	unsigned int	pending_bytes;
	unsigned int	hello_ms;
	unsigned int	hello_tries;
	unsigned int	pending_max;
	unsigned int	embryo_ms;
	unsigned int	closed_ms;
	unsigned int	closed_max;
	unsigned int	park_max;
	unsigned int	peers_max;
	unsigned int	groups_max;
	unsigned int	links_max;
	unsigned int	convs_max;
	unsigned int	linger_max;
	unsigned int	linger_ms;
	unsigned int	absent_ms;
	unsigned int	repair_rate;
	unsigned int	max_message;
	unsigned int	frag_bytes;
	unsigned int	frag_max;
	unsigned int	frag_ms;
	unsigned int	owed_bytes;
	unsigned int	image_msgs;
	unsigned int	ack_us;
	unsigned int	null_ms;
	unsigned int	rto_ms;
	unsigned int	rto_min_us;
	unsigned int	rto_max_ms;
	unsigned int	silent_ms;
	unsigned int	suspect_ms;
	unsigned int	first_msgs;
	unsigned int	first_bytes;
	unsigned int	slow_ms;
};

/**
 * struct psync_net - the site: one per network namespace
 * @net: the namespace
 * @lock: protects changes of @site, @inc, links, peers and groups
 * @site: site id, 0 until configured (READ_ONCE)
 * @inc: its incarnation: wall clock in ns when @site was set (S1.2)
 * @users: sockets and conversations that rely on @site, which cannot change
 *	while there are any; -1 while there is no site id or it changes
 * @openings: last count of openings given out (S1.2)
 * @table_lock: protects the fields below it
 * @convs: conversations by cid (struct psync_conv.node); RCU look-up
 * @nconvs: how many
 * @conv_list: all conversations, oldest first, for dumps and eviction
 * @pending_list: those without an accepted participant, oldest first
 * @npending: how many
 * @linger_list: those that linger, oldest first
 * @nlinger: how many
 * @nlisteners: sockets that listen
 * @serial: psync_conv.serial given out last
 * @alive: conversations not yet freed, waited for at the namespace's end
 * @owed: memory of conversations that is charged to no socket, see charge.c
 * @closed: remembered closed cids, see conv.c
 * @ports: bound sockets by port; RCU look-up
 * @hash_seed: of @ports, @peers and @groups; immutable
 * @next_port: where the search for an automatic port goes on
 * @next_binding: last binding number given out (S1.1)
 * @frag_id: last one given out, see struct psync_wire_frag
 * @frag_bytes: what packets in fragments take, out (0) and in (1)
 * @frag_packets: how many there are, likewise
 * @links: RCU list of struct psync_link
 * @nlinks: how many; with @npeers and @ngroups under @lock
 * @peers: RCU hash of struct psync_peer by site id
 * @npeers: how many
 * @groups: RCU hash of struct psync_group by number
 * @ngroups: how many
 * @generation: changes with every change of configuration, for dumps
 * @sysctl: values; changed under the mutex of netns.c, read with READ_ONCE
 * @sysctl_hdr: registration
 * @sysctl_list: in the list of all namespaces, see netns.c
 * @mib: per-CPU counters
 */
struct psync_net {
	struct net		*net;
	struct mutex		lock;
	u32			site;
	u64			inc;
	atomic_t		users;
	atomic_t		openings;

	spinlock_t		table_lock;
	struct rhashtable	convs;
	unsigned int		nconvs;
	struct list_head	conv_list;
	struct list_head	pending_list;
	unsigned int		npending;
	struct list_head	linger_list;
	unsigned int		nlinger;
	unsigned int		nlisteners;
	u64			serial;
	atomic_t		alive;
	atomic_long_t		owed;
	struct psync_closed	*closed;
	struct hlist_head	ports[PSYNC_PORT_HASH];
	u32			hash_seed;
	u32			next_port;
	u32			next_binding;

	atomic64_t		frag_id;
	atomic_long_t		frag_bytes[2];
	atomic_t		frag_packets[2];

	struct list_head	links;
	unsigned int		nlinks;
	struct hlist_head	peers[PSYNC_PEER_HASH];
	unsigned int		npeers;
	struct hlist_head	groups[PSYNC_GROUP_HASH];
	unsigned int		ngroups;
	unsigned int		generation;

	struct psync_sysctl	sysctl;
	struct ctl_table_header	*sysctl_hdr;
	struct list_head	sysctl_list;
	struct psync_mib __percpu *mib;
};

enum psync_link_type {
	PSYNC_LINK_ETH	= 1,
	PSYNC_LINK_UDP	= 2,	/* over IPv4 or IPv6, by its local address */
};

/**
 * struct psync_addr - where a site is on a link
 * @family: AF_PACKET (@mac), AF_INET (@ip4, @port) or AF_INET6 (@ip6, @port)
 * @port: UDP port, network order
 * @mac: Ethernet address
 * @ip4: IPv4 address
 * @ip6: IPv6 address
 * @marked: of a packet that came from there, no part of the address: it has a
 *	congestion mark
 * @routes: for the link, no part of the address: where routes to it may be
 *	kept, or NULL
 */
struct psync_addr {
	u16			family;
	__be16			port;
	bool			marked;
	union {
		u8		mac[ETH_ALEN];
		__be32		ip4;
		struct in6_addr	ip6;
	};
	struct dst_cache *routes;
};

struct psync_link;
struct psync_peer;

/**
 * struct psync_link_ops - a way to reach sites
 * @type: enum psync_link_type
 * @open: start to receive; called with psync_net.lock held and RTNL not held,
 *	@link being a member of psync_net.links already; @old is an open link
 *	of the same kind whose place it takes, or NULL
 * @close: stop to receive and to send; when it returns nothing of this link
 *	runs any more except readers under RCU; process context
 * @xmit: consumes @skb, whose data is a whole psync packet (csum field zero)
 *	with headroom of at least psync_link.headroom; any context, under RCU.
 *	Counts its own drops through psync_drop().
 * @mtu: greatest psync packet the link carries to @addr; under RCU
 */
struct psync_link_ops {
	enum psync_link_type	type;
	int	(*open)(struct psync_link *link, struct psync_link *old,
			struct netlink_ext_ack *extack);
	void	(*close)(struct psync_link *link);
	void	(*xmit)(struct psync_link *link, struct sk_buff *skb,
			const struct psync_addr *addr);
	unsigned int (*mtu)(const struct psync_link *link,
			    const struct psync_addr *addr);
};

/**
 * struct psync_link - a link of this site
 * @list: in psync_net.links
 * @pnet: its site
 * @ops: its kind
 * @name: what the CLI calls it
 * @dev_name: ETH: device
 * @ethertype: ETH: EtherType
 * @local: UDP: local address and port
 * @dev: ETH: the device, RCU; NULL while there is none of that name
 * @dev_tracker: ETH: of the reference to @dev
 * @ptype: ETH: packet handler
 * @sock: UDP: encapsulation socket, RCU; changed under psync_net.lock
 * @twin: while one link takes another's place, each is the other's; only
 *	compared, never followed
 * @headroom: bytes @ops->xmit puts in front of a packet
 * @tx_packets: packets given to @ops->xmit
 * @rx_packets: packets given to psync_input()
 * @rcu: freed after a grace period
 */
struct psync_link {
	struct list_head	list;
	struct psync_net	*pnet;
	const struct psync_link_ops *ops;
	char			name[PSYNC_NAME_LEN];
	char			dev_name[IFNAMSIZ];
	u16			ethertype;
	struct psync_addr	local;
	struct net_device __rcu	*dev;
	netdevice_tracker	dev_tracker;
	struct packet_type	ptype;
	struct socket __rcu	*sock;
	const struct psync_link	*twin;
	unsigned int		headroom;
	atomic64_t		tx_packets;
	atomic64_t		rx_packets;
	struct rcu_head		rcu;
};

/**
 * struct psync_peer - another site, as configured
 * @hash: in psync_net.peers
 * @pnet: this site
 * @site: its id
 * @link: how to reach it; the link cannot be deleted while a peer uses it
 * @addr: where it is on @link; neither changes: peer set and link set make a
 *	new peer
 * @lock: protects what follows
 * @inc: which incarnation it goes by (S1.2)
 * @parked: packets that await confirmation of their incarnation
 * @dead: deleted: @timer is not armed any more
 * @refuse_start: second in which @refuse_count began
 * @refuse_count: packets refused with an answer and an event in that second
 * @timer: asks again
 * @frag_lock: protects what follows
 * @frags: packets in fragments, see frag.c
 * @frag_dead: deleted: nothing is under way and @frag_timer is not armed
 * @frag_busy: somebody sends and hands up what gathered, until nothing is left
 * @frag_txq: packets to leave when @frag_lock is given back
 * @frag_rxq: packets put together, to be handed up then
 * @frag_timer: runs psync_frags_timer()
 * @routes: what @addr.routes points to, on UDP links
 * @gone: in a list of peers that are about to be freed, or not yet found
 *
 * Freed after a grace period, in process context.
 */
struct psync_peer {
	struct hlist_node	hash;
	struct psync_net	*pnet;
	u32			site;
	struct psync_link	*link;
	struct psync_addr	addr;
	spinlock_t		lock;
	struct psync_peer_inc	inc;
	struct sk_buff_head	parked;
	bool			dead;
	unsigned long		refuse_start;
	unsigned int		refuse_count;
	struct timer_list	timer;
	spinlock_t		frag_lock;
	struct psync_frags	frags;
	bool			frag_dead;
	bool			frag_busy;
	struct sk_buff_head	frag_txq;
	struct sk_buff_head	frag_rxq;
	struct hrtimer		frag_timer;
	struct dst_cache	routes;
	struct list_head	gone;
};

/**
 * struct psync_group - a named, numbered, ordered set of pids
 * @hash: in psync_net.groups
 * @number: its number, not zero
 * @name: its name, unique in the namespace
 * @digest: psync_wire_digest() of @pids
 * @slow: how long a member may hold back others (S6.6); ms 0: the default
 * @n: participants
 * @pids: they, in order; the group is replaced as a whole, never changed
 * @rcu: freed after a grace period
 */
struct psync_group {
	struct hlist_node	hash;
	u32			number;
	char			name[PSYNC_NAME_LEN];
	u64			digest;
	struct psync_slow	slow;
	u32			n;
	struct rcu_head		rcu;
	struct psync_pid	pids[];
};

/**
 * struct psync_conv - a conversation at this site
 * @node: in psync_net.convs
 * @list: in psync_net.conv_list; under psync_net.table_lock
 * @pnet: this site
 * @cid: its id, immutable
 * @serial: place in psync_net.conv_list, grows; immutable
 * @ref: one for the table, one per participant, one while the timer is armed
 *	or running, one per user
 * @rcu: freed after a grace period
 * @lock: protects all below and the image
 * @img: the core's
 * @dead: out of the table; nothing new may start
 * @opener: site whose message opened it here, 0: it was opened here; immutable
 * @pending: in psync_net.pending_list: nobody here has opened or accepted;
 *	changed under table_lock, too
 * @pending_link: there
 * @lingering: in psync_net.linger_list: nobody here has it open any more; it
 *	stays for what others lack of it; changed under table_lock, too
 * @linger_link: there
 * @closed_at: when that began
 * @announced: listeners here were told
 * @cost: what psync_image_ops.cost() said last
 * @charge: who pays for what is kept
 * @cuts: psync_image.cuts, as far as they are counted
 * @shuts: psync_image.shuts, likewise
 * @armed: the timer holds a reference
 * @txq: packets to leave when the lock is given back
 * @timer: runs psync_image_timer() or ends an embryo
 * @embryo_end: when an embryo is given up, U64_MAX when it is none
 */
struct psync_conv {
	struct rhash_head	node;
	struct list_head	list;
	struct psync_net	*pnet;
	u64			cid;
	u64			serial;
	struct kref		ref;
	struct rcu_head		rcu;

	spinlock_t		lock;
	struct psync_image	img;
	bool			dead;
	u32			opener;
	bool			pending;
	struct list_head	pending_link;
	bool			lingering;
	struct list_head	linger_link;
	u64			closed_at;
	bool			announced;
	u32			cost;
	struct psync_charge	charge;
	u32			cuts[PSYNC_CUT_MAX];
	u32			shuts;
	bool			armed;
	struct sk_buff_head	txq;
	struct hrtimer		timer;
	u64			embryo_end;
};

/**
 * struct psync_participant - a local participant: socket or pending
 * @view: the core's; under psync_conv.lock
 * @conv: holds a reference
 * @sk: its socket, or NULL while it waits in a listener's queue; changed
 *	under psync_conv.lock
 * @listener: in whose queue it waits, or NULL; likewise
 * @queue: in psync_sock.accept_queue, under the listener's
 *	sk_receive_queue.lock
 * @pid: its identity
 * @binding: binding number of its port
 * @watch: PSYNC_STABLE_POLL; under psync_conv.lock, its answer is read without
 * @wanted: what the last message would have counted that found no room, or 0;
 *	under psync_conv.lock
 */
struct psync_participant {
	struct psync_view	view;
	struct psync_conv	*conv;
	struct sock		*sk;
	struct sock		*listener;
	struct list_head	queue;
	struct psync_pid	pid;
	u32			binding;
	struct psync_watch	watch;
	u32			wanted;
};

/**
 * struct psync_sock - a socket
 * @sk: must be first
 * @pid: identity, once bound; under lock_sock
 * @binding: binding number of the port
 * @holds_site: has called psync_site_hold()
 * @port_node: in psync_net.ports while bound there; accepted sockets share
 *	the listener's pid and are not
 * @part: takes part in a conversation: set once by connect() or accept()
 *	(release), cleared only by release(), when nobody else has the file
 * @pids: PSYNC_PARTICIPANTS before connect()
 * @npids: entries
 * @restart: PSYNC_RESTART before connect(), or NULL
 * @peer: connect()ed address, for getpeername() and DGRAM's default
 * @accept_queue: SEQPACKET listener: struct psync_participant, oldest first;
 *	under sk_receive_queue.lock
 * @events: subscribed events, PSYNC_EVMASK() bits; this and what follows of
 *	events is changed under sk_receive_queue.lock
 * @events_lost: events that found no room since the last LOST
 * @event_ring: those that wait, see event.c; NULL until it first subscribes
 * @events_first: which of them is the oldest
 * @events_queued: how many there are
 * @waits: who sleeps in PSYNC_STABLE_WAIT; under lock_sock
 * @recvinfo: PSYNC_RECV_* bits
 * @manual: PSYNC_MANUAL
 * @history: PSYNC_HISTORY
 * @purse: what is charged to it, see charge.c; under @purse_lock
 * @purse_lock: innermost
 * @slow: PSYNC_SLOW, ms 0: asks for nothing
 */
struct psync_sock {
	struct sock			sk;
	struct psync_pid		pid;
	u32				binding;
	bool				holds_site;
	struct hlist_node		port_node;
	struct psync_participant	*part;
	struct psync_pid		*pids;
	u32				npids;
	struct psync_restart		*restart;
	struct sockaddr_psync		peer;
	struct list_head		accept_queue;
	u32				events;
	u32				events_lost;
	struct psync_event		*event_ring;
	u32				events_first;
	u32				events_queued;
	u32				waits;
	u32				recvinfo;
	u32				manual;
	u32				history;
	struct sock			*purse;
	spinlock_t			purse_lock;
	struct psync_slow		slow;
};

static inline struct psync_sock *psync_sk(const struct sock *sk)
{
	return (struct psync_sock *)sk;
}

/* netns.c: the site and its defaults */
extern unsigned int psync_net_id;

static inline struct psync_net *psync_pernet(const struct net *net)
{
	return net_generic(net, psync_net_id);
}

int psync_netns_init(void);	/* register_pernet_subsys */
void psync_netns_exit(void);

/**
 * psync_site_hold - rely on the site id from now on
 * @pnet: site
 *
 * Return: true and the id cannot change until psync_site_release(); false
 * when no id is set.
 */
bool psync_site_hold(struct psync_net *pnet);
void psync_site_release(struct psync_net *pnet);

/* Called with psync_net.lock held; errno and extack.  0 clears the id. */
int psync_site_set(struct psync_net *pnet, u32 site,
		   struct netlink_ext_ack *extack);

/* link.c: links and the registry of their kinds */
int psync_link_add(struct psync_net *pnet, struct psync_link *tmpl,
		   struct netlink_ext_ack *extack);	/* takes over @tmpl on success */
int psync_link_set(struct psync_net *pnet, struct psync_link *tmpl,
		   struct netlink_ext_ack *extack);	/* likewise */
int psync_link_del(struct psync_net *pnet, const char *name,
		   struct netlink_ext_ack *extack);
struct psync_link *psync_link_find(struct psync_net *pnet, const char *name);
void psync_link_flush(struct psync_net *pnet);		/* namespace exit */

/**
 * psync_link_frame - check what every packet begins with and cut the padding
 * @skb: data at the psync header; its common header is linear afterwards
 *
 * Return: PSYNC_OK, TOO_SHORT, BAD_VERSION, BAD_LENGTH.
 */
enum psync_drop psync_link_frame(struct sk_buff *skb);

/* link_eth.c */
extern const struct psync_link_ops psync_link_eth_ops;
int psync_link_eth_init(void);		/* netdevice notifier */
void psync_link_eth_exit(void);

/* link_udp.c */
extern const struct psync_link_ops psync_link_udp_ops;

/* peer.c: other sites; where @link or @addr is NULL, set keeps the old one */
struct psync_peer *psync_peer_find_rcu(struct psync_net *pnet, u32 site);
bool psync_peer_addr_equal(const struct psync_addr *a,
			   const struct psync_addr *b);
bool psync_peer_uses_link(struct psync_net *pnet, const struct psync_link *link);
int psync_peer_check_link(struct psync_net *pnet,
			  const struct psync_link *from,
			  const struct psync_link *to,
			  struct netlink_ext_ack *extack);
int psync_peer_move(struct psync_net *pnet, const struct psync_link *from,
		    struct psync_link *to);
int psync_peer_add(struct psync_net *pnet, u32 site, const char *link,
		   const struct psync_addr *addr,
		   struct netlink_ext_ack *extack);
int psync_peer_set(struct psync_net *pnet, u32 site, const char *link,
		   const struct psync_addr *addr,
		   struct netlink_ext_ack *extack);
int psync_peer_del(struct psync_net *pnet, u32 site,
		   struct netlink_ext_ack *extack);
void psync_peer_flush(struct psync_net *pnet);

/**
 * psync_peer_admit - is this packet of the peer's present incarnation?
 * @peer: whose it claims to be; its address was compared already
 * @skb: the packet; parked (consumed) unless true is returned
 * @pkt: decoded
 *
 * Sends HELLO when needed.  Parked packets come back through psync_input_pkt()
 * once confirmed.  Return: true: go on with it; false: @skb is consumed.
 */
bool psync_peer_admit(struct psync_peer *peer, struct sk_buff *skb,
		      const struct psync_pkt *pkt);

/* Answer to our HELLO about the site itself; borrows everything. */
enum psync_drop psync_peer_hello_ack(struct psync_peer *peer,
				     const struct psync_pkt *pkt);

/* frag.c: packets that do not fit the link */
void psync_frag_init(struct psync_peer *peer);
void psync_frag_kill(struct psync_peer *peer);
void psync_frag_send(struct psync_peer *peer, struct sk_buff *skb);
void psync_frag_input(struct psync_peer *peer, struct sk_buff *skb,
		      const struct psync_pkt *pkt);

/* group.c */
const struct psync_group *psync_group_find_rcu(struct psync_net *pnet,
					       u32 number);
const struct psync_group *psync_group_find_name(struct psync_net *pnet,
						const char *name);
const struct psync_group *psync_group_next(struct psync_net *pnet, u32 after);
int psync_group_add(struct psync_net *pnet, u32 number, const char *name,
		    const struct psync_pid *pids, u32 n,
		    const struct psync_slow *slow,
		    struct netlink_ext_ack *extack);
int psync_group_set(struct psync_net *pnet, u32 number, const char *name,
		    const struct psync_pid *pids, u32 n,
		    const struct psync_slow *slow,
		    struct netlink_ext_ack *extack);
int psync_group_del(struct psync_net *pnet, u32 number,
		    struct netlink_ext_ack *extack);
void psync_group_flush(struct psync_net *pnet);

/* netlink.c */
int psync_netlink_init(void);
void psync_netlink_exit(void);
/* Multicast an event to the namespace's listeners; any context. */
void psync_netlink_event(struct psync_net *pnet, const struct psync_event *ev);

/* input.c: packets in */

/**
 * psync_input - a packet came in over a link
 * @link: the link
 * @skb: consumed; data at the psync header, checksum already verified
 * @from: source address on the link
 *
 * Context: softirq, under RCU.
 */
void psync_input(struct psync_link *link, struct sk_buff *skb,
		 const struct psync_addr *from);

/**
 * psync_input_pkt - dispatch a packet of a peer's present incarnation
 * @pnet: site
 * @peer: sender, under RCU
 * @skb: consumed; data at the psync header, contiguous up to the body
 * @pkt: decoded from @skb
 */
void psync_input_pkt(struct psync_net *pnet, struct psync_peer *peer,
		     struct sk_buff *skb, const struct psync_pkt *pkt);

/**
 * psync_input_parked - the site has said which incarnation of it is present
 * @peer: sender, under RCU
 * @skb: consumed; parked by psync_peer_admit(), which judges it again: of that
 *	incarnation it goes on, of the one the answer ruled out it is dropped, of yet
 *	another (the site may have come back since) it waits for the next answer
 *
 * Our own site and incarnation may have changed meanwhile, too.
 */
void psync_input_parked(struct psync_peer *peer, struct sk_buff *skb);

/**
 * psync_input_whole - a packet that came in fragments is complete
 * @peer: whose fragments, under RCU
 * @skb: consumed; data at the psync header
 * @inc: incarnation that the fragments are of
 *
 * Context: softirq.
 */
void psync_input_whole(struct psync_peer *peer, struct sk_buff *skb, u64 inc);

/**
 * psync_drop - drop a packet for a reason
 * @pnet: whose counter; NULL only for packets of no namespace of ours
 * @skb: consumed, may be NULL
 * @reason: counted and traced
 */
void psync_drop(struct psync_net *pnet, struct sk_buff *skb,
		enum psync_drop reason);

/* output.c: packets out */

/**
 * psync_output_build - make a packet to one site
 * @pnet: this site
 * @site: destination
 * @pkt: what to say; src_site, src_inc and dst_site are filled in here; dst_inc
 *	is the caller's: zero but for what only one incarnation may hear
 * @body: message body or NULL; its data is shared, not consumed
 *
 * Context: any.  Return: skb ready for psync_output_send(), or NULL (counted).
 */
struct sk_buff *psync_output_build(struct psync_net *pnet, u32 site,
				   struct psync_pkt *pkt, struct sk_buff *body);

/* Hand a built packet to its link; consumes @skb.  Context: any but no locks. */
void psync_output_send(struct psync_net *pnet, struct sk_buff *skb);

/* Hand a packet that fits the link to it; consumes @skb; under RCU. */
void psync_output_xmit(struct psync_peer *peer, struct sk_buff *skb);

/* Greatest packet to @site, 0 if there is no way to it. */
unsigned int psync_output_mtu(struct psync_net *pnet, u32 site);

/* Headroom that any link of the namespace may need. */
#define PSYNC_LINK_HEADROOM	(128)

/* conv.c: conversations */
int psync_conv_init(void);
void psync_conv_exit(void);	/* after rcu_barrier() */
int psync_conv_net_init(struct psync_net *pnet);
void psync_conv_net_exit(struct psync_net *pnet);

/**
 * psync_conv_find_get - look a conversation up
 * @pnet: site
 * @cid: id
 *
 * Return: a reference, or NULL.
 */
struct psync_conv *psync_conv_find_get(struct psync_net *pnet, u64 cid);

/**
 * psync_conv_open - find or make a conversation
 * @pnet: site
 * @p: what it should be; site, inc, seq_base and limits are filled in here
 * @opener: site whose message opens it, 0: it is opened here
 * @conv: where the reference goes
 *
 * Context: any.  Return: 0, -EEXIST (@conv is the one that was there before),
 * -EINVAL, -ENOMEM, -ENFILE (limit of conversations), -EBUSY (limit of pending
 * ones), -ENETDOWN.
 */
int psync_conv_open(struct psync_net *pnet, struct psync_image_params *p,
		    u32 opener, struct psync_conv **conv);

/* Gives up what remote messages opened and nobody here waits for. */
void psync_conv_evict_pending(struct psync_net *pnet);

/* Gives up the oldest of those that linger until no more than @max do. */
void psync_conv_evict_lingering(struct psync_net *pnet, unsigned int max);

void psync_conv_put(struct psync_conv *conv);
void psync_conv_lock(struct psync_conv *conv) __acquires(&conv->lock);
/* Gives the lock back, then sends what gathered in txq. */
void psync_conv_unlock(struct psync_conv *conv) __releases(&conv->lock);

/**
 * psync_conv_announce - queue the conversation on the listeners of its local
 * participants (P 2, passive_open)
 * @conv: locked, with participants
 *
 * Does its work once.  Return: how many listeners took it.
 */
unsigned int psync_conv_announce(struct psync_conv *conv);

/**
 * psync_conv_start - it is known who takes part in an embryo
 * @conv: locked
 * @pids: the participants, of its digest
 * @n: so many
 *
 * Feeds what has come.  Return: as psync_image_start().
 */
int psync_conv_start(struct psync_conv *conv, const struct psync_pid *pids,
		     u32 n);

/**
 * psync_conv_join - a socket takes its place in a conversation
 * @conv: locked; a reference is taken on success
 * @psk: bound socket, under lock_sock
 * @index: its participant index
 *
 * A restart may enter one that lingers, which is open again then.
 * Return: as psync_image_join() or psync_image_rejoin(), -ECONNABORTED when
 * @conv is over; -EINVAL also when PSYNC_SLOW asks for more than the group
 * allows.
 */
int psync_conv_join(struct psync_conv *conv, struct psync_sock *psk, u32 index);

/**
 * psync_conv_supersede - make room for a new conversation of the same id
 * @conv: not locked
 * @restart: it is to be entered by one who is back
 *
 * One that only lingers is given up, unless there is something in it to come
 * back to.  Return: true when @conv is over.
 */
bool psync_conv_supersede(struct psync_conv *conv, bool restart);

/**
 * psync_conv_kill - take a conversation out of the world
 * @conv: locked; the caller has a reference of its own
 */
void psync_conv_kill(struct psync_conv *conv);

/**
 * psync_conv_abandon - an opening failed: end what only it had made
 * @conv: locked
 */
void psync_conv_abandon(struct psync_conv *conv);

/**
 * psync_conv_accept - a queued participant gets its socket
 * @part: off the listener's queue
 * @sk: new socket
 *
 * Return: 0, -ECONNABORTED: the conversation ended meanwhile, @part is to leave.
 */
int psync_conv_accept(struct psync_participant *part, struct sock *sk);

/**
 * psync_conv_leave - a participant is gone
 * @part: freed here; its reference to the conversation is dropped
 *
 * The last one closes the conversation at this site; its cid is remembered,
 * and it lingers while others lack what was sent here (S3.2).
 */
void psync_conv_leave(struct psync_participant *part);

/**
 * psync_conv_check - end a conversation that lingers and need not any more
 * @conv: locked; the caller has a reference of its own
 */
void psync_conv_check(struct psync_conv *conv);

/**
 * psync_conv_send - attach a message
 * @part: sender
 * @skb: the message; taken over on success
 *
 * Return: as psync_image_send(); after -EAGAIN the socket is woken when it is
 * worth another try.
 */
int psync_conv_send(struct psync_participant *part, struct sk_buff *skb);

/**
 * psync_conv_writable - would psync_conv_send() find room?
 * @part: sender
 *
 * Return: false also means that the socket is woken when that changes.
 */
bool psync_conv_writable(struct psync_participant *part);

/* Do the others go on without it (S1.4; S5.3, unless one of them is back)? */
static inline bool psync_conv_stale(const struct psync_participant *part)
{
	return READ_ONCE(part->conv->img.refused) || READ_ONCE(part->view.out);
}

/* Greatest body that reaches every site that has a peer; @conv is locked. */
u32 psync_conv_max_body(struct psync_conv *conv);

/* Messages that others are known to have and this site lacks; @conv is locked. */
u64 psync_conv_lacking(const struct psync_conv *conv);

/* closed.c: cids that were closed (S1.4) */
struct psync_closed_info {
	u32	opening;	/* of the image that was closed */
	u32	age_ms;
};

int psync_closed_init(struct psync_net *pnet);
void psync_closed_exit(struct psync_net *pnet);
void psync_closed_add(struct psync_net *pnet, u64 cid, u32 opening);
bool psync_closed_find(struct psync_net *pnet, u64 cid,
		       struct psync_closed_info *info);

/* port.c: which socket has which port (S1.1) */

/**
 * psync_port_bind - give a socket its identity
 * @psk: unbound socket, under lock_sock, that holds the site
 * @port: wanted port, 0: automatic
 *
 * Return: 0, -EADDRINUSE, -EINVAL (a number of the automatic range).
 */
int psync_port_bind(struct psync_sock *psk, u32 port);
void psync_port_unbind(struct psync_sock *psk);
/* A new incarnation gives out automatic ports anew. */
void psync_port_reset(struct psync_net *pnet);

/* Return: the bound socket with a reference, or NULL; type 0: any. */
struct sock *psync_port_find_get(struct psync_net *pnet, u32 port, int type);

/* Is any socket of the namespace listening? */
bool psync_port_listening(struct psync_net *pnet);

/* event.c: events to sockets */

/**
 * psync_event_subscribe - PSYNC_EVENTS
 * @psk: socket, under lock_sock, or not yet anybody else's
 * @events: PSYNC_EVMASK() bits
 *
 * The first time it charges the socket for the queue; psync_event_free() gives
 * that back.  Return: 0, -ENOBUFS, -ENOMEM.
 */
int psync_event_subscribe(struct psync_sock *psk, u32 events);
/* Nobody refers to the socket any more; its purse is open. */
void psync_event_free(struct psync_sock *psk);

/**
 * psync_event_queue - queue an event on a socket that subscribed to it
 * @sk: socket
 * @ev: copied
 *
 * Context: any.  One that finds no room is counted and told as LOST later.
 */
void psync_event_queue(struct sock *sk, const struct psync_event *ev);

/**
 * psync_event_recv - hand over the oldest queued event
 * @psk: socket, under lock_sock
 * @msg: where to; MSG_NOTIFICATION is set
 * @size: room
 * @flags: MSG_PEEK, MSG_TRUNC
 *
 * Return: bytes, -EAGAIN when there is none, -EFAULT.
 */
int psync_event_recv(struct psync_sock *psk, struct msghdr *msg, size_t size,
		     int flags);

/* sockopt.c */
int psync_setsockopt(struct socket *sock, int level, int optname,
		     sockptr_t optval, unsigned int optlen);
int psync_getsockopt(struct socket *sock, int level, int optname,
		     char __user *optval, int __user *optlen);
/* The socket is being released: what options hold is given back. */
void psync_sockopt_release(struct psync_sock *psk);

/* stable.c: waiting for n-stability */

/**
 * psync_stable_wait - PSYNC_STABLE_WAIT
 * @psk: socket with a participant, under lock_sock, which is given back while
 *	it sleeps
 * @q: question, and answer
 * @nonblock: do not sleep
 *
 * Return: 0, -EINVAL, -ENOENT, -EAGAIN, -EINTR or the like, -EPIPE, -ESTALE,
 * -ENOBUFS (too many sleep already).
 */
int psync_stable_wait(struct psync_sock *psk, struct psync_query_wait *q,
		      bool nonblock);

/**
 * psync_stable_set - PSYNC_STABLE_POLL
 * @psk: socket with a participant, under lock_sock
 * @q: what POLLPRI is to tell, or a mid of zero: nothing
 *
 * Return: 0, -EINVAL, -ENOENT.
 */
int psync_stable_set(struct psync_sock *psk, const struct psync_query_wait *q);

/* sendmsg.c, recvmsg.c: conversations */
int psync_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int psync_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		  int flags);

/* Copies a message from the user into a new skb; may block for room. */
struct sk_buff *psync_msg_copy(struct sock *sk, struct msghdr *msg, size_t len,
			       int *err);

/* dgram.c: SOCK_DGRAM, the degenerate graph (P 4.1) */
int psync_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int psync_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
			int flags);
/* Consumes skb, whose data is at the body. */
void psync_dgram_input(struct psync_net *pnet, struct sk_buff *skb,
		       const struct psync_pkt *pkt);

/* af_psync.c: the family */
int psync_family_init(void);
void psync_family_exit(void);
int psync_family(void);

/**
 * psync_addr_check - validate an address from user space
 * @addr: copied into the kernel already
 * @len: its length
 * @type: wanted enum psync_addr_type, 0: any
 *
 * Return: 0, -EINVAL, -EAFNOSUPPORT.
 */
int psync_addr_check(const struct sockaddr_psync *addr, int len, int type);
void psync_addr_pid(struct sockaddr_psync *addr, u32 site, u32 port,
		    u32 binding);

/* Wakes who sleeps or polls for room to send; any context. */
void psync_sock_wake_writers(struct sock *sk);

/* Give an unbound socket an automatic port or the one asked for. */
int psync_sock_bind(struct psync_sock *psk, u32 port);

#endif /* _PSYNC_PSYNC_H */
