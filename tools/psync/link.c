// SPDX-License-Identifier: GPL-2.0-only
/* psync link */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli.h"
#include "ipc.h"
#include "print.h"

static void link_print(const struct ipc_link *link)
{
	char addr[TEXT_ADDR];

	if (link->kind == PSYNC_LINK_KIND_ETH)
		printf("%s eth dev %s ethertype 0x%04x", link->name, link->dev,
		       link->ethertype);
	else
		printf("%s udp local %s port %u", link->name,
		       text_of_addr(&link->local, addr), link->local.port);
	printf(" %s rx %" PRIu64 " tx %" PRIu64 "\n",
	       link->up ? "up" : "down", link->rx_packets, link->tx_packets);
}

void print_link_json(struct json *j, const char *name,
		     const struct ipc_link *link)
{
	char addr[TEXT_ADDR];

	json_open(j, name, '{');
	json_text(j, "name", link->name);
	if (link->kind == PSYNC_LINK_KIND_ETH) {
		json_text(j, "kind", "eth");
		json_text(j, "dev", link->dev);
		json_u64(j, "ifindex", link->ifindex);
		json_u64(j, "ethertype", link->ethertype);
	} else if (link->kind == PSYNC_LINK_KIND_UDP) {
		json_text(j, "kind", "udp");
		json_text(j, "local", text_of_addr(&link->local, addr));
		json_u64(j, "port", link->local.port);
	}
	/* Of a deleted link only the name is known. */
	if (link->kind) {
		json_bool(j, "up", link->up);
		json_u64(j, "rx_packets", link->rx_packets);
		json_u64(j, "tx_packets", link->tx_packets);
	}
	json_close(j, '}');
}

static int link_show(struct cli *cli)
{
	const char *name = cli_next(cli);
	struct json j = { .out = stdout };
	struct ipc_link *links = NULL;
	int n, i, found = 0, status = cli_end(cli);
	struct ipc *ipc = NULL;

	if (status)
		return status;
	n = ipc_open(&ipc);
	if (!n)
		n = ipc_link_list(ipc, &links);
	if (n < 0)
		status = cli_refused(cli, n, ipc ? ipc_reason(ipc) : NULL);
	if (cli->json && !status)
		json_open(&j, NULL, '[');
	for (i = 0; i < n; i++) {
		if (name && strcmp(name, links[i].name))
			continue;
		found++;
		if (cli->json)
			print_link_json(&j, NULL, &links[i]);
		else
			link_print(&links[i]);
	}
	if (cli->json && !status) {
		json_close(&j, ']');
		json_end(&j);
	}
	if (!status && name && !found)
		status = cli_fail(cli, EXIT_REFUSED, "no link \"%s\"", name);
	free(links);
	ipc_close(ipc);
	return status;
}

static int link_parse_name(struct cli *cli, struct ipc_link *link)
{
	const char *name = cli_need(cli, "name");

	if (!name)
		return EXIT_USAGE;
	if (!*name || strlen(name) >= sizeof(link->name))
		return cli_fail(cli, EXIT_USAGE,
				"a link's name has 1 to %d characters",
				PSYNC_NAME_MAX);
	strcpy(link->name, name);
	return EXIT_OK;
}

/* Either word may be absent, NULL. */
static int link_parse_eth(struct cli *cli, const char *dev,
			  const char *ethertype, struct ipc_link *link)
{
	uint32_t type = 0;

	if (dev && strlen(dev) >= sizeof(link->dev))
		return cli_fail(cli, EXIT_USAGE,
				"no device has a name as long as \"%s\"", dev);
	if (dev)
		strcpy(link->dev, dev);
	if (ethertype && !text_u32(ethertype, 0x600, 0xffff, &type))
		return cli_fail(cli, EXIT_USAGE,
				"an EtherType is from 0x600 to 0xffff, not \"%s\"",
				ethertype);
	link->ethertype = (uint16_t)type;
	return EXIT_OK;
}

/* Likewise. */
static int link_parse_udp(struct cli *cli, const char *local, const char *port,
			  struct ipc_link *link)
{
	if (local && (!text_addr(local, &link->local) ||
		      link->local.family == AF_PACKET))
		return cli_fail(cli, EXIT_USAGE,
				"\"%s\" is no IPv4 or IPv6 address", local);
	return print_parse_port(cli, port, &link->local.port);
}

static int link_parse(struct cli *cli, struct ipc_link *link)
{
	const char *const words_eth[] = { "dev", "ethertype", NULL };
	const char *const words_udp[] = { "local", "port", NULL };
	const char *value[2] = {}, *kind;

	if (link_parse_name(cli, link))
		return EXIT_USAGE;
	kind = cli_need(cli, "kind (eth or udp)");
	if (!kind)
		return EXIT_USAGE;
	if (!strcmp(kind, "eth")) {
		link->kind = PSYNC_LINK_KIND_ETH;
		if (cli_pairs(cli, words_eth, value))
			return EXIT_USAGE;
		if (!value[0])
			return cli_fail(cli, EXIT_USAGE, "dev DEV missing");
		return link_parse_eth(cli, value[0], value[1], link);
	}
	if (!strcmp(kind, "udp")) {
		link->kind = PSYNC_LINK_KIND_UDP;
		if (cli_pairs(cli, words_udp, value))
			return EXIT_USAGE;
		if (!value[0])
			return cli_fail(cli, EXIT_USAGE, "local ADDR missing");
		return link_parse_udp(cli, value[0], value[1], link);
	}
	return cli_fail(cli, EXIT_USAGE, "a link is eth or udp, not \"%s\"",
			kind);
}

/* "NAME WORD VALUE...", of either kind; the kernel knows which it is. */
static int link_parse_change(struct cli *cli, struct ipc_link *link)
{
	const char *const words[] = { "dev", "ethertype", "local", "port",
				      NULL };
	const char *value[4] = {};

	if (link_parse_name(cli, link))
		return EXIT_USAGE;
	if (cli->n && (!strcmp(*cli->arg, "eth") || !strcmp(*cli->arg, "udp")))
		return cli_fail(cli, EXIT_USAGE,
				"a link stays eth or udp, leave out \"%s\"",
				*cli->arg);
	if (cli_pairs(cli, words, value))
		return EXIT_USAGE;
	if (!value[0] && !value[1] && !value[2] && !value[3])
		return cli_fail(cli, EXIT_USAGE,
				"say what to change: dev DEV, ethertype T, local ADDR or port P");
	if ((value[0] || value[1]) && (value[2] || value[3]))
		return cli_fail(cli, EXIT_USAGE,
				"dev and ethertype are of eth links, local and port of udp links");
	if (link_parse_eth(cli, value[0], value[1], link))
		return EXIT_USAGE;
	return link_parse_udp(cli, value[2], value[3], link);
}

static int link_change(struct cli *cli, const struct ipc_link *link,
		       int (*change)(struct ipc *, const struct ipc_link *))
{
	struct ipc *ipc = NULL;
	int err, status;

	err = ipc_open(&ipc);
	if (!err)
		err = change(ipc, link);
	if (err == -EADDRNOTAVAIL)
		status = cli_fail(cli, EXIT_REFUSED,
				  "this host does not have that address");
	else if (err == -ENOENT)
		status = print_link_refused(cli, ipc, err, link->name);
	else
		status = err ? cli_refused(cli, err,
					   ipc ? ipc_reason(ipc) : NULL) : 0;
	ipc_close(ipc);
	return status;
}

static int link_add(struct cli *cli)
{
	struct ipc_link link = {};

	if (link_parse(cli, &link))
		return EXIT_USAGE;
	return link_change(cli, &link, ipc_link_add);
}

static int link_set(struct cli *cli)
{
	struct ipc_link link = {};

	if (link_parse_change(cli, &link))
		return EXIT_USAGE;
	return link_change(cli, &link, ipc_link_set);
}

static int link_del(struct cli *cli)
{
	const char *name = cli_need(cli, "name");
	struct ipc *ipc = NULL;
	int err, status;

	if (!name || cli_end(cli))
		return EXIT_USAGE;
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_link_del(ipc, name);
	status = print_link_refused(cli, ipc, err, name);
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_link = {
	.name = "link",
	.text = "ways to reach other sites",
	.examples = (const char *const[]) {
		"psync link add l0 eth dev eth0",
		"psync link add l1 udp local 192.0.2.1",
		"psync link set l0 dev eth1",
		"psync link", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "[NAME]", "show links", "%link", NULL, link_show },
		{ "add", "NAME eth dev DEV [ethertype T]",
		  "straight over Ethernet (EtherType 0x88b5)",
		  "eth udp dev ethertype local port %dev", NULL, link_add },
		{ "add", "NAME udp local ADDR [port P]",
		  "over UDP, IPv4 or IPv6 (port 7007)", "", NULL, link_add },
		{ "set", "NAME [dev DEV] [ethertype T]",
		  "change a link over Ethernet, its peers stay",
		  "dev ethertype local port %link %dev", NULL, link_set },
		{ "set", "NAME [local ADDR] [port P]",
		  "change a link over UDP, its peers stay", "", NULL,
		  link_set },
		{ "del", "NAME", "delete a link that no peer uses", "%link",
		  NULL, link_del },
		{}
	},
};
