/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: nodes of the graph that the kernel makes (S3). */
#ifndef _PSYNC_CORE_NULL_H
#define _PSYNC_CORE_NULL_H

#include "image.h"

/**
 * psync_null_due - a participant received a message that it has to acknowledge
 * @view: its view
 */
void psync_null_due(struct psync_view *view);

/**
 * psync_null_back - somebody is back, for whom there may have been nobody before
 * @img: image
 */
void psync_null_back(struct psync_image *img);

/**
 * psync_null_timer - send the null messages that are due
 * @img: image
 */
void psync_null_timer(struct psync_image *img);

/**
 * psync_null_end - put a participant's END into the graph
 * @view: its view, which closes
 */
void psync_null_end(struct psync_view *view);

#endif /* _PSYNC_CORE_NULL_H */
