// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Uses every function as a program would; compiled as C and as C++.  What
 * needs no module is checked: addresses, and errors of a descriptor that is no
 * conversation.  TAP on stdout.
 */

#include <errno.h>
#include <libpsync.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed, count;

static void ok(int good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
	failed += !good;
}

static void test_addresses(void)
{
	struct sockaddr_psync addr;

	ok(sizeof(addr) == 32, "the address has 32 bytes");
	memset(&addr, 0xff, sizeof(addr));
	psync_addr_pid(&addr, 18, 3, 4);
	ok(addr.sp_family == 18 && addr.sp_type == PSYNC_ADDR_PID &&
	   addr.sp_site == 3 && addr.sp_port == 4, "a pid's fields");
	ok(!addr.sp_reserved0 && !addr.sp_binding && !addr.sp_group &&
	   !addr.sp_number && !addr.sp_reserved1, "a pid's zeros");
	memset(&addr, 0xff, sizeof(addr));
	psync_addr_group(&addr, 18, 7, 1);
	ok(addr.sp_family == 18 && addr.sp_type == PSYNC_ADDR_GROUP &&
	   addr.sp_group == 7 && addr.sp_number == 1, "a group's fields");
	ok(!addr.sp_reserved0 && !addr.sp_site && !addr.sp_port &&
	   !addr.sp_binding && !addr.sp_reserved1, "a group's zeros");
}

/* A socket of another family: every call must say so and store nothing. */
static void test_wrong_socket(void)
{
	uint64_t *mids = NULL, mid = 0, preds[4];
	struct psync_pid *pids = NULL, pid;
	struct psync_received received;
	struct psync_info info;
	uint32_t n, m;
	char text[8];
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd) < 0) {
		ok(0, "socketpair");
		return;
	}
	ok(psync_roots(fd[0], &mids) < 0 && psync_leaves(fd[0], &mids) < 0 &&
	   psync_next(fd[0], 1, &mids) < 0 && psync_prev(fd[0], 1, &mids) < 0 &&
	   psync_mids(fd[0], &mids) < 0 && !mids, "sets");
	ok(psync_participants(fd[0], &pids) < 0 && !pids, "participants");
	ok(psync_precedes(fd[0], 1, 2) < 0 &&
	   psync_stable(fd[0], 1, &n, &m) < 0 &&
	   psync_sender(fd[0], 1, &pid, &n) < 0, "queries");
	ok(psync_outstanding(fd[0]) < 0 && psync_cid(fd[0], &mid) < 0 &&
	   psync_last_mid(fd[0], &mid) < 0 && psync_get_info(fd[0], &info) < 0,
	   "the conversation");
	ok(psync_want(fd[0], PSYNC_RECV_INFO, 0) < 0 &&
	   psync_set_participants(fd[0], &pid, 1) < 0, "settings");
	ok(psync_set_participants(fd[0], &pid, 1025) == -EINVAL,
	   "too many participants");
	ok(psync_bind(fd[0], 1) < 0 && psync_connect(fd[0], 1, 1) < 0,
	   "bind and connect");
	ok(psync_recv(fd[0], text, sizeof(text), &received, preds, 4) ==
	   -EAGAIN && !received.kind, "nothing to receive");
	close(fd[0]);
	close(fd[1]);
	ok(psync_send(fd[0], "x", 1, NULL) == -EBADF, "a closed descriptor");
}

static void test_failures(void)
{
	struct psync_masked *masked = NULL;
	struct psync_slow slow;
	uint64_t leaves[2] = { 1, 2 };
	uint32_t bytes;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) < 0) {
		ok(0, "socketpair");
		return;
	}
	ok(psync_mask_out(fd[0], 1) < 0 &&
	   psync_mask_cut(fd[0], PSYNC_MID(1, 0)) < 0 &&
	   psync_mask_in(fd[0], 1) < 0 &&
	   psync_masks(fd[0], PSYNC_MASKS_ALL, &masked) < 0 && !masked,
	   "masks");
	ok(psync_set_slow(fd[0], PSYNC_SLOW_BLOCK, 5) < 0 &&
	   psync_get_slow(fd[0], &slow) < 0 &&
	   psync_set_manual(fd[0], 1) < 0 && psync_manual(fd[0]) < 0,
	   "slow and manual");
	ok(psync_set_restart(fd[0], 1, 0, leaves, 2) < 0 &&
	   psync_set_restart(fd[0], 1, 0, NULL, 0) < 0 &&
	   psync_set_history(fd[0], 5) < 0 && psync_history(fd[0], &bytes) < 0,
	   "restart and history");
	ok(psync_set_restart(fd[0], 1, 0, leaves, 1025) == -EINVAL,
	   "too many leaves");
	ok(psync_stable_poll(fd[0], 1, 0, 0) < 0 &&
	   psync_stable_wait(fd[0], 1, 0, 0) < 0, "stability");
	close(fd[0]);
	close(fd[1]);
}

static void test_no_module(void)
{
	if (psync_family() > 0) {
		printf("ok %d - no module # SKIP it is loaded\n", ++count);
		return;
	}
	ok(psync_family() == -EAFNOSUPPORT &&
	   psync_socket(SOCK_SEQPACKET) == -EAFNOSUPPORT &&
	   psync_join(1, 1, 0) == -EAFNOSUPPORT &&
	   psync_rejoin(1, 1, 0, 0) == -EAFNOSUPPORT &&
	   psync_listen(1, 1) == -EAFNOSUPPORT, "no module: EAFNOSUPPORT");
}

int main(void)
{
	test_addresses();
	test_wrong_socket();
	test_failures();
	test_no_module();
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}
