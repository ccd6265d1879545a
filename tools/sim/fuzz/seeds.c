// SPDX-License-Identifier: GPL-2.0-only
/*
 * The corpus that fuzzing begins with: one packet of every kind for the
 * decoder, short programs of every operation for the image, for the pair and
 * for fragments.
 * Usage: seeds DECODE_DIRECTORY IMAGE_DIRECTORY PAIR_DIRECTORY FRAG_DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

#define PSYNC_SEEDS_N	12

static void psync_seeds_write(const char *dir, const char *name,
			      const void *data, size_t len)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, len, file) != len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void psync_seeds_packet(const char *dir, const char *name,
			       struct psync_pkt *pkt)
{
	static u8 buf[65536];
	u32 len = psync_wire_hdr_size(pkt) + pkt->body_len;

	memset(buf, 'x', sizeof(buf));
	pkt->src_site = 2;
	pkt->src_inc = 7;
	pkt->dst_site = 1;
	psync_wire_encode(pkt, buf);
	psync_wire_csum_set(buf, len);
	psync_seeds_write(dir, name, buf, len);
}

/* What is sent again for another, and what the kernel sends. */
static void psync_seeds_again(const char *dir, struct psync_pkt pkt,
			      const struct psync_wire_mid *mids)
{
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 8;
	pkt.msg.opening = 3;
	pkt.msg.npred = 3;
	pkt.msg.stamp = NULL;
	pkt.msg.bitmap = NULL;
	pkt.msg.preds = mids;
	psync_seeds_packet(dir, "list-foreign", &pkt);
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_END;
	psync_seeds_packet(dir, "end-foreign", &pkt);
	pkt.msg.flags = 0;
	psync_seeds_packet(dir, "end", &pkt);
	pkt.msg.kind = PSYNC_KIND_NULL;
	psync_seeds_packet(dir, "null", &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.msg.op = PSYNC_END_DIED;
	psync_seeds_packet(dir, "end-died", &pkt);
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	pkt.msg.about = 1;
	pkt.msg.last = 4;
	psync_seeds_packet(dir, "mask-out", &pkt);
	pkt.msg.op = PSYNC_MASK_OP_IN;
	psync_seeds_packet(dir, "mask-in", &pkt);
}

static void psync_seeds_messages(const char *dir)
{
	struct psync_wire_pid pids[PSYNC_SEEDS_N];
	struct psync_wire_mid mids[3];
	__be32 stamp[PSYNC_SEEDS_N];
	__be16 highs[PSYNC_SEEDS_N];
	u8 bitmap[4] = { 0xff, 0x03 };
	struct psync_pkt pkt = {
		.type = PSYNC_PKT_MSG, .cid = 9, .digest = 8, .group = 5,
		.opening = 1, .body_len = 10,
		.msg = { .kind = PSYNC_KIND_DATA, .seq = 1, .wave = 1,
			 .n = PSYNC_SEEDS_N },
	};
	u32 i;

	for (i = 0; i < PSYNC_SEEDS_N; i++) {
		pids[i].site = cpu_to_be32(1 + i);
		pids[i].port = cpu_to_be32(10 + i);
		stamp[i] = cpu_to_be32(4);
		highs[i] = cpu_to_be16(1);
	}
	psync_seeds_packet(dir, "root", &pkt);
	pkt.msg.flags = PSYNC_MSGF_START;
	pkt.msg.participants = pids;
	psync_seeds_packet(dir, "start", &pkt);
	pkt.msg.flags = 0;
	pkt.msg.participants = NULL;
	for (i = 0; i < 3; i++) {
		mids[i].index = cpu_to_be16(2 * i + 1);
		mids[i].seq_high = 0;
		mids[i].seq = cpu_to_be32(i + 1);
	}
	pkt.msg.seq = 5;
	pkt.msg.wave = 7;
	pkt.msg.npred = 3;
	pkt.msg.preds = mids;
	psync_seeds_packet(dir, "list", &pkt);
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.preds = NULL;
	pkt.msg.npred = 10;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	psync_seeds_packet(dir, "stamp", &pkt);
	pkt.msg.flags |= PSYNC_MSGF_ASK | PSYNC_MSGF_RESENT |
			 PSYNC_MSGF_REPEAT;
	psync_seeds_packet(dir, "stamp-resent", &pkt);
	pkt.msg.highs = highs;
	psync_seeds_packet(dir, "stamp-high", &pkt);
	pkt.msg.highs = NULL;
	psync_seeds_again(dir, pkt, mids);
}

static void psync_seeds_vectors(const char *dir)
{
	__be32 seqs[PSYNC_SEEDS_N];
	__be16 highs[PSYNC_SEEDS_N];
	struct psync_pkt pkt = {
		.type = PSYNC_PKT_ACK, .cid = 9, .digest = 8, .group = 5,
		.opening = 1,
		.vector = { .n = PSYNC_SEEDS_N, .seqs = seqs,
			    .dst_opening = 2 },
	};
	u32 i;

	for (i = 0; i < PSYNC_SEEDS_N; i++) {
		seqs[i] = cpu_to_be32(i);
		highs[i] = cpu_to_be16(1);
	}
	psync_seeds_packet(dir, "ack", &pkt);
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	pkt.vector.token = 77;
	psync_seeds_packet(dir, "ack-ask", &pkt);
	pkt.vector.flags |= PSYNC_VECTORF_ECHO;
	pkt.vector.echo = 78;
	psync_seeds_packet(dir, "ack-echo", &pkt);
	pkt.type = PSYNC_PKT_RR;
	pkt.vector.flags = 0;
	pkt.vector.token = 0;
	pkt.vector.echo = 0;
	psync_seeds_packet(dir, "rr", &pkt);
	pkt.vector.flags = PSYNC_VECTORF_MID;
	pkt.vector.index = 3;
	pkt.vector.seq = 4;
	psync_seeds_packet(dir, "rr-mid", &pkt);
	pkt.type = PSYNC_PKT_GONE;
	pkt.vector.flags = 0;
	pkt.vector.index = 0;
	psync_seeds_packet(dir, "gone", &pkt);
	pkt.vector.highs = highs;
	psync_seeds_packet(dir, "gone-high", &pkt);
}

static void psync_seeds_others(const char *dir)
{
	struct psync_pkt hello = {
		.type = PSYNC_PKT_HELLO, .cid = 9, .digest = 8, .group = 5,
		.number = 3, .opening = 2, .hello = { .nonce = 77 },
	};
	struct psync_pkt refuse = {
		.type = PSYNC_PKT_REFUSE, .cid = 9, .digest = 8, .group = 5,
		.refuse = { .reason = PSYNC_REFUSE_DIGEST, .opening = 1,
			    .digest = 6 },
	};
	struct psync_pkt dgram = {
		.type = PSYNC_PKT_DGRAM, .body_len = 4,
		.dgram = { .src_port = 4, .src_binding = 1, .dst_port = 5 },
	};

	psync_seeds_packet(dir, "hello", &hello);
	hello.type = PSYNC_PKT_HELLO_ACK;
	hello.hello.state = PSYNC_HELLO_OPEN;
	hello.hello.known = 2;
	psync_seeds_packet(dir, "answer-open", &hello);
	hello.hello.state = PSYNC_HELLO_CLOSED;
	hello.hello.age = 1000;
	psync_seeds_packet(dir, "answer-closed", &hello);
	psync_seeds_packet(dir, "refuse", &refuse);
	refuse.refuse.reason = PSYNC_REFUSE_ABSENT;
	psync_seeds_packet(dir, "refuse-absent", &refuse);
	psync_seeds_packet(dir, "dgram", &dgram);
	dgram.dgram.dst_port = 0;
	dgram.dgram.group = 5;
	dgram.dgram.digest = 8;
	psync_seeds_packet(dir, "dgram-group", &dgram);
}

static void psync_seeds_frags(const char *dir)
{
	static const u8 bitmap[PSYNC_FRAG_WINDOW / 8] = { 0x52 };
	struct psync_pkt frag = {
		.type = PSYNC_PKT_FRAG, .body_len = 128,
		.frag = { .id = 9, .lowest = 7, .total = 1000, .index = 3,
			  .turn = 4, .wait = 1000, .size = 128 },
	};
	struct psync_pkt ack = {
		.type = PSYNC_PKT_FRAG_ACK,
		.frag_ack = { .id = 9, .base = 3, .turn = 4,
			      .bitmap = bitmap },
	};

	psync_seeds_packet(dir, "frag", &frag);
	frag.frag.index = 7;
	frag.frag.flags = PSYNC_FRAGF_ASK;
	frag.body_len = 1000 - 7 * 128;
	psync_seeds_packet(dir, "frag-last", &frag);
	psync_seeds_packet(dir, "frag-ack", &ack);
}

/* All operations in a row, each followed by small operands. */
static void psync_seeds_programs(const char *dir, u32 nops)
{
	u8 program[2048];
	char name[32];
	u32 kind, i;

	for (kind = 0; kind < 8; kind++) {
		for (i = 0; i < sizeof(program); i++)
			program[i] = (i * 7 + kind * 13) % 32;
		program[0] = kind;
		program[1] = kind * 3;
		for (i = 32; i + 16 < sizeof(program); i += 16)
			program[i] = (i / 16 * (kind + 1)) % nops;
		snprintf(name, sizeof(name), "program-%u", kind);
		psync_seeds_write(dir, name, program, sizeof(program));
	}
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr,
			"usage: seeds DECODE_DIR IMAGE_DIR PAIR_DIR FRAG_DIR\n");
		return 2;
	}
	psync_seeds_messages(argv[1]);
	psync_seeds_vectors(argv[1]);
	psync_seeds_others(argv[1]);
	psync_seeds_frags(argv[1]);
	psync_seeds_programs(argv[2], 20);
	psync_seeds_programs(argv[3], 16);
	psync_seeds_programs(argv[4], 16);
	return 0;
}
