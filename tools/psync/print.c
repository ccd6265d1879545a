// SPDX-License-Identifier: GPL-2.0-only
/* What several commands print or parse alike. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "print.h"

static const char *event_name(uint32_t type)
{
	switch (type) {
	case PSYNC_EV_REFUSED:
		return "refused";
	case PSYNC_EV_MISMATCH:
		return "mismatch";
	case PSYNC_EV_REOPENED:
		return "reopened";
	case PSYNC_EV_STALE:
		return "stale";
	case PSYNC_EV_LOST:
		return "lost";
	case PSYNC_EV_GAP:
		return "gap";
	case PSYNC_EV_ABSENT:
		return "absent";
	case PSYNC_EV_VOID:
		return "void";
	case PSYNC_EV_BLOCKED:
		return "blocked";
	case PSYNC_EV_RESUMED:
		return "resumed";
	case PSYNC_EV_SKIPPED:
		return "skipped";
	case PSYNC_EV_RESTARTED:
		return "restarted";
	case PSYNC_EV_DIFFERS:
		return "differs";
	case PSYNC_EV_MASKED:
		return "masked";
	case PSYNC_EV_UNMASKED:
		return "unmasked";
	case PSYNC_EV_AGREED:
		return "agreed";
	case PSYNC_EV_SUSPECT:
		return "suspect";
	case PSYNC_EV_HEARD:
		return "heard";
	case PSYNC_EV_ENDED:
		return "ended";
	}
	return "unknown";
}

static const char *event_text(const struct psync_event *ev)
{
	switch (ev->type) {
	case PSYNC_EV_REFUSED:
		return ev->reason == 1 ?
			"it refused us: its list of participants differs" :
			"it refused us: others go on, we need a restart";
	case PSYNC_EV_MISMATCH:
		return "refused it: its list of participants differs";
	case PSYNC_EV_REOPENED:
		return "it reopened while others go on";
	case PSYNC_EV_STALE:
		return "we reopened while others go on";
	case PSYNC_EV_LOST:
		return "events were lost";
	case PSYNC_EV_GAP:
		return ev->site ?
			"we were late: messages are lost, it does not keep them" :
			"we opened late: this is the first message given";
	case PSYNC_EV_ABSENT:
		return "it was not heard: nobody waits for it until it is";
	case PSYNC_EV_VOID:
		return ev->reason == PSYNC_VOID_UNKEPT ?
			"this message and what follows it are given up: who may have it masks us out" :
			"this message and what follows it died with its sender";
	case PSYNC_EV_BLOCKED:
		return ev->reason ?
			"it does not receive: who sends here waits for it" :
			"it holds back who sends here: perhaps it is away";
	case PSYNC_EV_RESUMED:
		return "nobody is waited for any more: who sends here goes on";
	case PSYNC_EV_SKIPPED:
		return "nobody here waits for it any more, it may lose messages";
	case PSYNC_EV_RESTARTED:
		return "its participant, who had sent up to this message, is back";
	case PSYNC_EV_DIFFERS:
		return "what is sent again is not this message";
	case PSYNC_EV_MASKED:
		return "its sender no longer waits for the participant named";
	case PSYNC_EV_UNMASKED:
		return "its sender waits for the participant named again";
	case PSYNC_EV_AGREED:
		return "its sender is masked out for good: this is its last that counts";
	case PSYNC_EV_SUSPECT:
		return ev->reason ?
			"it does not receive: who sends here waits for it" :
			"it is silent, and something is expected of it";
	case PSYNC_EV_HEARD:
		return "it was silent and was heard again";
	case PSYNC_EV_ENDED:
		return ev->reason == PSYNC_END_DIED ?
			"its sender's last: the process ended without closing" :
			"its sender's last: it was closed";
	}
	return "an event this program does not know";
}

void print_event(FILE *out, const struct psync_event *ev)
{
	char cid[TEXT_CID], mid[TEXT_MID];

	fprintf(out, "event %s", event_name(ev->type));
	if (ev->site)
		fprintf(out, " site %" PRIu32, ev->site);
	if (ev->cid)
		fprintf(out, " conversation %s",
			text_of_cid(ev->cid, cid));
	if (ev->mid)
		fprintf(out, " message %s", text_of_mid(ev->mid, mid));
	if (ev->other)
		fprintf(out, " %s %s",
			ev->type == PSYNC_EV_GAP ? "to" : "dropped",
			text_of_mid(ev->other, mid));
	if (ev->group)
		fprintf(out, " group %" PRIu32, ev->group);
	if (ev->number)
		fprintf(out, " number %" PRIu32, ev->number);
	if (ev->type == PSYNC_EV_MASKED || ev->type == PSYNC_EV_UNMASKED)
		fprintf(out, " participant %" PRIu32, ev->reason);
	if ((ev->type == PSYNC_EV_BLOCKED || ev->type == PSYNC_EV_SUSPECT ||
	     ev->type == PSYNC_EV_SKIPPED) && ev->reason)
		fprintf(out, " participant %" PRIu32, ev->reason - 1);
	fprintf(out, ": %s", event_text(ev));
	if (ev->type == PSYNC_EV_LOST ||
	    (ev->type == PSYNC_EV_GAP && ev->reason))
		fprintf(out, " (%" PRIu32 ")", ev->reason);
	fputc('\n', out);
}

void print_event_json(struct json *j, const char *name,
		      const struct psync_event *ev)
{
	char text[TEXT_MID];

	json_open(j, name, '{');
	json_text(j, "type", event_name(ev->type));
	json_u64(j, "site", ev->site);
	json_text(j, "cid", text_of_cid(ev->cid, text));
	if (ev->mid)
		json_text(j, "mid", text_of_mid(ev->mid, text));
	if (ev->other)
		json_text(j, "other", text_of_mid(ev->other, text));
	json_u64(j, "group", ev->group);
	json_u64(j, "number", ev->number);
	json_u64(j, "reason", ev->reason);
	json_close(j, '}');
}

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
