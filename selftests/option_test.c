// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of level SOL_PSYNC and the questions about the context graph: every
 * errno, and the answers' form. What the answers must be on real graphs is
 * conv_test's. Needs two hosts.
 */

#include "lib.h"

static int get(int fd, int option, void *value, socklen_t len)
{
	return getsockopt(fd, SOL_PSYNC, option, value, &len);
}

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PSYNC, option, value, len);
}

static const int conv_options[] = {
	PSYNC_CID, PSYNC_ROOT, PSYNC_LEAVES, PSYNC_NEXT, PSYNC_PREV,
	PSYNC_MIDS, PSYNC_SENDER, PSYNC_PRECEDES, PSYNC_STABLE,
	PSYNC_OUTSTANDING, PSYNC_LAST_MID, PSYNC_INFO, PSYNC_MASKS,
};

/* An unknown option, an unknown level, another socket type. */
static void unknown(void **state)
{
	int fd = sock_new(1, SOCK_SEQPACKET);
	int dgram = sock_new(1, SOCK_DGRAM);
	uint32_t zero = 0;
	char value[64];
	socklen_t len = sizeof(value);
	unsigned int i;

	fails(get(fd, 0, value, len), ENOPROTOOPT);
	fails(get(fd, 99, value, len), ENOPROTOOPT);
	fails(get(fd, PSYNC_MASK_OUT, value, len), ENOPROTOOPT);
	fails(get(fd, PSYNC_MASK_IN, value, len), ENOPROTOOPT);
	fails(get(fd, PSYNC_RESEND, value, len), ENOPROTOOPT);
	fails(get(fd, -1, value, len), ENOPROTOOPT);
	fails(set(fd, 0, &zero, 4), ENOPROTOOPT);
	fails(set(fd, 99, &zero, 4), ENOPROTOOPT);
	fails(getsockopt(fd, SOL_PSYNC + 1, 1, value, &len), ENOPROTOOPT);
	fails(setsockopt(fd, SOL_PSYNC + 1, 1, &zero, 4), ENOPROTOOPT);
	/* What can only be asked cannot be set. */
	for (i = 0; i < COUNT(conv_options); i++)
		fails(set(fd, conv_options[i], &zero, 4), ENOPROTOOPT);
	fails(get(dgram, PSYNC_EVENTS, value, len), ENOPROTOOPT);
	fails(get(dgram, PSYNC_CID, value, len), ENOPROTOOPT);
	fails(set(dgram, PSYNC_EVENTS, &zero, 4), ENOPROTOOPT);
	sock_close((int[]){ fd, dgram }, 2);
}

static void not_connected(void **state)
{
	int fd = sock_bound(1, SOCK_SEQPACKET, port_new());
	char value[256] = "";
	unsigned int i;

	for (i = 0; i < COUNT(conv_options); i++)
		fails(get(fd, conv_options[i], value, sizeof(value)), ENOTCONN);
	works(listen(fd, 1));
	for (i = 0; i < COUNT(conv_options); i++)
		fails(get(fd, conv_options[i], value, sizeof(value)), ENOTCONN);
	works(close(fd));
}

/* Every option refuses what is shorter than its type, and takes more. */
static void lengths(void **state)
{
	const struct { int option; socklen_t size; } fixed[] = {
		{ PSYNC_CID, 8 },
		{ PSYNC_ROOT, sizeof(struct psync_query) },
		{ PSYNC_LEAVES, sizeof(struct psync_query) },
		{ PSYNC_MIDS, sizeof(struct psync_query) },
		{ PSYNC_SENDER, sizeof(struct psync_query_sender) },
		{ PSYNC_PRECEDES, sizeof(struct psync_query_precedes) },
		{ PSYNC_STABLE, sizeof(struct psync_query_stable) },
		{ PSYNC_OUTSTANDING, 4 },
		{ PSYNC_LAST_MID, 8 },
		{ PSYNC_EVENTS, 4 },
		{ PSYNC_RECVINFO, 4 },
		{ PSYNC_MANUAL, 4 },
		{ PSYNC_SLOW, sizeof(struct psync_slow) },
		{ PSYNC_INFO, sizeof(struct psync_info) },
		{ PSYNC_PARTICIPANTS, 2 * sizeof(struct psync_pid) },
	};
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	int fd = sock_joined(1, port, group_new(pids, 2), 1);
	uint64_t mid = msg_send(fd, "x");
	uint64_t value[64];
	socklen_t len;
	unsigned int i;

	for (i = 0; i < COUNT(fixed); i++) {
		fails(get(fd, fixed[i].option, value, 0), EINVAL);
		fails(get(fd, fixed[i].option, value, fixed[i].size - 1),
		      EINVAL);
		fails(get(fd, fixed[i].option, value, -1), EINVAL);
		memset(value, 0, sizeof(value));
		if (fixed[i].option == PSYNC_SENDER ||
		    fixed[i].option == PSYNC_STABLE)
			value[0] = mid;
		if (fixed[i].option == PSYNC_PRECEDES)
			value[0] = value[1] = mid;
		len = fixed[i].size + 5;
		works(getsockopt(fd, SOL_PSYNC, fixed[i].option, value, &len));
		assert_int_equal(len, fixed[i].size);
	}
	works(close(fd));
}

static void faults(void **state)
{
	int fd = sock_joined(1, 0, group_of_hosts(port_new()), 1);
	struct psync_query q = { 0 };
	socklen_t len = 64;
	unsigned int i;

	for (i = 0; i < COUNT(conv_options); i++) {
		fails(get(fd, conv_options[i], (void *)8, 256), EFAULT);
		fails(getsockopt(fd, SOL_PSYNC, conv_options[i], &q,
				 (void *)8), EFAULT);
	}
	fails(get(fd, PSYNC_EVENTS, (void *)8, len), EFAULT);
	fails(get(fd, PSYNC_RECVINFO, (void *)8, len), EFAULT);
	fails(get(fd, PSYNC_PARTICIPANTS, (void *)8, 4096), EFAULT);
	fails(set(fd, PSYNC_EVENTS, (void *)8, 4), EFAULT);
	fails(set(fd, PSYNC_RECVINFO, (void *)8, 4), EFAULT);
	works(close(fd));
	fd = sock_new(1, SOCK_SEQPACKET);
	fails(set(fd, PSYNC_PARTICIPANTS, (void *)8, 16), EFAULT);
	works(close(fd));
}

static void participants(void **state)
{
	const struct psync_pid good[] = { { 1, 5 }, { 2, 6 }, { 1, 7 } };
	struct psync_pid pids[1025];
	struct psync_pid back[3];
	socklen_t len = sizeof(back);
	int fd = sock_new(1, SOCK_SEQPACKET);
	unsigned int i;

	/* None were given. */
	works(getsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, back, &len));
	assert_int_equal(len, 0);
	for (i = 0; i < COUNT(pids); i++)
		pids[i] = (struct psync_pid){ 1 + i % 3, 1 + i };
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 0), EINVAL);
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 8), EINVAL);
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 15), EINVAL);
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 17), EINVAL);
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 1025 * 8), EINVAL);
	works(set(fd, PSYNC_PARTICIPANTS, pids, 1024 * 8));
	pids[1023] = pids[0];
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 1024 * 8), EINVAL);
	pids[1] = (struct psync_pid){ 0, 5 };
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 16), EINVAL);
	pids[1] = (struct psync_pid){ 5, 0 };
	fails(set(fd, PSYNC_PARTICIPANTS, pids, 16), EINVAL);
	works(set(fd, PSYNC_PARTICIPANTS, good, sizeof(good)));
	len = sizeof(back);
	works(getsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, back, &len));
	assert_int_equal(len, sizeof(good));
	assert_memory_equal(back, good, sizeof(good));
	works(close(fd));

	fd = sock_listening(1, port_new(), 1);
	fails(set(fd, PSYNC_PARTICIPANTS, good, sizeof(good)), EISCONN);
	works(close(fd));
}

/* While connected they are the conversation's. */
static void participants_connected(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 2, port }, { 1, port2 } };
	int fd = sock_joined(1, 0, group_new(pids, 2), 1);
	struct psync_pid back[2];

	fails(set(fd, PSYNC_PARTICIPANTS, pids, sizeof(pids)), EISCONN);
	works(get(fd, PSYNC_PARTICIPANTS, back, sizeof(back)));
	assert_memory_equal(back, pids, sizeof(pids));
	works(close(fd));
}

static void masks(void **state)
{
	int fd = sock_new(1, SOCK_SEQPACKET);
	uint32_t value;

	assert_int_equal(opt_u32(fd, PSYNC_EVENTS), 0);
	assert_int_equal(opt_u32(fd, PSYNC_RECVINFO), 0);
	fails(opt_set_u32(fd, PSYNC_EVENTS, 1), EINVAL);
	fails(opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK(31)), EINVAL);
	fails(opt_set_u32(fd, PSYNC_EVENTS, 0x80000000U), EINVAL);
	fails(opt_set_u32(fd, PSYNC_RECVINFO, 4), EINVAL);
	assert_int_equal(opt_u32(fd, PSYNC_MANUAL), 0);
	fails(opt_set_u32(fd, PSYNC_MANUAL, 2), EINVAL);
	works(opt_set_u32(fd, PSYNC_MANUAL, 1));
	assert_int_equal(opt_u32(fd, PSYNC_MANUAL), 1);
	value = 1;
	fails(set(fd, PSYNC_RECVINFO, &value, 3), EINVAL);
	fails(set(fd, PSYNC_RECVINFO, &value, 5), EINVAL);
	fails(set(fd, PSYNC_EVENTS, &value, 0), EINVAL);
	works(opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	works(opt_set_u32(fd, PSYNC_RECVINFO, 3));
	assert_int_equal(opt_u32(fd, PSYNC_EVENTS), PSYNC_EVMASK_ALL);
	assert_int_equal(opt_u32(fd, PSYNC_RECVINFO), 3);
	works(close(fd));
}

static void query_errors(void **state)
{
	int fd = sock_joined(1, 0, group_of_hosts(port_new()), 1);
	uint64_t mid = msg_send(fd, "x");
	struct psync_query_precedes precedes = { mid, mid, 0, 1 };
	struct psync_query_stable stable = { .mid = mid, .reserved = 1 };
	struct psync_query_sender sender = { .mid = mid, .reserved = 1 };
	const uint64_t unknown[] = {
		0, PSYNC_MID(0, 2), PSYNC_MID(1, 1), PSYNC_MID(0, 0),
		PSYNC_MID(500, 1), ~0ULL,
	};
	struct {
		struct psync_query q;
		uint64_t mids[4];
	} set = { 0 };
	uint64_t *many = calloc(65537, sizeof(*many));
	struct psync_query_stable answer;
	uint64_t mids[4];
	unsigned int i;

	assert_non_null(many);
	/* Reserved fields, and fields that the question does not have. */
	fails(get(fd, PSYNC_PRECEDES, &precedes, sizeof(precedes)), EINVAL);
	fails(get(fd, PSYNC_STABLE, &stable, sizeof(stable)), EINVAL);
	fails(get(fd, PSYNC_SENDER, &sender, sizeof(sender)), EINVAL);
	assert_int_equal(query(fd, PSYNC_ROOT, mid, mids, 4), -EINVAL);
	assert_int_equal(query(fd, PSYNC_LEAVES, mid, mids, 4), -EINVAL);
	/* More room than there is, more than allowed. */
	set.q.room = 5;
	fails(get(fd, PSYNC_ROOT, &set, sizeof(set)), EINVAL);
	set.q.room = 0xffffffffU;
	fails(get(fd, PSYNC_MIDS, &set, sizeof(set)), EINVAL);
	assert_int_equal(query(fd, PSYNC_MIDS, 0, many, 65537), -EINVAL);
	assert_int_equal(query(fd, PSYNC_MIDS, 0, many, 65536), 1);
	free(many);

	for (i = 0; i < COUNT(unknown); i++) {
		assert_int_equal(query(fd, PSYNC_NEXT, unknown[i], mids, 4),
				 -ENOENT);
		assert_int_equal(query(fd, PSYNC_PREV, unknown[i], mids, 4),
				 -ENOENT);
		if (unknown[i])
			assert_int_equal(query(fd, PSYNC_MIDS, unknown[i],
					       mids, 4), -ENOENT);
		assert_int_equal(query_precedes(fd, unknown[i], mid), -ENOENT);
		assert_int_equal(query_precedes(fd, mid, unknown[i]), -ENOENT);
		assert_int_equal(query_stable(fd, unknown[i], &answer),
				 -ENOENT);
		sender = (struct psync_query_sender){ .mid = unknown[i] };
		fails(get(fd, PSYNC_SENDER, &sender, sizeof(sender)), ENOENT);
	}
	works(close(fd));
}

/* What is in the image but not received is not in the view. */
static void outstanding_unknown(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1), b = sock_joined(2, 0, group, 1);
	uint64_t mid = msg_send(a, "x");
	struct psync_query_stable answer;

	await_poll(b, POLLIN);
	assert_int_equal(opt_outstanding(b), 1);
	assert_int_equal(query(b, PSYNC_NEXT, mid, NULL, 0), -ENOENT);
	assert_int_equal(query_stable(b, mid, &answer), -ENOENT);
	assert_int_equal(query(b, PSYNC_MIDS, 0, NULL, 0), 0);
	assert_int_equal(query(b, PSYNC_ROOT, 0, NULL, 0), 0);
	msg_expect(b, "x");
	assert_int_equal(opt_outstanding(b), 0);
	assert_int_equal(query(b, PSYNC_NEXT, mid, NULL, 0), 0);
	sock_close((int[]){ a, b }, 2);
}

static void sender(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 2, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 2);
	int a = sock_joined(1, 0, group, 1), b = sock_joined(2, 0, group, 1);
	struct psync_query_sender q = { .mid = msg_send(b, "x") };

	msg_expect(a, "x");
	works(get(a, PSYNC_SENDER, &q, sizeof(q)));
	assert_int_equal(q.index, 0);
	assert_memory_equal(&q.pid, &pids[0], sizeof(q.pid));
	assert_int_equal(q.reserved, 0);
	q = (struct psync_query_sender){ .mid = msg_send(a, "y") };
	works(get(a, PSYNC_SENDER, &q, sizeof(q)));
	assert_int_equal(q.index, 1);
	assert_memory_equal(&q.pid, &pids[1], sizeof(q.pid));
	sock_close((int[]){ a, b }, 2);
}

/* Sets longer than the room: how many, and as many as fit. */
static void room(void **state)
{
	int fd = sock_joined(1, 0, group_of_hosts(port_new()), 1);
	uint64_t mids[16], sent[10];
	int i;

	for (i = 0; i < 10; i++)
		sent[i] = msg_send(fd, "x");
	memset(mids, 0x55, sizeof(mids));
	assert_int_equal(query(fd, PSYNC_MIDS, 0, mids, 4), 10);
	assert_memory_equal(mids, sent, 4 * sizeof(*mids));
	assert_true(mids[4] == 0x5555555555555555ULL);
	assert_int_equal(query(fd, PSYNC_MIDS, mids[3], mids, 16), 6);
	assert_memory_equal(mids, sent + 4, 6 * sizeof(*mids));
	assert_int_equal(query(fd, PSYNC_MIDS, sent[9], mids, 16), 0);
	assert_int_equal(query(fd, PSYNC_MIDS, 0, NULL, 0), 10);
	works(close(fd));
}

/* What is not held everywhere stays, so until it is. */
static void nodes_await(int fd, uint32_t nodes)
{
	struct patience p = patience_begin();

	while (opt_info(fd).nodes != nodes)
		patience_try(&p, "nodes to be freed");
}

/* S2.4: queries about what was freed by depth; stable: from the last known. */
static void freed(void **state)
{
	unsigned int absent = sysctl_set(1, "absent_ms", 1);
	unsigned int old = sysctl_set(1, "graph_depth", 8);
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1), b = sock_joined(2, 0, group, 1);
	struct psync_query_sender sender = { .mid = PSYNC_MID(0, 1) };
	struct psync_query_stable stable;
	uint64_t first, last = 0, mids[64];
	int i;

	first = msg_send(a, "first");
	msg_expect(b, "first");
	msg_send(b, "answer");
	msg_expect(a, "answer");
	for (i = 0; i < 20; i++)
		last = msg_send(a, "more");
	nodes_await(a, 8);
	assert_int_equal(opt_info(a).view, 22);
	assert_int_equal(query(a, PSYNC_NEXT, first, mids, 64), -ESTALE);
	assert_int_equal(query(a, PSYNC_PREV, first, mids, 64), -ESTALE);
	assert_int_equal(query(a, PSYNC_MIDS, first, mids, 64), -ESTALE);
	assert_int_equal(query_precedes(a, first, last), -ESTALE);
	assert_int_equal(query_precedes(a, last, first), -ESTALE);
	fails(get(a, PSYNC_SENDER, &sender, sizeof(sender)), ESTALE);
	assert_int_equal(query(a, PSYNC_MIDS, 0, mids, 64), 8);
	assert_true(mids[7] == last);
	/* The second host's answer is in its context; a third never spoke. */
	assert_int_equal(query_stable(a, first, &stable), lab.hosts == 2);
	assert_int_equal(stable.participants, 1);
	assert_int_equal(stable.sites, 2);
	query_is(a, PSYNC_ROOT, 0, first);
	/* At the other host nothing was freed. */
	for (i = 0; i < 20; i++)
		msg_expect(b, "more");
	assert_int_equal(query_precedes(b, first, last), 1);
	sock_close((int[]){ a, b }, 2);
	sysctl_set(1, "graph_depth", old);
	sysctl_set(1, "absent_ms", absent);
}

/* Depth frees nothing that a local participant has yet to receive. */
static void freed_not_outstanding(void **state)
{
	unsigned int absent = sysctl_set(2, "absent_ms", 1);
	unsigned int old = sysctl_set(2, "graph_depth", 4);
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1), b = sock_joined(2, 0, group, 1);
	uint64_t mids[16];
	char text[4];
	int i;

	for (i = 0; i < 10; i++) {
		sprintf(text, "%d", i);
		msg_send(a, text);
	}
	for (i = 0; i < 10; i++) {
		sprintf(text, "%d", i);
		msg_expect(b, text);
	}
	nodes_await(b, 4);
	assert_int_equal(query(b, PSYNC_MIDS, 0, mids, 16), 4);
	assert_true(mids[0] == PSYNC_MID(0, 7));
	sock_close((int[]){ a, b }, 2);
	sysctl_set(2, "graph_depth", old);
	sysctl_set(2, "absent_ms", absent);
}

/* A namespace's limits cannot exceed those it was started with (init's). */
static void sysctls(void **state)
{
	static const char * const names[] = {
		"graph_depth", "held_max", "early_max", "image_bytes",
		"pending_bytes", "hello_ms", "hello_tries", "pending_max",
		"embryo_ms", "closed_ms", "closed_max", "park_max",
		"convs_max", "linger_max", "linger_ms", "absent_ms",
		"repair_rate", "owed_bytes", "max_message", "frag_bytes",
		"frag_max", "frag_ms", "peers_max", "groups_max",
		"links_max",
	};
	unsigned int i, value;
	char path[96];
	FILE *f;

	for (i = 0; i < COUNT(names); i++) {
		value = sysctl_get(1, names[i]);
		assert_int_equal(value, sysctl_get(0, names[i]));
		lab_enter(1);
		snprintf(path, sizeof(path), "/proc/sys/net/psync/%s",
			 names[i]);
		f = fopen(path, "w");
		assert_non_null(f);
		fprintf(f, "%u\n", value + 1);
		fails(fclose(f), EINVAL);
		f = fopen(path, "w");
		fprintf(f, "0\n");
		fails(fclose(f), EINVAL);
		assert_int_equal(sysctl_get(1, names[i]), value);
		sysctl_set(1, names[i], value - 1);
		assert_int_equal(sysctl_get(1, names[i]), value - 1);
		sysctl_set(1, names[i], value);
		/* Lowered in the first namespace it is lowered in all. */
		sysctl_set(0, names[i], value - 1);
		assert_int_equal(sysctl_get(1, names[i]), value - 1);
		sysctl_set(0, names[i], value);
		sysctl_set(1, names[i], value);
	}
}

/* How long to wait costs nobody memory: each namespace is free to choose. */
static void sysctls_free(void **state)
{
	static const char * const names[] = {
		"ack_us", "null_ms", "rto_ms", "rto_min_us", "rto_max_ms",
	};
	unsigned int i, value, first, least;
	char path[96];
	FILE *f;

	for (i = 0; i < COUNT(names); i++) {
		least = strstr(names[i], "_us") ? 100 : 1;
		first = sysctl_get(0, names[i]);
		value = sysctl_set(1, names[i], first + 1);
		sysctl_set(0, names[i], first - 1);
		assert_int_equal(sysctl_get(1, names[i]), first + 1);
		lab_enter(1);
		snprintf(path, sizeof(path), "/proc/sys/net/psync/%s",
			 names[i]);
		f = fopen(path, "w");
		assert_non_null(f);
		fprintf(f, "%u\n", least - 1);
		fails(fclose(f), EINVAL);
		sysctl_set(1, names[i], least);
		assert_int_equal(sysctl_get(1, names[i]), least);
		lab_enter(1);
		f = fopen(path, "w");
		fprintf(f, "1000000000\n");
		fails(fclose(f), EINVAL);
		sysctl_set(0, names[i], first);
		sysctl_set(1, names[i], value);
	}
}

/* P 3.2.2, resend: what it refuses.  What it does: see conv_test. */
static void resend_errors(void **state)
{
	unsigned int absent = sysctl_set(1, "absent_ms", 1);
	unsigned int old = sysctl_set(1, "graph_depth", 4);
	int fd = sock_new(1, SOCK_SEQPACKET);
	uint64_t mid = PSYNC_MID(0, 1), sent;
	int i;

	fails(set(fd, PSYNC_RESEND, &mid, sizeof(mid)), ENOTCONN);
	works(close(fd));
	fd = sock_joined(1, 0, group_of_hosts(port_new()), 1);
	fails(set(fd, PSYNC_RESEND, &mid, sizeof(mid)), ENOENT);
	sent = msg_send(fd, "x");
	assert_true(sent == mid);
	fails(set(fd, PSYNC_RESEND, &mid, 7), EINVAL);
	fails(set(fd, PSYNC_RESEND, &mid, 9), EINVAL);
	fails(set(fd, PSYNC_RESEND, (void *)8, 8), EFAULT);
	works(set(fd, PSYNC_RESEND, &mid, sizeof(mid)));
	for (i = 0; i < 8; i++)
		sent = msg_send(fd, "x");
	nodes_await(fd, 4);
	fails(set(fd, PSYNC_RESEND, &mid, sizeof(mid)), ESTALE);
	works(set(fd, PSYNC_RESEND, &sent, sizeof(sent)));
	works(close(fd));
	sysctl_set(1, "graph_depth", old);
	sysctl_set(1, "absent_ms", absent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown),
		cmocka_unit_test(not_connected),
		cmocka_unit_test(lengths),
		cmocka_unit_test(faults),
		cmocka_unit_test(participants),
		cmocka_unit_test(participants_connected),
		cmocka_unit_test(masks),
		cmocka_unit_test(query_errors),
		cmocka_unit_test(outstanding_unknown),
		cmocka_unit_test(sender),
		cmocka_unit_test(room),
		cmocka_unit_test(freed),
		cmocka_unit_test(freed_not_outstanding),
		cmocka_unit_test(sysctls),
		cmocka_unit_test(sysctls_free),
		cmocka_unit_test(resend_errors),
	};

	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
