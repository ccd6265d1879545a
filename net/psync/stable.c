// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting until a message is n-stable (P 2, S2.2): in getsockopt(), or with
 * poll(), which shows POLLPRI when there is an answer.
 */

#include <linux/file.h>
#include <linux/sched/signal.h>

#include "psync.h"

/*
 * Who sleep on one socket at a time.  Each message that is attached is compared,
 * in softirq and under the conversation's lock, with what each of them waits for.
 */
#define PSYNC_STABLE_WAITS	64

/* The question; the conversation is locked by neither. */
static int psync_stable_check(const struct psync_participant *part,
			      const struct psync_query_wait *q)
{
	if (q->answer || q->reserved ||
	    !psync_stable_possible(&part->conv->img, q->participants, q->sites))
		return -EINVAL;
	return 0;
}

static int psync_stable_err(int answer)
{
	switch (answer) {
	case PSYNC_EUNKNOWN:
		return -ENOENT;
	case PSYNC_ENEVER:
		return -EPIPE;
	}
	return 0;
}

static bool psync_stable_over(const struct psync_participant *part,
			      const struct psync_watch *watch)
{
	return READ_ONCE(watch->answer) || READ_ONCE(part->conv->img.refused);
}

/*
 * Sleeps until there is an answer; lock_sock is given back meanwhile.  Who does
 * not sleep gives it back after it waits no more, and need not be counted.
 */
static int psync_stable_sleep(struct sock *sk, struct psync_participant *part,
			      const struct psync_watch *watch, bool nonblock)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long timeo = sock_rcvtimeo(sk, nonblock);
	int err = 0;

	if (timeo && psync_sk(sk)->waits >= PSYNC_STABLE_WAITS)
		return -ENOBUFS;
	psync_sk(sk)->waits++;
	add_wait_queue(sk_sleep(sk), &wait);
	while (!READ_ONCE(watch->answer)) {
		if (READ_ONCE(part->conv->img.refused))
			err = -ESTALE;
		else if (!timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		if (err)
			break;
		sk_wait_event(sk, &timeo, psync_stable_over(part, watch),
			      &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	psync_sk(sk)->waits--;
	return err;
}

int psync_stable_wait(struct psync_sock *psk, struct psync_query_wait *q,
		      bool nonblock)
{
	struct psync_participant *part = psk->part;
	struct psync_watch watch = {
		.mid		= q->mid,
		.participants	= q->participants,
		.sites		= q->sites,
		.user		= &psk->sk,
	};
	int stable, err;

	err = psync_stable_check(part, q);
	if (err)
		return err;
	psync_conv_lock(part->conv);
	psync_stable_watch(&part->view, &watch);
	psync_conv_unlock(part->conv);
	if (!watch.answer)
		err = psync_stable_sleep(&psk->sk, part, &watch, nonblock);

	psync_conv_lock(part->conv);
	psync_stable_unwatch(&watch);
	/* It may have come true at the last moment. */
	if (watch.answer)
		err = psync_stable_err(watch.answer);
	stable = psync_stable_count(&part->view, q->mid, &q->participants,
				    &q->sites);
	psync_conv_unlock(part->conv);
	q->answer = stable == 1;
	return err;
}

int psync_stable_set(struct psync_sock *psk, const struct psync_query_wait *q)
{
	struct psync_participant *part = psk->part;
	struct psync_watch *watch = &part->watch;
	u32 participants, sites;
	int err = 0;

	if (q->mid)
		err = psync_stable_check(part, q);
	else if (q->participants || q->sites || q->answer || q->reserved)
		err = -EINVAL;
	if (err)
		return err;
	psync_conv_lock(part->conv);
	if (q->mid && psync_stable_count(&part->view, q->mid, &participants,
					 &sites) < 0) {
		psync_conv_unlock(part->conv);
		return -ENOENT;
	}
	psync_stable_unwatch(watch);
	watch->answer = 0;
	watch->mid = q->mid;
	watch->participants = q->participants;
	watch->sites = q->sites;
	watch->user = &psk->sk;
	if (q->mid)
		psync_stable_watch(&part->view, watch);
	psync_conv_unlock(part->conv);
	/* Who polls already is told, too. */
	if (READ_ONCE(watch->answer))
		psk->sk.sk_data_ready(&psk->sk);
	return 0;
}
