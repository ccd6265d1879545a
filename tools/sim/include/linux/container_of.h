/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: from a member to the structure around it. */
#ifndef _SIM_LINUX_CONTAINER_OF_H
#define _SIM_LINUX_CONTAINER_OF_H

#include <stddef.h>

#ifndef container_of
#define container_of(ptr, type, member) __extension__ ({	\
	const __typeof__(((type *)0)->member) *_member = (ptr);	\
	(type *)((char *)_member - offsetof(type, member)); })
#endif

#endif /* _SIM_LINUX_CONTAINER_OF_H */
