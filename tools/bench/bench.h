/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Group communication measured: the same programs over psync and over its
 * peers, one process for each host of a psync-lab, in that host's namespace.
 *
 * What a process has seen it leaves in memory that all share; the one that
 * started them looks at it when they are done.  Whatever is waited for and does
 * not come within BENCH_PATIENCE_NS ends the program with what it lacks.
 */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_HOSTS_MAX		8
#define BENCH_ROUNDS_MAX	100000
#define BENCH_BODY_MAX		1024
#define BENCH_PATIENCE_NS	((uint64_t)60000000000)
#define BENCH_NS_PER_MS		((uint64_t)1000000)

enum bench_kind {
	BENCH_ASK	= 1,
	BENCH_REPLY	= 2,
	BENCH_OVER	= 3,
};

/* A message: reply to question @number of host @about; one asks about itself. */
struct bench_msg {
	uint32_t	kind;
	uint32_t	from;
	uint32_t	about;
	uint32_t	number;
};

enum bench_got {
	BENCH_NOTHING,		/* there is nothing now */
	BENCH_MSG,
	BENCH_LEFT,		/* member @from has left with message @number */
};

/* What a host has of the context graph. */
struct bench_graph {
	uint64_t	nodes;
	uint64_t	hash;		/* of all of them with their predecessors */
	uint32_t	last;		/* sequence number of the victim's last */
};

struct bench;

/* A way to send to a group. */
struct bench_link {
	const char	*name;
	/* Does poll() say when one can send? */
	bool		writable;
	/* A socket that does not wait, all others are there, or it exits. */
	int		(*open)(const struct bench *b, uint32_t host);
	/* What poll() has promised may be nothing for the program. */
	enum bench_got	(*receive)(int fd, struct bench_msg *m);
	/* May be NULL. The graph as it is here; true: nobody lacks any of it. */
	bool		(*graph)(int fd, uint32_t victim, struct bench_graph *g);
};

extern const struct bench_link bench_psync;
extern const struct bench_link bench_tipc;

/* What a host's process leaves. */
struct bench_seen {
	uint64_t	sent;
	uint64_t	received;
	uint64_t	lost;
	uint64_t	twice;
	uint64_t	replies;	/* of others to others */
	uint64_t	violations;	/* of them, before what they answer */
	uint64_t	stood_at;	/* so many sent when it could no more */
	uint64_t	left_at;	/* the victim's end was seen */
	uint64_t	of_victim;	/* messages of it */
	uint32_t	end;		/* number of its last message, if any */
	struct bench_graph graph;
	bool		quiet;
};

struct bench_shared {
	pthread_barrier_t	all;
	pthread_barrier_t	survivors;
	uint64_t		killed_at;
	bool			rest;
	struct bench_seen	seen[BENCH_HOSTS_MAX];
	uint64_t		ns[BENCH_ROUNDS_MAX];
	uint32_t		nns;
};

struct bench {
	const struct bench_link	*link;
	struct bench_shared	*shared;
	uint32_t		hosts;
	uint32_t		group;		/* of psync */
	uint32_t		number;		/* of the conversation */
	uint32_t		body;		/* bytes */
	uint32_t		rounds;
	uint32_t		window;
	uint32_t		askers;		/* the first so many hosts ask */
	int			victim;		/* a host, or -1 */
	uint32_t		victim_after;	/* so many messages */
	int			tell[2];	/* a pipe to who started all */
	int			pid[BENCH_HOSTS_MAX];
};

/* run.c: processes, time, waiting */
typedef void (*bench_work)(struct bench *b, uint32_t host, int fd);

void bench_begin(struct bench *b);
void bench_start(struct bench *b, bench_work work);
/* Until all have ended; those that the victim's death has not ended well are. */
void bench_wait(struct bench *b);
void bench_meet(pthread_barrier_t *barrier);
void bench_die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
uint64_t bench_now(void);
/* False: it cannot be sent now. */
bool bench_send(const struct bench *b, int fd, const struct bench_msg *m);
/* Waits until it was sent. */
void bench_say(const struct bench *b, int fd, const struct bench_msg *m);
/* Until there is something to receive, or to send: false: not in time. */
bool bench_await(const struct bench *b, int fd, bool send, int ms);
/* The value that so many thousandths are not above; sorts. */
uint64_t bench_quantile(uint64_t *ns, uint32_t n, uint32_t permille);

/* What is measured. */
void bench_rtt(struct bench *b);		/* rtt.c */
void bench_order(struct bench *b);		/* order.c */
void bench_stop(struct bench *b);		/* stop.c */
void bench_kill(struct bench *b, uint32_t trials);	/* kill.c */

/* talk.c: everybody asks, everybody answers */
struct bench_talk;

struct bench_talk *bench_talk_new(struct bench *b, uint32_t host, int fd);
void bench_talk_free(struct bench_talk *t);
/* One step; waits for @ms at most if there is nothing to do: then false. */
bool bench_talk_step(struct bench_talk *t, int ms);
/* No more questions. */
void bench_talk_hush(struct bench_talk *t);
/* Questions and answers, of all, that are still to come; 0: none. */
uint64_t bench_talk_lacks(const struct bench_talk *t);

#endif /* TOOLS_BENCH_H */
