// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that no honest site sends, from fake peers: each is counted under
 * its reason, exactly once, and nothing else happens. Needs two hosts; the
 * fake peers' packets come out of host 2's interface and go to host 1.
 */

#include <linux/psync_netlink.h>

#include "lib_wire.h"

/* What has been seen, for the last test. */
static char seen[STATS_MAX][32];
static unsigned int nseen;

static void saw(const char *name)
{
	unsigned int i;

	for (i = 0; i < nseen; i++)
		if (!strcmp(seen[i], name))
			return;
	strcpy(seen[nseen++], name);
}

static uint64_t drops_of(const struct stats *s)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!strncmp(s->name[i], "Drop", 4))
			sum += s->value[i];
	return sum;
}

/* Waits until host 1 has dropped something since @before. */
static void drops_await(const struct stats *before, struct stats *after,
			uint64_t count)
{
	struct patience p = patience_begin();

	for (;;) {
		stats_read(1, after);
		if (drops_of(after) >= drops_of(before) + count)
			return;
		patience_try(&p, "a drop");
	}
}

/* For messages: which of many flaws is it about? */
static char flaw_text[64];

/* Exactly @count under @name, and under no other. */
static void drops_are(const struct stats *before, const struct stats *after,
		      const char *name, uint64_t count, const char *file,
		      int line)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < after->n; i++) {
		uint64_t want = strcmp(after->name[i], name) ? 0 : count;
		uint64_t got = after->value[i] - before->value[i];

		/* Who closes sends END, which is not what it is about. */
		if (!strcmp(after->name[i], "RxPackets") ||
		    !strcmp(after->name[i], "MsgEndSent") || got == want)
			continue;
		if (want || !strncmp(after->name[i], "Drop", 4) ||
		    !strncmp(after->name[i], "Msg", 3)) {
			print_error("%s%s: %llu, not %llu\n", flaw_text,
				    after->name[i],
				    (unsigned long long)got,
				    (unsigned long long)want);
			ok = false;
		}
	}
	if (!ok)
		_fail(file, line);
	saw(name);
}

static void dropped_at(const struct fake *f, struct wire *w, bool seal,
		       const char *name, const char *file, int line)
{
	struct stats before, after;

	stats_read(1, &before);
	if (seal)
		fake_send(f, w);
	else
		fake_send_raw(f, w);
	drops_await(&before, &after, 1);
	drops_are(&before, &after, name, 1, file, line);
}

#define dropped(f, w, name) \
	dropped_at((f), (w), true, (name), __FILE__, __LINE__)
#define dropped_raw(f, w, name) \
	dropped_at((f), (w), false, (name), __FILE__, __LINE__)

static struct fake fake;

/* A conversation of the fake peer (participant 0) with a port of host 1. */
static struct psync_pid conv_pids[12];

static struct wire_conv conv_new(uint32_t port)
{
	static uint64_t cid;

	/* Closed ones are remembered beyond the end of this program. */
	if (!cid)
		cid = (uint64_t)getpid() << 32;
	conv_pids[0] = (struct psync_pid){ fake.site, 77 };
	conv_pids[1] = (struct psync_pid){ 1, port };
	cid += 16;
	return (struct wire_conv){ cid, 0, 0, 1, conv_pids, 2 };
}

/* Opens it with a start message and accepts it. */
static int conv_open(struct wire_conv *c, int listener)
{
	struct wire w;
	int conn;

	wire_msg(&w, &fake, c, 0, 1, 1, "start");
	wire_msg_start(&w, c);
	fake_send(&fake, &w);
	conn = sock_accept(listener);
	assert_true(msg_expect(conn, "start") == PSYNC_MID(0, 1));
	return conn;
}

/* The next message of the fake peer. */
static void conv_next(struct wire *w, const struct wire_conv *c, uint32_t seq)
{
	wire_msg(w, &fake, c, 0, seq, seq, "next");
	wire_msg_pred(w, 0, seq - 1);
}

/* By hand, as all that follows: it works when nothing is wrong. */
static void good_packets(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4), dgram, conn;
	struct wire_conv c = conv_new(port);
	struct wire w, answer;
	struct msg m;

	conn = conv_open(&c, listener);
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	msg_expect(conn, "next");
	msg_send(conn, "answer");
	fake_recv(&fake, WIRE_MSG, &w);
	assert_true(wire_get64(&w, AT_CID) == c.cid);
	assert_int_equal(wire_get16(&w, AT_SENDER), 1);
	assert_int_equal(wire_get32(&w, AT_SEQ), 1);
	assert_int_equal(wire_get32(&w, AT_WAVE), 3);
	assert_int_equal(wire_get16(&w, AT_N), 2);
	assert_int_equal(wire_get16(&w, AT_NPRED), 1);
	assert_int_equal(wire_get16(&w, WIRE_MSG_FIXED), 0);
	assert_int_equal(wire_get32(&w, WIRE_MSG_FIXED + 4), 2);
	assert_int_equal(wire_get32(&w, AT_DST_OPENING), c.opening);
	assert_true(wire_get64(&w, AT_DST_INC) == fake.inc);
	assert_memory_equal(w.data + WIRE_MSG_FIXED + 8, "answer", 6);

	dgram = sock_bound(1, SOCK_DGRAM, port_new());
	wire_dgram(&w, &fake, port_new() - 1, "datagram");
	fake_send(&fake, &w);
	msg_recv(dgram, &m);
	assert_string_equal(m.body, "datagram");
	assert_int_equal(m.from.sp_site, fake.site);
	assert_int_equal(m.from.sp_port, 77);
	assert_int_equal(m.from.sp_binding, 5);

	/* Who are you? About the site, and about a cid nobody has. */
	wire_hello(&w, &fake, 0, 4711);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &answer);
	assert_true(wire_get64(&answer, AT_NONCE) == 4711);
	assert_true(wire_get64(&answer, AT_CID) == 0);
	wire_hello(&w, &fake, 12345, 4712);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &answer);
	assert_true(wire_get64(&answer, AT_NONCE) == 4712);
	assert_true(wire_get64(&answer, AT_CID) == 12345);
	assert_int_equal(answer.data[AT_STATE], 0);
	/* About one that is open, and then closed. */
	wire_hello(&w, &fake, c.cid, 4713);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &answer);
	assert_int_equal(answer.data[AT_STATE], 1);
	assert_int_equal(wire_get32(&answer, AT_KNOWN), c.opening);
	works(close(conn));
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &answer);
	assert_int_equal(answer.data[AT_STATE], 2);
	assert_in_range(wire_get32(&answer, AT_AGE), 0, PATIENCE * 1000);
	sock_close((int[]){ dgram, listener }, 2);
}

/* One packet of each kind, right in itself. */
enum { SAMPLES = 11 };

static void sample(int which, struct wire *w)
{
	static const uint32_t seqs[12] = { 4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 };
	struct wire_conv c = conv_new(1);
	struct wire hello;
	unsigned int i;

	switch (which) {
	case 0:
		wire_msg(w, &fake, &c, 0, 1, 1, "body");
		wire_msg_start(w, &c);
		break;
	case 1:
		wire_msg(w, &fake, &c, 0, 5, 9, "body");
		wire_msg_pred(w, 0, 4);
		wire_msg_pred(w, 1, 3);
		break;
	case 2:
		for (i = 2; i < 12; i++)
			conv_pids[i] = (struct psync_pid){ 1, 100 + i };
		c.n = 12;
		wire_msg(w, &fake, &c, 0, 5, 9, "body");
		wire_msg_stamp(w, seqs, 12, 10);
		break;
	case 3:
		wire_hello(w, &fake, 0, 1);
		break;
	case 4:
		wire_hello(&hello, &fake, 77, 1);
		wire_ack(w, &fake, &hello);
		break;
	case 5:
		wire_refuse(w, &fake, &c, 1, 1, 1);
		break;
	case 6:
		wire_dgram(w, &fake, 0x7000, "body");
		break;
	case 7:
		wire_msg(w, &fake, &c, 1, 5, 9, "body");
		wire_msg_pred(w, 0, 4);
		wire_msg_pred(w, 1, 4);
		wire_msg_foreign(w, 5, 6);
		break;
	case 8:
		wire_vector(w, &fake, WIRE_ACK, &c, seqs);
		wire_put8(w, AT_VEC_FLAGS, WIRE_VECTOR_ASK);
		wire_put32(w, AT_VEC_TOKEN, 1);
		break;
	case 9:
		wire_vector(w, &fake, WIRE_RR, &c, seqs);
		wire_put8(w, AT_VEC_FLAGS, WIRE_VECTOR_MID);
		wire_put32(w, AT_VEC_SEQ, 5);
		wire_put16(w, AT_VEC_INDEX, 1);
		break;
	case 10:
		wire_vector(w, &fake, WIRE_GONE, &c, seqs);
		wire_put32(w, AT_VEC_SEQ, 9);
		break;
	}
}

/* A sample with one field wrong. */
struct flaw {
	int		sample;
	size_t		at;
	unsigned int	bytes;
	uint64_t	value;
	const char	*name;
};

static void flawed(const struct flaw *flaw)
{
	struct wire w;

	sample(flaw->sample, &w);
	switch (flaw->bytes) {
	case 1:
		wire_put8(&w, flaw->at, flaw->value);
		break;
	case 2:
		wire_put16(&w, flaw->at, flaw->value);
		break;
	case 4:
		wire_put32(&w, flaw->at, flaw->value);
		break;
	case 8:
		wire_put64(&w, flaw->at, flaw->value);
		break;
	}
	snprintf(flaw_text, sizeof(flaw_text), "sample %d, byte %zu: ",
		 flaw->sample, flaw->at);
	dropped(&fake, &w, flaw->name);
	flaw_text[0] = 0;
}

static void header_flaws(void **state)
{
	static const struct flaw flaws[] = {
		{ 0, AT_VERSION, 1, 0, "DropBadVersion" },
		{ 0, AT_VERSION, 1, 2, "DropBadVersion" },
		{ 3, AT_VERSION, 1, 255, "DropBadVersion" },
		{ 3, AT_TYPE, 1, 0, "DropBadType" },
		{ 3, AT_TYPE, 1, 11, "DropBadType" },
		{ 3, AT_FLAGS, 2, 1, "DropBadHeader" },
		{ 3, AT_SEAL, 8, 1, "DropBadHeader" },
		{ 3, AT_SRC_SITE, 4, 0, "DropBadHeader" },
		{ 3, AT_SRC_INC, 8, 0, "DropBadHeader" },
		{ 3, AT_SRC_SITE, 4, 1, "DropSelf" },
		{ 0, AT_SRC_SITE, 4, 1, "DropSelf" },
		{ 3, AT_DST_SITE, 4, 2, "DropNotForUs" },
		{ 3, AT_DST_INC, 8, 12345, "DropOtherIncarnation" },
		{ 3, AT_SRC_SITE, 4, 4242, "DropUnknownPeer" },
		/* Host 2's site id from the fake peer's address: forged. */
		{ 3, AT_SRC_SITE, 4, 2, "DropBadAddress" },
		{ 0, AT_SRC_SITE, 4, 2, "DropBadAddress" },
		{ 0, AT_VIEW, 4, 1, "DropBadHeader" },
		{ 5, AT_VIEW, 4, 1, "DropBadHeader" },
	};
	unsigned int i;

	for (i = 0; i < COUNT(flaws); i++)
		flawed(&flaws[i]);
}

static void message_flaws(void **state)
{
	static const struct flaw flaws[] = {
		{ 0, AT_CID, 8, 0, "DropBadHeader" },
		{ 0, AT_OPENING, 4, 0, "DropBadHeader" },
		{ 0, AT_KIND, 1, 0, "DropBadKind" },
		{ 0, AT_KIND, 1, 7, "DropBadKind" },
		/* What the kernel makes begins nothing and has no body. */
		{ 0, AT_KIND, 1, 2, "DropBadKind" },
		{ 0, AT_KIND, 1, 3, "DropBadKind" },
		{ 0, AT_KIND, 1, 4, "DropBadKind" },
		{ 1, AT_KIND, 1, 2, "DropBadKind" },
		{ 1, AT_KIND, 1, 3, "DropBadKind" },
		{ 0, AT_MSG_FLAGS, 1, 0x81, "DropBadHeader" },
		/* For another site, and for the first time? */
		{ 7, AT_MSG_FLAGS, 1, WIRE_FOREIGN, "DropBadHeader" },
		{ 7, WIRE_MSG_FIXED, 8, 0, "DropBadHeader" },
		{ 7, WIRE_MSG_FIXED + 8, 4, 0, "DropBadHeader" },
		{ 7, WIRE_MSG_FIXED + 12, 4, 1, "DropBadHeader" },
		{ 0, AT_CLASS, 2, 1, "DropBadHeader" },
		{ 0, AT_NUMBER, 4, 1, "DropBadHeader" },
		{ 0, AT_WAVE, 4, 0, "DropBadWave" },
		{ 0, AT_SENDER, 2, 2, "DropNotMember" },
		{ 0, AT_SENDER, 2, 65535, "DropNotMember" },
		{ 0, AT_N, 2, 0, "DropBadParticipants" },
		{ 0, AT_N, 2, 1, "DropBadParticipants" },
		{ 0, AT_N, 2, 1025, "DropBadParticipants" },
		{ 0, AT_N, 2, 65535, "DropBadParticipants" },
		{ 0, AT_NPRED, 2, 3, "DropTooShort" },
		{ 2, AT_NPRED, 2, 13, "DropBadContext" },
		{ 1, AT_NPRED, 2, 65535, "DropBadContext" },
		{ 1, AT_BODY_LEN, 4, 0, "DropBadLength" },
		{ 1, AT_BODY_LEN, 4, 5, "DropBadLength" },
		{ 1, AT_BODY_LEN, 4, 0xffffffff, "DropBadLength" },
		{ 1, AT_MSG_FLAGS, 1, WIRE_STAMP, "DropBadLength" },
		/* A list not in order, of an index too great. */
		{ 1, WIRE_MSG_FIXED, 2, 1, "DropBadContext" },
		{ 1, WIRE_MSG_FIXED + 8, 2, 0, "DropBadContext" },
		{ 1, WIRE_MSG_FIXED + 8, 2, 2, "DropBadContext" },
		/* Participants of no site and of no port. */
		{ 0, WIRE_MSG_FIXED, 4, 0, "DropBadParticipants" },
		{ 0, WIRE_MSG_FIXED + 12, 4, 0, "DropBadParticipants" },
		/* Stamps: as a list, bits that do not count, too many, few. */
		{ 2, AT_MSG_FLAGS, 1, 0, "DropBadContext" },
		{ 2, AT_NPRED, 2, 11, "DropBadContext" },
		{ 2, AT_NPRED, 2, 9, "DropBadContext" },
		{ 2, WIRE_MSG_FIXED + 48, 1, 0xfe, "DropBadContext" },
		{ 2, WIRE_MSG_FIXED + 48, 2, 0xfe13, "DropBadHeader" },
		{ 2, WIRE_MSG_FIXED + 48, 4, 0xfe030001, "DropBadHeader" },
	};
	unsigned int i;

	for (i = 0; i < COUNT(flaws); i++)
		flawed(&flaws[i]);
}

static void other_flaws(void **state)
{
	static const struct flaw flaws[] = {
		{ 3, AT_NONCE, 8, 0, "DropBadHeader" },
		{ 3, AT_DIGEST, 8, 1, "DropBadHeader" },
		{ 3, AT_GROUP, 4, 1, "DropBadHeader" },
		{ 3, AT_NUMBER, 4, 1, "DropBadHeader" },
		{ 3, AT_OPENING, 4, 1, "DropBadHeader" },
		{ 3, AT_KNOWN, 4, 1, "DropBadHeader" },
		{ 3, AT_AGE, 4, 1, "DropBadHeader" },
		{ 3, AT_STATE, 1, 1, "DropBadHeader" },
		{ 3, AT_HELLO_RES, 1, 1, "DropBadHeader" },
		{ 3, AT_HELLO_RES2, 4, 1, "DropBadHeader" },
		{ 4, AT_STATE, 1, 3, "DropBadHeader" },
		{ 4, AT_STATE, 1, 1, "DropBadHeader" },
		{ 4, AT_OPENING, 4, 1, "DropBadHeader" },
		{ 4, AT_AGE, 4, 1, "DropBadHeader" },
		{ 4, AT_CID, 8, 78, "DropNoConv" },
		{ 4, AT_CID, 8, 0, "DropBadNonce" },
		{ 5, AT_CID, 8, 0, "DropBadHeader" },
		{ 5, AT_REASON, 2, 0, "DropBadHeader" },
		{ 5, AT_REASON, 2, 4, "DropBadHeader" },
		{ 5, AT_REFUSE_RES, 2, 1, "DropBadHeader" },
		{ 5, AT_REFUSE_OPENING, 4, 0, "DropBadHeader" },
		{ 5, AT_REFUSE_DIGEST, 8, 0, "DropBadHeader" },
		{ 5, AT_REASON, 2, 2, "DropNoConv" },
		{ 5, AT_REASON, 2, 3, "DropNoConv" },
		{ 6, AT_SRC_PORT, 4, 0, "DropBadHeader" },
		{ 6, AT_DST_PORT, 4, 0, "DropBadHeader" },
		{ 6, AT_DG_GROUP, 4, 1, "DropBadHeader" },
		{ 6, AT_DG_DIGEST, 8, 1, "DropBadHeader" },
		{ 6, AT_DG_BODY_LEN, 4, 3, "DropBadLength" },
		{ 6, AT_DG_BODY_LEN, 4, 0xfffffff0, "DropBadLength" },
		{ 6, AT_DST_BINDING, 4, 0, "DropNoPort" },
	};
	unsigned int i;

	for (i = 0; i < COUNT(flaws); i++)
		flawed(&flaws[i]);
}

static void vector_flaws(void **state)
{
	static const struct flaw flaws[] = {
		{ 8, AT_CID, 8, 0, "DropBadHeader" },
		{ 8, AT_VIEW, 4, 1, "DropBadHeader" },
		{ 8, AT_VEC_RESERVED, 1, 1, "DropBadHeader" },
		{ 8, AT_VEC_FLAGS, 4, 1, "DropBadHeader" },
		{ 8, AT_VEC_FLAGS, 1, 0x10, "DropBadHeader" },
		/* Each type has flags of its own, each flag its fields. */
		{ 8, AT_VEC_FLAGS, 1, WIRE_VECTOR_MID, "DropBadHeader" },
		{ 8, AT_VEC_FLAGS, 1, 0, "DropBadHeader" },
		{ 8, AT_VEC_ECHO, 4, 1, "DropBadHeader" },
		{ 8, AT_VEC_SEQ, 4, 1, "DropBadHeader" },
		{ 8, AT_VEC_INDEX, 2, 1, "DropBadHeader" },
		{ 9, AT_VEC_FLAGS, 1, WIRE_VECTOR_ASK, "DropBadHeader" },
		{ 9, AT_VEC_FLAGS, 1, WIRE_VECTOR_ECHO, "DropBadHeader" },
		{ 9, AT_VEC_FLAGS, 1, 0, "DropBadHeader" },
		{ 9, AT_VEC_TOKEN, 4, 1, "DropBadHeader" },
		{ 9, AT_VEC_INDEX, 2, 2, "DropNotMember" },
		{ 9, AT_VEC_CREDIT_BYTES, 4, 1, "DropBadHeader" },
		{ 9, AT_VEC_CREDIT_MSGS, 4, 1, "DropBadHeader" },
		{ 9, AT_VEC_MARKS, 4, 1, "DropBadHeader" },
		{ 10, AT_VEC_FLAGS, 1, WIRE_VECTOR_ASK, "DropBadHeader" },
		{ 10, AT_VEC_FLAGS, 1, WIRE_VECTOR_MID, "DropBadHeader" },
		{ 10, AT_VEC_TOKEN, 4, 1, "DropBadHeader" },
		{ 10, AT_VEC_ECHO, 4, 1, "DropBadHeader" },
		{ 10, AT_VEC_INDEX, 2, 1, "DropBadHeader" },
		{ 10, AT_VEC_CREDIT_MSGS, 4, 1, "DropBadHeader" },
		{ 10, AT_OPENING, 4, 0, "DropBadHeader" },
		{ 8, AT_VEC_N, 2, 0, "DropBadParticipants" },
		{ 8, AT_VEC_N, 2, 1, "DropBadParticipants" },
		{ 8, AT_VEC_N, 2, 1025, "DropBadParticipants" },
		{ 8, AT_VEC_N, 2, 65535, "DropBadParticipants" },
		{ 8, AT_VEC_N, 2, 3, "DropTooShort" },
		{ 9, AT_VEC_N, 2, 1024, "DropTooShort" },
		/* Right in themselves, and about nothing. */
		{ 8, AT_VEC_TOKEN, 4, 7, "DropNoConv" },
		{ 9, AT_VEC_SEQ, 4, 7, "DropNoConv" },
		{ 10, AT_VEC_SEQ, 4, 7, "DropNoConv" },
	};
	struct wire w;
	unsigned int i;

	for (i = 0; i < COUNT(flaws); i++)
		flawed(&flaws[i]);
	/* S1.5: who asked is told that nobody here has it. */
	fake_recv(&fake, WIRE_REFUSE, &w);
	assert_int_equal(wire_get16(&w, AT_REASON), 3);
	assert_int_equal(wire_get32(&w, AT_OPENING), 0);
	assert_int_equal(wire_get32(&w, AT_REFUSE_OPENING), 1);
}

/*
 * Cut at every byte: with the length it had, which says more than there is,
 * and with the length it has.
 */
static void truncated(void **state)
{
	struct stats before, after, middle;
	struct wire w;
	size_t full, len, n;
	int i;

	for (i = 0; i < SAMPLES; i++) {
		stats_read(1, &before);
		sample(i, &w);
		wire_seal(&w);
		full = w.len;
		for (len = 0; len < full; len++) {
			w.len = len;
			fake_send_raw(&fake, &w);
		}
		drops_await(&before, &middle, full);
		assert_int_equal(stats_value(&middle, "DropTooShort") -
				 stats_value(&before, "DropTooShort") +
				 stats_value(&middle, "DropBadLength") -
				 stats_value(&before, "DropBadLength"), full);
		/* Shorter ones cannot be given a length. */
		for (len = 8, n = 0; len < full; len++, n++) {
			sample(i, &w);
			w.len = len;
			fake_send(&fake, &w);
		}
		drops_await(&middle, &after, n);
		assert_int_equal(drops_of(&after), drops_of(&before) + full + n);
		assert_int_equal(stats_value(&after, "DropTooShort") -
				 stats_value(&middle, "DropTooShort") +
				 stats_value(&after, "DropBadLength") -
				 stats_value(&middle, "DropBadLength"), n);
	}
	saw("DropTooShort");
}

/* Ethernet pads: what is behind the packet is nothing. */
static void padded(void **state)
{
	uint32_t port = port_new();
	int fd = sock_bound(1, SOCK_DGRAM, port);
	struct wire w;
	struct msg m;

	wire_dgram(&w, &fake, port, "padded");
	wire_seal(&w);
	w.len += 30;
	fake_send_raw(&fake, &w);
	msg_recv(fd, &m);
	assert_string_equal(m.body, "padded");
	assert_int_equal(m.len, 6);
	works(close(fd));
}

/* The counter of the UDP layer, whose business its checksums are. */
static unsigned long udp_csum_errors(void)
{
	char line[2][1024], *name, *value, *at[2];
	unsigned long errors = 0;
	bool found = false;
	FILE *f;

	lab_enter(1);
	if (lab.link == LAB_UDP6) {
		f = fopen("/proc/thread-self/net/snmp6", "r");
		assert_non_null(f);
		while (!found && fgets(line[0], sizeof(line[0]), f))
			found = sscanf(line[0], "Udp6InCsumErrors %lu",
				       &errors) == 1;
	} else {
		f = fopen("/proc/thread-self/net/snmp", "r");
		assert_non_null(f);
		while (fgets(line[0], sizeof(line[0]), f))
			if (!strncmp(line[0], "Udp:", 4))
				break;
		assert_non_null(fgets(line[1], sizeof(line[1]), f));
		name = strtok_r(line[0], " \n", &at[0]);
		value = strtok_r(line[1], " \n", &at[1]);
		while (name && value) {
			if (!strcmp(name, "InCsumErrors")) {
				errors = strtoul(value, NULL, 10);
				found = true;
			}
			name = strtok_r(NULL, " \n", &at[0]);
			value = strtok_r(NULL, " \n", &at[1]);
		}
	}
	fclose(f);
	assert_true(found);
	return errors;
}

static void udp_csum_error(bool zero)
{
	unsigned long errors = udp_csum_errors();
	struct patience p = patience_begin();
	struct stats before, after;
	struct wire w;

	sample(3, &w);
	stats_read(1, &before);
	fake_send_udp_csum(&fake, &w, zero);
	while (udp_csum_errors() == errors)
		patience_try(&p, "UDP to count a wrong checksum");
	assert_int_equal(udp_csum_errors(), errors + 1);
	stats_read(1, &after);
	assert_int_equal(drops_of(&after), drops_of(&before));
	assert_int_equal(stats_value(&after, "HelloAnswered"),
			 stats_value(&before, "HelloAnswered"));
}

static void checksums(void **state)
{
	struct stats before, after;
	struct wire w;
	int i;

	if (lab.link == LAB_ETH) {
		for (i = 0; i < SAMPLES; i++) {
			sample(i, &w);
			wire_seal(&w);
			w.data[w.len - 1] ^= 0x10;
			dropped_raw(&fake, &w, "DropBadCsum");
			wire_seal(&w);
			wire_put16(&w, AT_CSUM, wire_get16(&w, AT_CSUM) ^ 1);
			dropped_raw(&fake, &w, "DropBadCsum");
			wire_put16(&w, AT_CSUM, 0);
			dropped_raw(&fake, &w, "DropBadCsum");
		}
		return;
	}
	/* Ours must be zero, UDP's right and never none. */
	sample(3, &w);
	wire_seal(&w);
	wire_put16(&w, AT_CSUM, 1);
	dropped_raw(&fake, &w, "DropBadHeader");
	udp_csum_error(false);
	if (lab.link == LAB_UDP6) {
		udp_csum_error(true);
		return;
	}
	sample(3, &w);
	stats_read(1, &before);
	fake_send_udp_csum(&fake, &w, true);
	drops_await(&before, &after, 1);
	drops_are(&before, &after, "DropBadCsum", 1, __FILE__, __LINE__);
}

static void site_is(struct nl *nl, uint32_t site)
{
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, site);
	assert_int_equal(nl_talk(nl), 0);
}

/* Before it has a site id a namespace takes nothing. */
static void no_site(void **state)
{
	struct nl *nl = nl_open(1);
	struct wire w;

	site_is(nl, 0);
	sample(3, &w);
	dropped(&fake, &w, "DropNoSite");
	site_is(nl, 1);
	nl_close(nl);
}

/*
 * S1.2: an earlier incarnation is not believed, nor refused, before the site
 * itself was asked.
 */
static void incarnations(void **state)
{
	unsigned int old = sysctl_set(1, "park_max", 2);
	struct fake past = fake;
	struct stats before, after;
	struct wire w, hello;

	past.inc = fake.inc - 1;
	/* The present one. */
	wire_hello(&w, &fake, 0, 1);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &hello);
	/* Two of the past are parked and asked about; a third finds no room. */
	stats_read(1, &before);
	wire_hello(&w, &past, 77, 2);
	fake_send(&past, &w);
	fake_recv(&fake, WIRE_HELLO, &hello);
	assert_true(wire_get64(&hello, AT_CID) == 0);
	fake_send(&past, &w);
	fake_send(&past, &w);
	drops_await(&before, &after, 1);
	drops_are(&before, &after, "DropParkFull", 1, __FILE__, __LINE__);
	/* A false answer is none. */
	wire_ack(&w, &fake, &hello);
	wire_put64(&w, AT_NONCE, wire_get64(&hello, AT_NONCE) + 1);
	dropped(&fake, &w, "DropBadNonce");
	/* The true one: the past is over. */
	stats_read(1, &before);
	wire_ack(&w, &fake, &hello);
	fake_send(&fake, &w);
	drops_await(&before, &after, 2);
	drops_are(&before, &after, "DropStaleIncarnation", 2, __FILE__,
		  __LINE__);
	wire_hello(&w, &past, 77, 3);
	dropped(&past, &w, "DropStaleIncarnation");
	/* Who asks for the site itself gets an answer, whoever it is. */
	wire_hello(&w, &past, 0, 5);
	fake_send(&past, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &w);
	assert_true(wire_get64(&w, AT_NONCE) == 5);
	/* Answered once is answered. */
	wire_ack(&w, &fake, &hello);
	dropped(&fake, &w, "DropBadNonce");
	/* The present one goes on. */
	wire_hello(&w, &fake, 0, 4);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &hello);
	assert_true(wire_get64(&hello, AT_NONCE) == 4);
	sysctl_set(1, "park_max", old);
}

/* Nobody answers: what was parked is given up, after so many questions. */
static void incarnation_unanswered(void **state)
{
	unsigned int tries = sysctl_set(1, "hello_tries", 2);
	unsigned int ms = sysctl_set(1, "hello_ms", 20);
	struct fake future = fake;
	struct stats before, after;
	struct wire w;

	wire_hello(&w, &fake, 0, 1);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &w);
	/* No clock vouches for a greater one. */
	future.inc = fake.inc + 1;
	stats_read(1, &before);
	wire_hello(&w, &future, 77, 2);
	fake_send(&future, &w);
	drops_await(&before, &after, 1);
	assert_int_equal(stats_value(&after, "HelloSent") -
			 stats_value(&before, "HelloSent"), 2);
	drops_are(&before, &after, "DropStaleIncarnation", 1, __FILE__,
		  __LINE__);
	sysctl_set(1, "hello_tries", tries);
	sysctl_set(1, "hello_ms", ms);
}

/* Who is asked about is present; but who was meant is not here any more. */
static void incarnation_elsewhere(void **state)
{
	struct fake future = fake;
	struct nl *nl = nl_open(1);
	struct stats before, after;
	struct wire w, hello;

	wire_hello(&w, &fake, 0, 1);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &w);
	future.inc = fake.inc + 1;
	wire_hello(&w, &future, 77, 2);
	fake_send(&future, &w);
	fake_recv(&fake, WIRE_HELLO, &hello);
	site_is(nl, 9);
	stats_read(1, &before);
	wire_ack(&w, &future, &hello);
	wire_put32(&w, AT_DST_SITE, 9);
	fake_send(&future, &w);
	drops_await(&before, &after, 1);
	drops_are(&before, &after, "DropNotForUs", 1, __FILE__, __LINE__);
	site_is(nl, 1);
	nl_close(nl);
	fake.inc = future.inc;
}

static void rendezvous(struct wire_conv *c, uint32_t group)
{
	c->group = group;
	c->number = 1;
	c->cid = wire_cid(group, 1, wire_digest(c->pids, c->n));
}

/* Messages that open nothing. */
static void not_opened(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	uint32_t group = group_of_hosts(port);
	struct wire_conv c = conv_new(port + 1);
	struct psync_pid saved;
	struct wire w;
	int conn;

	/* Nobody listens there. */
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropNoListener");
	/* The list is not what its digest says. */
	c = conv_new(port);
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	wire_msg_start(&w, &c);
	wire_put64(&w, AT_DIGEST, 5);
	dropped(&fake, &w, "DropBadParticipants");
	/* A participant twice. */
	c.n = 3;
	conv_pids[2] = conv_pids[1];
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropBadParticipants");
	/* The sender is not the participant it says it is. */
	c.n = 2;
	wire_msg(&w, &fake, &c, 1, 1, 1, "x");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropNotMember");
	saved = conv_pids[0];
	conv_pids[0].site = 2;
	c.cid++;
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropNotMember");
	conv_pids[0] = saved;
	/* A start message that is not the first. */
	c = conv_new(port);
	wire_msg(&w, &fake, &c, 0, 2, 1, "x");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropBadContext");
	/* A rendezvous of a group that is unknown, or known otherwise. */
	c = conv_new(port);
	rendezvous(&c, 0xffffff);
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	dropped(&fake, &w, "DropNoGroup");
	rendezvous(&c, group);
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	dropped(&fake, &w, "DropDigest");
	/* ... and whose cid is not the one that follows from all that. */
	wire_put64(&w, AT_CID, c.cid + 1);
	dropped(&fake, &w, "DropBadHeader");
	fake_recv(&fake, WIRE_REFUSE, &w);
	assert_int_equal(wire_get16(&w, AT_REASON), 1);
	assert_int_equal(wire_get32(&w, AT_REFUSE_OPENING), c.opening);
	assert_true(wire_get64(&w, AT_CID) == c.cid);
	assert_true(wire_get64(&w, AT_REFUSE_DIGEST) !=
		    wire_digest(conv_pids, 2));
	/* Closed, and not to be opened by a latecomer. */
	c = conv_new(port);
	conn = conv_open(&c, listener);
	works(close(conn));
	convs_none(1);
	wire_msg(&w, &fake, &c, 0, 1, 1, "start");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropClosed");
	conv_next(&w, &c, 2);
	dropped(&fake, &w, "DropClosed");
	/* None of these is in the listener's queue. */
	assert_int_equal(poll_now(listener, POLLIN), 0);
	works(close(listener));
}

/*
 * S1.4: what a rendezvous that was closed is sent again opens no other one: it
 * is for an opening that is past. Who asks is told that nobody has it.
 */
static void not_reopened(void **state)
{
	struct wire_conv c = conv_new(port_new());
	struct wire w;

	convs_none(1);
	rendezvous(&c, group_new(conv_pids, 2));
	wire_msg(&w, &fake, &c, 0, 1, 1, "x");
	wire_put8(&w, AT_MSG_FLAGS, WIRE_ASK);
	wire_put32(&w, AT_DST_OPENING, 5);
	dropped(&fake, &w, "DropClosed");
	assert_int_equal(convs_at(1), 0);
	fake_recv(&fake, WIRE_REFUSE, &w);
	assert_int_equal(wire_get16(&w, AT_REASON), 3);
	assert_int_equal(wire_get32(&w, AT_REFUSE_OPENING), c.opening);
	assert_true(wire_get64(&w, AT_CID) == c.cid);
}

/* Messages in a conversation that is open, all of them impossible. */
static void bad_messages(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port), other;
	int conn = conv_open(&c, listener);
	struct psync_info info;
	struct wire w, hello;

	wire_msg(&w, &fake, &c, 0, 1, 1, "start");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropDuplicate");
	/* Somebody else's index, another group, number, list. */
	conv_next(&w, &c, 2);
	wire_put16(&w, AT_SENDER, 1);
	dropped(&fake, &w, "DropNotMember");
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_GROUP, 3);
	dropped(&fake, &w, "DropBadHeader");
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_NUMBER, 3);
	dropped(&fake, &w, "DropBadHeader");
	conv_next(&w, &c, 2);
	wire_put64(&w, AT_DIGEST, 3);
	dropped(&fake, &w, "DropDigest");
	/* Openings of the past and of the future; for another one of ours. */
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_DST_OPENING, 0x7fffffff);
	dropped(&fake, &w, "DropStaleOpening");
	other = c;
	other.opening = 2;
	wire_msg(&w, &fake, &other, 0, 1, 1, "again");
	dropped(&fake, &w, "DropReopened");
	fake_recv(&fake, WIRE_REFUSE, &w);
	wire_refuse(&w, &fake, &c, 0x7fffffff, 2, 1);
	dropped(&fake, &w, "DropStaleOpening");
	/* Contexts: none, what we never sent, not its own previous message. */
	wire_msg(&w, &fake, &c, 0, 2, 1, "x");
	dropped(&fake, &w, "DropBadContext");
	wire_msg(&w, &fake, &c, 0, 2, 2, "x");
	wire_msg_pred(&w, 1, 7);
	dropped(&fake, &w, "DropBadContext");
	wire_msg(&w, &fake, &c, 0, 3, 2, "x");
	wire_msg_pred(&w, 0, 1);
	dropped(&fake, &w, "DropBadContext");
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_WAVE, 3);
	dropped(&fake, &w, "DropBadWave");
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_WAVE, 1);
	dropped(&fake, &w, "DropBadWave");
	/* One that exists, but not in this context. */
	msg_send(conn, "deeper");
	conv_next(&w, &c, 2);
	wire_put32(&w, AT_WAVE, 3);
	dropped(&fake, &w, "DropBadWave");
	/* An answer to a question that nobody asked. */
	wire_hello(&hello, &fake, c.cid, 99);
	wire_ack(&w, &fake, &hello);
	dropped(&fake, &w, "DropBadNonce");

	/* After all that the right one is taken. */
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	msg_expect(conn, "next");
	info = opt_info(conn);
	assert_int_equal(info.nodes, 3);
	assert_int_equal(info.view, 3);
	assert_int_equal(info.held, 0);
	sock_close((int[]){ conn, listener }, 2);
}

static void vector_asks(struct wire *w, const struct wire_conv *c,
			const uint32_t *seqs)
{
	wire_vector(w, &fake, WIRE_ACK, c, seqs);
	wire_put8(w, AT_VEC_FLAGS, WIRE_VECTOR_ASK);
	wire_put32(w, AT_VEC_TOKEN, 4711);
}

/* Who has asked for nothing for long may have many answers to @rr, not any number. */
static void beyond_the_rate(struct wire *rr)
{
	uint64_t refused = stat_of(1, "DropRrRate"), asked = 0;
	struct patience p = patience_begin();
	struct wire answer;

	for (; stat_of(1, "DropRrRate") == refused; asked++) {
		fake_send(&fake, rr);
		patience_try(&p, "a request beyond the rate");
	}
	assert_in_range(asked, 1, 64);
	for (asked -= stat_of(1, "DropRrRate") - refused; asked; asked--)
		fake_recv(&fake, WIRE_MSG, &answer);
	saw("DropRrRate");
}

/* S2.3, S4.1: what the fake peer says it holds, and asks for. */
static void vectors(void **state)
{
	unsigned int rate = sysctl_set(1, "repair_rate", 1);
	uint32_t port = port_new(), seqs[2] = { 1, 0 };
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	int conn = conv_open(&c, listener);
	struct patience p = patience_begin();
	struct wire w, answer;

	vector_asks(&w, &c, seqs);
	fake_send(&fake, &w);
	do {
		fake_recv(&fake, WIRE_ACK, &answer);
	} while (wire_get64(&answer, AT_CID) != c.cid ||
		 !(answer.data[AT_VEC_FLAGS] & WIRE_VECTOR_ECHO));
	assert_int_equal(wire_get32(&answer, AT_VEC_ECHO), 4711);
	assert_int_equal(wire_get32(&answer, AT_VEC_DST_OPENING), c.opening);
	assert_int_equal(wire_get16(&answer, AT_VEC_N), 2);
	assert_int_equal(wire_get32(&answer, WIRE_VECTOR_FIXED), 1);
	assert_int_equal(wire_get32(&answer, WIRE_VECTOR_FIXED + 4), 0);

	/* Of host 1's own it can hold nothing that was never sent. */
	seqs[1] = 1;
	vector_asks(&w, &c, seqs);
	dropped(&fake, &w, "DropBadVector");
	wire_vector(&w, &fake, WIRE_RR, &c, seqs);
	dropped(&fake, &w, "DropBadVector");
	seqs[1] = 0xffffffff;
	vector_asks(&w, &c, seqs);
	dropped(&fake, &w, "DropBadVector");
	seqs[1] = 0;
	/* Of another list, group, number or opening. */
	vector_asks(&w, &c, seqs);
	wire_put64(&w, AT_DIGEST, 3);
	dropped(&fake, &w, "DropDigest");
	vector_asks(&w, &c, seqs);
	wire_put32(&w, AT_GROUP, 3);
	dropped(&fake, &w, "DropBadHeader");
	vector_asks(&w, &c, seqs);
	wire_put32(&w, AT_NUMBER, 3);
	dropped(&fake, &w, "DropBadHeader");
	vector_asks(&w, &c, seqs);
	wire_put32(&w, AT_VEC_DST_OPENING, 0x7fffffff);
	dropped(&fake, &w, "DropStaleOpening");

	/* An answer to nothing. */
	wire_vector(&w, &fake, WIRE_GONE, &c, seqs);
	dropped(&fake, &w, "DropBadVector");

	/* What it lacks is sent again, as fast as is allowed. */
	msg_send(conn, "mine");
	fake_recv(&fake, WIRE_MSG, &answer);
	assert_int_equal(answer.data[AT_MSG_FLAGS] & WIRE_REPEAT, 0);
	assert_int_equal(opt_info(conn).unheld, 1);
	wire_vector(&w, &fake, WIRE_RR, &c, seqs);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_MSG, &answer);
	assert_true(answer.data[AT_MSG_FLAGS] & WIRE_REPEAT);
	assert_memory_equal(answer.data + answer.len - 4, "mine", 4);
	beyond_the_rate(&w);

	/* At last it holds it. */
	seqs[1] = 1;
	wire_vector(&w, &fake, WIRE_ACK, &c, seqs);
	fake_send(&fake, &w);
	while (opt_info(conn).unheld)
		patience_try(&p, "the message to be held");
	sock_close((int[]){ conn, listener }, 2);
	sysctl_set(1, "repair_rate", rate);
}

/* S4.3: nobody has what a message follows, and nobody can have it. */
static void context_lost(void **state)
{
	unsigned int rto = sysctl_set(1, "rto_ms", 1);
	unsigned int least = sysctl_set(1, "rto_min_us", 1000);
	unsigned int most = sysctl_set(1, "rto_max_ms", 1);
	uint64_t lost = stat_of(1, "DropContextLost");
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	int conn = conv_open(&c, listener);
	struct psync_event ev, from_nl;
	struct nl *nl = nl_open(1);
	struct wire w;

	nl_listen(nl);
	works(opt_set_u32(conn, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	conv_next(&w, &c, 3);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_RR, &w);
	stat_await(1, "DropContextLost", lost + 1);
	ev = event_expect(conn, PSYNC_EV_VOID);
	from_nl = nl_event(nl, PSYNC_EV_VOID);
	assert_memory_equal(&from_nl, &ev, sizeof(ev));
	nl_close(nl);
	assert_int_equal(ev.site, fake.site);
	assert_true(ev.mid == PSYNC_MID(0, 2));
	assert_true(ev.other == PSYNC_MID(0, 3));
	assert_int_equal(opt_info(conn).held, 0);
	assert_int_equal(opt_info(conn).lacking, 0);
	saw("DropContextLost");
	/* It was as if it had never come; it may come (S4.3). */
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	msg_expect(conn, "next");
	conv_next(&w, &c, 3);
	fake_send(&fake, &w);
	msg_expect(conn, "next");
	sock_close((int[]){ conn, listener }, 2);
	sysctl_set(1, "rto_ms", rto);
	sysctl_set(1, "rto_min_us", least);
	sysctl_set(1, "rto_max_ms", most);
}

/* Vectors of whom we do not know yet, and of us to whom we do not know. */
static void vectors_unconfirmed(void **state)
{
	uint32_t port = port_new(), seqs[2] = { 0, 0 };
	struct wire_conv c = conv_new(port);
	int listener = sock_listening(1, port, 4), fd;
	struct wire w, hello;

	/* Who only listens repairs nothing. */
	wire_msg(&w, &fake, &c, 0, 1, 1, "start");
	wire_msg_start(&w, &c);
	fake_send(&fake, &w);
	await_poll(listener, POLLIN);
	wire_vector(&w, &fake, WIRE_RR, &c, seqs);
	dropped(&fake, &w, "DropUnconfirmed");
	works(close(listener));

	c = conv_new(port);
	rendezvous(&c, group_new(conv_pids, 2));
	fd = sock_joined(1, port, c.group, 1);
	do {
		fake_recv(&fake, WIRE_HELLO, &hello);
	} while (wire_get64(&hello, AT_CID) != c.cid);
	vector_asks(&w, &c, seqs);
	dropped(&fake, &w, "DropUnconfirmed");
	wire_ack(&w, &fake, &hello);
	wire_put32(&w, AT_OPENING, c.opening);
	wire_put8(&w, AT_STATE, 1);
	fake_send(&fake, &w);
	vector_asks(&w, &c, seqs);
	fake_send(&fake, &w);
	do {
		fake_recv(&fake, WIRE_ACK, &w);
	} while (wire_get64(&w, AT_CID) != c.cid);
	/* Openings: of the past, of the future. */
	c.opening = 3;
	vector_asks(&w, &c, seqs);
	dropped(&fake, &w, "DropReopened");
	works(close(fd));
}

/* Lower openings of a site than the one that is fixed. */
static void stale_opening(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	struct wire w;
	int conn;

	c.opening = 5;
	conn = conv_open(&c, listener);
	c.opening = 4;
	conv_next(&w, &c, 2);
	dropped(&fake, &w, "DropStaleOpening");
	msg_none(conn);
	sock_close((int[]){ conn, listener }, 2);
}

/* S1.3: a conversation that has the name a rendezvous would have. */
static void name_taken(void **state)
{
	uint32_t port = port_new();
	struct wire_conv c = conv_new(port);
	uint32_t group = group_new(conv_pids, 2);
	int listener = sock_listening(1, port, 4), conn, fd;

	c.cid = wire_cid(group, 1, wire_digest(conv_pids, 2));
	conn = conv_open(&c, listener);
	works(close(listener));
	fd = sock_bound(1, SOCK_SEQPACKET, port);
	fails(sock_connect(fd, group, 1), EBUSY);
	works(close(conn));
	works(sock_connect(fd, group, 1));
	msg_none(fd);
	works(close(fd));
}

static void limits(void **state)
{
	unsigned int held = sysctl_set(1, "held_max", 2);
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	int conn = conv_open(&c, listener);
	struct patience p = patience_begin();
	struct stats before, after;
	struct wire w;
	int i;

	/* Held for a message that does not come. */
	for (i = 3; i < 5; i++) {
		conv_next(&w, &c, i);
		fake_send(&fake, &w);
	}
	conv_next(&w, &c, 5);
	dropped(&fake, &w, "DropHeldFull");
	conv_next(&w, &c, 4);
	dropped(&fake, &w, "DropDuplicate");
	assert_int_equal(opt_info(conn).held, 2);
	/* S2.5: the one they wait for is taken. */
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	for (i = 0; i < 3; i++)
		msg_expect(conn, "next");
	/* So far ahead that what is missing would not fit either. */
	conv_next(&w, &c, 8);
	dropped(&fake, &w, "DropHeldFull");
	/* What is held when the conversation closes is counted then. */
	conv_next(&w, &c, 6);
	fake_send(&fake, &w);
	while (!opt_info(conn).held)
		patience_try(&p, "a message to be held");
	stats_read(1, &before);
	works(close(conn));
	drops_await(&before, &after, 1);
	drops_are(&before, &after, "DropLeftOver", 1, __FILE__, __LINE__);
	works(close(listener));
	sysctl_set(1, "held_max", held);
}

/*
 * Unread messages are bounded by the memory they take, whatever the limit: one
 * is always taken, the next when that was read.  One that lies about what it
 * waits for (S2.5) does not switch the limit off.
 */
static void limits_unread(void **state)
{
	unsigned int held = sysctl_set(1, "held_max", 4);
	unsigned int bytes = sysctl_set(1, "image_bytes", 1);
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	int conn = conv_open(&c, listener);
	struct wire w;
	uint64_t full;
	int i;

	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	conv_next(&w, &c, 3);
	dropped(&fake, &w, "DropImageFull");
	msg_expect(conn, "next");
	full = stat_of(1, "DropImageFull");
	/* Held for 3, which is taken over the limit, and so on; but not on. */
	conv_next(&w, &c, 4);
	fake_send(&fake, &w);
	for (i = 3; i < 20; i++) {
		conv_next(&w, &c, i + 3);
		fake_send(&fake, &w);
		conv_next(&w, &c, i);
		fake_send(&fake, &w);
	}
	stat_await(1, "DropImageFull", full + 1);
	assert_in_range(opt_outstanding(conn), 1, 5);
	works(close(conn));
	/* What is held then is counted when it is over. */
	convs_none(1);
	works(close(listener));
	sysctl_set(1, "held_max", held);
	sysctl_set(1, "image_bytes", bytes);
}

/* A message that overtook its start message: kept for a while only. */
static void embryo(void **state)
{
	unsigned int ms = sysctl_set(1, "embryo_ms", 50);
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4), conn;
	uint64_t evicted = stat_of(1, "ConvEvicted");
	struct wire_conv c = conv_new(port);
	struct stats before, after;
	struct wire w;

	stats_read(1, &before);
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	stat_await(1, "ConvEvicted", evicted + 1);
	drops_await(&before, &after, 1);
	drops_are(&before, &after, "DropLeftOver", 1, __FILE__, __LINE__);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	sysctl_set(1, "embryo_ms", ms);

	/* In time; twice is once; another list is not this conversation. */
	c = conv_new(port);
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	conv_next(&w, &c, 2);
	dropped(&fake, &w, "DropDuplicate");
	conv_next(&w, &c, 3);
	wire_put64(&w, AT_DIGEST, 77);
	dropped(&fake, &w, "DropDigest");
	conn = conv_open(&c, listener);
	assert_true(msg_expect(conn, "next") == PSYNC_MID(0, 2));
	msg_none(conn);
	sock_close((int[]){ conn, listener }, 2);
}

/* Of one that restarts, what another says may come before it is back. */
static void embryo_back(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port_new(), 4), fd;
	struct wire_conv c = conv_new(port);
	struct psync_restart how = { c.cid, PSYNC_RESTART_ALL, 0 };
	struct psync_slow skip = { PSYNC_SLOW_SKIP, 100 }, block = {};
	uint64_t left = stat_of(1, "DropLeftOver");
	struct wire w;

	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	conv_next(&w, &c, 2);
	dropped(&fake, &w, "DropDuplicate");
	fd = sock_bound(1, SOCK_SEQPACKET, port);
	works(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &how, sizeof(how)));
	/* Others are not who this conversation is of. */
	conv_pids[0].port = 78;
	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, conv_pids,
			 2 * sizeof(*conv_pids)));
	fails(sock_connect(fd, 0, 0), EBUSY);
	conv_pids[0].port = 77;
	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, conv_pids,
			 2 * sizeof(*conv_pids)));
	/* What cannot be joined is left to nobody. */
	works(setsockopt(fd, SOL_PSYNC, PSYNC_SLOW, &skip, sizeof(skip)));
	fails(sock_connect(fd, 0, 0), EINVAL);
	stat_await(1, "DropLeftOver", left + 1);
	works(setsockopt(fd, SOL_PSYNC, PSYNC_SLOW, &block, sizeof(block)));
	conv_next(&w, &c, 2);
	fake_send(&fake, &w);
	conv_next(&w, &c, 2);
	dropped(&fake, &w, "DropDuplicate");
	works(sock_connect(fd, 0, 0));
	assert_true(opt_u64(fd, PSYNC_CID) == c.cid);
	/* What came is held for what precedes it. */
	assert_int_equal(opt_info(fd).held, 1);
	works(close(fd));
	stat_await(1, "DropLeftOver", left + 2);
	works(close(listener));
}

/* More conversations than a namespace keeps for nobody: the oldest goes. */
static void pending_full(void **state)
{
	unsigned int old = sysctl_get(1, "pending_max");
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 8);
	uint64_t evicted;
	struct wire_conv c;
	struct wire w;
	int i, conn;

	sysctl_set(1, "pending_max", 2);
	/* Embryos, then start messages, which a listener has: they stay. */
	for (i = 0; i < 2; i++) {
		c = conv_new(port);
		conv_next(&w, &c, 2);
		fake_send(&fake, &w);
	}
	for (i = 0; i < 2; i++) {
		evicted = stat_of(1, "ConvEvicted");
		c = conv_new(port);
		wire_msg(&w, &fake, &c, 0, 1, 1, "start");
		wire_msg_start(&w, &c);
		fake_send(&fake, &w);
		stat_await(1, "ConvEvicted", evicted + 1);
	}
	c = conv_new(port);
	wire_msg(&w, &fake, &c, 0, 1, 1, "start");
	wire_msg_start(&w, &c);
	dropped(&fake, &w, "DropPendingFull");
	for (i = 0; i < 2; i++) {
		conn = sock_accept(listener);
		msg_expect(conn, "start");
		works(close(conn));
	}
	works(close(listener));
	sysctl_set(1, "pending_max", old);
}

static void datagrams(void **state)
{
	uint32_t port = port_new();
	int fd = sock_bound(1, SOCK_DGRAM, port), size = 0;
	uint32_t group = group_of_hosts(port);
	struct stats before, after;
	struct wire w;
	struct msg m;

	wire_dgram(&w, &fake, port, "x");
	wire_put32(&w, AT_DST_BINDING, 0x7fffffff);
	dropped(&fake, &w, "DropOtherBinding");
	wire_dgram(&w, &fake, 0, "x");
	wire_put32(&w, AT_DG_GROUP, 0xffffff);
	wire_put64(&w, AT_DG_DIGEST, 1);
	dropped(&fake, &w, "DropNoGroup");
	wire_put32(&w, AT_DG_GROUP, group);
	dropped(&fake, &w, "DropDigest");
	/* A conversation's socket is no datagram's. */
	works(close(fd));
	fd = sock_bound(1, SOCK_SEQPACKET, port);
	wire_dgram(&w, &fake, port, "x");
	dropped(&fake, &w, "DropNoPort");
	works(close(fd));

	fd = sock_bound(1, SOCK_DGRAM, port);
	works(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	stats_read(1, &before);
	do {
		wire_dgram(&w, &fake, port, "full");
		fake_send(&fake, &w);
		stats_read(1, &after);
	} while (drops_of(&after) == drops_of(&before));
	drops_await(&before, &after, 1);
	assert_true(stats_value(&after, "DropRcvbuf") >
		    stats_value(&before, "DropRcvbuf"));
	saw("DropRcvbuf");
	msg_recv(fd, &m);
	assert_string_equal(m.body, "full");
	works(close(fd));
}

/*
 * A question (96 bytes) that the way to the peer does not take, asked because
 * of a datagram (72) of an earlier incarnation.
 */
static void transmit_too_big(void **state)
{
	struct fake past = fake;
	struct stats before, after;
	struct wire w;

	wire_hello(&w, &fake, 0, 1);
	fake_send(&fake, &w);
	fake_recv(&fake, WIRE_HELLO_ACK, &w);
	past.inc = fake.inc - 2;
	if (lab.link == LAB_ETH)
		lab_run(1, "ip link set eth0 mtu 68");
	else
		lab_run(1, "ip route replace %s dev eth0 mtu lock 100",
			lab.link == LAB_UDP4 ? "10.7.0.209/32" :
					       "fd07::209/128");
	stats_read(1, &before);
	wire_dgram(&w, &past, 5, "");
	fake_send(&past, &w);
	drops_await(&before, &after, 1);
	assert_true(stats_value(&after, "DropTxTooBig") >
		    stats_value(&before, "DropTxTooBig"));
	saw("DropTxTooBig");
	if (lab.link == LAB_ETH)
		lab_run(1, "ip link set eth0 mtu 1500");
	else
		lab_run(1, "ip route del %s dev eth0",
			lab.link == LAB_UDP4 ? "10.7.0.209/32" :
					       "fd07::209/128");
	/* The exchange is to be over before the next test. */
	fake_del(&fake);
	fake = fake_new(0);
}

/* What cannot be sent is counted, too. */
static void transmit(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 4);
	struct wire_conv c = conv_new(port);
	int conn = conv_open(&c, listener);
	struct stats before, after;

	lab_run(1, "ip link set eth0 down");
	stats_read(1, &before);
	msg_send(conn, "to nowhere");
	drops_await(&before, &after, 1);
	assert_int_equal(stats_value(&after, "DropTxNoRoute") -
			 stats_value(&before, "DropTxNoRoute"), 1);
	saw("DropTxNoRoute");
	lab_run(1, "ip link set eth0 up");
	if (lab.link == LAB_UDP6)
		lab_run(1, "ip addr replace fd07::1/64 dev eth0 nodad");
	fake_del(&fake);
	stats_read(1, &before);
	msg_send(conn, "to nobody");
	drops_await(&before, &after, 1);
	assert_int_equal(stats_value(&after, "DropTxNoPeer") -
			 stats_value(&before, "DropTxNoPeer"), 1);
	saw("DropTxNoPeer");
	fake = fake_new(0);
	sock_close((int[]){ conn, listener }, 2);
}

/* More events than a socket's queue holds: how many were lost is told. */
static void events_lost(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	int fd = sock_joined(1, port, group, 1);
	struct fake fakes[9];
	struct wire_conv c = conv_new(port);
	unsigned int i, k, told = 0, sent = 0;
	uint64_t refused = stat_of(1, "RefuseSent");
	struct msg m;
	struct wire w;

	/* Not of those who are absent, should this take long. */
	works(opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK(PSYNC_EV_MISMATCH) |
					    PSYNC_EVMASK(PSYNC_EV_LOST)));
	rendezvous(&c, group);
	for (i = 0; i < COUNT(fakes); i++)
		fakes[i] = fake_new(i + 1);
	/* Each is told at most ten times a second. */
	for (i = 0; i < COUNT(fakes); i++)
		for (k = 0; k < 10; k++, sent++) {
			wire_msg(&w, &fakes[i], &c, 0, 1, 1, "x");
			fake_send(&fakes[i], &w);
		}
	stat_await(1, "RefuseSent", refused + sent);
	for (i = 0; i < 64; i++) {
		msg_recv(fd, &m);
		assert_true(m.event);
		assert_int_equal(m.ev.type, PSYNC_EV_MISMATCH);
		told++;
	}
	msg_recv(fd, &m);
	assert_int_equal(m.ev.type, PSYNC_EV_LOST);
	assert_int_equal(m.ev.reason, sent - told);
	msg_none(fd);
	for (i = 0; i < COUNT(fakes); i++)
		fake_del(&fakes[i]);
	works(close(fd));
}

/*
 * No reason to drop without a test, but those of a machine without memory, and
 * those of fragments and of masks, which have programs of their own.
 */
static void every_reason(void **state)
{
	static const char * const elsewhere[] = {
		"DropNoMem", "DropTxNoMem",	/* fault injection's */
		/* large_test's */
		"DropBadFragment", "DropFragStale", "DropFragFull",
		"DropFragExpired", "DropTxFragFull", "DropTxGivenUp",
		"DropMasked", "DropVoid",	/* mask_test's */
	};
	unsigned int i, k;
	struct stats s;
	bool ok = true;

	/* UDP on IPv6 counts its checksums itself. */
	if (lab.link == LAB_UDP6)
		saw("DropBadCsum");
	stats_read(1, &s);
	for (i = 0; i < COUNT(elsewhere); i++)
		saw(elsewhere[i]);
	for (i = 0; i < s.n; i++) {
		if (strncmp(s.name[i], "Drop", 4))
			continue;
		for (k = 0; k < nseen; k++)
			if (!strcmp(seen[k], s.name[i]))
				break;
		if (k == nseen) {
			print_error("%s was not tested\n", s.name[i]);
			ok = false;
		}
	}
	assert_true(ok);
}

/* All of it without a word in the kernel's log. */
static void no_word(void **state)
{
	log_quiet();
}

/*
 * Host 1 says nothing of its own accord: what it would ask of peers that do
 * not exist would come between.
 */
static struct {
	const char	*name;
	unsigned int	value;
} reticence[] = {
	{ "ack_us", 10000000 }, { "null_ms", 60000 }, { "rto_ms", 60000 },
	{ "rto_min_us", 10000000 }, { "rto_max_ms", 600000 },
	{ "linger_ms", 1 },
};

/* Twice: as it was. */
static void reticent(void)
{
	unsigned int i;

	for (i = 0; i < COUNT(reticence); i++)
		reticence[i].value = sysctl_set(1, reticence[i].name,
						reticence[i].value);
}

static int begin(void **state)
{
	lab_one_cpu(state);
	reticent();
	fake = fake_new(0);
	log_begin();
	return 0;
}

static int end(void **state)
{
	fake_del(&fake);
	reticent();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_site),
		cmocka_unit_test(good_packets),
		cmocka_unit_test(header_flaws),
		cmocka_unit_test(message_flaws),
		cmocka_unit_test(other_flaws),
		cmocka_unit_test(vector_flaws),
		cmocka_unit_test(truncated),
		cmocka_unit_test(padded),
		cmocka_unit_test(checksums),
		cmocka_unit_test(incarnations),
		cmocka_unit_test(incarnation_unanswered),
		cmocka_unit_test(incarnation_elsewhere),
		cmocka_unit_test(not_opened),
		cmocka_unit_test(not_reopened),
		cmocka_unit_test(bad_messages),
		cmocka_unit_test(vectors),
		cmocka_unit_test(vectors_unconfirmed),
		cmocka_unit_test(context_lost),
		cmocka_unit_test(stale_opening),
		cmocka_unit_test(name_taken),
		cmocka_unit_test(limits),
		cmocka_unit_test(limits_unread),
		cmocka_unit_test(embryo),
		cmocka_unit_test(embryo_back),
		cmocka_unit_test(pending_full),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(events_lost),
		cmocka_unit_test(no_word),
		cmocka_unit_test(transmit_too_big),
		cmocka_unit_test(transmit),
		cmocka_unit_test(every_reason),
	};

	lab_init();
	return lab_run_tests(tests, COUNT(tests), begin, end);
}
