// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completion: "psync complete WORD..." prints candidates for the last word,
 * from the table of commands and from what exists in the kernel now; "psync
 * completion bash" prints the few lines of shell that ask it.
 */

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ipc.h"

static const char complete_bash[] =
	"# bash completion of psync; made by \"psync completion bash\"\n"
	"_psync()\n"
	"{\n"
	"\tlocal IFS=$'\\n' words\n"
	"\twords=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	"\tCOMPREPLY=($(psync complete \"${words[@]}\" 2>/dev/null))\n"
	"}\n"
	"complete -o default -F _psync psync\n";

static void candidate(const char *word, const char *begin)
{
	if (!strncmp(word, begin, strlen(begin)))
		puts(word);
}

static void candidate_u64(uint64_t value, const char *format, const char *begin)
{
	char text[24];

	/* One of the two formats below. */
	if (*format == 'x')
		snprintf(text, sizeof(text), "%016" PRIx64, value);
	else
		snprintf(text, sizeof(text), "%" PRIu64, value);
	candidate(text, begin);
}

static void complete_devices(const char *begin)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			candidate(entry->d_name, begin);
	if (dir)
		closedir(dir);
}

/* Names of what is there; nothing when the kernel cannot be asked. */
static void complete_objects(const char *class, const char *begin)
{
	struct ipc_group *groups;
	struct ipc_conv *convs;
	struct ipc_peer *peers;
	struct ipc_link *links;
	struct ipc *ipc;
	int i, n = 0;

	if (ipc_open(&ipc))
		return;
	if (!strcmp(class, "%link")) {
		n = ipc_link_list(ipc, &links);
		for (i = 0; i < n; i++)
			candidate(links[i].name, begin);
		if (n > 0)
			free(links);
	} else if (!strcmp(class, "%peer")) {
		n = ipc_peer_list(ipc, &peers);
		for (i = 0; i < n; i++)
			candidate_u64(peers[i].site, "u", begin);
		if (n > 0)
			free(peers);
	} else if (!strcmp(class, "%group")) {
		n = ipc_group_list(ipc, &groups);
		for (i = 0; i < n; i++)
			candidate(groups[i].name, begin);
		if (n > 0)
			ipc_group_free(groups, n);
	} else if (!strcmp(class, "%conv")) {
		n = ipc_conv_list(ipc, &convs);
		for (i = 0; i < n; i++)
			candidate_u64(convs[i].cid, "x", begin);
		if (n > 0)
			ipc_conv_free(convs, n);
	}
	ipc_close(ipc);
}

static void complete_nouns(const char *begin)
{
	int i;

	for (i = 0; cli_nouns[i]; i++)
		candidate(cli_nouns[i]->name, begin);
}

static void complete_words(const char *words, const char *begin)
{
	char *copy = strdup(words), *word, *rest = NULL;

	for (word = copy ? strtok_r(copy, " ", &rest) : NULL; word;
	     word = strtok_r(NULL, " ", &rest)) {
		if (!strcmp(word, "%dev"))
			complete_devices(begin);
		else if (!strcmp(word, "%command"))
			complete_nouns(begin);
		else if (*word == '%')
			complete_objects(word, begin);
		else
			candidate(word, begin);
	}
	free(copy);
}

static void complete_verbs(const struct cli_noun *noun, const char *begin)
{
	const char *before = "";
	int i;

	for (i = 0; noun->verbs[i].name; i++) {
		if (strcmp(noun->verbs[i].name, before))
			candidate(noun->verbs[i].name, begin);
		before = noun->verbs[i].name;
	}
}

static void complete_verb(const struct cli_verb *verb, const char *begin)
{
	const struct cli_option *option;

	if (*begin != '-') {
		complete_words(verb->words, begin);
		return;
	}
	for (option = verb->options; option && option->name; option++)
		candidate(option->name, begin);
	candidate("--json", begin);
	candidate("--help", begin);
}

int complete(int n, char **words)
{
	const struct cli_verb *verb;
	const char *begin;
	int i;

	if (n < 1)
		return EXIT_USAGE;
	begin = words[n - 1];
	if (n == 1) {
		complete_nouns(begin);
		return EXIT_OK;
	}
	for (i = 0; cli_nouns[i] && strcmp(cli_nouns[i]->name, words[0]); i++)
		;
	if (!cli_nouns[i])
		return EXIT_OK;
	verb = cli_nouns[i]->verbs;
	if (verb->name && n == 2) {
		complete_verbs(cli_nouns[i], begin);
		return EXIT_OK;
	}
	while (verb->name && strcmp(verb->name, words[1]))
		verb++;
	if (verb->run)
		complete_verb(verb, begin);
	return EXIT_OK;
}

static int completion_show(struct cli *cli)
{
	const char *shell = cli_need(cli, "shell");

	if (!shell || cli_end(cli))
		return EXIT_USAGE;
	if (strcmp(shell, "bash"))
		return cli_fail(cli, EXIT_USAGE,
				"completion is for bash, not \"%s\"", shell);
	fputs(complete_bash, stdout);
	return EXIT_OK;
}

const struct cli_noun noun_completion = {
	.name = "completion",
	.text = "make a shell complete commands and names",
	.examples = (const char *const[]) {
		"eval \"$(psync completion bash)\"", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "bash", "print what the shell needs", "bash", NULL,
		  completion_show },
		{}
	},
};
