// SPDX-License-Identifier: GPL-2.0-only
/*
 * psync-sim: run seeds on all cores, report what was found.
 *
 * Workers are processes: a core that crashes takes one seed with it, which is
 * reported like any other finding.  They take the next seed from a counter in
 * shared memory and add up their figures there.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/limits.h>

#include "checker.h"
#include "shape.h"
#include "sim.h"

#define PSYNC_MAIN_JOBS		64
#define PSYNC_MAIN_SEED_S	300	/* no seed takes even a slow one so long */
#define PSYNC_MAIN_OFTEN	10	/* seeds from which OFTEN is asked */
#define PSYNC_MAIN_RARE		200	/* seeds from which RARE is asked */
#define PSYNC_MAIN_RARE_SITES	8	/* ... when all have so many */
#define PSYNC_MAIN_MANY		1000	/* ... and when each has its own number */
#define PSYNC_MAIN_STRUCK	5	/* of 100 runs, for each fault */

/**
 * struct psync_worker - a worker's part of the shared memory
 * @seed: what it works on
 * @passed: seeds
 * @told: it has said itself what was found in this seed
 * @slowest: the seed that took it longest
 * @slowest_ms: so long, of its processor
 * @stats: figures
 */
struct psync_worker {
	u64 seed;
	u64 passed;
	bool told;
	u64 slowest;
	u64 slowest_ms;
	struct psync_stats stats;
};

/**
 * struct psync_board - memory shared by all workers
 * @next: next seed
 * @failed: seeds that failed
 * @least: the first of them
 * @workers: their parts
 */
struct psync_board {
	atomic_ullong next;
	atomic_ullong failed;
	atomic_ullong least;
	struct psync_worker workers[PSYNC_MAIN_JOBS];
};

/**
 * struct psync_options - command line
 * @first: first seed
 * @seeds: how many
 * @sites: at most so many, 0: as each seed has it
 * @jobs: workers
 * @stop: failures after which no more seeds are begun
 * @only: kinds of faults that may happen
 * @most: messages, 0: as drawn
 * @shrink: program that makes what failed smaller, or NULL
 * @trace: print the schedule
 */
struct psync_options {
	u64 first;
	u64 seeds;
	u32 sites;
	u32 jobs;
	u64 stop;
	u32 only;
	u32 most;
	const char *shrink;
	bool trace;
};

static const char psync_main_usage[] =
	"usage: psync-sim [--seeds N] [--sites K] [--first SEED] [--jobs N]\n"
	"                 [--stop FAILURES] [--faults MASK] [--messages N]\n"
	"                 [--shrink PROGRAM]\n"
	"       psync-sim --seed SEED [--sites K] [--faults MASK] [--messages N]\n"
	"                 [--trace]\n"
	"       psync-sim --kinds\n"
	"\n"
	"Runs the protocol core in simulated sites and checks what their\n"
	"participants saw.  The same seed and number of sites make the same run;\n"
	"without --sites (or with 0) the seed says how many, from 2 to 32.  Of what\n"
	"goes wrong in a run MASK leaves only some kinds, and N is the most messages\n"
	"of its main conversation.  PROGRAM is run with what failed first, to make\n"
	"it smaller.  --kinds prints the MASK of all kinds.\n"
	"Exit status: 0 nothing found, 1 something found, 2 wrong usage.\n";

static u32 psync_main_sites(const struct psync_options *opt, u64 seed)
{
	return opt->sites ? opt->sites : psync_shape_sites(seed);
}

static int psync_main_replay(const struct psync_options *opt, u64 seed,
			     char *to, size_t room)
{
	char faults[32] = "", messages[32] = "";

	if (opt->only != PSYNC_FAULT_ALL)
		snprintf(faults, sizeof(faults), " FAULTS=0x%x", opt->only);
	if (opt->most)
		snprintf(messages, sizeof(messages), " MESSAGES=%u", opt->most);
	return snprintf(to, room, "make sim SEED=%llu SITES=%u%s%s\n", seed,
			psync_main_sites(opt, seed), faults, messages);
}

static void psync_main_report(const struct psync_options *opt, u64 seed,
			      const char *invariant, const char *text)
{
	char line[640];
	int n;

	n = snprintf(line, sizeof(line),
		     "FAIL seed=%llu sites=%u invariant=%s %s\n"
		     "  replay: ",
		     seed, psync_main_sites(opt, seed), invariant, text);
	n += psync_main_replay(opt, seed, line + n, sizeof(line) - n);
	/* one write, so that workers do not mix their lines */
	if (write(STDOUT_FILENO, line, n) != n)
		_exit(1);
}

static bool psync_main_seed(const struct psync_options *opt, u64 seed,
			    struct psync_hist *hist, struct psync_stats *stats)
{
	struct psync_sim sim = {
		.seed = seed,
		.only = opt->only,
		.most = opt->most,
		.hist = hist,
		.stats = stats,
		.trace = opt->trace ? stdout : NULL,
	};

	if (psync_sim_run(&sim, psync_main_sites(opt, seed)))
		return true;
	fflush(stdout);
	psync_main_report(opt, seed, sim.invariant, sim.text);
	return false;
}

static void psync_main_failed(struct psync_board *board, u64 seed)
{
	unsigned long long least = board->least;

	board->failed++;
	while (seed < least &&
	       !atomic_compare_exchange_weak(&board->least, &least, seed))
		;
}

/* What the worker is at, for psync_main_crash(). */
static const struct psync_options *psync_main_opt;
static struct psync_worker *psync_main_worker;
static const struct psync_hist *psync_main_hist;

/* Both sanitizers are to end in SIGABRT. */
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

/*
 * What participants have seen so far often says more clearly what is wrong
 * than the place where it breaks.  No lock is held: everything here runs in
 * one thread, and abort() was called by it.
 */
static void psync_main_crash(int sig)
{
	struct psync_verdict verdict;

	signal(sig, SIG_DFL);
	psync_check(psync_main_hist, &verdict);
	if (verdict.invariant)
		psync_main_report(psync_main_opt, psync_main_worker->seed,
				  verdict.invariant, verdict.text);
	psync_main_worker->told = verdict.invariant;
	_exit(1);
}

/* Of this worker's processor. */
static u64 psync_main_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void psync_main_timed(struct psync_worker *worker, u64 ms)
{
	if (ms < worker->slowest_ms)
		return;
	worker->slowest_ms = ms;
	worker->slowest = worker->seed;
}

static void psync_main_work(const struct psync_options *opt,
			    struct psync_board *board,
			    struct psync_worker *worker)
{
	const struct itimerval limit = {
		.it_value.tv_sec = PSYNC_MAIN_SEED_S };
	struct psync_hist hist = { 0 };
	u64 begun;

	psync_main_opt = opt;
	psync_main_worker = worker;
	psync_main_hist = &hist;
	signal(SIGABRT, psync_main_crash);
	while (board->failed < opt->stop) {
		worker->told = false;
		worker->seed = board->next++;
		if (worker->seed >= opt->first + opt->seeds)
			break;
		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		begun = psync_main_ms();
		if (psync_main_seed(opt, worker->seed, &hist, &worker->stats))
			worker->passed++;
		else
			psync_main_failed(board, worker->seed);
		psync_main_timed(worker, psync_main_ms() - begun);
	}
	psync_hist_free(&hist);
	signal(SIGABRT, SIG_DFL);
}

static void psync_main_spawn(const struct psync_options *opt,
			     struct psync_board *board, pid_t *pids, u32 i)
{
	pids[i] = fork();
	if (pids[i] < 0) {
		perror("psync-sim: fork");
		exit(1);
	}
	if (pids[i])
		return;
	psync_main_work(opt, board, &board->workers[i]);
	exit(0);
}

/* Wait for all; a worker that died is reported and replaced. */
static void psync_main_supervise(const struct psync_options *opt,
				 struct psync_board *board)
{
	pid_t pids[PSYNC_MAIN_JOBS], pid;
	u32 i, left = opt->jobs;
	int status;

	for (i = 0; i < opt->jobs; i++)
		psync_main_spawn(opt, board, pids, i);
	while (left) {
		pid = wait(&status);
		if (pid < 0 && errno == EINTR)
			continue;
		for (i = 0; i < opt->jobs && pids[i] != pid; i++)
			;
		if (i == opt->jobs)
			continue;
		left--;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		psync_main_failed(board, board->workers[i].seed);
		if (!board->workers[i].told)
			psync_main_report(opt, board->workers[i].seed,
					  WIFSIGNALED(status) &&
					  WTERMSIG(status) == SIGVTALRM ?
					  "hang" : "crash", "the worker died");
		if (board->failed < opt->stop) {
			psync_main_spawn(opt, board, pids, i);
			left++;
		}
	}
}

static void psync_main_add(struct psync_stats *to,
			   const struct psync_stats *from)
{
	u32 i;

#define ADD(a, b) ((a) + (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define X(name, how, often, text) to->name = how(to->name, from->name);
	PSYNC_STATS(X)
#undef X
#undef ADD
#undef MAX
	to->seeds += from->seeds;
	for (i = 0; i < PSYNC_DROP_MAX; i++)
		to->drops[i] += from->drops[i];
	for (i = 0; i < PSYNC_FAULT_MAX; i++) {
		to->hits[i] += from->hits[i];
		to->struck[i] += from->struck[i];
	}
}

static bool psync_main_is_long(const struct psync_options *opt)
{
	if (!opt->sites)
		return opt->seeds >= PSYNC_MAIN_MANY;
	return opt->seeds >= PSYNC_MAIN_RARE &&
	       opt->sites >= PSYNC_MAIN_RARE_SITES;
}

/* Each kind of fault must have happened in so many of a hundred runs. */
static u32 psync_main_faults(const struct psync_options *opt,
			     const struct psync_stats *stats)
{
	u32 i, vacuous = 0;
	bool asked, bad;

	asked = psync_main_is_long(opt) &&
		opt->only == PSYNC_FAULT_ALL && !opt->most;
	for (i = 0; i < PSYNC_FAULT_MAX; i++) {
		bad = asked && stats->struck[i] * 100 <
			       PSYNC_MAIN_STRUCK * stats->seeds;
		printf("%-40s %12llu in %5.1f %% of seeds%s\n",
		       psync_fault_names[i], stats->hits[i],
		       100.0 * stats->struck[i] /
		       (stats->seeds ? stats->seeds : 1),
		       bad ? "  FAIL: too seldom" : "");
		vacuous += bad;
	}
	return vacuous;
}

/* The figures; counts those that must not be zero and are. */
static u32 psync_main_summary(const struct psync_options *opt,
			      const struct psync_stats *stats)
{
	enum { OFTEN, RARE };
	bool asked[] = {
		[OFTEN] = opt->seeds >= PSYNC_MAIN_OFTEN,
		[RARE] = psync_main_is_long(opt),
	};
	u32 vacuous = 0;

#define X(name, how, often, text)					\
	do {								\
		bool bad = asked[often] && !stats->name;		\
									\
		printf("%-40s %12llu%s\n", text, stats->name,		\
		       bad ? "  FAIL: vacuous" : "");			\
		vacuous += bad;						\
	} while (0);
	PSYNC_STATS(X)
#undef X
	return vacuous + psync_main_faults(opt, stats);
}

static void psync_main_slowest(const struct psync_options *opt,
			       const struct psync_board *board)
{
	const struct psync_worker *most = &board->workers[0];
	u32 i;

	for (i = 1; i < opt->jobs; i++)
		if (board->workers[i].slowest_ms > most->slowest_ms)
			most = &board->workers[i];
	printf("the slowest took %llu ms: SEED=%llu SITES=%u\n",
	       most->slowest_ms, most->slowest,
	       psync_main_sites(opt, most->slowest));
}

/* Does not return when all is well: the program takes over. */
static void psync_main_shrink(const struct psync_options *opt, u64 seed)
{
	char words[4][32];
	char self[4096];
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0) {
		perror("psync-sim: /proc/self/exe");
		return;
	}
	self[n] = 0;
	snprintf(words[0], sizeof(words[0]), "%llu", seed);
	snprintf(words[1], sizeof(words[1]), "%u",
		 psync_main_sites(opt, seed));
	snprintf(words[2], sizeof(words[2]), "0x%x", opt->only);
	snprintf(words[3], sizeof(words[3]), "%u", opt->most);
	execl(opt->shrink, opt->shrink, self, words[0], words[1], words[2],
	      words[3], NULL);
	perror(opt->shrink);
}

static int psync_main_all(const struct psync_options *opt)
{
	struct psync_stats total = { 0 };
	struct psync_board *board;
	u64 passed = 0, failed;
	u32 i, vacuous;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED) {
		perror("psync-sim: mmap");
		return 1;
	}
	board->next = opt->first;
	board->least = U64_MAX;
	psync_main_supervise(opt, board);
	for (i = 0; i < opt->jobs; i++) {
		psync_main_add(&total, &board->workers[i].stats);
		passed += board->workers[i].passed;
	}
	failed = board->failed;
	psync_main_slowest(opt, board);
	vacuous = failed ? 0 : psync_main_summary(opt, &total);
	printf("%llu passed, %llu failed\n", passed, failed + vacuous);
	if (failed && opt->shrink)
		psync_main_shrink(opt, board->least);
	munmap(board, sizeof(*board));
	return failed || vacuous || passed != opt->seeds;
}

static int psync_main_one(const struct psync_options *opt)
{
	struct psync_stats stats = { 0 };
	struct psync_hist hist = { 0 };
	bool good;

	good = psync_main_seed(opt, opt->first, &hist, &stats);
	psync_hist_free(&hist);
	psync_main_summary(opt, &stats);
	printf("%d passed, %d failed\n", good, !good);
	return !good;
}

static u64 psync_main_number(const char *arg, u64 least, u64 most)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(arg, &end, 0);
	if (errno || !*arg || *arg == '-' || *end || value < least ||
	    value > most) {
		fprintf(stderr, "psync-sim: %s is not a number from %llu to %llu\n",
			arg, least, most);
		exit(2);
	}
	return value;
}

static bool psync_main_parse(int argc, char **argv, struct psync_options *opt)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "sites", required_argument, NULL, 'k' },
		{ "first", required_argument, NULL, 'f' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "stop", required_argument, NULL, 'x' },
		{ "faults", required_argument, NULL, 'm' },
		{ "messages", required_argument, NULL, 'q' },
		{ "shrink", required_argument, NULL, 'r' },
		{ "kinds", no_argument, NULL, 'i' },
		{ "trace", no_argument, NULL, 't' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			opt->seeds = 1;
			opt->jobs = 0;
			opt->first = psync_main_number(optarg, 0, U64_MAX - 1);
			break;
		case 'n':
			opt->seeds = psync_main_number(optarg, 1, U32_MAX);
			break;
		case 'k':
			opt->sites = psync_main_number(optarg, 0, 1024);
			break;
		case 'f':
			opt->first = psync_main_number(optarg, 0, U32_MAX);
			break;
		case 'j':
			opt->jobs = psync_main_number(optarg, 1,
						      PSYNC_MAIN_JOBS);
			break;
		case 'x':
			opt->stop = psync_main_number(optarg, 1, U32_MAX);
			break;
		case 'm':
			opt->only = psync_main_number(optarg, 0, U32_MAX) &
				    PSYNC_FAULT_ALL;
			break;
		case 'q':
			opt->most = psync_main_number(optarg, 0, U32_MAX);
			break;
		case 'r':
			opt->shrink = optarg;
			break;
		case 'i':
			printf("0x%x\n", PSYNC_FAULT_ALL);
			exit(0);
		case 't':
			opt->trace = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && opt->sites != 1;
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct psync_options opt = {
		.first = 1,
		.seeds = 100,
		.jobs = cpus < 1 ? 1 : cpus > PSYNC_MAIN_JOBS ?
			PSYNC_MAIN_JOBS : cpus,
		.stop = 10,
		.only = PSYNC_FAULT_ALL,
	};

	if (!psync_main_parse(argc, argv, &opt)) {
		fputs(psync_main_usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	return opt.jobs ? psync_main_all(&opt) : psync_main_one(&opt);
}
