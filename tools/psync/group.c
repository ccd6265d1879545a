// SPDX-License-Identifier: GPL-2.0-only
/* psync group */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

#define GROUP_MOST	1024

static void group_print(const struct ipc_group *group)
{
	char pid[TEXT_PID];
	uint32_t i;

	printf("%" PRIu32 " name %s", group->number, group->name);
	if (group->slow.policy != PSYNC_SLOW_BLOCK)
		printf(" slow %s", text_of_slow(group->slow.policy));
	if (group->slow.ms)
		printf(" slow-ms %" PRIu32, group->slow.ms);
	for (i = 0; i < group->n; i++)
		printf(" %s", text_of_pid(&group->pids[i], pid));
	putchar('\n');
}

void print_group_json(struct json *j, const char *name,
		      const struct ipc_group *group)
{
	char digest[TEXT_CID];

	json_open(j, name, '{');
	json_u64(j, "number", group->number);
	/* Of a deleted group only the number is known. */
	if (group->n) {
		json_text(j, "name", group->name);
		json_text(j, "digest", text_of_cid(group->digest, digest));
		json_text(j, "slow", text_of_slow(group->slow.policy));
		json_u64(j, "slow_ms", group->slow.ms);
		print_pids_json(j, "members", group->pids, group->n);
	}
	json_close(j, '}');
}

static bool group_is(const struct ipc_group *group, const char *word)
{
	uint32_t number;

	if (text_u32(word, 1, UINT32_MAX, &number))
		return group->number == number;
	return !strcmp(group->name, word);
}

static int group_show(struct cli *cli)
{
	const char *word = cli_next(cli);
	struct json j = { .out = stdout };
	struct ipc_group *groups = NULL;
	int n, i, found = 0, status = cli_end(cli);
	struct ipc *ipc = NULL;

	if (status)
		return status;
	n = ipc_open(&ipc);
	if (!n)
		n = ipc_group_list(ipc, &groups);
	if (n < 0) {
		status = cli_refused(cli, n, ipc ? ipc_reason(ipc) : NULL);
		ipc_close(ipc);
		return status;
	}
	if (cli->json)
		json_open(&j, NULL, '[');
	for (i = 0; i < n; i++) {
		if (word && !group_is(&groups[i], word))
			continue;
		found++;
		if (cli->json)
			print_group_json(&j, NULL, &groups[i]);
		else
			group_print(&groups[i]);
	}
	if (cli->json) {
		json_close(&j, ']');
		json_end(&j);
	}
	if (word && !found)
		status = cli_fail(cli, EXIT_REFUSED, "no group \"%s\"", word);
	ipc_group_free(groups, n);
	ipc_close(ipc);
	return status;
}

static int group_parse_name(struct cli *cli, struct ipc_group *group)
{
	const char *name;

	if (!cli->n || strcmp(cli->arg[0], "name"))
		return EXIT_OK;
	cli_next(cli);
	name = cli_need(cli, "name");
	if (!name)
		return EXIT_USAGE;
	if (!*name || strlen(name) >= sizeof(group->name))
		return cli_fail(cli, EXIT_USAGE,
				"a group's name has 1 to %d characters",
				PSYNC_NAME_MAX);
	strcpy(group->name, name);
	return EXIT_OK;
}

/* "[slow block|skip|suspect|mask] [slow-ms MS]" */
static int group_parse_slow(struct cli *cli, struct ipc_group *group)
{
	const char *word;

	if (cli->n && !strcmp(cli->arg[0], "slow")) {
		cli_next(cli);
		word = cli_need(cli, "block, skip, suspect or mask");
		if (!word)
			return EXIT_USAGE;
		if (!text_slow(word, &group->slow.policy))
			return cli_fail(cli, EXIT_USAGE,
					"slow is block, skip, suspect or mask, not \"%s\"",
					word);
		group->has_slow = true;
	}
	if (!cli->n || strcmp(cli->arg[0], "slow-ms"))
		return EXIT_OK;
	cli_next(cli);
	word = cli_need(cli, "milliseconds");
	if (!word || cli_number(cli, "slow-ms", word, UINT32_MAX,
				&group->slow.ms))
		return EXIT_USAGE;
	group->has_slow_ms = true;
	return EXIT_OK;
}

/*
 * "NUMBER [name NAME] [slow ...] [slow-ms MS] [SITE:PORT...]"; the caller frees
 * the pids.  Where there is a @name to be filled in, a name, which does not begin
 * with a digit, may be in place of the number.
 */
static int group_parse(struct cli *cli, struct ipc_group *group,
		       const char **name)
{
	const char *word = cli_need(cli, name ? "group number or name" :
						"group number");

	if (!word)
		return EXIT_USAGE;
	if (name && *word && !strchr("0123456789-", *word))
		*name = word;
	else if (cli_number(cli, "a group's number", word, UINT32_MAX,
			    &group->number))
		return EXIT_USAGE;
	if (group_parse_name(cli, group) || group_parse_slow(cli, group))
		return EXIT_USAGE;
	if (cli->n > GROUP_MOST)
		return cli_fail(cli, EXIT_USAGE,
				"a group has 2 to 1024 members");
	group->pids = calloc((size_t)cli->n + 1, sizeof(*group->pids));
	if (!group->pids)
		return cli_refused(cli, -ENOMEM, NULL);
	while ((word = cli_next(cli)))
		if (!text_pid(word, &group->pids[group->n++]))
			return cli_fail(cli, EXIT_USAGE,
					"a member is SITE:PORT, numbers from 1 to %"
					PRIu32 ", not \"%s\"", UINT32_MAX,
					word);
	return EXIT_OK;
}

/* @name: of the group, if it was not named by its number. */
static int group_change(struct cli *cli, struct ipc_group *group,
			const char *name,
			int (*change)(struct ipc *, const struct ipc_group *))
{
	struct ipc_group *named = NULL;
	struct ipc *ipc = NULL;
	int status = EXIT_OK, err;

	err = ipc_open(&ipc);
	if (!err && name) {
		status = print_find_group(cli, ipc, name, &named);
		if (status) {
			ipc_close(ipc);
			return status;
		}
		group->number = named->number;
		ipc_group_free(named, 1);
	}
	if (!err)
		err = change(ipc, group);
	if (err)
		status = cli_refused(cli, err, ipc ? ipc_reason(ipc) : NULL);
	ipc_close(ipc);
	return status;
}

static int group_add(struct cli *cli)
{
	struct ipc_group group = {};
	int status = group_parse(cli, &group, NULL);

	if (!status && !group.n)
		status = cli_fail(cli, EXIT_USAGE, "members missing");
	if (!status)
		status = group_change(cli, &group, NULL, ipc_group_add);
	free(group.pids);
	return status;
}

static int group_set(struct cli *cli)
{
	struct ipc_group group = {};
	const char *name = NULL;
	int status = group_parse(cli, &group, &name);

	if (!status && !group.n && !group.name[0] && !group.has_slow &&
	    !group.has_slow_ms)
		status = cli_fail(cli, EXIT_USAGE,
				  "say what to change: name NAME, slow, slow-ms or members");
	if (!status)
		status = group_change(cli, &group, name, ipc_group_set);
	free(group.pids);
	return status;
}

static int group_del(struct cli *cli)
{
	const char *word = cli_need(cli, "group number or name");
	struct ipc *ipc = NULL;
	uint32_t number = 0;
	int err, status;

	if (!word || cli_end(cli))
		return EXIT_USAGE;
	text_u32(word, 1, UINT32_MAX, &number);
	if (!number && strlen(word) > PSYNC_NAME_MAX)
		return cli_fail(cli, EXIT_REFUSED, "no group \"%s\"", word);
	err = ipc_open(&ipc);
	if (!err)
		err = ipc_group_del(ipc, number, number ? NULL : word);
	if (err == -ENOENT)
		status = cli_fail_errno(cli, err, "no group \"%s\"", word);
	else
		status = err ? cli_refused(cli, err,
					   ipc ? ipc_reason(ipc) : NULL) : 0;
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_group = {
	.name = "group",
	.text = "who converses with whom",
	.examples = (const char *const[]) {
		"psync group add 7 name demo 1:100 2:100 3:100",
		"psync group set demo name talk",
		"psync group set 7 slow suspect slow-ms 500",
		"psync group", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "[NUMBER|NAME]", "show groups", "%group", NULL,
		  group_show },
		{ "add",
		  "NUMBER [name NAME] [slow block|skip|suspect|mask] [slow-ms MS] SITE:PORT SITE:PORT...",
		  "add a group; without a name it is called g and its number",
		  "name slow slow-ms block skip suspect mask", NULL, group_add },
		{ "set",
		  "NUMBER|NAME [name NAME] [slow block|skip|suspect|mask] [slow-ms MS] [SITE:PORT...]",
		  "change its name, or what is said; conversations keep what they began with",
		  "%group name slow slow-ms block skip suspect mask", NULL, group_set },
		{ "del", "NUMBER|NAME", "delete a group; conversations go on",
		  "%group", NULL, group_del },
		{}
	},
	.more = "The list and its order must be the same at all sites. What becomes of a\n"
		"member that holds the others back (slow) is each site's own affair.",
};
