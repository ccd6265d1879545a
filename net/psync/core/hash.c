// SPDX-License-Identifier: GPL-2.0-only
/*
 * A number that other bytes hardly have: what a program sends again is told from
 * what it sent before (redo.c).  It is no secret and does not leave the machine, so
 * what counts is that it takes eight bytes at a time, wherever they are cut.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include "hash.h"

/* As xxHash: odd, with ones and zeros everywhere. */
#define PSYNC_HASH_A	0x9e3779b185ebca87ULL
#define PSYNC_HASH_B	0xc2b2ae3d27d4eb4fULL

static void psync_hash_word(struct psync_hash *hash, const u8 *data)
{
	u64 word;

	memcpy(&word, data, sizeof(word));
	hash->sum += word * PSYNC_HASH_B;
	hash->sum = (hash->sum << 31 | hash->sum >> 33) * PSYNC_HASH_A;
}

void psync_hash_add(struct psync_hash *hash, const u8 *data, u32 len)
{
	u32 have = hash->len % sizeof(hash->word);
	u32 n;

	hash->len += len;
	if (have) {
		n = min_t(u32, len, sizeof(hash->word) - have);
		memcpy(hash->word + have, data, n);
		data += n;
		len -= n;
		if (have + n < sizeof(hash->word))
			return;
		psync_hash_word(hash, hash->word);
	}
	for (; len >= sizeof(hash->word); len -= sizeof(hash->word)) {
		psync_hash_word(hash, data);
		data += sizeof(hash->word);
	}
	memcpy(hash->word, data, len);
}

u64 psync_hash_end(struct psync_hash *hash)
{
	u32 have = hash->len % sizeof(hash->word);

	memset(hash->word + have, 0, sizeof(hash->word) - have);
	psync_hash_word(hash, hash->word);
	hash->sum ^= hash->len;
	hash->sum = (hash->sum ^ hash->sum >> 33) * PSYNC_HASH_B;
	hash->sum = (hash->sum ^ hash->sum >> 29) * PSYNC_HASH_A;
	return hash->sum ^ hash->sum >> 32;
}
