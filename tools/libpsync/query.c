// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions about the conversation and its context graph. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libpsync.h"
#include "option.h"

/* Room to begin with, and most that one question may ask for. */
#define ROOM_FIRST	64
#define ROOM_MOST	65536

/* Asks for a set once; the answer says how large it is. */
static int psync_ask_set(int fd, int option, uint64_t mid, uint32_t room,
			 struct psync_query **answer)
{
	size_t size = sizeof(struct psync_query) + room * sizeof(uint64_t);
	struct psync_query *q = calloc(1, size);
	int err;

	if (!q)
		return -ENOMEM;
	q->mid = mid;
	q->room = room;
	err = psync_option_get(fd, option, q, size);
	if (err) {
		free(q);
		return err;
	}
	*answer = q;
	return 0;
}

/* The set is at most as large as there are participants. */
static int psync_set(int fd, int option, uint64_t mid, uint64_t **mids)
{
	uint32_t room = ROOM_FIRST;
	struct psync_query *q;
	uint64_t *set;
	int err, n;

	for (;;) {
		err = psync_ask_set(fd, option, mid, room, &q);
		if (err)
			return err;
		if (q->count <= room)
			break;
		/* It may grow between two questions. */
		room = q->count;
		free(q);
	}
	n = (int)q->count;
	set = malloc((n ? n : 1) * sizeof(*set));
	if (!set) {
		free(q);
		return -ENOMEM;
	}
	memcpy(set, q->mids, n * sizeof(*set));
	free(q);
	*mids = set;
	return n;
}

int psync_roots(int fd, uint64_t **mids)
{
	return psync_set(fd, PSYNC_ROOT, 0, mids);
}

int psync_leaves(int fd, uint64_t **mids)
{
	return psync_set(fd, PSYNC_LEAVES, 0, mids);
}

int psync_next(int fd, uint64_t mid, uint64_t **mids)
{
	return psync_set(fd, PSYNC_NEXT, mid, mids);
}

int psync_prev(int fd, uint64_t mid, uint64_t **mids)
{
	return psync_set(fd, PSYNC_PREV, mid, mids);
}

/* The view may be of any size: page by page. */
int psync_mids(int fd, uint64_t **mids)
{
	uint64_t *all = malloc(sizeof(*all)), *more, last = 0;
	struct psync_query *q;
	uint32_t room = ROOM_FIRST, got;
	size_t n = 0;
	int err;

	if (!all)
		return -ENOMEM;
	do {
		err = psync_ask_set(fd, PSYNC_MIDS, last, room, &q);
		if (err)
			goto out;
		got = q->count < room ? q->count : room;
		more = realloc(all, (n + got + 1) * sizeof(*all));
		if (!more) {
			free(q);
			err = -ENOMEM;
			goto out;
		}
		all = more;
		memcpy(all + n, q->mids, got * sizeof(*all));
		n += got;
		room = q->count - got < ROOM_MOST ? q->count - got : ROOM_MOST;
		free(q);
		if (got)
			last = all[n - 1];
	} while (room);
	*mids = all;
	return (int)n;
out:
	free(all);
	return err;
}

int psync_participants(int fd, struct psync_pid **pids)
{
	socklen_t len = 1024 * sizeof(**pids);
	struct psync_pid *all = malloc(len);
	int err;

	if (!all)
		return -ENOMEM;
	if (getsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, all, &len) < 0) {
		err = -errno;
		free(all);
		return err;
	}
	*pids = all;
	return (int)(len / sizeof(*all));
}

int psync_set_participants(int fd, const struct psync_pid *pids, size_t n)
{
	if (n > 1024)
		return -EINVAL;
	return psync_option_set(fd, PSYNC_PARTICIPANTS, pids,
				n * sizeof(*pids));
}

int psync_precedes(int fd, uint64_t first, uint64_t second)
{
	struct psync_query_precedes q = { .first = first, .second = second };
	int err = psync_option_get(fd, PSYNC_PRECEDES, &q, sizeof(q));

	return err ? err : !!q.answer;
}

int psync_stable(int fd, uint64_t mid, uint32_t *participants, uint32_t *sites)
{
	struct psync_query_stable q = { .mid = mid };
	int err = psync_option_get(fd, PSYNC_STABLE, &q, sizeof(q));

	if (err)
		return err;
	if (participants)
		*participants = q.participants;
	if (sites)
		*sites = q.sites;
	return !!q.answer;
}

int psync_stable_wait(int fd, uint64_t mid, uint32_t participants,
		      uint32_t sites)
{
	struct psync_query_wait q = {
		.mid = mid, .participants = participants, .sites = sites,
	};

	return psync_option_get(fd, PSYNC_STABLE_WAIT, &q, sizeof(q));
}

int psync_stable_poll(int fd, uint64_t mid, uint32_t participants,
		      uint32_t sites)
{
	struct psync_query_wait q = {
		.mid = mid, .participants = participants, .sites = sites,
	};

	return psync_option_set(fd, PSYNC_STABLE_POLL, &q, sizeof(q));
}

int psync_resend(int fd, uint64_t mid)
{
	return psync_option_set(fd, PSYNC_RESEND, &mid, sizeof(mid));
}

int psync_free_node(int fd, uint64_t mid)
{
	return psync_option_set(fd, PSYNC_FREE_NODE, &mid, sizeof(mid));
}

int psync_sender(int fd, uint64_t mid, struct psync_pid *pid, uint32_t *index)
{
	struct psync_query_sender q = { .mid = mid };
	int err = psync_option_get(fd, PSYNC_SENDER, &q, sizeof(q));

	if (err)
		return err;
	*pid = q.pid;
	if (index)
		*index = q.index;
	return 0;
}

int psync_outstanding(int fd)
{
	uint32_t n = 0;
	int err = psync_option_get(fd, PSYNC_OUTSTANDING, &n, sizeof(n));

	return err ? err : (int)n;
}

int psync_cid(int fd, uint64_t *cid)
{
	return psync_option_get(fd, PSYNC_CID, cid, sizeof(*cid));
}

int psync_last_mid(int fd, uint64_t *mid)
{
	return psync_option_get(fd, PSYNC_LAST_MID, mid, sizeof(*mid));
}

int psync_get_info(int fd, struct psync_info *info)
{
	return psync_option_get(fd, PSYNC_INFO, info, sizeof(*info));
}
