// SPDX-License-Identifier: GPL-2.0-only
/* psync conv */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

static const char *conv_state(uint32_t state)
{
	switch (state) {
	case PSYNC_CONV_STATE_EMBRYO:
		return "embryo";
	case PSYNC_CONV_STATE_PENDING:
		return "pending";
	case PSYNC_CONV_STATE_OPEN:
		return "open";
	case PSYNC_CONV_STATE_REFUSED:
		return "refused";
	case PSYNC_CONV_STATE_LINGERING:
		return "lingering";
	case PSYNC_CONV_STATE_RECOVERING:
		return "recovering";
	}
	return "unknown";
}

/* One line: enough to choose. */
static void conv_print_line(const struct ipc_conv *conv)
{
	char cid[TEXT_CID];

	printf("%s %s", text_of_cid(conv->cid, cid), conv_state(conv->state));
	if (conv->group)
		printf(" group %" PRIu32, conv->group);
	if (conv->number)
		printf(" number %" PRIu32, conv->number);
	printf(" participants %" PRIu32 " here %" PRIu32 " attached %" PRIu64
	       " kept %" PRIu32, conv->n, conv->views, conv->attached,
	       conv->nodes);
	if (conv->held)
		printf(" held %" PRIu32, conv->held);
	if (conv->early)
		printf(" early %" PRIu32, conv->early);
	if (conv->unheld)
		printf(" unheld %" PRIu32, conv->unheld);
	if (conv->lacking)
		printf(" lacking %" PRIu64, conv->lacking);
	putchar('\n');
}

/**
 * struct conv_parts - what there is to say of a conversation in full
 * @views: local participants
 * @nviews: how many
 * @remotes: other sites
 * @nremotes: how many
 */
struct conv_parts {
	struct ipc_view		*views;
	int			nviews;
	struct ipc_remote	*remotes;
	int			nremotes;
};

static const struct ipc_view *conv_view_of(const struct conv_parts *parts,
					   uint32_t index)
{
	int i;

	for (i = 0; i < parts->nviews; i++)
		if (parts->views[i].index == index)
			return &parts->views[i];
	return NULL;
}

static const char *conv_remote_state(const struct ipc_remote *remote)
{
	if (remote->moved)
		return "reopened";
	if (remote->absent)
		return "absent";
	if (remote->suspect)
		return "suspect";
	return remote->heard ? "heard" : "not heard";
}

/* What another site has to do with it: who is waited for, and for what. */
static void conv_print_remote(const struct ipc_remote *remote)
{
	printf("  site %" PRIu32 " %s", remote->site,
	       conv_remote_state(remote));
	if (remote->opening)
		printf(" opening %" PRIu32, remote->opening);
	printf(" lacks %" PRIu32, remote->lacks);
	if (remote->asked)
		printf(" asked %" PRIu32, remote->asked);
	if (remote->rtt)
		printf(" rtt %" PRIu64 ".%03" PRIu64 " ms",
		       remote->rtt / 1000000, remote->rtt / 1000 % 1000);
	printf(" flight %" PRIu64 "/%" PRIu32 " credit %" PRIu32 "/%" PRIu32
	       "\n", remote->flight_bytes, remote->flight_msgs,
	       remote->credit_bytes, remote->credit_msgs);
}

/* What may be sent, what becomes of slow members, and who is one. */
static void conv_print_slow(const struct ipc_conv *conv)
{
	printf("  window %" PRIu64 " bytes, flight %" PRIu64 "\n", conv->window,
	       conv->flight);
	printf("  slow %s after %" PRIu32 " ms", text_of_slow(conv->slow.policy),
	       conv->slow.ms);
	if (conv->blocker_site)
		printf(", held back by site %" PRIu32, conv->blocker_site);
	if (conv->blocker)
		printf(" participant %" PRIu32, conv->blocker - 1);
	putchar('\n');
}

static bool conv_in_set(const uint8_t *set, uint32_t index)
{
	return set[index / 8] >> index % 8 & 1;
}

/* A set of participants, when there is anybody in it. */
static void conv_print_set(const char *name, const uint8_t *set, uint32_t n)
{
	bool first = true;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (!conv_in_set(set, i))
			continue;
		if (first)
			printf(" %s %" PRIu32, name, i);
		else
			printf(",%" PRIu32, i);
		first = false;
	}
}

/* Whom one that is here does not wait for, and who does not wait for it. */
static void conv_print_masks(const struct ipc_view *view, uint32_t n)
{
	conv_print_set("masks", view->masked, n);
	conv_print_set("agreed", view->agreed, n);
	conv_print_set("asked in", view->asked, n);
	conv_print_set("masked by", view->masked_by, n);
}

static void conv_print(const struct ipc_conv *conv,
		       const struct conv_parts *parts)
{
	const struct ipc_view *view;
	int k;
	char pid[TEXT_PID];
	uint32_t i;

	conv_print_line(conv);
	printf("  site %" PRIu32 " opening %" PRIu32 ", other sites %" PRIu32
	       ", confirmed %" PRIu32 "\n", conv->site, conv->opening,
	       conv->sites, conv->confirmed);
	printf("  bodies %" PRIu64 " bytes, depth %" PRIu32
	       ", charged %" PRIu64 " bytes", conv->body_bytes, conv->depth,
	       conv->charged);
	if (conv->owed)
		printf(", owed %" PRIu64, conv->owed);
	putchar('\n');
	conv_print_slow(conv);
	for (k = 0; k < parts->nremotes; k++)
		conv_print_remote(&parts->remotes[k]);
	for (i = 0; i < conv->n; i++) {
		printf("  %" PRIu32 " = %s last %" PRIu64, i,
		       text_of_pid(&conv->pids[i], pid), conv->seqs[i]);
		view = conv_view_of(parts, i);
		if (view)
			printf(" %s binding %" PRIu32 " view %" PRIu64
			       " outstanding %" PRIu32 " leaves %" PRIu32,
			       view->accepted ? "here" : "waits for accept",
			       view->binding, view->count, view->outstanding,
			       view->leaves);
		if (view)
			conv_print_masks(view, conv->n);
		putchar('\n');
	}
}

static void conv_json_set(struct json *j, const char *name,
			  const uint8_t *set, uint32_t n)
{
	uint32_t i;

	json_open(j, name, '[');
	for (i = 0; i < n; i++)
		if (conv_in_set(set, i))
			json_u64(j, NULL, i);
	json_close(j, ']');
}

static void conv_json_part(struct json *j, const struct ipc_conv *conv,
			   uint32_t index, const struct ipc_view *view)
{
	char pid[TEXT_PID];

	json_open(j, NULL, '{');
	json_u64(j, "index", index);
	json_text(j, "pid", text_of_pid(&conv->pids[index], pid));
	json_u64(j, "last", conv->seqs[index]);
	json_bool(j, "here", view);
	if (view) {
		json_bool(j, "accepted", view->accepted);
		json_u64(j, "binding", view->binding);
		json_u64(j, "view", view->count);
		json_u64(j, "outstanding", view->outstanding);
		json_u64(j, "leaves", view->leaves);
		conv_json_set(j, "masks", view->masked, conv->n);
		conv_json_set(j, "agreed", view->agreed, conv->n);
		conv_json_set(j, "masked_by", view->masked_by, conv->n);
		conv_json_set(j, "asked", view->asked, conv->n);
	}
	json_close(j, '}');
}

static void conv_json_remote(struct json *j, const struct ipc_remote *remote)
{
	json_open(j, NULL, '{');
	json_u64(j, "site", remote->site);
	json_u64(j, "incarnation", remote->incarnation);
	json_u64(j, "opening", remote->opening);
	json_bool(j, "heard", remote->heard);
	json_bool(j, "absent", remote->absent);
	json_bool(j, "reopened", remote->moved);
	json_bool(j, "suspect", remote->suspect);
	json_u64(j, "lacks", remote->lacks);
	json_u64(j, "asked", remote->asked);
	json_u64(j, "rtt_ns", remote->rtt);
	json_u64(j, "rtt_var_ns", remote->rtt_var);
	json_u64(j, "flight_bytes", remote->flight_bytes);
	json_u64(j, "flight_messages", remote->flight_msgs);
	json_u64(j, "credit_bytes", remote->credit_bytes);
	json_u64(j, "credit_messages", remote->credit_msgs);
	json_close(j, '}');
}

static void conv_json(struct json *j, const struct ipc_conv *conv,
		      const struct conv_parts *parts)
{
	char text[TEXT_CID];
	uint32_t i;
	int k;

	json_open(j, NULL, '{');
	json_text(j, "cid", text_of_cid(conv->cid, text));
	json_text(j, "state", conv_state(conv->state));
	json_u64(j, "group", conv->group);
	json_u64(j, "number", conv->number);
	json_text(j, "digest", text_of_cid(conv->digest, text));
	json_u64(j, "site", conv->site);
	json_u64(j, "opening", conv->opening);
	json_u64(j, "sites", conv->sites);
	json_u64(j, "confirmed", conv->confirmed);
	json_u64(j, "nodes", conv->nodes);
	json_u64(j, "attached", conv->attached);
	json_u64(j, "held", conv->held);
	json_u64(j, "early", conv->early);
	json_u64(j, "body_bytes", conv->body_bytes);
	json_u64(j, "depth", conv->depth);
	json_u64(j, "unheld", conv->unheld);
	json_u64(j, "lacking", conv->lacking);
	json_u64(j, "charged", conv->charged);
	json_u64(j, "owed", conv->owed);
	json_text(j, "slow", text_of_slow(conv->slow.policy));
	json_u64(j, "slow_ms", conv->slow.ms);
	/* As in events: index and one; zero when it is not known. */
	json_u64(j, "blocker_site", conv->blocker_site);
	json_u64(j, "blocker", conv->blocker);
	json_u64(j, "window", conv->window);
	json_u64(j, "flight", conv->flight);
	json_open(j, "other_sites", '[');
	for (k = 0; k < parts->nremotes; k++)
		conv_json_remote(j, &parts->remotes[k]);
	json_close(j, ']');
	json_open(j, "participants", '[');
	for (i = 0; i < conv->n; i++)
		conv_json_part(j, conv, i, conv_view_of(parts, i));
	json_close(j, ']');
	json_close(j, '}');
}

/* The details; -ENOENT: it was closed meanwhile. */
static int conv_ask(struct ipc *ipc, const struct ipc_conv *conv,
		    struct conv_parts *parts)
{
	if (conv->views)
		parts->nviews = ipc_view_list(ipc, conv->cid, &parts->views);
	if (parts->nviews < 0)
		return parts->nviews;
	if (conv->sites)
		parts->nremotes = ipc_remote_list(ipc, conv->cid,
						  &parts->remotes);
	return parts->nremotes < 0 ? parts->nremotes : 0;
}

/* One conversation; one that was closed meanwhile is left out. */
static int conv_show_one(struct cli *cli, struct ipc *ipc, struct json *j,
			 const struct ipc_conv *conv, bool brief)
{
	struct conv_parts parts = { 0 };
	int status = EXIT_OK;
	int err;

	if (brief && !cli->json) {
		conv_print_line(conv);
		return EXIT_OK;
	}
	err = conv_ask(ipc, conv, &parts);
	if (err && !(err == -ENOENT && brief))
		status = cli_refused(cli, err, ipc_reason(ipc));
	else if (!err && cli->json)
		conv_json(j, conv, &parts);
	else if (!err)
		conv_print(conv, &parts);
	free(parts.views);
	free(parts.remotes);
	return status;
}

static int conv_show_list(struct cli *cli, struct ipc *ipc, const char *word)
{
	struct json j = { .out = stdout };
	const struct ipc_conv *one = NULL;
	struct ipc_conv *convs;
	int i, n, status = EXIT_OK;
	bool json;

	n = ipc_conv_list(ipc, &convs);
	if (n < 0)
		return cli_refused(cli, n, ipc_reason(ipc));
	if (word)
		status = print_find_conv(cli, word, convs, n, &one);
	/* What was begun is ended, also when something fails midway. */
	json = cli->json && !status;
	if (json)
		json_open(&j, NULL, '[');
	for (i = 0; !status && i < n; i++)
		if (!one || one == &convs[i])
			status = conv_show_one(cli, ipc, &j, &convs[i], !one);
	if (json) {
		json_close(&j, ']');
		json_end(&j);
	}
	ipc_conv_free(convs, n);
	return status;
}

static int conv_show(struct cli *cli)
{
	const char *word = cli_next(cli);
	struct ipc *ipc = NULL;
	int err, status;

	if (cli_end(cli) || print_parse_conv(cli, word))
		return EXIT_USAGE;
	err = ipc_open(&ipc);
	if (err)
		return cli_refused(cli, err, NULL);
	status = conv_show_list(cli, ipc, word);
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_conv = {
	.name = "conv",
	.text = "conversations going on at this site",
	.examples = (const char *const[]) {
		"psync conv", "psync conv show 1f3a", "psync conv --json", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ "show", "[CID]",
		  "list all, or one (the beginning of its id is enough) in full",
		  "%conv", NULL, conv_show },
		{}
	},
};
