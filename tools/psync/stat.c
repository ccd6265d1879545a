// SPDX-License-Identifier: GPL-2.0-only
/* psync stat */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

static bool stat_all;

static const struct cli_option stat_options[] = {
	{ "--all", OPTION_FLAG, &stat_all, NULL, "those that are zero, too" },
	{}
};

static void stat_json(struct json *j, const struct ipc_stat *stat)
{
	json_open(j, NULL, '{');
	json_text(j, "name", stat->name);
	json_text(j, "kind", stat->kind == PSYNC_STAT_KIND_DROP ? "drop" :
		  "good");
	json_u64(j, "value", stat->value);
	json_text(j, "text", stat->text);
	json_close(j, '}');
}

static void stat_print(const struct ipc_stat *stat)
{
	printf("%-22s %12" PRIu64 "  %s\n", stat->name, stat->value,
	       stat->text);
}

static int stat_print_list(struct cli *cli, const char *name,
			   const struct ipc_stat *stats, int n)
{
	struct json j = { .out = stdout };
	int i, found = 0;

	if (cli->json)
		json_open(&j, NULL, '[');
	for (i = 0; i < n; i++) {
		if (name && strcmp(name, stats[i].name))
			continue;
		found++;
		if (cli->json)
			stat_json(&j, &stats[i]);
		else if (name || stat_all || stats[i].value)
			stat_print(&stats[i]);
	}
	if (cli->json) {
		json_close(&j, ']');
		json_end(&j);
	}
	if (name && !found)
		return cli_fail(cli, EXIT_REFUSED,
				"no counter \"%s\" (psync stat --all)", name);
	return EXIT_OK;
}

static int stat_show(struct cli *cli)
{
	const char *name = cli_next(cli);
	struct ipc_stat *stats = NULL;
	struct ipc *ipc = NULL;
	int n, status;

	if (cli_end(cli))
		return EXIT_USAGE;
	n = ipc_open(&ipc);
	if (!n)
		n = ipc_stat_list(ipc, &stats);
	if (n < 0)
		status = cli_refused(cli, n, ipc ? ipc_reason(ipc) : NULL);
	else
		status = stat_print_list(cli, name, stats, n);
	free(stats);
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_stat = {
	.name = "stat",
	.text = "counters, and what was dropped for which reason",
	.examples = (const char *const[]) {
		"psync stat", "psync stat show DropDuplicate",
		"psync stat --json", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "[NAME]", "show those that counted, or one", "",
		  stat_options, stat_show },
		{}
	},
};
