/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A call, with its first allocation or copy between kernel and user space
 * failing, then its second, and so on until it meets none that fails: each time
 * it is right, or it fails with an errno that says so, and then it works when
 * it is asked again. That nothing leaks is seen when the module is unloaded.
 *
 * Needs a kernel with fault injection: the debug kernel. The kernel counts for
 * the calling thread (/proc/thread-self/fail-nth).
 */
#ifndef SELFTESTS_LIB_NTH_H
#define SELFTESTS_LIB_NTH_H

#include "lib.h"

/* No call makes so many allocations. */
#define NTH_MAX		1000

/**
 * struct nth - the loop over one call
 * @nth: which is to fail now
 * @injected: calls in which one failed
 * @errors: calls that then failed
 * @over: a call has met none that failed
 */
struct nth {
	unsigned int	nth;
	unsigned int	injected;
	unsigned int	errors;
	bool		over;
};

/* The program's first call. */
void nth_init(void);
/* True while there is another one to let fail. */
bool nth_next(struct nth *n);
/* The loop is over: some were injected, and some made the call fail. */
void nth_end(const struct nth *n, const char *what);
/* Around one call of this thread; was one injected? */
void nth_arm(const struct nth *n);
bool nth_disarm(void);
/* Is this what a want of memory may be called? */
bool nth_is_want(int err);
/* What a call gave that had been armed; negative and errno: an error. */
long nth_judge(struct nth *n, long value, const char *call);

#define nth_call(n, call) \
	(nth_arm(n), nth_judge((n), (call), #call))

/* ... which must work when it is asked again. */
#define nth_again(n, call) \
	do { \
		if (nth_call((n), (call)) < 0) \
			works(call); \
	} while (0)

/* Only what has psync, or another module, on the stack fails; or all. */
void nth_within_modules(void);
void nth_anywhere(void);

#endif /* SELFTESTS_LIB_NTH_H */
