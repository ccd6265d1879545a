/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual time: what happens next. */
#ifndef _PSYNC_SIM_HEAP_H
#define _PSYNC_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct psync_heap_item - something that will happen
 * @at: when
 * @order: items of one instant happen in the order they were pushed
 * @run: what
 * @ctx: to whom
 * @arg: for @run
 */
struct psync_heap_item {
	uint64_t at;
	uint64_t order;
	void (*run)(void *ctx, uint64_t arg);
	void *ctx;
	uint64_t arg;
};

/**
 * struct psync_heap - binary heap of items, earliest first
 * @items: the heap
 * @n: items in it
 * @room: items that fit
 * @pushed: ever
 */
struct psync_heap {
	struct psync_heap_item *items;
	size_t n;
	size_t room;
	uint64_t pushed;
};

void psync_heap_push(struct psync_heap *heap, uint64_t at,
		     void (*run)(void *ctx, uint64_t arg), void *ctx,
		     uint64_t arg);
/* False when nothing is left to happen. */
bool psync_heap_pop(struct psync_heap *heap, struct psync_heap_item *item);
void psync_heap_free(struct psync_heap *heap);

#endif /* _PSYNC_SIM_HEAP_H */
