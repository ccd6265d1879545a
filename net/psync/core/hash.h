/* SPDX-License-Identifier: GPL-2.0-only */
/* A number that other bytes hardly have. */
#ifndef _PSYNC_CORE_HASH_H
#define _PSYNC_CORE_HASH_H

#include <linux/types.h>

/**
 * struct psync_hash - of bytes that come in pieces
 * @sum: so far
 * @len: bytes so far
 * @word: the last @len % 8 of them
 */
struct psync_hash {
	u64	sum;
	u64	len;
	u8	word[8];
};

/**
 * psync_hash_add - some more bytes
 * @hash: zeroed before the first
 * @data: bytes
 * @len: how many
 *
 * It does not matter where one piece ends and the next one begins.
 */
void psync_hash_add(struct psync_hash *hash, const u8 *data, u32 len);

/**
 * psync_hash_end - that was all
 * @hash: of the bytes; not to be used any more
 *
 * Return: the number; on machines of another byte order it is another one.
 */
u64 psync_hash_end(struct psync_hash *hash);

#endif /* _PSYNC_CORE_HASH_H */
