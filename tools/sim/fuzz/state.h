/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold in every image, whatever came in. */
#ifndef _PSYNC_FUZZ_STATE_H
#define _PSYNC_FUZZ_STATE_H

#include "core/image.h"

/* Says where, and aborts, unless @what. */
#define psync_fuzz_require(what) \
	psync_fuzz_check(what, #what, __FILE__, __LINE__)

void psync_fuzz_check(bool good, const char *what, const char *file, int line);

/**
 * psync_fuzz_state - count again what an image counts on the way
 * @img: image
 *
 * Which site holds what, what is kept for it, what is lacked, and that every
 * deadline that some part of the image has is armed.
 */
void psync_fuzz_state(const struct psync_image *img);

#endif /* _PSYNC_FUZZ_STATE_H */
