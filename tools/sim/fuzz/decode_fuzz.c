// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes to the decoder.  What it reads lies in memory of exactly the size
 * it was told, so that the sanitizer sees one byte too many; what it accepts
 * must point into the header only and must come out of the encoder as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "core/hash.h"
#include "core/wire.h"
#include "state.h"

/* The first @len bytes, in memory that ends with them. */
static u8 *psync_fuzz_exact(const u8 *data, u32 len)
{
	u8 *copy = malloc(len ? len : 1);

	psync_fuzz_require(copy);
	memcpy(copy, data, len);
	return copy;
}

/* Bytes that the decoder wants, or 0 when there are not so many. */
static u32 psync_fuzz_need(const u8 *data, u32 size)
{
	u32 len = 0, need;
	u8 *copy;

	for (;;) {
		copy = psync_fuzz_exact(data, len);
		need = psync_wire_need(copy, len);
		free(copy);
		psync_fuzz_require(need <= PSYNC_WIRE_MAX);
		if (need <= len)
			return len;
		if (need > size)
			return 0;
		len = need;
	}
}

/* Is [@from, @from + @len) within the first @hdr_len bytes of @data? */
static void psync_fuzz_within(const u8 *data, u32 hdr_len, const void *from,
			      size_t len)
{
	const u8 *p = from;

	if (!from)
		return;
	psync_fuzz_require(p >= data && p <= data + hdr_len &&
			   len <= (size_t)(data + hdr_len - p));
}

static void psync_fuzz_vector(const u8 *data, const struct psync_pkt *pkt)
{
	psync_fuzz_require(pkt->vector.n >= PSYNC_PARTICIPANTS_MIN &&
			   pkt->vector.n <= PSYNC_PARTICIPANTS_LIM &&
			   pkt->vector.index < pkt->vector.n &&
			   !pkt->body_len);
	psync_fuzz_require(pkt->vector.seqs);
	psync_fuzz_within(data, pkt->hdr_len, pkt->vector.seqs,
			  pkt->vector.n * sizeof(__be32));
	psync_fuzz_within(data, pkt->hdr_len, pkt->vector.highs,
			  pkt->vector.n * sizeof(__be16));
}

static void psync_fuzz_bounds(const u8 *data, u32 len, u32 size,
			      const struct psync_pkt *pkt)
{
	psync_fuzz_require(pkt->hdr_len <= len && len <= size &&
			   pkt->body_len <= size - pkt->hdr_len);
	psync_fuzz_require(psync_wire_hdr_size(pkt) == pkt->hdr_len);
	if (psync_wire_is_vector(pkt->type))
		psync_fuzz_vector(data, pkt);
	if (pkt->type == PSYNC_PKT_FRAG)
		psync_fuzz_require(pkt->body_len &&
				   pkt->body_len <= pkt->frag.size &&
				   pkt->frag.size < pkt->frag.total &&
				   pkt->frag.total <= PSYNC_FRAG_MAX &&
				   pkt->frag.index * pkt->frag.size +
				   pkt->body_len <= pkt->frag.total);
	if (pkt->type == PSYNC_PKT_FRAG_ACK)
		psync_fuzz_within(data, pkt->hdr_len, pkt->frag_ack.bitmap,
				  PSYNC_FRAG_WINDOW / 8);
	if (pkt->type != PSYNC_PKT_MSG)
		return;
	psync_fuzz_require(pkt->msg.n >= PSYNC_PARTICIPANTS_MIN &&
			   pkt->msg.n <= PSYNC_PARTICIPANTS_LIM &&
			   pkt->msg.sender < pkt->msg.n &&
			   pkt->msg.npred <= pkt->msg.n);
	psync_fuzz_require(!(pkt->msg.flags & PSYNC_MSGF_STAMP) ==
			   !pkt->msg.stamp);
	psync_fuzz_require(!(pkt->msg.flags & PSYNC_MSGF_START) ==
			   !pkt->msg.participants);
	psync_fuzz_require(!(pkt->msg.flags & PSYNC_MSGF_FOREIGN) ==
			   !pkt->msg.inc && !pkt->msg.inc == !pkt->msg.opening);
	psync_fuzz_require(pkt->msg.kind == PSYNC_KIND_DATA || !pkt->body_len);
	psync_fuzz_within(data, pkt->hdr_len, pkt->msg.participants,
			  pkt->msg.n * sizeof(struct psync_wire_pid));
	psync_fuzz_within(data, pkt->hdr_len, pkt->msg.preds,
			  pkt->msg.npred * sizeof(struct psync_wire_mid));
	psync_fuzz_within(data, pkt->hdr_len, pkt->msg.stamp,
			  pkt->msg.n * sizeof(__be32));
	psync_fuzz_within(data, pkt->hdr_len, pkt->msg.highs,
			  pkt->msg.n * sizeof(__be16));
	psync_fuzz_within(data, pkt->hdr_len, pkt->msg.bitmap,
			  (pkt->msg.n + 31) / 32 * 4);
}

/* Encoding gives the same header, except for the checksum, left to the link. */
static void psync_fuzz_again(const u8 *data, const struct psync_pkt *pkt)
{
	struct psync_wire_hdr *hdr;
	struct psync_pkt second;
	u8 *want, *got;
	u32 total;

	want = psync_fuzz_exact(data, pkt->hdr_len);
	got = malloc(pkt->hdr_len);
	psync_fuzz_require(got);
	memset(got, 0xee, pkt->hdr_len);
	psync_wire_encode(pkt, got);
	hdr = (void *)want;
	hdr->csum = 0;
	psync_fuzz_require(!memcmp(want, got, pkt->hdr_len));
	total = pkt->hdr_len + pkt->body_len;
	psync_fuzz_require(psync_wire_decode(got, pkt->hdr_len, total,
					     &second) == PSYNC_OK);
	psync_fuzz_require(second.hdr_len == pkt->hdr_len &&
			   second.body_len == pkt->body_len);
	free(got);
	free(want);
}

static void psync_fuzz_csum(const u8 *data, u32 len)
{
	u8 *copy = psync_fuzz_exact(data, len);
	struct psync_wire_hdr *hdr = (void *)copy;

	psync_wire_csum_ok(copy, len);
	hdr->csum = 0;
	psync_wire_csum_set(copy, len);
	psync_fuzz_require(psync_wire_csum_ok(copy, len));
	copy[len - 1] ^= 1;
	psync_fuzz_require(!psync_wire_csum_ok(copy, len));
	free(copy);
}

/* The same bytes in pieces, whose lengths they say themselves. */
static void psync_fuzz_hash(const u8 *data, u32 size)
{
	struct psync_hash whole = { 0 }, pieces = { 0 };
	u32 at = 0, len;

	psync_hash_add(&whole, data, size);
	while (at < size) {
		len = min(data[at] % 20U, size - at);
		psync_hash_add(&pieces, data + at, len);
		at += len;
		len = min(9U, size - at);
		psync_hash_add(&pieces, data + at, len);
		at += len;
	}
	psync_fuzz_require(psync_hash_end(&whole) == psync_hash_end(&pieces));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psync_pkt pkt;
	u32 len;
	u8 *copy;

	if (size > U16_MAX)
		return 0;
	psync_fuzz_hash(data, size);
	len = psync_fuzz_need(data, size);
	if (!len) {
		copy = psync_fuzz_exact(data, size);
		psync_fuzz_require(psync_wire_decode(copy, size, size, &pkt) !=
				   PSYNC_OK);
		free(copy);
		return 0;
	}
	copy = psync_fuzz_exact(data, len);
	memset(&pkt, 0xee, sizeof(pkt));
	if (psync_wire_decode(copy, len, size, &pkt) == PSYNC_OK) {
		psync_fuzz_bounds(copy, len, size, &pkt);
		psync_fuzz_again(copy, &pkt);
		psync_fuzz_csum(data, pkt.hdr_len + pkt.body_len);
	}
	free(copy);
	return 0;
}
