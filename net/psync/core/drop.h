/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a packet or a message was dropped: the one list of reasons. */
#ifndef _PSYNC_CORE_DROP_H
#define _PSYNC_CORE_DROP_H

/* X(enumerator suffix, counter name, one-line meaning).  The list makes the
 * enum, the counters (/proc/net/psync_stat and netlink), the tracepoint's
 * strings and the table in protocol.rst, so that none can be forgotten.
 */
#define PSYNC_DROPS(X)							\
	X(TOO_SHORT,	"DropTooShort",	"shorter than its headers")	\
	X(BAD_VERSION,	"DropBadVersion", "unknown protocol version")	\
	X(BAD_TYPE,	"DropBadType",	"unknown packet type")		\
	X(BAD_LENGTH,	"DropBadLength", "length field contradicts the packet") \
	X(BAD_CSUM,	"DropBadCsum",	"checksum wrong")		\
	X(BAD_HEADER,	"DropBadHeader", "reserved field not zero or flag unknown") \
	X(NO_SITE,	"DropNoSite",	"this namespace has no site id yet") \
	X(SELF,		"DropSelf",	"claims to come from this very site") \
	X(NOT_FOR_US,	"DropNotForUs",	"addressed to another site")	\
	X(UNKNOWN_PEER,	"DropUnknownPeer", "source site is not configured") \
	X(BAD_ADDRESS,	"DropBadAddress", "source address is not that peer's") \
	X(STALE_INC,	"DropStaleIncarnation", "from an earlier incarnation of its site") \
	X(OTHER_INC,	"DropOtherIncarnation", "meant for another incarnation of this site") \
	X(PARK_FULL,	"DropParkFull",	"too many packets await confirmation") \
	X(BAD_NONCE,	"DropBadNonce",	"HELLO answer nobody asked for")	\
	X(NO_CONV,	"DropNoConv",	"no such conversation here")	\
	X(CLOSED,	"DropClosed",	"conversation was closed here")	\
	X(NO_LISTENER,	"DropNoListener", "no participant here listens or has opened") \
	X(PENDING_FULL,	"DropPendingFull", "pending conversations at their limit") \
	X(DIGEST,	"DropDigest",	"another participant list for this group") \
	X(BAD_PARTICIPANTS, "DropBadParticipants", "participant list invalid") \
	X(NOT_MEMBER,	"DropNotMember", "sender is no participant at that site") \
	X(BAD_KIND,	"DropBadKind",	"unknown kind of message")	\
	X(BAD_CONTEXT,	"DropBadContext", "predecessors contradict the graph") \
	X(BAD_WAVE,	"DropBadWave",	"wave number contradicts the predecessors") \
	X(STALE_OPENING, "DropStaleOpening", "from or for an earlier opening of the conversation") \
	X(REOPENED,	"DropReopened",	"sender reopened while others go on: needs a restart") \
	X(DUPLICATE,	"DropDuplicate", "already in the image or held")	\
	X(HELD_FULL,	"DropHeldFull",	"holding queue at its limit")	\
	X(IMAGE_FULL,	"DropImageFull", "unread messages at their limit") \
	X(NO_MEM,	"DropNoMem",	"out of memory")		\
	X(NO_PORT,	"DropNoPort",	"nobody is bound to that port")	\
	X(OTHER_BINDING, "DropOtherBinding", "meant for an earlier binding of the port") \
	X(NO_GROUP,	"DropNoGroup",	"group is not configured here")	\
	X(RCVBUF,	"DropRcvbuf",	"receive buffer of the socket is full") \
	X(UNCONFIRMED,	"DropUnconfirmed", "its site is not confirmed in the conversation yet") \
	X(BAD_VECTOR,	"DropBadVector", "acknowledges what was never sent, or answers nobody") \
	X(RR_RATE,	"DropRrRate",	"asks again too soon or beyond the repair rate") \
	X(CONTEXT_LOST,	"DropContextLost", "what it follows died with its sender") \
	X(LEFT_OVER,	"DropLeftOver",	"still waiting when the conversation closed") \
	X(BAD_FRAG,	"DropBadFragment", "fragment contradicts its packet")	\
	X(FRAG_STALE,	"DropFragStale", "of a fragmented packet that is over") \
	X(FRAG_FULL,	"DropFragFull",	"incomplete packets at their limit") \
	X(FRAG_EXPIRED,	"DropFragExpired", "the rest of a fragmented packet did not come") \
	X(TX_FRAG_FULL,	"DropTxFragFull", "too much waits to be sent in fragments") \
	X(TX_GIVEN_UP,	"DropTxGivenUp", "fragments were not answered")	\
	X(MASKED,	"DropMasked",	"its sender is masked out and nobody needs it") \
	X(VOID,		"DropVoid",	"beyond the cut of a mask")	\
	X(TX_NO_PEER,	"DropTxNoPeer",	"no peer configured for the site") \
	X(TX_NO_ROUTE,	"DropTxNoRoute", "no route, or the device is down") \
	X(TX_TOO_BIG,	"DropTxTooBig",	"larger than the link can carry")	\
	X(TX_NO_MEM,	"DropTxNoMem",	"out of memory while sending")

/* Why a packet or message was not used.  PSYNC_OK: it was used; every other
 * value is a reason with its own counter.
 */
enum psync_drop {
	PSYNC_OK = 0,
#define X(name, counter, text) PSYNC_DROP_##name,
	PSYNC_DROPS(X)
#undef X
	PSYNC_DROP_MAX
};

#endif /* _PSYNC_CORE_DROP_H */
