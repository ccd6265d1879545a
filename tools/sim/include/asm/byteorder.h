/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: network and host byte order. */
#ifndef _SIM_ASM_BYTEORDER_H
#define _SIM_ASM_BYTEORDER_H

#include <linux/types.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define __sim_swab16(x)		((__u16)(x))
#define __sim_swab32(x)		((__u32)(x))
#define __sim_swab64(x)		((__u64)(x))
#else
#define __sim_swab16(x)		__builtin_bswap16(x)
#define __sim_swab32(x)		__builtin_bswap32(x)
#define __sim_swab64(x)		__builtin_bswap64(x)
#endif

static inline __be16 cpu_to_be16(__u16 x)
{
	return (__force __be16)__sim_swab16(x);
}

static inline __be32 cpu_to_be32(__u32 x)
{
	return (__force __be32)__sim_swab32(x);
}

static inline __be64 cpu_to_be64(__u64 x)
{
	return (__force __be64)__sim_swab64(x);
}

static inline __u16 be16_to_cpu(__be16 x)
{
	return __sim_swab16((__force __u16)x);
}

static inline __u32 be32_to_cpu(__be32 x)
{
	return __sim_swab32((__force __u32)x);
}

static inline __u64 be64_to_cpu(__be64 x)
{
	return __sim_swab64((__force __u64)x);
}

#endif /* _SIM_ASM_BYTEORDER_H */
