// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does something that the shell scripts need to have going on, says "ready",
 * and goes on until the end of its standard input, with what is left of the
 * processors.
 *
 * usage: hold socket PORT            a SOCK_SEQPACKET socket, bound
 *        hold join GROUP NUMBER      takes part, has sent one message
 *        hold flood GROUP NUMBER     takes part, sends and receives
 *        hold talk GROUP NUMBER      takes part, sends something, and one more
 *                                    for each message it gets: none may be lost
 *        hold raw                    packets of a fake peer from host 2 to host
 *                                    1 (LAB_HOSTS and LAB_LINK set), by hand
 */

#include <signal.h>

#include "lib_wire.h"

static int hold_number(const char *text)
{
	return strtoul(text, NULL, 10);
}

static void hold_die(const char *what)
{
	perror(what);
	exit(1);
}

static bool hold_over(int timeout)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char byte;

	return poll(&in, 1, timeout) == 1 && read(0, &byte, 1) <= 0;
}

/* From now on who watches gets the processor first. */
static void hold_ready(void)
{
	errno = 0;
	if (nice(19) == -1 && errno)
		hold_die("nice");
	puts("ready");
	fflush(stdout);
}

static int hold_family(void)
{
	FILE *f = fopen("/sys/module/psync/parameters/family", "r");
	int family;

	if (!f || fscanf(f, "%d", &family) != 1)
		hold_die("family");
	fclose(f);
	return family;
}

static int hold_open(uint32_t port, uint32_t group, uint32_t number)
{
	struct sockaddr_psync addr = {
		.sp_family = hold_family(),
		.sp_type = group ? PSYNC_ADDR_GROUP : PSYNC_ADDR_PID,
		.sp_port = port,
		.sp_group = group,
		.sp_number = number,
	};
	int fd = socket(addr.sp_family, SOCK_SEQPACKET, 0);

	if (fd < 0)
		hold_die("socket");
	if (group ? connect(fd, (struct sockaddr *)&addr, sizeof(addr)) :
		    bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		hold_die(group ? "connect" : "bind");
	return fd;
}

/* Errors are part of what is going on: links and peers come and go. */
static void hold_flood(int fd)
{
	char body[500];
	int i;

	memset(body, 'x', sizeof(body));
	while (!hold_over(1)) {
		for (i = 0; i < 10; i++)
			send(fd, body, sizeof(body), MSG_DONTWAIT);
		for (i = 0; i < 40; i++)
			recv(fd, body, sizeof(body), MSG_DONTWAIT);
	}
}

/*
 * What others say waits for what they said before, so that after a loss nobody
 * hears anything any more.
 */
static void hold_talk(int fd)
{
	struct pollfd fds[] = {
		{ .fd = 0, .events = POLLIN }, { .fd = fd, .events = POLLIN },
	};
	char byte = 'x';

	do {
		if (send(fd, &byte, 1, 0) != 1)
			hold_die("send");
		while (recv(fd, &byte, 1, MSG_DONTWAIT) != 1) {
			if (errno != EAGAIN)
				hold_die("recv");
			poll(fds, COUNT(fds), -1);
			if (hold_over(0))
				return;
		}
	} while (!hold_over(1));
}

/* What a fake peer says when it has much to say. */
static void hold_packet(const struct fake *f, struct wire *w, uint32_t i)
{
	const struct psync_pid pids[] = { { f->site, 5 }, { 1, 5 } };
	struct wire_conv c = { 1ULL << 40 | i, 0, 0, 1, pids, 2 };

	switch (i % 5) {
	case 0:
		wire_msg(w, f, &c, 0, 1, 1, "start");
		wire_msg_start(w, &c);
		break;
	case 1:
		wire_msg(w, f, &c, 0, 2, 2, "next");
		wire_msg_pred(w, 0, 1);
		break;
	case 2:
		wire_hello(w, f, i, 1 + i);
		break;
	case 3:
		wire_dgram(w, f, 5, "datagram");
		break;
	case 4:
		wire_refuse(w, f, &c, 1, 1 + i % 2, 5);
		break;
	}
}

static void hold_raw(void)
{
	struct fake f;
	struct wire w;
	uint32_t i;

	lab_init();
	f = fake_new(0);
	for (i = 0; !hold_over(0); i++) {
		hold_packet(&f, &w, i);
		wire_seal(&w);
		fake_try(&f, &w);
		if (i == 100)
			hold_ready();
	}
}

int main(int argc, char **argv)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "socket")) {
		hold_open(hold_number(argv[2]), 0, 0);
		hold_ready();
	} else if (argc == 4 && !strcmp(argv[1], "join")) {
		fd = hold_open(0, hold_number(argv[2]), hold_number(argv[3]));
		if (send(fd, "x", 1, 0) != 1)
			hold_die("send");
		hold_ready();
	} else if (argc == 4 && !strcmp(argv[1], "flood")) {
		fd = hold_open(0, hold_number(argv[2]), hold_number(argv[3]));
		hold_ready();
		hold_flood(fd);
		return 0;
	} else if (argc == 4 && !strcmp(argv[1], "talk")) {
		fd = hold_open(0, hold_number(argv[2]), hold_number(argv[3]));
		hold_ready();
		hold_talk(fd);
		return 0;
	} else if (argc == 2 && !strcmp(argv[1], "raw")) {
		hold_raw();
		return 0;
	} else {
		fprintf(stderr, "usage: hold socket PORT | join GROUP NUMBER | flood GROUP NUMBER | talk GROUP NUMBER | raw\n");
		return 2;
	}
	while (!hold_over(-1))
		;
	return 0;
}
