// SPDX-License-Identifier: GPL-2.0-only
/* Hosts, sockets, messages and counters for the test programs. */

#include <limits.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/wait.h>
#include <time.h>

#include "lib.h"

struct lab lab;

static int log_fd = -1;

/* Not an assertion: without a lab no test can say anything. */
static void lab_die(const char *what)
{
	fprintf(stderr, "cannot use the lab: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void lab_family(void)
{
	FILE *f = fopen("/sys/module/psync/parameters/family", "r");

	if (!f || fscanf(f, "%d", &lab.family) != 1)
		lab_die("family");
	fclose(f);
}

void lab_init(void)
{
	const char *hosts = getenv("LAB_HOSTS");
	const char *link = getenv("LAB_LINK");
	char path[32];
	int i;

	setlinebuf(stdout);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	lab_family();
	lab.hosts = hosts ? atoi(hosts) : 0;
	if (lab.hosts < 0 || lab.hosts > LAB_HOSTS_MAX)
		lab_die("LAB_HOSTS");
	if (link && !strcmp(link, "udp4"))
		lab.link = LAB_UDP4;
	else if (link && !strcmp(link, "udp6"))
		lab.link = LAB_UDP6;
	else if (link && strcmp(link, "eth"))
		lab_die("LAB_LINK");
	lab.ns[0] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab.ns[0] < 0)
		lab_die("namespace");
	for (i = 1; i <= lab.hosts; i++) {
		snprintf(path, sizeof(path), "/run/netns/h%d", i);
		lab.ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (lab.ns[i] < 0)
			lab_die(path);
	}
}

/* A number from the environment that the scripts have checked; 1 by default. */
static double lab_factor(const char *name)
{
	const char *text = getenv(name);
	double factor = text ? atof(text) : 1;

	return factor > 0 ? factor : 1;
}

int lab_slow(void)
{
	return lab_factor("PSYNC_SLOW");
}

unsigned int lab_scaled(unsigned int count, unsigned int least)
{
	unsigned int scaled = count * lab_factor("PSYNC_SCALE");

	return scaled < least ? least : scaled;
}

void lab_enter(int host)
{
	assert_in_range(host, 0, lab.hosts);
	if (setns(lab.ns[host], CLONE_NEWNET))
		fail_msg("cannot enter host %d: %s", host, strerror(errno));
}

static cpu_set_t lab_cpus;

int lab_one_cpu(void **state)
{
	cpu_set_t one;

	works(sched_getaffinity(0, sizeof(lab_cpus), &lab_cpus));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	works(sched_setaffinity(0, sizeof(one), &one));
	return 0;
}

int lab_all_cpus(void **state)
{
	works(sched_setaffinity(0, sizeof(lab_cpus), &lab_cpus));
	return 0;
}

void lab_run(int host, const char *format, ...)
{
	char command[1024];
	va_list args;
	int status;

	va_start(args, format);
	assert_true(vsnprintf(command, sizeof(command), format, args) <
		    (int)sizeof(command));
	va_end(args);
	lab_enter(host);
	status = system(command);
	if (status)
		fail_msg("host %d: '%s' gives %d", host, command, status);
}

/* Queues that are there now. */
static struct qdisc {
	int	host;
	char	dev[16];
} qdiscs[LAB_HOSTS_MAX];

static struct qdisc *qdisc_find(int host, const char *dev)
{
	unsigned int i;

	for (i = 0; i < COUNT(qdiscs); i++)
		if (qdiscs[i].host == host && !strcmp(qdiscs[i].dev, dev))
			return &qdiscs[i];
	return NULL;
}

void qdisc_set(int host, const char *dev, const char *format, ...)
{
	struct qdisc *q = qdisc_find(host, dev);
	char what[128];
	va_list args;

	va_start(args, format);
	assert_true(vsnprintf(what, sizeof(what), format, args) <
		    (int)sizeof(what));
	va_end(args);
	lab_run(host, "tc qdisc replace dev %s root %s", dev, what);
	if (q)
		return;
	q = qdisc_find(0, "");
	assert_non_null(q);
	q->host = host;
	assert_true(strlen(dev) < sizeof(q->dev));
	strcpy(q->dev, dev);
}

void qdisc_del(int host, const char *dev)
{
	struct qdisc *q = qdisc_find(host, dev);

	assert_non_null(q);
	q->host = 0;
	lab_run(host, "tc qdisc del dev %s root", dev);
	q->dev[0] = 0;
}

void fails_at(long value, int code, const char *call, const char *file,
	      int line)
{
	if (value == -1 && errno == code)
		return;
	print_error("%s gives %ld (%s), not -1 (%s)\n", call, value,
		    value == -1 ? strerrorname_np(errno) : "no error",
		    strerrorname_np(code));
	_fail(file, line);
}

long works_at(long value, const char *call, const char *file, int line)
{
	if (value != -1)
		return value;
	print_error("%s fails: %s\n", call, strerrorname_np(errno));
	_fail(file, line);
	return -1;
}

struct sockaddr_psync addr_pid(uint32_t site, uint32_t port)
{
	return (struct sockaddr_psync){
		.sp_family = lab.family,
		.sp_type = PSYNC_ADDR_PID,
		.sp_site = site,
		.sp_port = port,
	};
}

struct sockaddr_psync addr_group(uint32_t group, uint32_t number)
{
	return (struct sockaddr_psync){
		.sp_family = lab.family,
		.sp_type = PSYNC_ADDR_GROUP,
		.sp_group = group,
		.sp_number = number,
	};
}

void sock_timeout(int fd, int option, int ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	works(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)));
}

int sock_new(int host, int type)
{
	int fd;

	lab_enter(host);
	fd = works(socket(lab.family, type | SOCK_CLOEXEC, 0));
	sock_timeout(fd, SO_RCVTIMEO, PATIENCE * 1000);
	sock_timeout(fd, SO_SNDTIMEO, PATIENCE * 1000);
	return fd;
}

int sock_bind(int fd, uint32_t port)
{
	struct sockaddr_psync addr = addr_pid(0, port);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

int sock_connect(int fd, uint32_t group, uint32_t number)
{
	struct sockaddr_psync addr = addr_group(group, number);

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

int sock_bound(int host, int type, uint32_t port)
{
	int fd = sock_new(host, type);

	works(sock_bind(fd, port));
	return fd;
}

int sock_listening(int host, uint32_t port, int backlog)
{
	int fd = sock_bound(host, SOCK_SEQPACKET, port);

	works(listen(fd, backlog));
	return fd;
}

int sock_joined(int host, uint32_t port, uint32_t group, uint32_t number)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	if (port)
		works(sock_bind(fd, port));
	works(sock_connect(fd, group, number));
	return fd;
}

int sock_accept(int fd)
{
	int new = works(accept4(fd, NULL, NULL, SOCK_CLOEXEC));

	sock_timeout(new, SO_RCVTIMEO, PATIENCE * 1000);
	sock_timeout(new, SO_SNDTIMEO, PATIENCE * 1000);
	return new;
}

void sock_close(int *fds, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (fds[i] >= 0)
			works(close(fds[i]));
		fds[i] = -1;
	}
}

void port_is_taken(int host, uint32_t port)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	fails(sock_bind(fd, port), EADDRINUSE);
	works(close(fd));
}

int opt_set_u32(int fd, int option, uint32_t value)
{
	return setsockopt(fd, SOL_PSYNC, option, &value, sizeof(value));
}

uint64_t opt_u64(int fd, int option)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t value;

	works(getsockopt(fd, SOL_PSYNC, option, &value, &len));
	assert_int_equal(len, sizeof(value));
	return value;
}

uint32_t opt_u32(int fd, int option)
{
	socklen_t len = sizeof(uint32_t);
	uint32_t value;

	works(getsockopt(fd, SOL_PSYNC, option, &value, &len));
	assert_int_equal(len, sizeof(value));
	return value;
}

uint32_t opt_outstanding(int fd)
{
	return opt_u32(fd, PSYNC_OUTSTANDING);
}

struct psync_info opt_info(int fd)
{
	struct psync_info info;
	socklen_t len = sizeof(info);

	works(getsockopt(fd, SOL_PSYNC, PSYNC_INFO, &info, &len));
	assert_int_equal(len, sizeof(info));
	return info;
}

int query(int fd, int option, uint64_t mid, uint64_t *mids, uint32_t room)
{
	socklen_t len = sizeof(struct psync_query) + room * sizeof(*mids);
	struct psync_query *q = calloc(1, len);
	uint32_t filled;
	int count;

	assert_non_null(q);
	q->mid = mid;
	q->room = room;
	if (getsockopt(fd, SOL_PSYNC, option, q, &len)) {
		free(q);
		return -errno;
	}
	count = q->count;
	filled = q->count < room ? q->count : room;
	assert_int_equal(len, sizeof(*q) + filled * sizeof(*mids));
	memcpy(mids, q->mids, filled * sizeof(*mids));
	free(q);
	return count;
}

void query_is_at(int fd, int option, uint64_t mid, const uint64_t *want,
		 unsigned int n, const char *file, int line)
{
	uint64_t mids[1024];
	int count = query(fd, option, mid, mids, COUNT(mids));
	int i;

	if (count == (int)n && !memcmp(mids, want, n * sizeof(*mids)))
		return;
	print_error("query %d about %llx gives %d:", option,
		    (unsigned long long)mid, count);
	for (i = 0; i < count; i++)
		print_error(" %llx", (unsigned long long)mids[i]);
	print_error("\n");
	_fail(file, line);
}

int query_precedes(int fd, uint64_t first, uint64_t second)
{
	struct psync_query_precedes q = { .first = first, .second = second };
	socklen_t len = sizeof(q);

	if (getsockopt(fd, SOL_PSYNC, PSYNC_PRECEDES, &q, &len))
		return -errno;
	assert_int_equal(len, sizeof(q));
	return q.answer;
}

int query_stable(int fd, uint64_t mid, struct psync_query_stable *answer)
{
	socklen_t len = sizeof(*answer);

	memset(answer, 0, sizeof(*answer));
	answer->mid = mid;
	if (getsockopt(fd, SOL_PSYNC, PSYNC_STABLE, answer, &len))
		return -errno;
	assert_int_equal(len, sizeof(*answer));
	return answer->answer;
}

uint64_t msg_send(int fd, const char *text)
{
	assert_int_equal(works(send(fd, text, strlen(text), MSG_NOSIGNAL)),
			 strlen(text));
	return opt_u64(fd, PSYNC_LAST_MID);
}

static void msg_ancillary(struct msg *m, struct msghdr *hdr)
{
	struct cmsghdr *c;
	size_t len;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level != SOL_PSYNC)
			continue;
		len = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_type == PSYNC_CMSG_INFO) {
			assert_int_equal(len, sizeof(m->info));
			memcpy(&m->info, CMSG_DATA(c), len);
			m->has_info = true;
		} else if (c->cmsg_type == PSYNC_CMSG_PREDS) {
			assert_in_range(len, 0, sizeof(m->preds));
			assert_int_equal(len % sizeof(m->preds[0]), 0);
			memcpy(m->preds, CMSG_DATA(c), len);
			m->npreds = len / sizeof(m->preds[0]);
			m->has_preds = true;
		}
	}
}

ssize_t msg_try(int fd, struct msg *m, int flags)
{
	char control[CMSG_SPACE(sizeof(m->info)) + CMSG_SPACE(sizeof(m->preds))];
	struct iovec iov = { m->body, sizeof(m->body) - 1 };
	struct msghdr hdr = {
		.msg_name = &m->from,
		.msg_namelen = sizeof(m->from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	memset(m, 0, sizeof(*m));
	m->len = recvmsg(fd, &hdr, flags);
	if (m->len < 0)
		return m->len;
	m->flags = hdr.msg_flags;
	m->fromlen = hdr.msg_namelen;
	m->event = hdr.msg_flags & MSG_PSYNC_NOTIFICATION;
	if (m->event && m->len == sizeof(m->ev))
		memcpy(&m->ev, m->body, sizeof(m->ev));
	msg_ancillary(m, &hdr);
	return m->len;
}

void msg_recv(int fd, struct msg *m)
{
	works(msg_try(fd, m, 0));
}

uint64_t msg_expect(int fd, const char *text)
{
	struct msg m;
	uint32_t recvinfo = opt_u32(fd, PSYNC_RECVINFO);

	works(opt_set_u32(fd, PSYNC_RECVINFO, recvinfo | PSYNC_RECV_INFO));
	msg_recv(fd, &m);
	works(opt_set_u32(fd, PSYNC_RECVINFO, recvinfo));
	if (m.event)
		fail_msg("event %u instead of '%s'", m.ev.type, text);
	assert_string_equal(m.body, text);
	assert_true(m.has_info);
	return m.info.mid;
}

struct psync_event event_expect(int fd, uint32_t type)
{
	struct msg m;

	msg_recv(fd, &m);
	if (!m.event)
		fail_msg("'%s' instead of event %u", m.body, type);
	assert_int_equal(m.len, sizeof(m.ev));
	assert_int_equal(m.ev.type, type);
	assert_int_equal(m.ev.reserved, 0);
	return m.ev;
}

void msg_none(int fd)
{
	struct msg m;

	fails(msg_try(fd, &m, MSG_DONTWAIT), EAGAIN);
}

short poll_now(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	works(poll(&p, 1, 0));
	return p.revents;
}

short await_poll(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (works(poll(&p, 1, PATIENCE * 1000)) != 1)
		fail_msg("poll for %x in vain", events);
	return p.revents;
}

unsigned char *body_new(uint32_t len, unsigned int what)
{
	unsigned char *body = malloc(len + 1);
	uint32_t i, x = what * 2654435761U + 1;

	assert_non_null(body);
	for (i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		body[i] = x >> 24;
	}
	return body;
}

void body_send(int fd, uint32_t len, unsigned int what)
{
	unsigned char *body = body_new(len, what);

	assert_int_equal(works(send(fd, body, len, 0)), len);
	free(body);
}

void body_expect(int fd, uint32_t len, unsigned int what)
{
	unsigned char *body = body_new(len, what), *got = malloc(len + 1);

	assert_non_null(got);
	assert_int_equal(works(recv(fd, got, len + 1, 0)), len);
	assert_memory_equal(got, body, len);
	free(got);
	free(body);
}

uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

struct patience patience_begin(void)
{
	return (struct patience){ clock_ms() + PATIENCE * 1000 };
}

void patience_try(struct patience *p, const char *what)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	if (clock_ms() > p->end)
		fail_msg("%s: waited in vain", what);
	nanosleep(&pause, NULL);
}

void sleeper_here(struct sleeper *s)
{
	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
}

/* It sleeps when it is in that call and not running. */
void sleeper_await(struct sleeper *s, long call)
{
	struct patience p = patience_begin();
	char path[64];
	long nr = -1;
	FILE *f;
	int tid;

	while (nr != call) {
		patience_try(&p, "a thread in its system call");
		tid = __atomic_load_n(&s->tid, __ATOMIC_ACQUIRE);
		if (!tid)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%ld", &nr) != 1)
			nr = -1;	/* it runs */
		fclose(f);
	}
}

/* thread-self: setns() changes the calling thread's namespace only. */
void stats_read(int host, struct stats *s)
{
	unsigned long long value;
	FILE *f;

	lab_enter(host);
	f = fopen("/proc/thread-self/net/psync_stat", "r");
	assert_non_null(f);
	for (s->n = 0; s->n < STATS_MAX; s->n++) {
		if (fscanf(f, "%31s %llu", s->name[s->n], &value) != 2)
			break;
		s->value[s->n] = value;
	}
	fclose(f);
	assert_in_range(s->n, 30, STATS_MAX - 1);
}

uint64_t stats_value(const struct stats *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], name))
			return s->value[i];
	fail_msg("no counter %s", name);
	return 0;
}

uint64_t stat_of(int host, const char *name)
{
	struct stats s;

	stats_read(host, &s);
	return stats_value(&s, name);
}

void stat_await(int host, const char *name, uint64_t least)
{
	struct patience p = patience_begin();

	while (stat_of(host, name) < least)
		patience_try(&p, name);
}

unsigned long ip_count(int host, const char *name)
{
	unsigned long value;
	char command[64];
	FILE *f;

	sprintf(command, "nstat -asz %s | tail -n 1", name);
	lab_enter(host);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*s %lu", &value), 1);
	assert_int_equal(pclose(f), 0);
	return value;
}

void unheld_none(int fd)
{
	struct patience p = patience_begin();

	while (opt_info(fd).unheld)
		patience_try(&p, "all to be held");
}

static void sysctl_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/proc/sys/net/psync/%s", name);
}

unsigned int sysctl_get(int host, const char *name)
{
	unsigned int value;
	char path[96];
	FILE *f;

	lab_enter(host);
	sysctl_path(path, sizeof(path), name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &value), 1);
	fclose(f);
	return value;
}

/* What they were when the test began. */
static struct sysctl {
	int		host;
	char		name[24];
	unsigned int	value;
} sysctls[64];
static unsigned int nsysctls;

static void sysctl_note(int host, const char *name, unsigned int value)
{
	struct sysctl *s = sysctls;

	for (; s < sysctls + nsysctls; s++)
		if (s->host == host && !strcmp(s->name, name))
			return;
	assert_in_range(nsysctls, 0, COUNT(sysctls) - 1);
	assert_true(strlen(name) < sizeof(s->name));
	s->host = host;
	strcpy(s->name, name);
	s->value = value;
	nsysctls++;
}

unsigned int sysctl_set(int host, const char *name, unsigned int value)
{
	unsigned int old = sysctl_get(host, name);
	char path[96];
	FILE *f;

	sysctl_note(host, name, old);
	sysctl_path(path, sizeof(path), name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%u\n", value);
	if (fclose(f))
		fail_msg("%s cannot be %u: %s", name, value, strerror(errno));
	return old;
}

void convs_none(int host)
{
	struct patience p = patience_begin();

	while (convs_at(host))
		patience_try(&p, "conversations to be over");
}

void lab_no_nulls(void)
{
	int host;

	for (host = 1; host <= lab.hosts; host++)
		sysctl_set(host, "null_ms", 60000);
}

void lab_nulls(void)
{
	int host;

	for (host = 1; host <= lab.hosts; host++)
		sysctl_set(host, "null_ms", 20);
}

uint32_t port_new(void)
{
	static uint32_t port = 1000;

	return ++port;
}

uint32_t group_new(const struct psync_pid *pids, unsigned int n)
{
	static uint32_t base;
	int host;

	/* Programs follow one another in one lab. */
	if (!base)
		base = getpid() * 1000;
	base++;
	for (host = 1; host <= lab.hosts; host++)
		group_add(host, base, pids, n);
	return base;
}

uint32_t group_of_hosts(uint32_t port)
{
	struct psync_pid pids[LAB_HOSTS_MAX];
	int i;

	for (i = 0; i < lab.hosts; i++)
		pids[i] = (struct psync_pid){ i + 1, port };
	return group_new(pids, lab.hosts);
}

void log_begin(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(log_fd >= 0);
	assert_int_not_equal(lseek(log_fd, 0, SEEK_END), -1);
}

void log_quiet(void)
{
	char line[2048];
	ssize_t len;

	while ((len = read(log_fd, line, sizeof(line) - 1)) > 0) {
		line[len] = 0;
		/* An emulated machine that waits for a processor. */
		if (!strstr(line, "clocksource: ") &&
		    !strstr(line, "hrtimer: interrupt took"))
			fail_msg("the kernel said: %s", line);
	}
	assert_int_equal(errno, EAGAIN);
	close(log_fd);
}

/* The first descriptor that a test opens: what is below is its program's. */
static int test_fd;
static uint64_t test_begun;

/* What takes a second is worth a look. */
#define TEST_LONG_MS	1000

/* Each test's state is the test itself, as it was given to lab_run_tests(). */
static int test_begin(void **state)
{
	const struct CMUnitTest *test = *state;

	test_fd = works(dup(lab.ns[0]));
	works(close(test_fd));
	nsysctls = 0;
	test_begun = clock_ms();
	return test->setup_func ? test->setup_func(state) : 0;
}

/* The first namespace's before the others', which they bound. */
static void test_sysctls(bool first)
{
	const struct sysctl *s;

	for (s = sysctls; s < sysctls + nsysctls; s++)
		if (!s->host == first &&
		    sysctl_get(s->host, s->name) != s->value)
			sysctl_set(s->host, s->name, s->value);
}

static int test_end(void **state)
{
	const struct CMUnitTest *test = *state;
	unsigned int i;
	int err = test->teardown_func ? test->teardown_func(state) : 0;
	uint64_t took;

	/* config_test has namespaces of its own. */
	lab_enter(0);
	for (i = 0; i < COUNT(qdiscs); i++)
		if (qdiscs[i].dev[0])
			qdisc_del(qdiscs[i].host, qdiscs[i].dev);
	test_sysctls(true);
	test_sysctls(false);
	works(close_range(test_fd, ~0U, 0));
	took = clock_ms() - test_begun;
	if (took >= TEST_LONG_MS)
		print_message("# %s: %llu ms\n", test->name,
			      (unsigned long long)took);
	return err;
}

int lab_run_tests(const struct CMUnitTest *tests, size_t n,
		  CMFixtureFunction begin, CMFixtureFunction end)
{
	struct CMUnitTest *all = calloc(n, sizeof(*all));
	size_t i;
	int failed;

	assert_non_null(all);
	for (i = 0; i < n; i++) {
		all[i] = tests[i];
		all[i].setup_func = test_begin;
		all[i].teardown_func = test_end;
		all[i].initial_state = (void *)&tests[i];
	}
	failed = _cmocka_run_group_tests("tests", all, n, begin, end);
	free(all);
	return failed;
}
