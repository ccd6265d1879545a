// SPDX-License-Identifier: GPL-2.0-only
/* psync peer */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "print.h"

#define PEER_NAMES	16	/* listed in an error */

static void peer_print(const struct ipc_peer *peer)
{
	char addr[TEXT_ADDR];

	printf("%" PRIu32 " link %s addr %s", peer->site, peer->link,
	       text_of_addr(&peer->addr, addr));
	if (peer->addr.port)
		printf(" port %u", peer->addr.port);
	if (peer->incarnation)
		printf(" heard, incarnation %" PRIu64, peer->incarnation);
	else
		printf(" not heard");
	if (peer->candidate)
		printf(" confirming %" PRIu64 " with %" PRIu32 " parked",
		       peer->candidate, peer->parked);
	putchar('\n');
}

void print_peer_json(struct json *j, const char *name,
		     const struct ipc_peer *peer)
{
	char addr[TEXT_ADDR];

	json_open(j, name, '{');
	json_u64(j, "site", peer->site);
	/* Of a deleted peer only the site is known. */
	if (peer->addr.family != AF_UNSPEC) {
		json_text(j, "link", peer->link);
		json_text(j, "addr", text_of_addr(&peer->addr, addr));
		if (peer->addr.port)
			json_u64(j, "port", peer->addr.port);
		json_u64(j, "incarnation", peer->incarnation);
		json_u64(j, "candidate", peer->candidate);
		json_u64(j, "parked", peer->parked);
	}
	json_close(j, '}');
}

static int peer_parse_site(struct cli *cli, uint32_t *site)
{
	const char *word = cli_need(cli, "site id");

	if (!word)
		return EXIT_USAGE;
	return cli_number(cli, "a site id", word, UINT32_MAX, site);
}

static int peer_show(struct cli *cli)
{
	struct json j = { .out = stdout };
	struct ipc_peer *peers = NULL;
	struct ipc *ipc = NULL;
	uint32_t site = 0;
	int n, i, found = 0;

	if ((cli->n && peer_parse_site(cli, &site)) || cli_end(cli))
		return EXIT_USAGE;
	n = ipc_open(&ipc);
	if (!n)
		n = ipc_peer_list(ipc, &peers);
	if (n < 0) {
		cli_refused(cli, n, ipc ? ipc_reason(ipc) : NULL);
		ipc_close(ipc);
		return n == -EAFNOSUPPORT ? EXIT_NO_MODULE : EXIT_REFUSED;
	}
	if (cli->json)
		json_open(&j, NULL, '[');
	for (i = 0; i < n; i++) {
		if (site && site != peers[i].site)
			continue;
		found++;
		if (cli->json)
			print_peer_json(&j, NULL, &peers[i]);
		else
			peer_print(&peers[i]);
	}
	if (cli->json) {
		json_close(&j, ']');
		json_end(&j);
	}
	free(peers);
	ipc_close(ipc);
	if (site && !found)
		return cli_fail(cli, EXIT_REFUSED, "no peer %" PRIu32, site);
	return EXIT_OK;
}

/* "SITE link NAME addr ADDR [port P]", all but SITE in any order. */
static int peer_parse(struct cli *cli, struct ipc_peer *peer)
{
	const char *const words[] = { "link", "addr", "port", NULL };
	const char *value[3] = {};

	if (peer_parse_site(cli, &peer->site) || cli_pairs(cli, words, value))
		return EXIT_USAGE;
	if (value[0]) {
		if (!*value[0] || strlen(value[0]) >= sizeof(peer->link))
			return cli_fail(cli, EXIT_USAGE,
					"a link's name has 1 to %d characters",
					PSYNC_NAME_MAX);
		strcpy(peer->link, value[0]);
	}
	if (value[1] && !text_addr(value[1], &peer->addr))
		return cli_fail(cli, EXIT_USAGE,
				"\"%s\" is no MAC or IP address", value[1]);
	if (value[2] && peer->addr.family != AF_INET &&
	    peer->addr.family != AF_INET6)
		return cli_fail(cli, EXIT_USAGE,
				"a port goes with an IP address");
	return print_parse_port(cli, value[2], &peer->addr.port);
}

/* " 2 3 4", not too many; the caller frees it. */
static char *peer_names(const struct ipc_peer *peers, int n)
{
	char *names = NULL;
	size_t size;
	FILE *out = open_memstream(&names, &size);
	int i;

	if (!out)
		return NULL;
	for (i = 0; i < n && i < PEER_NAMES; i++)
		fprintf(out, " %" PRIu32, peers[i].site);
	if (n > i)
		fprintf(out, " and %d more", n - i);
	fclose(out);
	return names;
}

/* If there is no such peer: that, and which there are; else EXIT_OK. */
static int peer_unknown(const struct cli *cli, struct ipc *ipc, uint32_t site)
{
	struct ipc_peer *peers = NULL;
	int i, n, status = EXIT_OK;
	char *names;

	n = ipc_peer_list(ipc, &peers);
	for (i = 0; i < n; i++)
		if (peers[i].site == site)
			break;
	names = n > 0 && i == n ? peer_names(peers, n) : NULL;
	if (names)
		status = cli_fail_errno(cli, -ENOENT, "no peer %" PRIu32
					" (peers:%s)", site, names);
	else if (!n)
		status = cli_fail_errno(cli, -ENOENT, "no peer %" PRIu32
					" (there are none)", site);
	free(names);
	free(peers);
	return status;
}

static int peer_change(struct cli *cli, const struct ipc_peer *peer,
		       int (*change)(struct ipc *, const struct ipc_peer *))
{
	struct ipc *ipc = NULL;
	int err, status;

	err = ipc_open(&ipc);
	if (!err)
		err = change(ipc, peer);
	status = err == -ENOENT && change == ipc_peer_set ?
		peer_unknown(cli, ipc, peer->site) : EXIT_OK;
	if (status) {
		ipc_close(ipc);
		return status;
	}
	if (peer->link[0])
		status = print_link_refused(cli, ipc, err, peer->link);
	else
		status = err ? cli_refused(cli, err,
					   ipc ? ipc_reason(ipc) : NULL) : 0;
	ipc_close(ipc);
	return status;
}

static int peer_add(struct cli *cli)
{
	struct ipc_peer peer = {};

	if (peer_parse(cli, &peer))
		return EXIT_USAGE;
	if (!peer.link[0])
		return cli_fail(cli, EXIT_USAGE, "link NAME missing");
	if (peer.addr.family == AF_UNSPEC)
		return cli_fail(cli, EXIT_USAGE, "addr MAC|IP missing");
	return peer_change(cli, &peer, ipc_peer_add);
}

static int peer_set(struct cli *cli)
{
	struct ipc_peer peer = {};

	if (peer_parse(cli, &peer))
		return EXIT_USAGE;
	if (!peer.link[0] && peer.addr.family == AF_UNSPEC)
		return cli_fail(cli, EXIT_USAGE,
				"say what to change: link NAME or addr MAC|IP");
	return peer_change(cli, &peer, ipc_peer_set);
}

static int peer_del(struct cli *cli)
{
	struct ipc *ipc = NULL;
	int err, status = EXIT_OK;
	uint32_t site;

	if (peer_parse_site(cli, &site) || cli_end(cli))
		return EXIT_USAGE;
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_peer_del(ipc, site);
	if (err == -ENOENT)
		status = peer_unknown(cli, ipc, site);
	if (err && !status)
		status = cli_refused(cli, err, ipc ? ipc_reason(ipc) : NULL);
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_peer = {
	.name = "peer",
	.text = "other sites and where they are",
	.examples = (const char *const[]) {
		"psync peer add 2 link l0 addr 02:00:00:00:02:00",
		"psync peer add 3 link l1 addr 192.0.2.3 port 7007",
		"psync peer", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "[SITE]", "show peers", "%peer", NULL, peer_show },
		{ "add", "SITE link NAME addr MAC|IP [port P]", "add a peer",
		  "link addr port %link", NULL, peer_add },
		{ "set", "SITE [link NAME] [addr MAC|IP [port P]]",
		  "change the way to a peer", "link addr port %peer %link",
		  NULL, peer_set },
		{ "del", "SITE", "delete a peer", "%peer", NULL, peer_del },
		{}
	},
};
