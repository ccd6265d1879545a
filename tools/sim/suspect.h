/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is silent: told when it is so, not before, and taken back. */
#ifndef _PSYNC_SIM_SUSPECT_H
#define _PSYNC_SIM_SUSPECT_H

#include "sim.h"

struct psync_conv;
struct psync_event;
struct psync_pkt;
struct psync_place;

/* Now and then a site that is silent while something is expected is suspect. */
void psync_suspect_draw(struct psync_conv *conv);

/* The core took a packet, or not. */
void psync_suspect_input(struct psync_place *place,
			 const struct psync_pkt *pkt, enum psync_drop drop);

/* The core has told something. */
void psync_suspect_event(struct psync_place *place,
			 const struct psync_event *ev);

/* Nothing moves any more: who is awaited here and silent is suspect. */
void psync_suspect_rest(struct psync_place *place);

/* The image is gone. */
void psync_suspect_forget(struct psync_place *place);

#endif /* _PSYNC_SIM_SUSPECT_H */
