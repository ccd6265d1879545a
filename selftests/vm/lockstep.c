// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into QEMU for --icount: make a run repeat exactly.
 *
 * With -icount sleep=off QEMU's main loop moves the virtual clock on when the
 * virtual CPU has halted. It looks at the CPU's halted flag, which the CPU's
 * thread sets a moment before it accounts for the instructions it has just
 * executed; a main loop that looks in between starts from a clock that is too
 * low, and the instructions are added afterwards: time overshoots by some
 * nanoseconds, about once in 40,000 halts, and from then on two runs may differ.
 *
 * So the main loop gets its turn only while the CPU's thread sleeps: ppoll()
 * does not return to the main thread unless the CPU's thread waits for its
 * condition and nobody has signalled it. QEMU calls both the wait and the
 * signal with its big lock held, which ppoll() is called without. Should the
 * CPU not halt for a second of real time, the main loop gets a turn all the
 * same, since QEMU may have to be ended.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The address of the condition that the CPU's thread waits for, 0 before. */
static atomic_uintptr_t lockstep_cond;
static atomic_int lockstep_asleep;

static void *lockstep_next(const char *name)
{
	/* The oldest version of a condition's functions is another one. */
	void *f = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

	if (!f)
		f = dlsym(RTLD_NEXT, name);
	if (!f)
		abort();
	return f;
}

static int lockstep_is_main(void)
{
	return syscall(SYS_gettid) == getpid();
}

static void lockstep_set(int asleep)
{
	atomic_store(&lockstep_asleep, asleep);
	if (asleep)
		syscall(SYS_futex, &lockstep_asleep, FUTEX_WAKE_PRIVATE, 1,
			NULL, NULL, 0);
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	static int (*next)(pthread_cond_t *cond, pthread_mutex_t *mutex);
	int ret;

	if (!next)
		next = lockstep_next("pthread_cond_wait");
	if (lockstep_is_main())
		return next(cond, mutex);

	atomic_store(&lockstep_cond, (uintptr_t)cond);
	lockstep_set(1);
	ret = next(cond, mutex);
	lockstep_set(0);
	return ret;
}

static void lockstep_signalled(pthread_cond_t *cond)
{
	if ((uintptr_t)cond == atomic_load(&lockstep_cond))
		lockstep_set(0);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
	static int (*next)(pthread_cond_t *cond);

	if (!next)
		next = lockstep_next("pthread_cond_signal");
	lockstep_signalled(cond);
	return next(cond);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
	static int (*next)(pthread_cond_t *cond);

	if (!next)
		next = lockstep_next("pthread_cond_broadcast");
	lockstep_signalled(cond);
	return next(cond);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	static int (*next)(struct pollfd *fds, nfds_t n,
			   const struct timespec *timeout,
			   const sigset_t *mask);
	const struct timespec limit = { .tv_sec = 1 };
	int saved, ret;

	if (!next)
		next = lockstep_next("ppoll");
	ret = next(fds, n, timeout, mask);
	saved = errno;
	if (!lockstep_is_main() || !atomic_load(&lockstep_cond))
		return ret;
	while (!atomic_load(&lockstep_asleep))
		if (syscall(SYS_futex, &lockstep_asleep, FUTEX_WAIT_PRIVATE, 0,
			    &limit, NULL, 0) && errno == ETIMEDOUT)
			break;
	errno = saved;
	return ret;
}
