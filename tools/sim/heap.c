// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time: a binary heap of what will happen. */
#include <stdio.h>
#include <stdlib.h>

#include "heap.h"

static bool psync_heap_before(const struct psync_heap_item *a,
			      const struct psync_heap_item *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void psync_heap_grow(struct psync_heap *heap)
{
	heap->room = heap->room ? heap->room * 2 : 256;
	heap->items = realloc(heap->items, heap->room * sizeof(*heap->items));
	if (!heap->items) {
		fprintf(stderr, "psync-sim: out of memory\n");
		abort();
	}
}

void psync_heap_push(struct psync_heap *heap, uint64_t at,
		     void (*run)(void *ctx, uint64_t arg), void *ctx,
		     uint64_t arg)
{
	struct psync_heap_item item = { at, heap->pushed++, run, ctx, arg };
	size_t i, up;

	if (heap->n == heap->room)
		psync_heap_grow(heap);
	for (i = heap->n++; i; i = up) {
		up = (i - 1) / 2;
		if (!psync_heap_before(&item, &heap->items[up]))
			break;
		heap->items[i] = heap->items[up];
	}
	heap->items[i] = item;
}

bool psync_heap_pop(struct psync_heap *heap, struct psync_heap_item *item)
{
	struct psync_heap_item *last;
	size_t i = 0, child;

	if (!heap->n)
		return false;
	*item = heap->items[0];
	last = &heap->items[--heap->n];
	for (;;) {
		child = 2 * i + 1;
		if (child >= heap->n)
			break;
		if (child + 1 < heap->n &&
		    psync_heap_before(&heap->items[child + 1],
				      &heap->items[child]))
			child++;
		if (!psync_heap_before(&heap->items[child], last))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = *last;
	return true;
}

void psync_heap_free(struct psync_heap *heap)
{
	free(heap->items);
	*heap = (struct psync_heap){ 0 };
}
