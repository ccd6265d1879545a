// SPDX-License-Identifier: LGPL-2.1-or-later
/* Options of a conversation. */

#include <errno.h>
#include <sys/socket.h>

#include "libpsync.h"
#include "option.h"

int psync_option_get(int fd, int option, void *value, size_t size)
{
	socklen_t len = (socklen_t)size;

	if (getsockopt(fd, SOL_PSYNC, option, value, &len) < 0)
		return -errno;
	return 0;
}

int psync_option_set(int fd, int option, const void *value, size_t size)
{
	if (setsockopt(fd, SOL_PSYNC, option, value, (socklen_t)size) < 0)
		return -errno;
	return 0;
}
