/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets in fragments between simulated sites. */
#ifndef _PSYNC_SIM_FRAG_H
#define _PSYNC_SIM_FRAG_H

#include <linux/types.h>

#include "../../net/psync/core/wire.h"

struct psync_conv;
struct psync_site_peer;

/* Nothing is under way with that peer. */
void psync_frag_open(struct psync_site_peer *peer);

/* Nothing is any more. */
void psync_frag_clear(struct psync_site_peer *peer);

/**
 * psync_frag_send - a packet that does not fit the link
 * @peer: where to
 * @pkt: what it says
 * @data: it, borrowed
 * @len: its bytes
 * @conv: conversation that waits for it, or NULL
 */
void psync_frag_send(struct psync_site_peer *peer, const struct psync_pkt *pkt,
		     const u8 *data, u32 len, struct psync_conv *conv);

/**
 * psync_frag_receive - a FRAG or FRAG_ACK has come
 * @peer: where from
 * @pkt: decoded
 * @data: the packet
 *
 * Return: PSYNC_OK or why it is not used.
 */
enum psync_drop psync_frag_receive(struct psync_site_peer *peer,
				   const struct psync_pkt *pkt, const u8 *data);

#endif /* _PSYNC_SIM_FRAG_H */
