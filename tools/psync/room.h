/* SPDX-License-Identifier: GPL-2.0-only */
/* How many participants fit a packet. */
#ifndef PSYNC_ROOM_H
#define PSYNC_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"

/*
 * The most participants of a conversation whose packets have @bytes at most,
 * so that one byte of a message fits, too.
 */
uint32_t room_most(uint32_t bytes, bool rendezvous);

/* A group's conversation could not be opened, EMSGSIZE: says why. */
int room_refused(const struct cli *cli, uint32_t group);

#endif /* PSYNC_ROOM_H */
