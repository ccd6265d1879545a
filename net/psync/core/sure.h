/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: what is stable stays so (S2.2). */
#ifndef _PSYNC_CORE_SURE_H
#define _PSYNC_CORE_SURE_H

#include "image.h"

/**
 * psync_sure_size - memory in each node for what is sure of it
 * @img: image
 *
 * Return: bytes.
 */
size_t psync_sure_size(const struct psync_image *img);

/**
 * psync_sure_begin - nothing is sure in a view that begins to have masks
 * @view: view, @masks new
 */
void psync_sure_begin(struct psync_view *view);

/**
 * psync_sure_prepare - memory to put down what is stable
 * @img: image into which a RESTART is to come
 *
 * Who is back may lack what it had, and counts again after an END.
 * Return: false without memory.
 */
bool psync_sure_prepare(struct psync_image *img);

/**
 * psync_sure_join - the same for a view that begins after somebody came back
 * @view: initialised view
 *
 * Return: 0, -ENOMEM.
 */
int psync_sure_join(struct psync_view *view);

/**
 * psync_sure_back - put down what is stable in all views, before a RESTART counts
 * @img: image, for which psync_sure_prepare() was called
 */
void psync_sure_back(struct psync_image *img);

/**
 * psync_sure_keep - put down what is stable, before somebody counts again
 * @view: view with masks
 */
void psync_sure_keep(struct psync_view *view);

/**
 * psync_sure_has - was a message put down?
 * @view: view; without a stamp: was it at this site?
 * @index: its sender
 * @seq: its sequence number
 */
bool psync_sure_has(const struct psync_view *view, u32 index, u64 seq);

/**
 * psync_sure_forgets - was what may have been put down of a message freed?
 * @view: view, perhaps without masks
 * @index: its sender
 * @seq: its sequence number
 */
bool psync_sure_forgets(const struct psync_view *view, u32 index, u64 seq);

#endif /* _PSYNC_CORE_SURE_H */
