/* SPDX-License-Identifier: GPL-2.0-only */
/* Between ipc.c (transport) and ipc_object.c (attributes). */
#ifndef PSYNC_IPC_MNL_H
#define PSYNC_IPC_MNL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "ipc.h"

#define IPC_ATTRS	32	/* more than any set has */

/* A request of up to 16 KiB, to which attributes are added. */
struct nlmsghdr *ipc_request(struct ipc *ipc, uint8_t cmd, uint16_t flags);

/**
 * typedef ipc_parse_t - take an object out of the attributes of a message
 * @attrs: by type, IPC_ATTRS entries, NULL where absent
 * @object: zeroed
 *
 * Return: 0, -ENOMEM, -EBADMSG.
 */
typedef int (*ipc_parse_t)(struct nlattr **attrs, void *object);

/* Send the request and wait for the acknowledgement or the one answer. */
int ipc_do(struct ipc *ipc, ipc_parse_t parse, void *object);

/**
 * ipc_dump - send the request as a dump and gather the answers
 * @ipc: has the request
 * @parse: takes one object
 * @drop: frees what one object points to, or NULL
 * @size: of one object
 * @objects: where the array goes
 *
 * Repeats the dump when the configuration changed under it.
 * Return: how many, or a negative errno.
 */
int ipc_dump(struct ipc *ipc, ipc_parse_t parse, void (*drop)(void *object),
	     size_t size, void **objects);

/* The next notification's command and attributes: 1, 0: none, or an errno. */
int ipc_notification(struct ipc *ipc, uint8_t *cmd, struct nlattr **attrs);

#endif /* PSYNC_IPC_MNL_H */
