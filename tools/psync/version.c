// SPDX-License-Identifier: GPL-2.0-only
/* psync version */

#include <stdio.h>

#include "cli.h"
#include "json.h"

static int version_show(struct cli *cli)
{
	struct json j = { .out = stdout };

	if (cli_end(cli))
		return EXIT_USAGE;
	if (!cli->json) {
		puts("psync " CLI_VERSION);
		return EXIT_OK;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "version", CLI_VERSION);
	json_u64(&j, "json", CLI_JSON);
	json_close(&j, '}');
	json_end(&j);
	return EXIT_OK;
}

const struct cli_noun noun_version = {
	.name = "version",
	.text = "version of this program, and of what --json prints",
	.examples = (const char *const[]) { "psync version --json", NULL },
	.verbs = (const struct cli_verb[]) {
		{ NULL, "", "print it", "", NULL, version_show },
		{}
	},
};
