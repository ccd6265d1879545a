/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs share: the hosts of a lab, sockets in them, messages,
 * counters, configuration. See README.
 *
 * Nothing here sleeps and hopes: what takes time is waited for, PATIENCE
 * seconds at most, and a test fails when it does not come.
 *
 * From the environment: PSYNC_SCALE, by which counts are multiplied that only
 * make a test longer (0.05: a twentieth), and PSYNC_SLOW, how many times slower
 * than a stock kernel this one is: patience grows with it.
 */
#ifndef SELFTESTS_LIB_H
#define SELFTESTS_LIB_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/psync.h>

#define PATIENCE	(20 * lab_slow())	/* seconds */
#define LAB_HOSTS_MAX	16
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* The lab: hosts 1 to lab.hosts; host 0 is where the programs were started. */
enum lab_link { LAB_ETH, LAB_UDP4, LAB_UDP6 };

struct lab {
	int		hosts;
	enum lab_link	link;
	int		family;
	int		ns[LAB_HOSTS_MAX + 1];
};

extern struct lab lab;

/* From LAB_HOSTS and LAB_LINK in the environment; the program's first call. */
void lab_init(void);
void lab_enter(int host);
/* PSYNC_SLOW: how many times slower the kernel is; what takes time takes as much more. */
int lab_slow(void);
/* @count times PSYNC_SCALE, but @least at least. */
unsigned int lab_scaled(unsigned int count, unsigned int least);
/*
 * A thread that moves to another CPU between two sends may see the second
 * overtake the first: each CPU has its own backlog. What relies on the order
 * of packets stays on one.
 */
int lab_one_cpu(void **state);
int lab_all_cpus(void **state);
#define ordered_unit_test(test) \
	cmocka_unit_test_setup_teardown(test, lab_one_cpu, lab_all_cpus)
/* Runs a shell command in a host; fails the test unless it succeeds. */
void lab_run(int host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What leaves a device of a host passes this queue; taken away by lab_main(). */
void qdisc_set(int host, const char *dev, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void qdisc_del(int host, const char *dev);

/* Failing calls: "fails(close(-1), EBADF);" */
#define fails(call, code) \
	fails_at((call), (code), #call, __FILE__, __LINE__)
/* Calls that must succeed; the value is theirs. */
#define works(call) works_at((call), #call, __FILE__, __LINE__)

void fails_at(long value, int code, const char *call, const char *file,
	      int line);
long works_at(long value, const char *call, const char *file, int line);

/* Addresses. */
struct sockaddr_psync addr_pid(uint32_t site, uint32_t port);
struct sockaddr_psync addr_group(uint32_t group, uint32_t number);

/* Sockets; type may have SOCK_NONBLOCK in it. They time out with PATIENCE. */
int sock_new(int host, int type);
int sock_bound(int host, int type, uint32_t port);
int sock_listening(int host, uint32_t port, int backlog);
/* Bound to @port unless that is 0, connected to group and number. */
int sock_joined(int host, uint32_t port, uint32_t group, uint32_t number);
int sock_bind(int fd, uint32_t port);
int sock_connect(int fd, uint32_t group, uint32_t number);
int sock_accept(int fd);
void sock_close(int *fds, unsigned int n);
void sock_timeout(int fd, int option, int ms);
void port_is_taken(int host, uint32_t port);

/* Options of SOL_PSYNC. */
int opt_set_u32(int fd, int option, uint32_t value);
uint32_t opt_u32(int fd, int option);
uint64_t opt_u64(int fd, int option);
uint32_t opt_outstanding(int fd);
struct psync_info opt_info(int fd);

/* Sets of mids: how many there are, or -errno. */
int query(int fd, int option, uint64_t mid, uint64_t *mids, uint32_t room);
int query_precedes(int fd, uint64_t first, uint64_t second);
int query_stable(int fd, uint64_t mid, struct psync_query_stable *answer);
/* The answer is exactly this set; "..." are mids. */
#define query_is(fd, option, mid, ...) \
	query_is_at((fd), (option), (mid), \
		    (const uint64_t[]){ __VA_ARGS__ }, \
		    COUNT(((const uint64_t[]){ __VA_ARGS__ })), \
		    __FILE__, __LINE__)
void query_is_at(int fd, int option, uint64_t mid, const uint64_t *want,
		 unsigned int n, const char *file, int line);

/* Messages. */
#define MSG_PREDS_MAX	64

struct msg {
	char			body[2048];	/* with a zero behind */
	ssize_t			len;		/* as recvmsg() returned it */
	int			flags;
	struct sockaddr_psync	from;
	socklen_t		fromlen;
	bool			event;
	bool			has_info;
	bool			has_preds;
	struct psync_msginfo	info;
	struct psync_event	ev;
	uint64_t		preds[MSG_PREDS_MAX];
	unsigned int		npreds;
};

uint64_t msg_send(int fd, const char *text);
/* Waits; the socket's timeout ends a test that waits in vain. */
void msg_recv(int fd, struct msg *m);
ssize_t msg_try(int fd, struct msg *m, int flags);
/* Receives a message (no event) of this text, gives its mid. */
uint64_t msg_expect(int fd, const char *text);
/* Receives an event of this type. */
struct psync_event event_expect(int fd, uint32_t type);
/* There is nothing to receive now. */
void msg_none(int fd);

/* Long ones: for each @what other bytes, to be freed. */
#define MIB		(1U << 20)

unsigned char *body_new(uint32_t len, unsigned int what);
void body_send(int fd, uint32_t len, unsigned int what);
void body_expect(int fd, uint32_t len, unsigned int what);

/* Waits for poll events; returns revents. */
short await_poll(int fd, short events);
/* What poll says now. */
short poll_now(int fd, short events);
/* PATIENCE seconds of tries. */
struct patience { uint64_t end; };
struct patience patience_begin(void);
/* False, after a short pause, until it is over; then the test fails. */
void patience_try(struct patience *p, const char *what);
uint64_t clock_ms(void);

/* A thread that is to sleep in a system call on a socket. */
struct sleeper {
	int	fd;
	int	tid;	/* atomic */
};

void sleeper_here(struct sleeper *s);		/* the thread says */
void sleeper_await(struct sleeper *s, long call);	/* SYS_... */

/* Counters of a host (/proc/net/psync_stat). */
#define STATS_MAX	128

struct stats {
	unsigned int	n;
	char		name[STATS_MAX][32];
	uint64_t	value[STATS_MAX];
};

void stats_read(int host, struct stats *s);
uint64_t stats_value(const struct stats *s, const char *name);
uint64_t stat_of(int host, const char *name);
/* Waits until a counter has at least this value. */
void stat_await(int host, const char *name, uint64_t least);
/* What IP has counted there, under nstat's name. */
unsigned long ip_count(int host, const char *name);
/* Waits until all is held by all. */
void unheld_none(int fd);

/* net.psync.NAME of a host; returns what it was. */
unsigned int sysctl_set(int host, const char *name, unsigned int value);
unsigned int sysctl_get(int host, const char *name);

/*
 * In conversations that are opened from now on the graph has what programs
 * send, and END, alone; or null messages, too.
 */
void lab_no_nulls(void);
void lab_nulls(void);

/* Conversations that a host knows. */
unsigned int convs_at(int host);
/* Waits until it knows none: also what was closed is over. */
void convs_none(int host);
/* ... until it does not know this one. */
void conv_none(int host, uint64_t cid);

/* Configuration. A group's number is given out anew for each test. */
uint32_t group_new(const struct psync_pid *pids, unsigned int n);
void group_add(int host, uint32_t number, const struct psync_pid *pids,
	       unsigned int n);
/* One member at each host, all with this port. */
uint32_t group_of_hosts(uint32_t port);
/* A port nobody has used before. */
uint32_t port_new(void);

/* Generic netlink: one request; 0 or -errno, and the kernel's own words. */
struct nl;
struct nl *nl_open(int host);
void nl_close(struct nl *nl);
struct nl *nl_here(void);	/* in the namespace of the caller */
void nl_begin(struct nl *nl, uint8_t command);
void nl_u16(struct nl *nl, uint16_t attr, uint16_t value);
void nl_u32(struct nl *nl, uint16_t attr, uint32_t value);
void nl_u64(struct nl *nl, uint16_t attr, uint64_t value);
void nl_str(struct nl *nl, uint16_t attr, const char *value);
void nl_put(struct nl *nl, uint16_t attr, const void *value, size_t len);
int nl_talk(struct nl *nl);
/* Its halves, neither of which must succeed; or of a dump: 0 or -errno. */
int nl_send(struct nl *nl, bool dump);
int nl_answer(struct nl *nl);
const char *nl_words(const struct nl *nl);
/* Receive a dump: how many objects, or -errno; *intr: it was inconsistent. */
int nl_dump(struct nl *nl, uint16_t key, uint32_t *keys, unsigned int room,
	    bool *intr);
/* ... calling @between after each message of it. */
int nl_dump_between(struct nl *nl, uint16_t key, uint32_t *keys,
		    unsigned int room, bool *intr, void (*between)(void));
/* Join the events; wait for any message (its command), or for an event. */
void nl_listen(struct nl *nl);
int nl_notice(struct nl *nl);
struct psync_event nl_event(struct nl *nl, uint32_t type);

/* The kernel's log: nothing was said since log_begin(). */
void log_begin(void);
void log_quiet(void);

/*
 * Runs tests as TAP; the exit status says whether all passed. What a test that
 * failed has left would fail others: sockets are closed, queues taken away,
 * sysctls set back after each.
 */
#define lab_main(tests) lab_run_tests((tests), COUNT(tests), NULL, NULL)
int lab_run_tests(const struct CMUnitTest *tests, size_t n,
		  CMFixtureFunction begin, CMFixtureFunction end);

#endif /* SELFTESTS_LIB_H */
