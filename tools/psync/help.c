// SPDX-License-Identifier: GPL-2.0-only
/* Help, made of the table of commands: examples first. */

#include <stdio.h>

#include "cli.h"

static const char *const help_examples[] = {
	"psync site set 1                          # this host is site 1",
	"psync link add l0 eth dev eth0            # it reaches others over eth0",
	"psync peer add 2 link l0 addr 02:00:00:00:02:00",
	"psync group add 7 name demo 1:100 2:100   # who will converse",
	"psync chat demo                           # on both hosts: talk",
	"psync graph                               # who had seen what",
};

void help_all(void)
{
	size_t i;

	puts("Conversations that preserve their context: configure, take part, look.\n");
	for (i = 0; i < sizeof(help_examples) / sizeof(*help_examples); i++)
		printf("  %s\n", help_examples[i]);
	puts("\nCommands (psync help COMMAND):");
	for (i = 0; cli_nouns[i]; i++)
		printf("  %-12s %s\n", cli_nouns[i]->name, cli_nouns[i]->text);
	puts("\nEverywhere: --json (-j; errors, too), --help (-h).\n"
	     "Exit: 0 done; 1 refused, the message says why; 2 wrong usage;\n"
	     "3 psync is not in the kernel; 4 the time was over.");
}

static void help_option(const struct cli_option *option)
{
	char left[40];

	snprintf(left, sizeof(left), "%s%s%s", option->name,
		 option->arg ? " " : "", option->arg ? option->arg : "");
	printf("      %-22s %s\n", left, option->text);
}

static void help_noun(const struct cli_noun *noun)
{
	const struct cli_option *option;
	const struct cli_verb *verb;
	int i;

	printf("%s: %s\n\n", noun->name, noun->text);
	for (i = 0; noun->examples[i]; i++)
		printf("  %s\n", noun->examples[i]);
	puts("\nUsage:");
	for (verb = noun->verbs; verb->run; verb++) {
		printf("  psync %s%s%s %s\n", noun->name, verb->name ? " " : "",
		       verb->name ? verb->name : "", verb->args);
		printf("      %s\n", verb->text);
		for (option = verb->options; option && option->name; option++)
			help_option(option);
	}
	if (noun->more)
		printf("\n%s\n", noun->more);
}

int help_on(struct cli *cli, const char *name)
{
	const struct cli_noun *noun = cli_noun_find(name);

	if (!noun)
		return cli_noun_unknown(cli, name);
	help_noun(noun);
	return EXIT_OK;
}

static int help_run(struct cli *cli)
{
	if (cli->n)
		return help_on(cli, cli->arg[0]);
	help_all();
	return EXIT_OK;
}

const struct cli_noun noun_help = {
	.name = "help",
	.text = "help on a command, with examples",
	.examples = (const char *const[]) {
		"psync help", "psync help chat", "psync chat --help", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "[COMMAND]", "say what it does, and its options",
		  "%command", NULL, help_run },
		{}
	},
};
