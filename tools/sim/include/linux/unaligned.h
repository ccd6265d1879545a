/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: newer kernels have it here. */
#include <asm/unaligned.h>
