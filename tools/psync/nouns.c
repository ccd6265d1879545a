// SPDX-License-Identifier: GPL-2.0-only
/* The commands, in the order in which they are shown. */

#include "cli.h"

const struct cli_noun *const cli_nouns[] = {
	&noun_site, &noun_link, &noun_peer, &noun_group, &noun_conv,
	&noun_graph, &noun_stat, &noun_send, &noun_recv, &noun_chat,
	&noun_monitor, &noun_version, &noun_completion, NULL,
};
