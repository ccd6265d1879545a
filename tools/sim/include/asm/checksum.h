/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: the Internet checksum. */
#ifndef _SIM_ASM_CHECKSUM_H
#define _SIM_ASM_CHECKSUM_H

#include <string.h>
#include <asm/byteorder.h>

/* The sum, over 16-bit words as they lie in memory, not yet folded. */
static inline __wsum csum_partial(const void *buff, int len, __wsum wsum)
{
	__u64 sum = (__force __u32)wsum;
	const __u8 *p = buff;
	__u16 word;

	for (; len > 1; len -= 2, p += 2) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (len) {
		word = 0;
		memcpy(&word, p, 1);
		sum += word;
	}
	while (sum >> 32)
		sum = (sum & 0xffffffff) + (sum >> 32);
	return (__force __wsum)(__u32)sum;
}

static inline __sum16 csum_fold(__wsum wsum)
{
	__u32 sum = (__force __u32)wsum;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__force __sum16)(__u16)~sum;
}

#endif /* _SIM_ASM_CHECKSUM_H */
