// SPDX-License-Identifier: GPL-2.0-only
/* psync: the command line of AF_PSYNC. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"

static int verb_unknown(struct cli *cli, const struct cli_noun *noun,
			const char *name)
{
	const char *names[16] = {};
	const char *near;
	int i;

	for (i = 0; noun->verbs[i].name; i++)
		names[i] = noun->verbs[i].name;
	near = cli_nearest(name, names);
	if (near)
		return cli_fail(cli, EXIT_USAGE, "cannot \"%s\", did you mean %s?",
				name, near);
	return cli_fail(cli, EXIT_USAGE, "cannot \"%s\" (psync help %s)", name,
			noun->name);
}

/* "No verb" means the first one, which looks and changes nothing. */
static const struct cli_verb *verb_find(struct cli *cli,
					const struct cli_noun *noun)
{
	const struct cli_verb *verb = noun->verbs;

	if (!verb->name || !cli->n || cli->arg[0][0] == '-')
		return verb;
	for (; verb->name; verb++)
		if (!strcmp(verb->name, cli->arg[0]))
			return verb;
	return NULL;
}

/* --json and --help may stand anywhere before a lone "--". */
static bool take_flag(int *n, char **arg, const char *name, const char *brief)
{
	bool found = false;
	int from, to = 0;

	for (from = 0; from < *n && strcmp(arg[from], "--"); from++) {
		if (!strcmp(arg[from], name) || !strcmp(arg[from], brief))
			found = true;
		else
			arg[to++] = arg[from];
	}
	for (; from < *n; from++)
		arg[to++] = arg[from];
	*n = to;
	return found;
}

static int run_noun(struct cli *cli, const char *name)
{
	const struct cli_noun *noun = cli_noun_find(name);
	const struct cli_verb *verb;
	int status;

	if (!noun)
		return cli_noun_unknown(cli, name);
	cli->noun = noun->name;
	verb = verb_find(cli, noun);
	if (!verb)
		return verb_unknown(cli, noun, cli->arg[0]);
	if (verb->name && cli->n && !strcmp(cli->arg[0], verb->name))
		cli_next(cli);
	cli->verb = verb->name;
	status = cli_options(cli, verb->options);
	if (status)
		return status;
	return cli->json && change_is(verb) ? change_run(cli, verb) :
					      verb->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = { .n = argc - 1, .arg = argv + 1 };
	const char *name;
	bool help;
	int status;

	/* What is being completed is not to be interpreted. */
	if (argc > 1 && !strcmp(argv[1], "complete"))
		return complete(argc - 2, argv + 2);
	cli.json = take_flag(&cli.n, cli.arg, "--json", "-j");
	help = take_flag(&cli.n, cli.arg, "--help", "-h");
	if (take_flag(&cli.n, cli.arg, "--version", "-V"))
		return noun_version.verbs->run(&cli);
	name = cli_next(&cli);
	if (!name) {
		help_all();
		return help ? EXIT_OK : EXIT_USAGE;
	}
	status = help ? help_on(&cli, name) : run_noun(&cli, name);
	if (fflush(stdout) || ferror(stdout))
		return status ? status : cli_fail(&cli, EXIT_REFUSED,
						  "cannot write");
	return status;
}
