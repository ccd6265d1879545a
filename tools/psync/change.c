// SPDX-License-Identifier: GPL-2.0-only
/* What a change leaves behind, told with --json as psync monitor tells it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

/**
 * struct change - something that a command changes
 * @what: noun and verb, joined
 * @gone: it is deleted
 * @key: the command's first argument
 * @number: group: its number
 */
struct change {
	char		what[32];
	bool		gone;
	const char	*key;
	uint32_t	number;
};

bool change_is(const struct cli_verb *verb)
{
	return verb->name && strcmp(verb->name, "show");
}

/* A group may be deleted by name: its number while it is there. */
static uint32_t change_group_number(const char *key)
{
	struct ipc_group *groups = NULL;
	struct ipc *ipc = NULL;
	uint32_t number = 0;
	int i, n;

	if (text_u32(key, 1, UINT32_MAX, &number))
		return number;
	n = ipc_open(&ipc);
	if (!n)
		n = ipc_group_list(ipc, &groups);
	for (i = 0; i < n; i++)
		if (!strcmp(groups[i].name, key))
			number = groups[i].number;
	ipc_group_free(groups, n);
	ipc_close(ipc);
	return number;
}

/* Of what is gone, or went meanwhile, only the name is told. */
static void change_link(const struct change *c, struct json *j, struct ipc *ipc)
{
	struct ipc_link link = {}, *links = NULL;
	int i, n = c->gone ? 0 : ipc_link_list(ipc, &links);

	snprintf(link.name, sizeof(link.name), "%s", c->key);
	for (i = 0; i < n; i++)
		if (!strcmp(links[i].name, c->key))
			link = links[i];
	print_link_json(j, "link", &link);
	free(links);
}

static void change_peer(const struct change *c, struct json *j, struct ipc *ipc)
{
	struct ipc_peer peer = {}, *peers = NULL;
	int i, n = c->gone ? 0 : ipc_peer_list(ipc, &peers);

	text_u32(c->key, 1, UINT32_MAX, &peer.site);
	for (i = 0; i < n; i++)
		if (peers[i].site == peer.site)
			peer = peers[i];
	print_peer_json(j, "peer", &peer);
	free(peers);
}

static void change_group(const struct change *c, struct json *j,
			 struct ipc *ipc)
{
	struct ipc_group group = { .number = c->number }, *groups = NULL;
	int i, n = c->gone ? 0 : ipc_group_list(ipc, &groups);

	for (i = 0; i < n; i++)
		if (groups[i].number == c->number)
			group = groups[i];
	print_group_json(j, "group", &group);
	ipc_group_free(groups, n);
}

static void change_site(const struct change *c, struct json *j)
{
	uint32_t site = 0;

	if (!c->gone)
		text_u32(c->key, 1, UINT32_MAX, &site);
	json_u64(j, "site", site);
}

static int change_tell(struct cli *cli, const struct change *c)
{
	struct json j = { .out = stdout };
	struct ipc *ipc = NULL;
	int err = ipc_open(&ipc);

	/* It is done; that it cannot be looked at any more undoes nothing. */
	if (err)
		return EXIT_OK;
	json_open(&j, NULL, '{');
	json_text(&j, "what", c->what);
	if (!strcmp(cli->noun, "site"))
		change_site(c, &j);
	else if (!strcmp(cli->noun, "link"))
		change_link(c, &j, ipc);
	else if (!strcmp(cli->noun, "peer"))
		change_peer(c, &j, ipc);
	else if (!strcmp(cli->noun, "group"))
		change_group(c, &j, ipc);
	json_close(&j, '}');
	json_end(&j);
	ipc_close(ipc);
	return EXIT_OK;
}

int change_run(struct cli *cli, const struct cli_verb *verb)
{
	struct change c = {
		.gone = !strcmp(verb->name, "del"),
		.key = cli->n ? cli->arg[0] : "",
	};
	int status;

	snprintf(c.what, sizeof(c.what), "%s-%s", cli->noun, verb->name);
	if (!strcmp(cli->noun, "group"))
		c.number = change_group_number(c.key);
	status = verb->run(cli);
	return status ? status : change_tell(cli, &c);
}
