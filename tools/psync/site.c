// SPDX-License-Identifier: GPL-2.0-only
/* psync site */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli.h"
#include "ipc.h"
#include "json.h"

/* Incarnations are made of the time they began. */
static void site_print(const struct ipc_site *site)
{
	time_t since = (time_t)(site->incarnation / 1000000000);
	char when[32] = "";
	struct tm tm;

	if (!site->id) {
		puts("no site id (psync site set ID)");
		return;
	}
	if (gmtime_r(&since, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("site %" PRIu32 " since %s, incarnation %" PRIu64
	       ", family %" PRIu16 ", %" PRIu32 " users\n", site->id, when,
	       site->incarnation, site->family, site->users);
}

static int site_show(struct cli *cli)
{
	struct json j = { .out = stdout };
	struct ipc_site site;
	struct ipc *ipc = NULL;
	int err, status = cli_end(cli);

	if (status)
		return status;
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_site_get(ipc, &site);
	if (err) {
		status = cli_refused(cli, err, ipc ? ipc_reason(ipc) : NULL);
	} else if (cli->json) {
		json_open(&j, NULL, '{');
		json_u64(&j, "site", site.id);
		json_u64(&j, "incarnation", site.incarnation);
		json_u64(&j, "family", site.family);
		json_u64(&j, "users", site.users);
		json_close(&j, '}');
		json_end(&j);
	} else {
		site_print(&site);
	}
	ipc_close(ipc);
	return status;
}

static int site_change(struct cli *cli, uint32_t id)
{
	struct ipc *ipc = NULL;
	int status = cli_end(cli), err;

	if (status)
		return status;
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_site_set(ipc, id);
	if (err)
		status = cli_refused(cli, err, ipc ? ipc_reason(ipc) : NULL);
	ipc_close(ipc);
	return status;
}

static int site_set(struct cli *cli)
{
	const char *word = cli_need(cli, "site id");
	uint32_t id;

	if (!word)
		return EXIT_USAGE;
	if (cli_number(cli, "a site id", word, UINT32_MAX, &id))
		return EXIT_USAGE;
	return site_change(cli, id);
}

static int site_del(struct cli *cli)
{
	return site_change(cli, 0);
}

const struct cli_noun noun_site = {
	.name = "site",
	.text = "the id of this host (of this network namespace)",
	.examples = (const char *const[]) {
		"psync site set 1", "psync site", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "", "show the site", "", NULL, site_show },
		{ "set", "ID", "give the site its id and a new incarnation",
		  "", NULL, site_set },
		{ "del", "", "take the id away", "", NULL, site_del },
		{}
	},
	.more = "The id cannot change while sockets or conversations use it.",
};
