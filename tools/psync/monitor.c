// SPDX-License-Identifier: GPL-2.0-only
/* psync monitor */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "print.h"
#include "talk.h"

static uint32_t monitor_count;
static int monitor_timeout;

static const struct cli_option monitor_options[] = {
	{ "--count", OPTION_NUMBER, &monitor_count, "N",
	  "leave after N changes or events" },
	{ "--timeout", OPTION_SECONDS, &monitor_timeout, "S",
	  "leave after S seconds (exit 4 if --count was not reached)" },
	{}
};

static const char *monitor_what(uint32_t cmd)
{
	switch (cmd) {
	case PSYNC_CMD_SITE_NTF:
		return "site-set";
	case PSYNC_CMD_LINK_ADD_NTF:
		return "link-add";
	case PSYNC_CMD_LINK_SET_NTF:
		return "link-set";
	case PSYNC_CMD_LINK_DEL_NTF:
		return "link-del";
	case PSYNC_CMD_PEER_ADD_NTF:
		return "peer-add";
	case PSYNC_CMD_PEER_SET_NTF:
		return "peer-set";
	case PSYNC_CMD_PEER_DEL_NTF:
		return "peer-del";
	case PSYNC_CMD_GROUP_ADD_NTF:
		return "group-add";
	case PSYNC_CMD_GROUP_SET_NTF:
		return "group-set";
	case PSYNC_CMD_GROUP_DEL_NTF:
		return "group-del";
	case PSYNC_CMD_EVENT_NTF:
		return "event";
	}
	return "lost";
}

static void monitor_json(const struct ipc_change *change)
{
	struct json j = { .out = stdout };
	struct timespec now;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, sizeof(text), "%lld.%06ld", (long long)now.tv_sec,
		 now.tv_nsec / 1000);
	json_open(&j, NULL, '{');
	json_raw(&j, "time", text);
	json_text(&j, "what", monitor_what(change->cmd));
	switch (change->cmd) {
	case PSYNC_CMD_SITE_NTF:
		json_u64(&j, "site", change->site.id);
		break;
	case PSYNC_CMD_LINK_ADD_NTF:
	case PSYNC_CMD_LINK_SET_NTF:
	case PSYNC_CMD_LINK_DEL_NTF:
		print_link_json(&j, "link", &change->link);
		break;
	case PSYNC_CMD_PEER_ADD_NTF:
	case PSYNC_CMD_PEER_SET_NTF:
	case PSYNC_CMD_PEER_DEL_NTF:
		print_peer_json(&j, "peer", &change->peer);
		break;
	case PSYNC_CMD_GROUP_ADD_NTF:
	case PSYNC_CMD_GROUP_SET_NTF:
	case PSYNC_CMD_GROUP_DEL_NTF:
		print_group_json(&j, "group", &change->group);
		break;
	case PSYNC_CMD_EVENT_NTF:
		print_event_json(&j, "event", &change->event, NULL);
		break;
	}
	json_close(&j, '}');
	json_end(&j);
}

static void monitor_print_peer(const struct ipc_peer *peer)
{
	char addr[TEXT_ADDR];

	printf(" %" PRIu32, peer->site);
	if (peer->link[0])
		printf(" link %s addr %s", peer->link,
		       text_of_addr(&peer->addr, addr));
	if (peer->addr.port)
		printf(" port %u", peer->addr.port);
}

static void monitor_print(const struct ipc_change *change)
{
	char text[TEXT_ADDR];
	uint32_t i;

	if (change->cmd == PSYNC_CMD_EVENT_NTF) {
		print_event(stdout, &change->event, NULL);
		fflush(stdout);
		return;
	}
	fputs(monitor_what(change->cmd), stdout);
	switch (change->cmd) {
	case PSYNC_CMD_SITE_NTF:
		printf(" %" PRIu32, change->site.id);
		break;
	case PSYNC_CMD_LINK_ADD_NTF:
	case PSYNC_CMD_LINK_SET_NTF:
	case PSYNC_CMD_LINK_DEL_NTF:
		printf(" %s", change->link.name);
		if (change->link.kind == PSYNC_LINK_KIND_ETH)
			printf(" dev %s ethertype 0x%04x", change->link.dev,
			       change->link.ethertype);
		else if (change->link.kind)
			printf(" local %s port %u",
			       text_of_addr(&change->link.local, text),
			       change->link.local.port);
		break;
	case PSYNC_CMD_PEER_ADD_NTF:
	case PSYNC_CMD_PEER_SET_NTF:
	case PSYNC_CMD_PEER_DEL_NTF:
		monitor_print_peer(&change->peer);
		break;
	case PSYNC_CMD_GROUP_ADD_NTF:
	case PSYNC_CMD_GROUP_SET_NTF:
	case PSYNC_CMD_GROUP_DEL_NTF:
		printf(" %" PRIu32 "%s%s", change->group.number,
		       change->group.n ? " name " : "", change->group.name);
		for (i = 0; i < change->group.n; i++)
			printf(" %s", text_of_pid(&change->group.pids[i],
						  text));
		break;
	}
	putchar('\n');
	fflush(stdout);
}

/* All that is there; the count of what was printed goes up. */
static int monitor_take(struct cli *cli, struct ipc *ipc, uint32_t *seen)
{
	struct ipc_change change;
	int got;

	while (!(monitor_count && *seen >= monitor_count) &&
	       (got = ipc_watch_next(ipc, &change)) > 0) {
		if (cli->json)
			monitor_json(&change);
		else
			monitor_print(&change);
		ipc_change_free(&change);
		++*seen;
	}
	if (monitor_count && *seen >= monitor_count)
		return EXIT_OK;
	return got < 0 ? cli_refused(cli, got, ipc_reason(ipc)) : EXIT_OK;
}

static int monitor_loop(struct cli *cli, struct ipc *ipc)
{
	struct pollfd fd = { .fd = ipc_watch_fd(ipc), .events = POLLIN };
	int64_t end = talk_clock() + monitor_timeout, left = -1;
	int status = EXIT_OK;
	uint32_t seen = 0;

	while (!status && !(monitor_count && seen >= monitor_count)) {
		if (monitor_timeout) {
			left = end - talk_clock();
			if (left <= 0)
				return monitor_count ? EXIT_TIME : EXIT_OK;
		}
		if (poll(&fd, 1, (int)left) < 0 && errno != EINTR)
			return cli_refused(cli, -errno, NULL);
		status = monitor_take(cli, ipc, &seen);
	}
	return status;
}

static int monitor_run(struct cli *cli)
{
	struct ipc *ipc = NULL;
	int err, status;

	if (cli_end(cli))
		return EXIT_USAGE;
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_watch(ipc);
	if (err) {
		status = cli_refused(cli, err, NULL);
	} else {
		if (!cli->json)
			fputs("psync: watching\n", stderr);
		status = monitor_loop(cli, ipc);
	}
	if (status == EXIT_TIME)
		cli_fail(cli, status, "the time is over");
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_monitor = {
	.name = "monitor",
	.text = "changes of the configuration and events, as they happen",
	.examples = (const char *const[]) {
		"psync monitor", "psync monitor --json | jq .what", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "", "print a line for each, until interrupted", "",
		  monitor_options, monitor_run },
		{}
	},
};
