// SPDX-License-Identifier: LGPL-2.1-or-later
/* What fails: who is not waited for, and who comes back. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libpsync.h"
#include "option.h"

/* Most participants, and so most leaves, that there can be. */
#define PARTICIPANTS_MAX	1024

int psync_mask_out(int fd, uint32_t index)
{
	struct psync_mask_out out = { .index = index };

	return psync_option_set(fd, PSYNC_MASK_OUT, &out, sizeof(out));
}

int psync_mask_cut(int fd, uint64_t last)
{
	struct psync_mask_out out = {
		.index = PSYNC_MID_INDEX(last), .flags = PSYNC_MASKF_CUT,
		.cut = last,
	};

	return psync_option_set(fd, PSYNC_MASK_OUT, &out, sizeof(out));
}

int psync_mask_in(int fd, uint32_t index)
{
	return psync_option_set(fd, PSYNC_MASK_IN, &index, sizeof(index));
}

int psync_masks(int fd, uint32_t index, struct psync_masked **masked)
{
	size_t most = PARTICIPANTS_MAX * sizeof(**masked);
	struct psync_query_masks *q = calloc(1, sizeof(*q) + most);
	struct psync_masked *all;
	int n;

	if (!q)
		return -ENOMEM;
	q->index = index;
	q->room = PARTICIPANTS_MAX;
	n = psync_option_get(fd, PSYNC_MASKS, q, sizeof(*q) + most);
	if (n) {
		free(q);
		return n;
	}
	n = (int)q->count;
	all = malloc(n * sizeof(*all));
	if (all) {
		memcpy(all, q->masked, n * sizeof(*all));
		*masked = all;
	} else {
		n = -ENOMEM;
	}
	free(q);
	return n;
}

int psync_get_slow(int fd, struct psync_slow *slow)
{
	return psync_option_get(fd, PSYNC_SLOW, slow, sizeof(*slow));
}

int psync_set_slow(int fd, uint32_t policy, uint32_t ms)
{
	struct psync_slow slow = { .policy = policy, .ms = ms };

	return psync_option_set(fd, PSYNC_SLOW, &slow, sizeof(slow));
}

int psync_set_restart(int fd, uint64_t cid, uint32_t flags,
		      const uint64_t *leaves, size_t n)
{
	struct psync_restart *restart;
	int err;

	if (n > PARTICIPANTS_MAX)
		return -EINVAL;
	restart = calloc(1, sizeof(*restart) + n * sizeof(*leaves));
	if (!restart)
		return -ENOMEM;
	restart->cid = cid;
	restart->flags = flags;
	restart->count = (uint32_t)n;
	if (n)
		memcpy(restart->leaves, leaves, n * sizeof(*leaves));
	err = psync_option_set(fd, PSYNC_RESTART, restart,
			       sizeof(*restart) + n * sizeof(*leaves));
	free(restart);
	return err;
}

int psync_history(int fd, uint32_t *bytes)
{
	return psync_option_get(fd, PSYNC_HISTORY, bytes, sizeof(*bytes));
}

int psync_set_history(int fd, uint32_t bytes)
{
	return psync_option_set(fd, PSYNC_HISTORY, &bytes, sizeof(bytes));
}
