/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of a namespace: drops by reason and what went well. */
#ifndef _PSYNC_MIB_H
#define _PSYNC_MIB_H

#include <linux/percpu.h>
#include <linux/types.h>
#include "core/cut.h"
#include "core/drop.h"

/* X(enumerator suffix, name, one-line meaning); drops come after these. */
#define PSYNC_COUNTERS(X)						\
	X(RX_PACKETS,	"RxPackets",	"packets that links handed up")	\
	X(TX_PACKETS,	"TxPackets",	"packets handed to links")	\
	X(MSG_SENT,	"MsgSent",	"messages sent in conversations") \
	X(MSG_ATTACHED,	"MsgAttached",	"messages of others attached to an image") \
	X(MSG_HELD,	"MsgHeld",	"messages that waited for their context") \
	X(MSG_RECEIVED,	"MsgReceived",	"messages handed to programs")	\
	X(MSG_REPEATED,	"MsgRepeated",	"messages sent again")		\
	X(NULL_SENT,	"MsgNullSent",	"null messages sent for silent participants") \
	X(NULL_RECEIVED, "MsgNullReceived", "null messages received for participants") \
	X(END_SENT,	"MsgEndSent",	"ENDs sent for participants that closed") \
	X(END_RECEIVED,	"MsgEndReceived", "ENDs received for participants") \
	X(MASK_SENT,	"MsgMaskSent",	"announcements of masks sent for participants") \
	X(MASK_RECEIVED, "MsgMaskReceived", "announcements of masks received for participants") \
	X(RESTART_SENT,	"MsgRestartSent", "RESTARTs sent for participants that came back") \
	X(RESTART_RECEIVED, "MsgRestartReceived", "RESTARTs received for participants") \
	X(GAP_SENT,	"MsgGapSent",	"announcements that a site is not waited for") \
	X(GAP_RECEIVED,	"MsgGapReceived", "such announcements received for participants") \
	X(ACK_SENT,	"AckSent",	"acknowledgement vectors sent")	\
	X(ACK_HEARD,	"AckHeard",	"acknowledgement vectors received") \
	X(RR_SENT,	"RrSent",	"requests for repair sent")	\
	X(RR_HEARD,	"RrHeard",	"requests for repair received")	\
	X(GONE_SENT,	"GoneSent",	"answers that what was asked for is gone sent") \
	X(GONE_HEARD,	"GoneHeard",	"such answers received")	\
	X(FRAG_CUT,	"FragCut",	"packets sent in fragments")	\
	X(FRAG_WHOLE,	"FragWhole",	"packets put together from fragments") \
	X(FRAG_SENT,	"FragSent",	"fragments sent")		\
	X(FRAG_REPEATED, "FragRepeated", "of these, sent again")	\
	X(FRAG_HEARD,	"FragHeard",	"fragments received")		\
	X(FRAG_ACK_SENT, "FragAckSent",	"answers to fragments sent")	\
	X(FRAG_ACK_HEARD, "FragAckHeard", "such answers received")	\
	X(RS_SENT,	"RsSent",	"RS packets sent: a participant is back") \
	X(RS_HEARD,	"RsHeard",	"RS packets received")		\
	X(RS_ANSWERED,	"RsAnswered",	"RS packets answered with what is known") \
	X(RS_ACK_HEARD,	"RsAckHeard",	"such answers received")	\
	X(SLOW_BLOCKED,	"SlowBlocked",	"times that a slow member held senders back") \
	X(SLOW_SUSPECTED, "SlowSuspected", "of these, where it is suspected then") \
	X(SLOW_SKIPPED,	"SlowSkipped",	"times that one is not waited for any more") \
	X(SLOW_MASKED,	"SlowMasked",	"times that a slow site was masked out") \
	X(SLOW_RESUMED,	"SlowResumed",	"times that senders went on after it") \
	X(MARK_HEARD,	"MarkHeard",	"messages and fragments received with a congestion mark") \
	X(CUT_LOSS,	"CutLoss",	"windows made smaller for a loss")	\
	X(CUT_TIMEOUT,	"CutTimeout",	"windows made smaller for want of an answer") \
	X(CUT_MARK,	"CutMark",	"windows made smaller for a congestion mark") \
	X(DGRAM_SENT,	"DgramSent",	"datagrams sent")		\
	X(DGRAM_RECEIVED, "DgramReceived", "datagrams handed to programs") \
	X(HELLO_SENT,	"HelloSent",	"HELLO packets sent")		\
	X(HELLO_ANSWERED, "HelloAnswered", "HELLO packets answered")	\
	X(REFUSE_SENT,	"RefuseSent",	"REFUSE packets sent")		\
	X(REFUSE_HEARD,	"RefuseHeard",	"REFUSE packets received")	\
	X(CONV_OPENED,	"ConvOpened",	"conversations opened or accepted") \
	X(CONV_CLOSED,	"ConvClosed",	"conversations closed")		\
	X(CONV_EVICTED,	"ConvEvicted",	"pending conversations given up") \
	X(CONV_LINGERED, "ConvLingered", "closed conversations kept for what others lacked") \
	X(CONV_GIVEN_UP, "ConvGivenUp",	"of these, given up while others lacked something") \
	X(CHARGE_REFUSED, "ChargeRefused", "messages refused since no memory could be charged")

enum psync_counter {
#define X(name, counter, text) PSYNC_MIB_##name,
	PSYNC_COUNTERS(X)
#undef X
	PSYNC_MIB_MAX
};

/**
 * struct psync_mib - counters, one copy per CPU
 * @counters: by enum psync_counter
 * @drops: by enum psync_drop; entry 0 is unused
 */
struct psync_mib {
	u64	counters[PSYNC_MIB_MAX];
	u64	drops[PSYNC_DROP_MAX];
};

struct psync_net;
struct net;

/* Any context.  The percpu add is safe against softirqs on the same CPU. */
#define PSYNC_INC(pnet, name) \
	this_cpu_inc((pnet)->mib->counters[PSYNC_MIB_##name])

/* mib.c */
/* A window was made smaller @times times.  Any context. */
void psync_count_cuts(struct psync_net *pnet, enum psync_cut why,
		      unsigned int times);
int psync_mib_init(struct psync_net *pnet);
void psync_mib_exit(struct psync_net *pnet);
/* Sums over all CPUs; @sum has room for one struct. */
void psync_mib_sum(const struct psync_net *pnet, struct psync_mib *sum);

extern const char * const psync_counter_names[PSYNC_MIB_MAX];
extern const char * const psync_drop_names[PSYNC_DROP_MAX];

#endif /* _PSYNC_MIB_H */
