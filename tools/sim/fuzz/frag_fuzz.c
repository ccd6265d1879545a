// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in fragments, with anything a peer may send: a program of bytes says
 * what is sent, what comes, what time it is, how small the link. Fragments that
 * are true to one packet come, too, so that wholes are reached. After each step
 * what is counted is counted again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/container_of.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "core/frag.h"
#include "state.h"

#define PSYNC_FUZZ_MS	1000000ULL
#define PSYNC_FUZZ_MOST	(8 << 20)

struct psync_fuzz_frag {
	struct psync_frags f;
	const u8 *at;
	const u8 *end;
	u64 now;
	u64 ids;
	u64 bytes[2];
	u32 packets[2];
	u32 live;
	u32 objects;
	bool poor;
};

static u8 psync_fuzz_byte(struct psync_fuzz_frag *fuzz)
{
	return fuzz->at < fuzz->end ? *fuzz->at++ : 0;
}

static u32 psync_fuzz_number(struct psync_fuzz_frag *fuzz)
{
	u32 shift = psync_fuzz_byte(fuzz) % 24;

	return (u32)psync_fuzz_byte(fuzz) << shift;
}

static struct psync_fuzz_frag *psync_fuzz_of(struct psync_frags *f)
{
	return container_of(f, struct psync_fuzz_frag, f);
}

/* An object is its length. */
static void *psync_fuzz_object(struct psync_fuzz_frag *fuzz, u32 len)
{
	u32 *object = malloc(sizeof(*object));

	psync_fuzz_require(object);
	*object = len;
	fuzz->objects++;
	return object;
}

static void psync_fuzz_put(struct psync_frags *f, void *object)
{
	psync_fuzz_of(f)->objects--;
	free(object);
}

static void *psync_fuzz_alloc(struct psync_frags *f, size_t size)
{
	if (psync_fuzz_of(f)->poor)
		return NULL;
	psync_fuzz_of(f)->live++;
	return calloc(1, size);
}

static void psync_fuzz_free(struct psync_frags *f, void *mem, size_t size)
{
	psync_fuzz_of(f)->live--;
	free(mem);
}

static bool psync_fuzz_take(struct psync_frags *f, bool in, u32 bytes,
			    u32 packets, bool only)
{
	struct psync_fuzz_frag *fuzz = psync_fuzz_of(f);

	if (!only && fuzz->packets[in] + packets > 1 &&
	    fuzz->bytes[in] + bytes > PSYNC_FUZZ_MOST)
		return false;
	fuzz->bytes[in] += bytes;
	fuzz->packets[in] += packets;
	return true;
}

static void psync_fuzz_give(struct psync_frags *f, bool in, u32 bytes,
			    u32 packets)
{
	struct psync_fuzz_frag *fuzz = psync_fuzz_of(f);

	psync_fuzz_require(fuzz->bytes[in] >= bytes &&
			   fuzz->packets[in] >= packets);
	fuzz->bytes[in] -= bytes;
	fuzz->packets[in] -= packets;
}

static u64 psync_fuzz_id(struct psync_frags *f)
{
	return ++psync_fuzz_of(f)->ids;
}

/* What goes out is what a decoder takes. */
static void psync_fuzz_transmit(struct psync_frags *f, struct psync_pkt *pkt,
				void *packet, u32 offset)
{
	struct psync_pkt again;
	u8 buf[256];
	u32 len;

	pkt->src_site = 1;
	pkt->src_inc = 1;
	pkt->dst_site = 2;
	len = psync_wire_hdr_size(pkt);
	psync_fuzz_require(len <= sizeof(buf));
	psync_wire_encode(pkt, buf);
	psync_fuzz_require(!psync_wire_decode(buf, len, len + pkt->body_len,
					      &again));
	if (packet)
		psync_fuzz_require(offset + pkt->body_len <= *(u32 *)packet &&
				   pkt->body_len <= f->size);
}

static void *psync_fuzz_begin(struct psync_frags *f)
{
	return psync_fuzz_object(psync_fuzz_of(f), 0);
}

static void psync_fuzz_append(struct psync_frags *f, void *whole, void *piece)
{
	*(u32 *)whole += *(u32 *)piece;
	psync_fuzz_put(f, piece);
}

static void psync_fuzz_whole(struct psync_frags *f, void *whole, u32 total)
{
	psync_fuzz_require(*(u32 *)whole == total);
	psync_fuzz_put(f, whole);
}

static void psync_fuzz_arm(struct psync_frags *f, u64 deadline)
{
	psync_fuzz_require(f->deadline == deadline);
}

static void psync_fuzz_dropped(struct psync_frags *f, enum psync_drop reason)
{
	psync_fuzz_require(reason > PSYNC_OK && reason < PSYNC_DROP_MAX);
}

static void psync_fuzz_sent(struct psync_frags *f, bool again)
{
}

static void psync_fuzz_cut(struct psync_frags *f, enum psync_cut why)
{
}

static const struct psync_frag_ops psync_fuzz_ops = {
	.alloc = psync_fuzz_alloc,
	.free = psync_fuzz_free,
	.take = psync_fuzz_take,
	.give = psync_fuzz_give,
	.id = psync_fuzz_id,
	.transmit = psync_fuzz_transmit,
	.packet_put = psync_fuzz_put,
	.begin = psync_fuzz_begin,
	.append = psync_fuzz_append,
	.piece_put = psync_fuzz_put,
	.whole_put = psync_fuzz_put,
	.whole = psync_fuzz_whole,
	.arm = psync_fuzz_arm,
	.dropped = psync_fuzz_dropped,
	.sent = psync_fuzz_sent,
	.cut = psync_fuzz_cut,
};

/* What comes has passed the decoder: else it would not have got so far. */
static bool psync_fuzz_passes(const struct psync_pkt *pkt,
			      struct psync_pkt *out, u8 *buf)
{
	u32 len = psync_wire_hdr_size(pkt);

	psync_wire_encode(pkt, buf);
	return !psync_wire_decode(buf, len, len + pkt->body_len, out);
}

static void psync_fuzz_fragment(struct psync_fuzz_frag *fuzz, bool fair)
{
	struct psync_pkt pkt = {
		.type = PSYNC_PKT_FRAG, .src_site = 2, .dst_site = 1,
		.src_inc = 5 + psync_fuzz_byte(fuzz) / 255,
	}, out;
	u32 left;
	u8 buf[256];
	void *piece;

	pkt.frag.id = 1 + psync_fuzz_byte(fuzz) % 32;
	pkt.frag.lowest = 1;
	pkt.frag.size = PSYNC_FRAG_LEAST;
	pkt.frag.total = 2000 + pkt.frag.id;
	pkt.frag.index = psync_fuzz_byte(fuzz);
	pkt.frag.turn = 1 + psync_fuzz_byte(fuzz);
	pkt.frag.flags = pkt.frag.turn & 1;
	if (fair) {
		pkt.frag.index %= 16;
	} else {
		pkt.frag.lowest = 1 + psync_fuzz_byte(fuzz) % 32;
		pkt.frag.total += psync_fuzz_number(fuzz);
		pkt.frag.size += psync_fuzz_number(fuzz);
		pkt.frag.index += psync_fuzz_number(fuzz);
		pkt.frag.wait = psync_fuzz_number(fuzz);
	}
	left = pkt.frag.total - pkt.frag.index * pkt.frag.size;
	pkt.body_len = left < pkt.frag.size ? left : pkt.frag.size;
	if (!psync_fuzz_passes(&pkt, &out, buf))
		return;
	out.marked = pkt.frag.turn & 2;
	piece = psync_fuzz_object(fuzz, out.body_len);
	if (psync_frags_input(&fuzz->f, &out, piece, psync_fuzz_number(fuzz),
			      fuzz->now))
		psync_fuzz_put(&fuzz->f, piece);
}

static void psync_fuzz_answer(struct psync_fuzz_frag *fuzz)
{
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {}, buf[256];
	struct psync_pkt pkt = {
		.type = PSYNC_PKT_FRAG_ACK, .src_site = 2, .dst_site = 1,
		.src_inc = 5,
		.frag_ack = { .bitmap = bitmap },
	}, out;
	u32 i;

	pkt.frag_ack.id = fuzz->ids + 1 - psync_fuzz_byte(fuzz) % 10;
	pkt.frag_ack.base = psync_fuzz_byte(fuzz);
	pkt.frag_ack.turn = 1 + psync_fuzz_byte(fuzz);
	pkt.frag_ack.state = psync_fuzz_byte(fuzz) % 8 == 7;
	pkt.frag_ack.marks = psync_fuzz_byte(fuzz) % 4;
	for (i = psync_fuzz_byte(fuzz) % 40; i < 32; i += 5)
		bitmap[i] = psync_fuzz_byte(fuzz);
	if (psync_fuzz_passes(&pkt, &out, buf))
		psync_frags_answer(&fuzz->f, &out, fuzz->now);
}

static void psync_fuzz_send(struct psync_fuzz_frag *fuzz)
{
	u32 total = psync_fuzz_number(fuzz) + psync_fuzz_byte(fuzz);
	struct psync_frag_packet p = {
		.packet = psync_fuzz_object(fuzz, total),
		.total = total,
		.cost = psync_fuzz_number(fuzz),
		.cid = psync_fuzz_byte(fuzz) % 2,
		.seq = psync_fuzz_byte(fuzz),
	};

	if (psync_frags_send(&fuzz->f, &p, fuzz->now))
		psync_fuzz_put(&fuzz->f, p.packet);
}

/* What it counts, counted again. */
static void psync_fuzz_count_out(const struct psync_fuzz_frag *fuzz)
{
	const struct psync_frag_out *out;
	u32 n = 0, active = 0, i, flight, lost;

	list_for_each_entry(out, &fuzz->f.out, link) {
		psync_fuzz_require(!out->active || n == active);
		n++;
		active += out->active;
		if (!out->active)
			continue;
		psync_fuzz_require(out->base < out->count &&
				   out->base <= out->next &&
				   out->next <= out->count &&
				   out->next <= out->base + PSYNC_FRAG_WINDOW);
		psync_fuzz_require(out->window >= 1 &&
				   out->window <= PSYNC_FRAG_WINDOW);
		for (i = out->base, flight = 0, lost = 0; i < out->next; i++) {
			u32 slot = i % PSYNC_FRAG_WINDOW;

			lost += test_bit(slot, out->lost);
			flight += !test_bit(slot, out->lost) &&
				  !test_bit(slot, out->held);
		}
		psync_fuzz_require(flight == out->flight &&
				   lost == out->nlost);
		psync_fuzz_require(out->deadline >= fuzz->f.deadline);
	}
	psync_fuzz_require(n == fuzz->f.nout && active == fuzz->f.nactive &&
			   active <= PSYNC_FRAG_ACTIVE);
	psync_fuzz_require(n == fuzz->packets[0]);
}

static void psync_fuzz_count_in(const struct psync_fuzz_frag *fuzz)
{
	const struct psync_frag_in *in;
	u32 n = 0, open = 0, bytes = 0;

	list_for_each_entry(in, &fuzz->f.in, link) {
		n++;
		open += !in->done;
		bytes += in->bytes;
		psync_fuzz_require(in->done == (in->base == in->count) &&
				   in->done == !in->whole);
		psync_fuzz_require(in->deadline >= fuzz->f.deadline);
	}
	psync_fuzz_require(n == fuzz->f.nkept && n <= PSYNC_FRAG_OPEN &&
			   open == fuzz->f.nopen && bytes == fuzz->f.bytes);
	psync_fuzz_require(open == fuzz->packets[1] &&
			   bytes == fuzz->bytes[1]);
}

static void psync_fuzz_step(struct psync_fuzz_frag *fuzz)
{
	u8 op = psync_fuzz_byte(fuzz) % 16;

	switch (op) {
	case 0:
		fuzz->now += psync_fuzz_number(fuzz) * PSYNC_FUZZ_MS / 16;
		break;
	case 1:
		fuzz->f.size = psync_frags_size(psync_fuzz_number(fuzz));
		break;
	case 2:
		fuzz->poor = psync_fuzz_byte(fuzz) % 4 == 0;
		break;
	case 3:
	case 4:
		psync_fuzz_send(fuzz);
		break;
	case 5:
	case 6:
	case 7:
		psync_fuzz_answer(fuzz);
		break;
	case 8:
		fuzz->now = fuzz->f.deadline != U64_MAX ? fuzz->f.deadline :
							   fuzz->now;
		break;
	default:
		psync_fuzz_fragment(fuzz, op < 14);
	}
	if (fuzz->f.deadline <= fuzz->now)
		psync_frags_timer(&fuzz->f, fuzz->now);
	psync_fuzz_count_out(fuzz);
	psync_fuzz_count_in(fuzz);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psync_fuzz_frag fuzz = {
		.at = data, .end = data + size, .now = 1,
	};

	psync_frags_init(&fuzz.f, &psync_fuzz_ops);
	fuzz.f.size = 200;
	fuzz.f.limits = (struct psync_frag_limits){
		.rto_ns = 100 * PSYNC_FUZZ_MS, .rto_min_ns = PSYNC_FUZZ_MS,
		.rto_max_ns = 1000 * PSYNC_FUZZ_MS,
		.keep_ns = 10000 * PSYNC_FUZZ_MS, .bytes = 1 << 20,
	};
	while (fuzz.at < fuzz.end)
		psync_fuzz_step(&fuzz);
	psync_frags_flush(&fuzz.f, PSYNC_DROP_TX_NO_PEER,
			  PSYNC_DROP_FRAG_EXPIRED);
	psync_fuzz_require(!fuzz.live && !fuzz.objects);
	psync_fuzz_require(!fuzz.packets[0] && !fuzz.packets[1] &&
			   !fuzz.bytes[0] && !fuzz.bytes[1]);
	return 0;
}
