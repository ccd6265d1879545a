// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: bench psync|tipc rtt HOSTS NUMBER ROUNDS
 *        bench psync|tipc order HOSTS NUMBER ROUNDS WINDOW
 *        bench psync|tipc stop HOSTS NUMBER
 *        bench psync|tipc kill HOSTS NUMBER TRIALS WINDOW AFTER ASKERS
 *
 * In a psync-lab of at least HOSTS hosts, each of which has group 1 with one
 * member at every host, or, for tipc, links to all others.  NUMBER is the
 * conversation's, and of "kill" the first one's: no two programs may have the
 * same.  WINDOW questions of each host are under way at a time; of "kill" the
 * first ASKERS hosts ask.  Its victim dies AFTER it has received so many
 * messages, and 7 more in every trial; 0: when all is silent.
 *
 * Prints names and numbers, one pair on a line; times end in the unit, us990
 * is the 99th percentile in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void usage(void)
{
	fprintf(stderr, "usage: bench psync|tipc rtt HOSTS NUMBER ROUNDS\n"
		"       ... order HOSTS NUMBER ROUNDS WINDOW\n"
		"       ... stop HOSTS NUMBER\n"
		"       ... kill HOSTS NUMBER TRIALS WINDOW AFTER ASKERS\n");
	exit(2);
}

static uint32_t number(const char *text, uint32_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > most)
		usage();
	return n;
}

int main(int argc, char **argv)
{
	struct bench b = { .group = 1, .body = 64, .victim = -1 };
	const char *mode;

	if (argc < 5)
		usage();
	mode = argv[2];
	if (!strcmp(argv[1], "psync"))
		b.link = &bench_psync;
	else if (!strcmp(argv[1], "tipc"))
		b.link = &bench_tipc;
	else
		usage();
	b.hosts = number(argv[3], BENCH_HOSTS_MAX);
	b.number = number(argv[4], 1000000);
	if (b.hosts < 3 || !b.number)
		usage();
	if (!strcmp(mode, "rtt") && argc == 6) {
		b.rounds = number(argv[5], BENCH_ROUNDS_MAX);
		bench_rtt(&b);
	} else if (!strcmp(mode, "order") && argc == 7) {
		b.rounds = number(argv[5], BENCH_ROUNDS_MAX);
		b.window = number(argv[6], 1000);
		b.askers = b.hosts;
		bench_order(&b);
	} else if (!strcmp(mode, "stop") && argc == 5) {
		b.body = BENCH_BODY_MAX;
		b.victim = 2;
		b.victim_after = 100;
		bench_stop(&b);
	} else if (!strcmp(mode, "kill") && argc == 9) {
		b.window = number(argv[6], 1000);
		b.victim_after = number(argv[7], 1000);
		b.rounds = b.victim_after ? 1000 : 5;
		b.askers = number(argv[8], b.hosts);
		b.victim = 1;
		bench_kill(&b, number(argv[5], 90));
	} else {
		usage();
	}
	return 0;
}
