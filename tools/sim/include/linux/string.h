/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: memory and strings. */
#ifndef _SIM_LINUX_STRING_H
#define _SIM_LINUX_STRING_H

#include <string.h>
#include <linux/types.h>

/* Return: the first byte that is not @c, or NULL. */
static inline void *memchr_inv(const void *start, int c, size_t bytes)
{
	const unsigned char *p = start;

	for (; bytes; bytes--, p++)
		if (*p != (unsigned char)c)
			return (void *)p;
	return NULL;
}

#endif /* _SIM_LINUX_STRING_H */
