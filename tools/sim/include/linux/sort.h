/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: sorting in place; the swap function is never needed here. */
#ifndef _SIM_LINUX_SORT_H
#define _SIM_LINUX_SORT_H

#include <stdlib.h>
#include <linux/types.h>

static inline void sort(void *base, size_t num, size_t size,
			int (*cmp)(const void *a, const void *b),
			void (*swap_func)(void *a, void *b, int size))
{
	(void)swap_func;
	qsort(base, num, size, cmp);
}

#endif /* _SIM_LINUX_SORT_H */
