// SPDX-License-Identifier: GPL-2.0-only
/*
 * A long conversation: what the kernel keeps does not grow with it.
 *
 * Three hosts send in turn, and each receives all; the network loses what the
 * lab makes it lose. After each tenth, when everybody has everything, it is
 * looked at what `psync conv --json` says of the graph, what is charged to the
 * sockets, and what the kernel has in its slabs.
 *
 * usage: memory_test MESSAGES       multiplied by PSYNC_SCALE (lib.h)
 */

#include "lib.h"

#define HOSTS		3
#define TENTHS		10
#define BURST		8
#define BODY		64
#define DEPTH		1000	/* nodes kept */
#define LEAST		1000	/* messages */

/* What is kept, added up over the hosts. */
struct kept {
	unsigned long long	nodes;
	unsigned long long	bodies;
	unsigned long long	charged;	/* to the sockets */
	unsigned long long	told;		/* for the conversation */
	unsigned long long	slab;
};

static unsigned long messages;

/* A number from what the command line tool says of the only conversation. */
static unsigned long long told(const char *text, const char *name)
{
	char key[40];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(text, key);
	if (!at)
		fail_msg("%s: not in %s", name, text);
	return strtoull(at + strlen(key), NULL, 10);
}

static void kept_at(int host, struct kept *kept)
{
	static char text[65536];
	size_t n;
	FILE *f;

	lab_enter(host);
	f = popen("psync conv show --json", "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	assert_int_equal(pclose(f), 0);
	kept->nodes += told(text, "nodes");
	kept->bodies += told(text, "body_bytes");
	kept->told += told(text, "charged");
	assert_int_equal(told(text, "owed"), 0);
	lab_enter(0);
}

/* Bytes of all objects in use; what the kernel has freed may take a while. */
static unsigned long long slabs(void)
{
	unsigned long long active, size, sum = 0;
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %llu %*u %llu", &active, &size) == 2)
			sum += active * size;
	fclose(f);
	assert_true(sum);
	return sum;
}

/* Everybody has everything, and knows it of the others. */
static void all_held(const int *fds)
{
	struct patience p = patience_begin();
	struct psync_info info;
	int i;

	for (i = 0; i < HOSTS; i++) {
		while ((info = opt_info(fds[i])).unheld || info.lacking ||
		       info.outstanding)
			patience_try(&p, "everything to be held");
	}
}

static void look(const int *fds, struct kept *kept)
{
	int i;

	all_held(fds);
	*kept = (struct kept){ .slab = slabs() };
	for (i = 0; i < HOSTS; i++) {
		kept_at(i + 1, kept);
		kept->charged += opt_info(fds[i]).charged;
	}
}

static void talk(const int *fds, unsigned long n)
{
	char body[BODY] = "", got[BODY];
	unsigned long round;
	int from, to, i;

	for (round = 0; round < n / BURST; round++) {
		from = round % HOSTS;
		for (i = 0; i < BURST; i++)
			assert_int_equal(send(fds[from], body, BODY, 0), BODY);
		for (to = 0; to < HOSTS; to++)
			for (i = 0; to != from && i < BURST; i++)
				assert_int_equal(recv(fds[to], got, BODY, 0),
						 BODY);
	}
}

static void flat(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct kept kept[TENTHS], *first = &kept[0];
	struct kept *last = &kept[TENTHS - 1];
	int fds[HOSTS], i;

	for (i = 0; i < HOSTS; i++) {
		sysctl_set(i + 1, "graph_depth", DEPTH);
		fds[i] = sock_joined(i + 1, 0, group, 1);
	}
	/* What the kernel takes for a program once. */
	talk(fds, DEPTH);
	for (i = 0; i < TENTHS; i++) {
		talk(fds, messages / TENTHS);
		look(fds, &kept[i]);
		print_message("# %lu messages: %llu nodes, %llu bytes of bodies, %llu charged, %llu in slabs\n",
			      messages / TENTHS * (i + 1), kept[i].nodes,
			      kept[i].bodies, kept[i].charged, kept[i].slab);
	}
	assert_in_range(first->nodes, 2 * DEPTH, HOSTS * (DEPTH + 100));
	assert_in_range(last->nodes, 2 * DEPTH, HOSTS * (DEPTH + 100));
	assert_int_equal(last->bodies, 0);
	/* Nothing is sent that the sockets are charged for besides. */
	assert_int_equal(last->told, last->charged);
	assert_in_range(last->charged, 1,
			first->charged + first->charged / 10 + 65536);
	/* KASAN keeps what was freed for a while, kmemleak a note of all. */
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		assert_in_range(last->slab, 1, first->slab + first->slab / 50);
	sock_close(fds, HOSTS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat),
	};

	lab_init();
	if (argc != 2 || lab.hosts < HOSTS)
		return 2;
	messages = lab_scaled(strtoul(argv[1], NULL, 10), LEAST);
	return lab_main(tests);
}
