// SPDX-License-Identifier: GPL-2.0-only
/* What several commands print or parse alike. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "print.h"

void print_pids_json(struct json *j, const char *name,
		     const struct psync_pid *pids, uint32_t n)
{
	char pid[TEXT_PID];
	uint32_t i;

	json_open(j, name, '[');
	for (i = 0; i < n; i++)
		json_text(j, NULL, text_of_pid(&pids[i], pid));
	json_close(j, ']');
}

void print_mids_json(struct json *j, const char *name, const uint64_t *mids,
		     uint32_t n)
{
	char mid[TEXT_MID];
	uint32_t i;

	json_open(j, name, '[');
	for (i = 0; i < n; i++)
		json_text(j, NULL, text_of_mid(mids[i], mid));
	json_close(j, ']');
}

int print_parse_port(const struct cli *cli, const char *word, uint16_t *port)
{
	uint32_t number = 0;

	if (word && !text_u32(word, 1, 65535, &number))
		return cli_fail(cli, EXIT_USAGE,
				"a UDP port is from 1 to 65535, not \"%s\"",
				word);
	*port = (uint16_t)number;
	return EXIT_OK;
}

/* "l0 l1 l2"; the caller frees it. */
static char *link_names(const struct ipc_link *links, int n)
{
	size_t size = (size_t)n * (IPC_NAME + 1) + 1, at = 0;
	char *names = calloc(1, size);
	int i;

	for (i = 0; names && i < n; i++)
		at += (size_t)snprintf(names + at, size - at, "%s%s",
				       i ? " " : "", links[i].name);
	return names;
}

int print_link_refused(const struct cli *cli, struct ipc *ipc, int err,
		       const char *link)
{
	char reason[256] = "";
	struct ipc_link *links;
	bool known = false;
	char *names;
	int i, n;

	if (!err)
		return EXIT_OK;
	if (!ipc)
		return cli_refused(cli, err, NULL);
	if (ipc_reason(ipc))
		snprintf(reason, sizeof(reason), "%s", ipc_reason(ipc));
	n = err == -ENOENT || err == -ENODEV ? ipc_link_list(ipc, &links) : -1;
	if (n < 0)
		return cli_refused(cli, err, reason[0] ? reason : NULL);
	for (i = 0; i < n; i++)
		known = known || !strcmp(links[i].name, link);
	names = link_names(links, n);
	free(links);
	if (known || !names)
		cli_refused(cli, err, reason[0] ? reason : NULL);
	else if (n)
		cli_fail_errno(cli, err, "no link \"%s\" (links: %s)", link,
			       names);
	else
		cli_fail_errno(cli, err, "no link \"%s\" (there are none)",
			       link);
	free(names);
	return EXIT_REFUSED;
}

int print_find_group(const struct cli *cli, struct ipc *ipc, const char *word,
		     struct ipc_group **group)
{
	struct ipc_group *groups, *one;
	uint32_t number = 0;
	int i, n;

	n = ipc_group_list(ipc, &groups);
	if (n < 0)
		return cli_refused(cli, n, ipc_reason(ipc));
	text_u32(word, 1, UINT32_MAX, &number);
	for (i = 0; i < n; i++)
		if (number ? groups[i].number == number :
		    !strcmp(groups[i].name, word))
			break;
	one = i < n ? malloc(sizeof(*one)) : NULL;
	if (one) {
		*one = groups[i];
		groups[i].pids = NULL;
	}
	ipc_group_free(groups, n);
	*group = one;
	return one ? EXIT_OK :
		cli_fail(cli, EXIT_REFUSED, "no group \"%s\"", word);
}

int print_parse_conv(const struct cli *cli, const char *word)
{
	size_t len = word ? strspn(word, "0123456789abcdefABCDEF") : 0;

	if (!word || (len && len <= 16 && !word[len]))
		return EXIT_OK;
	return cli_fail(cli, EXIT_USAGE,
			"CID is the beginning of a conversation id, 1 to 16 hexadecimal digits, not \"%s\" (psync conv lists them)",
			word);
}

int print_find_conv(const struct cli *cli, const char *word,
		    const struct ipc_conv *convs, int n,
		    const struct ipc_conv **conv)
{
	size_t len = word ? strlen(word) : 0;
	char cid[TEXT_CID];
	int i, found = 0;

	for (i = 0; i < n; i++) {
		if (strncasecmp(text_of_cid(convs[i].cid, cid), word ? word : "",
			    len))
			continue;
		*conv = &convs[i];
		found++;
	}
	if (found == 1)
		return EXIT_OK;
	if (!n)
		return cli_fail(cli, EXIT_REFUSED, "no conversations here");
	if (found)
		return cli_fail(cli, EXIT_REFUSED,
				"%d conversations%s%s, say which (psync conv)",
				found, word ? " begin with " : "",
				word ? word : "");
	return cli_fail(cli, EXIT_REFUSED,
			"no conversation's id begins with \"%s\" (psync conv lists them)",
			word);
}
