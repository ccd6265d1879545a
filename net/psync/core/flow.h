/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: how much may be sent (S6.6). */
#ifndef _PSYNC_CORE_FLOW_H
#define _PSYNC_CORE_FLOW_H

#include "image.h"

/**
 * psync_flow_init - nothing is under way to a site, nothing is granted
 * @img: image
 * @remote: site
 */
void psync_flow_init(const struct psync_image *img,
		     struct psync_remote *remote);

/**
 * psync_flow_reset - what a site grants is not known any more
 * @remote: site
 */
void psync_flow_reset(struct psync_remote *remote);

/**
 * psync_flow_keep - another site's message is attached and uses its credit
 * @img: image
 * @node: the message
 */
void psync_flow_keep(struct psync_image *img, const struct psync_node *node);

/**
 * psync_flow_free - and is not kept any more
 * @img: image
 * @node: the message
 */
void psync_flow_free(struct psync_image *img, const struct psync_node *node);

/**
 * psync_flow_grant - put what a site may send into an ACK to it
 * @img: image
 * @remote: site
 * @pkt: the ACK
 */
void psync_flow_grant(struct psync_image *img, struct psync_remote *remote,
		      struct psync_pkt *pkt);

/**
 * psync_flow_granted - use what a site grants
 * @img: image
 * @remote: site
 * @pkt: its ACK, whose vector was used
 */
void psync_flow_granted(struct psync_image *img, struct psync_remote *remote,
			const struct psync_pkt *pkt);

/**
 * psync_flow_launch - a site that counts lacks a message
 * @img: image
 * @remote: site
 * @node: the message
 */
void psync_flow_launch(const struct psync_image *img,
		       struct psync_remote *remote,
		       const struct psync_node *node);

/**
 * psync_flow_send - a site that counts is sent a new message
 * @img: image
 * @remote: site
 * @node: the message, which uses its credit if it is from here
 */
void psync_flow_send(const struct psync_image *img,
		     struct psync_remote *remote,
		     const struct psync_node *node);

/**
 * psync_flow_land - it holds the message, or does not count any more
 * @img: image
 * @remote: site
 * @node: the message
 */
void psync_flow_land(const struct psync_image *img,
		     struct psync_remote *remote,
		     const struct psync_node *node);

/**
 * psync_flow_depart - a message sent here is under way
 * @img: image
 * @node: the message
 */
void psync_flow_depart(struct psync_image *img, const struct psync_node *node);

/**
 * psync_flow_arrive - and is held wherever it counts
 * @img: image
 * @node: the message
 */
void psync_flow_arrive(struct psync_image *img, const struct psync_node *node);

/**
 * psync_flow_lost - a site asks for a message
 * @img: image
 * @remote: site
 * @node: the message
 */
void psync_flow_lost(struct psync_image *img, const struct psync_remote *remote,
		     const struct psync_node *node);

/**
 * psync_flow_timeout - a site did not say in time what it holds
 * @img: image
 * @remote: site
 */
void psync_flow_timeout(struct psync_image *img,
			const struct psync_remote *remote);

/**
 * psync_flow_size - what a message takes of the window
 * @node: the message
 */
u32 psync_flow_size(const struct psync_node *node);

/**
 * psync_flow_may_send - may a program's message be sent?
 * @img: image
 */
bool psync_flow_may_send(const struct psync_image *img);

/**
 * psync_flow_starves - does a send wait for this site's credit?
 * @img: image
 * @remote: site
 */
bool psync_flow_starves(const struct psync_image *img,
			const struct psync_remote *remote);

/**
 * psync_flow_block - a send was refused: who has no credit is asked for it
 * @img: image
 */
void psync_flow_block(struct psync_image *img);

/**
 * psync_flow_timer - somebody was waited for long enough
 * @img: image
 */
void psync_flow_timer(struct psync_image *img);

/**
 * psync_flow_settle - after anything happened: who is to be told of room?
 * @img: image
 */
void psync_flow_settle(struct psync_image *img);

#endif /* _PSYNC_CORE_FLOW_H */
