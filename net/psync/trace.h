/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: what a namespace's site does with packets and messages. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM psync

#if !defined(_PSYNC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PSYNC_TRACE_H

#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include "core/drop.h"
#include "psync.h"

/* Namespaces are named by inode number, as /proc/PID/ns/net shows it. */

#define X(name, counter, text) TRACE_DEFINE_ENUM(PSYNC_DROP_##name);
PSYNC_DROPS(X)
#undef X

#define PSYNC_TRACE_TYPES			\
	{ PSYNC_PKT_MSG,	"msg" },	\
	{ PSYNC_PKT_HELLO,	"hello" },	\
	{ PSYNC_PKT_HELLO_ACK,	"hello_ack" },	\
	{ PSYNC_PKT_REFUSE,	"refuse" },	\
	{ PSYNC_PKT_DGRAM,	"dgram" },	\
	{ PSYNC_PKT_ACK,	"ack" },	\
	{ PSYNC_PKT_RR,		"rr" },		\
	{ PSYNC_PKT_GONE,	"gone" },	\
	{ PSYNC_PKT_FRAG,	"frag" },	\
	{ PSYNC_PKT_FRAG_ACK,	"frag_ack" },	\
	{ PSYNC_PKT_RS,		"rs" },		\
	{ PSYNC_PKT_RS_ACK,	"rs_ack" }

#define PSYNC_TRACE_KINDS			\
	{ PSYNC_KIND_DATA,	"data" },	\
	{ PSYNC_KIND_NULL,	"null" },	\
	{ PSYNC_KIND_END,	"end" },	\
	{ PSYNC_KIND_MASK,	"mask" },	\
	{ PSYNC_KIND_GAP,	"gap" },	\
	{ PSYNC_KIND_RESTART,	"restart" }

/* A packet of a configured peer, from its address, passed the decoder. */
TRACE_EVENT(psync_rx,
	TP_PROTO(const struct psync_net *pnet, const struct psync_pkt *pkt),
	TP_ARGS(pnet, pkt),
	TP_STRUCT__entry(
		__field(u64,	cid)
		__field(u32,	netns)
		__field(u32,	site)
		__field(u32,	len)
		__field(u8,	type)
	),
	TP_fast_assign(
		__entry->cid = pkt->cid;
		__entry->netns = pnet->net->ns.inum;
		__entry->site = pkt->src_site;
		__entry->len = pkt->hdr_len + pkt->body_len;
		__entry->type = pkt->type;
	),
	TP_printk("netns %u site %u %s cid %016llx len %u", __entry->netns,
		  __entry->site,
		  __print_symbolic(__entry->type, PSYNC_TRACE_TYPES),
		  __entry->cid, __entry->len)
);

/* A packet is handed to a link; its common header is in the linear part. */
TRACE_EVENT(psync_tx,
	TP_PROTO(const struct psync_net *pnet, u32 site,
		 const struct sk_buff *skb),
	TP_ARGS(pnet, site, skb),
	TP_STRUCT__entry(
		__field(u32,	netns)
		__field(u32,	site)
		__field(u32,	len)
		__field(u8,	type)
	),
	TP_fast_assign(
		__entry->netns = pnet->net->ns.inum;
		__entry->site = site;
		__entry->len = skb->len;
		__entry->type = ((const struct psync_wire_hdr *)skb->data)->type;
	),
	TP_printk("netns %u site %u %s len %u", __entry->netns, __entry->site,
		  __print_symbolic(__entry->type, PSYNC_TRACE_TYPES),
		  __entry->len)
);

#define PSYNC_TRACE_REASON(name, counter, text) { PSYNC_DROP_##name, #name },

TRACE_EVENT(psync_drop,
	TP_PROTO(const struct psync_net *pnet, const struct sk_buff *skb,
		 enum psync_drop reason),
	TP_ARGS(pnet, skb, reason),
	TP_STRUCT__entry(
		__field(u32,	netns)
		__field(u32,	len)
		__field(int,	reason)
	),
	TP_fast_assign(
		__entry->netns = pnet ? pnet->net->ns.inum : 0;
		__entry->len = skb ? skb->len : 0;
		__entry->reason = reason;
	),
	TP_printk("netns %u reason %s len %u", __entry->netns,
		  __print_symbolic(__entry->reason,
				   PSYNC_DROPS(PSYNC_TRACE_REASON)
				   { PSYNC_OK, "OK" }),
		  __entry->len)
);

/* A message became part of this site's image. */
TRACE_EVENT(psync_attach,
	TP_PROTO(const struct psync_net *pnet, u64 cid, u64 mid, u32 wave),
	TP_ARGS(pnet, cid, mid, wave),
	TP_STRUCT__entry(
		__field(u64,	cid)
		__field(u64,	mid)
		__field(u32,	netns)
		__field(u32,	wave)
	),
	TP_fast_assign(
		__entry->cid = cid;
		__entry->mid = mid;
		__entry->netns = pnet->net->ns.inum;
		__entry->wave = wave;
	),
	TP_printk("netns %u cid %016llx mid %u:%llu wave %u", __entry->netns,
		  __entry->cid, PSYNC_MID_INDEX(__entry->mid),
		  PSYNC_MID_SEQ(__entry->mid), __entry->wave)
);

/* A message was handed to a program. */
TRACE_EVENT(psync_deliver,
	TP_PROTO(const struct psync_net *pnet, u64 cid, u64 mid, u32 len),
	TP_ARGS(pnet, cid, mid, len),
	TP_STRUCT__entry(
		__field(u64,	cid)
		__field(u64,	mid)
		__field(u32,	netns)
		__field(u32,	len)
	),
	TP_fast_assign(
		__entry->cid = cid;
		__entry->mid = mid;
		__entry->netns = pnet->net->ns.inum;
		__entry->len = len;
	),
	TP_printk("netns %u cid %016llx mid %u:%llu len %u", __entry->netns,
		  __entry->cid, PSYNC_MID_INDEX(__entry->mid),
		  PSYNC_MID_SEQ(__entry->mid), __entry->len)
);

/* What the kernel says for a participant was sent or received for one here. */
TRACE_EVENT(psync_pass,
	TP_PROTO(const struct psync_net *pnet, u64 cid, u16 index, u64 mid,
		 u8 kind),
	TP_ARGS(pnet, cid, index, mid, kind),
	TP_STRUCT__entry(
		__field(u64,	cid)
		__field(u64,	mid)
		__field(u32,	netns)
		__field(u16,	index)
		__field(u8,	kind)
	),
	TP_fast_assign(
		__entry->cid = cid;
		__entry->mid = mid;
		__entry->netns = pnet->net->ns.inum;
		__entry->index = index;
		__entry->kind = kind;
	),
	TP_printk("netns %u cid %016llx participant %u %s mid %u:%llu",
		  __entry->netns, __entry->cid, __entry->index,
		  __print_symbolic(__entry->kind, PSYNC_TRACE_KINDS),
		  PSYNC_MID_INDEX(__entry->mid), PSYNC_MID_SEQ(__entry->mid))
);

/* A HELLO (or with @answer a HELLO_ACK) is sent; @cid 0: about the site. */
TRACE_EVENT(psync_hello,
	TP_PROTO(const struct psync_net *pnet, u32 site, u64 cid, u64 nonce,
		 bool answer),
	TP_ARGS(pnet, site, cid, nonce, answer),
	TP_STRUCT__entry(
		__field(u64,	cid)
		__field(u64,	nonce)
		__field(u32,	netns)
		__field(u32,	site)
		__field(bool,	answer)
	),
	TP_fast_assign(
		__entry->cid = cid;
		__entry->nonce = nonce;
		__entry->netns = pnet->net->ns.inum;
		__entry->site = site;
		__entry->answer = answer;
	),
	TP_printk("netns %u %s site %u cid %016llx nonce %016llx",
		  __entry->netns, __entry->answer ? "answer to" : "ask",
		  __entry->site, __entry->cid, __entry->nonce)
);

#endif /* _PSYNC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
