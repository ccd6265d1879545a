/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: offsets and sizes of members. */
#ifndef _SIM_LINUX_STDDEF_H
#define _SIM_LINUX_STDDEF_H

#include <stddef.h>
#include <stdbool.h>
/* C library headers reach this file too and want what they know of it. */
#include_next <linux/stddef.h>

#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof_field(type, member))

#endif /* _SIM_LINUX_STDDEF_H */
