/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: the C library's headers reach this file too. */
#ifndef _SIM_LINUX_ERRNO_H
#define _SIM_LINUX_ERRNO_H

#include <asm/errno.h>

#endif /* _SIM_LINUX_ERRNO_H */
