// SPDX-License-Identifier: LGPL-2.1-or-later
/* The family, addresses, and sockets that are opened with them. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libpsync.h"

int psync_family(void)
{
	int fd = open("/sys/module/psync/parameters/family",
		      O_RDONLY | O_CLOEXEC);
	char text[16];
	int family = 0;
	ssize_t n, i;

	if (fd < 0)
		return -EAFNOSUPPORT;
	n = read(fd, text, sizeof(text));
	close(fd);
	for (i = 0; i < n && text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		family = family * 10 + text[i] - '0';
	return family ? family : -EAFNOSUPPORT;
}

int psync_socket(int type)
{
	int family = psync_family();
	int fd;

	if (family < 0)
		return family;
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

void psync_addr_pid(struct sockaddr_psync *addr, int family, uint32_t site,
		    uint32_t port)
{
	memset(addr, 0, sizeof(*addr));
	addr->sp_family = (uint16_t)family;
	addr->sp_type = PSYNC_ADDR_PID;
	addr->sp_site = site;
	addr->sp_port = port;
}

void psync_addr_group(struct sockaddr_psync *addr, int family, uint32_t group,
		      uint32_t number)
{
	memset(addr, 0, sizeof(*addr));
	addr->sp_family = (uint16_t)family;
	addr->sp_type = PSYNC_ADDR_GROUP;
	addr->sp_group = group;
	addr->sp_number = number;
}

int psync_bind(int fd, uint32_t port)
{
	struct sockaddr_psync addr;
	int family = psync_family();

	if (family < 0)
		return family;
	psync_addr_pid(&addr, family, 0, port);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return 0;
}

int psync_connect(int fd, uint32_t group, uint32_t number)
{
	struct sockaddr_psync addr;
	int family = psync_family();

	if (family < 0)
		return family;
	psync_addr_group(&addr, family, group, number);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return 0;
}

/* @restart: its flags, or NULL when the participant has not been there. */
static int psync_open(uint32_t group, uint32_t number, uint32_t port,
		      const uint32_t *restart)
{
	int fd = psync_socket(SOCK_SEQPACKET);
	int err = 0;

	if (fd < 0)
		return fd;
	if (port)
		err = psync_bind(fd, port);
	if (!err)
		err = psync_want(fd, PSYNC_RECV_INFO | PSYNC_RECV_PREDS,
				 PSYNC_EVMASK_ALL);
	if (!err && restart)
		err = psync_set_restart(fd, 0, *restart, NULL, 0);
	if (!err)
		err = psync_connect(fd, group, number);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int psync_join(uint32_t group, uint32_t number, uint32_t port)
{
	return psync_open(group, number, port, NULL);
}

int psync_rejoin(uint32_t group, uint32_t number, uint32_t port,
		 uint32_t flags)
{
	return psync_open(group, number, port, &flags);
}

int psync_listen(uint32_t port, int backlog)
{
	int fd = psync_socket(SOCK_SEQPACKET);
	int err;

	if (fd < 0)
		return fd;
	err = psync_bind(fd, port);
	if (!err)
		err = psync_want(fd, PSYNC_RECV_INFO | PSYNC_RECV_PREDS,
				 PSYNC_EVMASK_ALL);
	if (!err && listen(fd, backlog) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}
