/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of a conversation, with a negative errno; not exported. */
#ifndef LIBPSYNC_OPTION_H
#define LIBPSYNC_OPTION_H

#include <stddef.h>

/* @value has the question and gets the answer, whose size is the same. */
int psync_option_get(int fd, int option, void *value, size_t size);

int psync_option_set(int fd, int option, const void *value, size_t size);

#endif /* LIBPSYNC_OPTION_H */
