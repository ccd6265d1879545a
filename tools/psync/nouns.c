// SPDX-License-Identifier: GPL-2.0-only
/* The commands, in the order in which they are shown. */

#include <string.h>

#include "cli.h"

const struct cli_noun *const cli_nouns[] = {
	&noun_site, &noun_link, &noun_peer, &noun_group, &noun_conv,
	&noun_graph, &noun_stat, &noun_send, &noun_recv, &noun_chat,
	&noun_monitor, &noun_version, &noun_completion, &noun_help,
	NULL,
};

const struct cli_noun *cli_noun_find(const char *name)
{
	int i;

	for (i = 0; cli_nouns[i]; i++)
		if (!strcmp(cli_nouns[i]->name, name))
			return cli_nouns[i];
	return NULL;
}

int cli_noun_unknown(struct cli *cli, const char *name)
{
	const char *names[32] = {};
	const char *near;
	int i;

	for (i = 0; cli_nouns[i]; i++)
		names[i] = cli_nouns[i]->name;
	cli->noun = NULL;
	near = cli_nearest(name, names);
	if (near)
		return cli_fail(cli, EXIT_USAGE,
				"no command \"%s\", did you mean %s?", name,
				near);
	return cli_fail(cli, EXIT_USAGE, "no command \"%s\" (psync help)",
			name);
}
