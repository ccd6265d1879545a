/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: greatest and least values of the plain types. */
#ifndef _SIM_LINUX_LIMITS_H
#define _SIM_LINUX_LIMITS_H

/* The C library's limits.h reaches this file and wants PATH_MAX and others. */
#include_next <linux/limits.h>

#define U8_MAX		((__u8)~0U)
#define U16_MAX		((__u16)~0U)
#define U32_MAX		((__u32)~0U)
#define U64_MAX		((__u64)~0ULL)
#define S32_MAX		((__s32)(U32_MAX >> 1))
#define S32_MIN		((__s32)(-S32_MAX - 1))
#define S64_MAX		((__s64)(U64_MAX >> 1))
#define S64_MIN		((__s64)(-S64_MAX - 1))

#endif /* _SIM_LINUX_LIMITS_H */
