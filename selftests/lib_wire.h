/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets by hand: the wire format as protocol.rst has it, written anew so
 * that the module's own encoder is not tested by itself; and fake peers that
 * send what they like from host 2.
 */
#ifndef SELFTESTS_LIB_WIRE_H
#define SELFTESTS_LIB_WIRE_H

#include "lib.h"

enum {
	WIRE_MSG	= 1,
	WIRE_HELLO	= 2,
	WIRE_HELLO_ACK	= 3,
	WIRE_REFUSE	= 4,
	WIRE_DGRAM	= 5,
	WIRE_ACK	= 6,
	WIRE_RR		= 7,
	WIRE_GONE	= 8,
	WIRE_FRAG	= 9,
	WIRE_FRAG_ACK	= 10,
};

enum {
	WIRE_DATA	= 1,
	WIRE_NULL	= 2,
	WIRE_END	= 3,
};

#define WIRE_START	0x01
#define WIRE_STAMP	0x02
#define WIRE_RESENT	0x04
#define WIRE_ASK	0x08
#define WIRE_REPEAT	0x10
#define WIRE_FOREIGN	0x20

#define WIRE_VECTOR_ASK	0x01
#define WIRE_VECTOR_ECHO 0x02
#define WIRE_VECTOR_MID	0x04

/* Where the fields are, in bytes from the packet's beginning. */
enum {
	AT_VERSION	= 0,
	AT_TYPE		= 1,
	AT_FLAGS	= 2,
	AT_LEN		= 4,
	AT_CSUM		= 6,
	AT_SRC_SITE	= 8,
	AT_DST_SITE	= 12,
	AT_SRC_INC	= 16,
	AT_DST_INC	= 24,
	AT_SEAL		= 32,
	WIRE_HDR	= 40,

	AT_CID		= 40,
	AT_DIGEST	= 48,
	AT_GROUP	= 56,
	AT_NUMBER	= 60,
	AT_OPENING	= 64,
	AT_VIEW		= 68,
	WIRE_CONV	= 72,

	AT_SENDER	= 72,
	AT_KIND		= 74,
	AT_MSG_FLAGS	= 75,
	AT_SEQ		= 76,
	AT_WAVE		= 80,
	AT_BINDING	= 84,
	AT_DST_OPENING	= 88,
	AT_N		= 92,
	AT_NPRED	= 94,
	AT_CLASS	= 96,
	AT_BODY_LEN	= 100,
	WIRE_MSG_FIXED	= 104,

	AT_NONCE	= 72,
	AT_KNOWN	= 80,
	AT_AGE		= 84,
	AT_STATE	= 88,
	AT_HELLO_RES	= 89,
	AT_HELLO_RES2	= 92,
	WIRE_HELLO_ALL	= 96,

	AT_REASON	= 72,
	AT_REFUSE_RES	= 74,
	AT_REFUSE_OPENING = 76,
	AT_REFUSE_DIGEST = 80,
	WIRE_REFUSE_ALL	= 88,

	AT_VEC_DST_OPENING = 72,
	AT_VEC_TOKEN	= 76,
	AT_VEC_ECHO	= 80,
	AT_VEC_SEQ	= 84,
	AT_VEC_INDEX	= 88,
	AT_VEC_N	= 90,
	AT_VEC_FLAGS	= 92,
	AT_VEC_RESERVED	= 93,
	AT_VEC_CREDIT_BYTES = 96,
	AT_VEC_CREDIT_MSGS = 100,
	AT_VEC_MARKS	= 104,
	WIRE_VECTOR_FIXED = 108,

	AT_FRAG_ID	= 40,
	AT_FRAG_LOWEST	= 48,
	AT_FRAG_TOTAL	= 56,
	AT_FRAG_INDEX	= 60,
	AT_FRAG_TURN	= 64,
	AT_FRAG_WAIT	= 68,
	AT_FRAG_SIZE	= 72,
	AT_FRAG_FLAGS	= 74,
	AT_FRAG_RESERVED = 75,
	WIRE_FRAG_ALL	= 80,

	AT_FACK_ID	= 40,
	AT_FACK_BASE	= 48,
	AT_FACK_TURN	= 52,
	AT_FACK_STATE	= 56,
	AT_FACK_RESERVED = 57,
	AT_FACK_BITMAP	= 64,
	WIRE_FACK_ALL	= 96,

	AT_SRC_PORT	= 40,
	AT_SRC_BINDING	= 44,
	AT_DST_PORT	= 48,
	AT_DST_BINDING	= 52,
	AT_DG_GROUP	= 56,
	AT_DG_BODY_LEN	= 60,
	AT_DG_DIGEST	= 64,
	WIRE_DGRAM_ALL	= 72,
};

struct wire {
	size_t	len;
	uint8_t	data[10000];
};

/* A conversation that a fake peer takes part in. */
struct wire_conv {
	uint64_t		cid;
	uint32_t		group;
	uint32_t		number;
	uint32_t		opening;
	const struct psync_pid	*pids;
	uint16_t		n;
};

/* A peer of host 1 that does not exist; its packets come out of host 2. */
struct fake {
	uint32_t	site;
	uint64_t	inc;
	int		fd;		/* of host 2, where answers are read */
	unsigned int	index;
};

struct fake fake_new(unsigned int index);	/* index: 0 to 9 */
void fake_del(struct fake *f);
/* Sends, sealed: with its length and checksum as they should be. */
void fake_send(const struct fake *f, struct wire *w);
/* Sends as it is. */
void fake_send_raw(const struct fake *f, const struct wire *w);
/* ... and says whether it could. */
bool fake_try(const struct fake *f, const struct wire *w);
/* UDP: a frame with a checksum of UDP's that is wrong, or zero (none). */
void fake_send_udp_csum(const struct fake *f, struct wire *w, bool zero);
/* Waits for a packet of this type from host 1; messages: of a program. */
void fake_recv(const struct fake *f, uint8_t type, struct wire *w);

uint64_t wire_digest(const struct psync_pid *pids, unsigned int n);
uint64_t wire_cid(uint32_t group, uint32_t number, uint64_t digest);

void wire_put8(struct wire *w, size_t at, uint8_t value);
void wire_put16(struct wire *w, size_t at, uint16_t value);
void wire_put32(struct wire *w, size_t at, uint32_t value);
void wire_put64(struct wire *w, size_t at, uint64_t value);
uint16_t wire_get16(const struct wire *w, size_t at);
uint32_t wire_get32(const struct wire *w, size_t at);
uint64_t wire_get64(const struct wire *w, size_t at);

/* Packets to host 1; what is not said is as it should be. */
void wire_hello(struct wire *w, const struct fake *f, uint64_t cid,
		uint64_t nonce);
void wire_ack(struct wire *w, const struct fake *f, const struct wire *hello);
void wire_refuse(struct wire *w, const struct fake *f,
		 const struct wire_conv *c, uint32_t opening, uint16_t reason,
		 uint64_t digest);
void wire_dgram(struct wire *w, const struct fake *f, uint32_t port,
		const char *body);
void wire_msg(struct wire *w, const struct fake *f, const struct wire_conv *c,
	      uint16_t sender, uint32_t seq, uint32_t wave, const char *body);
/* Then, before the body's place is of interest, more of its header: */
void wire_msg_start(struct wire *w, const struct wire_conv *c);
void wire_msg_pred(struct wire *w, uint16_t index, uint32_t seq);
void wire_msg_stamp(struct wire *w, const uint32_t *seqs, uint16_t n,
		    uint16_t npred);
/* ... which is sent again for another site. */
void wire_msg_foreign(struct wire *w, uint64_t inc, uint32_t opening);
/* ACK or RR: what the fake peer holds of each participant. */
void wire_vector(struct wire *w, const struct fake *f, uint8_t type,
		 const struct wire_conv *c, const uint32_t *seqs);
/* The length in the header is what it is, the checksum right. */
void wire_seal(struct wire *w);

#endif /* SELFTESTS_LIB_WIRE_H */
