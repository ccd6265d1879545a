// SPDX-License-Identifier: GPL-2.0-only
/* psync graph */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "label.h"
#include "print.h"

static bool graph_ascii, graph_dot, graph_svg;
static const char *graph_labels, *graph_who;

static const struct cli_option graph_options[] = {
	{ "--ascii", OPTION_FLAG, &graph_ascii, NULL,
	  "characters, a lane per participant (default)" },
	{ "--dot", OPTION_FLAG, &graph_dot, NULL, "for graphviz" },
	{ "--svg", OPTION_FLAG, &graph_svg, NULL, "a picture" },
	{ "--labels", OPTION_TEXT, &graph_labels, "LOG",
	  "texts of messages, from chat --log" },
	{ "--names", OPTION_TEXT, &graph_who, "A,B,...",
	  "what the participants are called, in their order" },
	{}
};

/**
 * struct graph_source - a conversation and its image
 * @conv: conversation
 * @nodes: messages
 * @n: how many
 * @labels: their texts
 * @nlabels: how many
 */
struct graph_source {
	const struct ipc_conv	*conv;
	struct ipc_node		*nodes;
	int			n;
	struct label		*labels;
	int			nlabels;
};

/* What the kernel made, or NULL: a program's message. */
static const char *graph_kind(const struct ipc_node *node)
{
	if (node->flags & PSYNC_NODE_FLAGS_NULL)
		return "null";
	if (node->flags & PSYNC_NODE_FLAGS_END)
		return "end";
	if (node->flags & PSYNC_NODE_FLAGS_RESTART)
		return "restart";
	if (node->flags & PSYNC_NODE_FLAGS_MASK)
		return "mask";
	if (node->flags & PSYNC_NODE_FLAGS_GAP)
		return "gap";
	return NULL;
}

static void graph_json_node(struct json *j, const struct graph_source *src,
			    const struct ipc_node *node)
{
	const char *text = label_find(src->labels, src->nlabels, node->mid);
	char buffer[TEXT_MID];

	json_open(j, NULL, '{');
	json_text(j, "mid", text_of_mid(node->mid, buffer));
	json_u64(j, "sender", node->sender);
	json_u64(j, "ordinal", node->ordinal);
	json_u64(j, "wave", node->wave);
	print_mids_json(j, "preds", node->preds, node->npreds);
	json_u64(j, "length", node->body_len);
	json_bool(j, "kept", node->flags & PSYNC_NODE_FLAGS_BODY);
	json_bool(j, "wanted", node->flags & PSYNC_NODE_FLAGS_WANTED);
	json_bool(j, "held", !(node->flags & PSYNC_NODE_FLAGS_UNHELD));
	json_text(j, "kind", graph_kind(node) ? graph_kind(node) : "data");
	if (text)
		json_text(j, "text", text);
	json_close(j, '}');
}

static void graph_json(const struct graph_source *src)
{
	struct json j = { .out = stdout };
	char cid[TEXT_CID];
	int i;

	json_open(&j, NULL, '{');
	json_text(&j, "cid", text_of_cid(src->conv->cid, cid));
	json_u64(&j, "group", src->conv->group);
	json_u64(&j, "number", src->conv->number);
	print_pids_json(&j, "participants", src->conv->pids, src->conv->n);
	json_open(&j, "messages", '[');
	for (i = 0; i < src->n; i++)
		graph_json_node(&j, src, &src->nodes[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	json_end(&j);
}

/* What the drawing needs of the names: one allocation, the pointers first. */
static char **graph_names(const struct ipc_conv *conv)
{
	char **names = malloc(conv->n * (sizeof(*names) + TEXT_PID));
	char *text = (char *)(names + conv->n);
	uint32_t i;

	for (i = 0; names && i < conv->n; i++, text += TEXT_PID) {
		text_of_pid(&conv->pids[i], text);
		names[i] = text;
	}
	return names;
}

/* Splits --names: one allocation; NULL if there is no memory. */
static char **graph_split(uint32_t n)
{
	const char *from = graph_who ? graph_who : "";
	char **who = calloc(1, n * sizeof(*who) + strlen(from) + 1);
	char *text = (char *)(who + n), *word;
	uint32_t i;

	if (!who)
		return NULL;
	strcpy(text, from);
	for (i = 0; i < n && text; i++) {
		word = strsep(&text, ",");
		who[i] = *word ? word : NULL;
	}
	return who;
}

static int graph_check_names(struct cli *cli, const struct ipc_conv *conv)
{
	uint32_t n = 1;
	const char *s;

	for (s = graph_who; s && (s = strchr(s, ',')); s++)
		n++;
	if (!graph_who || n <= conv->n)
		return EXIT_OK;
	return cli_fail(cli, EXIT_USAGE, "%" PRIu32 " names for %" PRIu32
			" participants", n, conv->n);
}

static struct draw_node *graph_nodes(const struct graph_source *src)
{
	struct draw_node *nodes;
	int i;

	nodes = calloc((size_t)src->n + 1, sizeof(*nodes));
	for (i = 0; nodes && i < src->n; i++) {
		nodes[i].mid = src->nodes[i].mid;
		nodes[i].sender = src->nodes[i].sender;
		nodes[i].preds = src->nodes[i].preds;
		nodes[i].npreds = src->nodes[i].npreds;
		nodes[i].len = src->nodes[i].body_len;
		nodes[i].label = label_find(src->labels, src->nlabels,
					    src->nodes[i].mid);
		nodes[i].kind = graph_kind(&src->nodes[i]);
	}
	return nodes;
}

static int graph_draw(struct cli *cli, const struct graph_source *src)
{
	char **names = graph_names(src->conv), title[96], cid[TEXT_CID];
	struct draw_node *nodes = graph_nodes(src);
	char **who = graph_split(src->conv->n);
	struct draw_graph g = {
		.title = title,
		.lanes = src->conv->n,
		.names = (const char *const *)names,
		.who = (const char *const *)who,
		.nodes = nodes,
		.n = (uint32_t)src->n,
	};
	int err = -ENOMEM;

	snprintf(title, sizeof(title), "conversation %s, group %" PRIu32
		 ", number %" PRIu32 ", %d messages",
		 text_of_cid(src->conv->cid, cid), src->conv->group,
		 src->conv->number, src->n);
	if (names && who && nodes)
		err = graph_dot ? draw_dot(stdout, &g) :
		      graph_svg ? draw_svg(stdout, &g) :
				  draw_ascii(stdout, &g);
	free(names);
	free(who);
	free(nodes);
	return err ? cli_refused(cli, err, NULL) : EXIT_OK;
}

static int graph_take_labels(struct cli *cli, struct graph_source *src)
{
	FILE *in;

	if (!graph_labels)
		return EXIT_OK;
	in = fopen(graph_labels, "re");
	if (!in)
		return cli_fail(cli, EXIT_REFUSED, "%s: %s", graph_labels,
				strerror(errno));
	src->nlabels = label_read(in, &src->labels);
	fclose(in);
	if (src->nlabels >= 0)
		return EXIT_OK;
	cli_refused(cli, src->nlabels, NULL);
	src->nlabels = 0;
	return EXIT_REFUSED;
}

static int graph_show_conv(struct cli *cli, struct ipc *ipc,
			   const struct ipc_conv *conv)
{
	struct graph_source src = { .conv = conv };
	int status = graph_take_labels(cli, &src);

	if (status)
		return status;
	if (!conv->n)
		status = cli_fail(cli, EXIT_REFUSED,
				  "its participants are not known yet");
	else
		status = graph_check_names(cli, conv);
	if (!status)
		src.n = ipc_node_list(ipc, conv->cid, &src.nodes);
	if (src.n < 0)
		status = cli_refused(cli, src.n, ipc_reason(ipc));
	else if (!status && cli->json)
		graph_json(&src);
	else if (!status)
		status = graph_draw(cli, &src);
	ipc_node_free(src.nodes, src.n);
	label_free(src.labels, src.nlabels);
	return status;
}

static int graph_show(struct cli *cli)
{
	const char *word = cli_next(cli);
	const struct ipc_conv *conv = NULL;
	struct ipc_conv *convs;
	struct ipc *ipc = NULL;
	int n, status;

	if (cli_end(cli) || print_parse_conv(cli, word))
		return EXIT_USAGE;
	if (graph_ascii + graph_dot + graph_svg + cli->json > 1)
		return cli_fail(cli, EXIT_USAGE,
				"one of --ascii, --dot, --svg, --json");
	n = ipc_open(&ipc);
	if (n < 0)
		return cli_refused(cli, n, NULL);
	n = ipc_conv_list(ipc, &convs);
	if (n < 0) {
		status = cli_refused(cli, n, ipc_reason(ipc));
		ipc_close(ipc);
		return status;
	}
	status = print_find_conv(cli, word, convs, n, &conv);
	if (!status)
		status = graph_show_conv(cli, ipc, conv);
	ipc_conv_free(convs, n);
	ipc_close(ipc);
	return status;
}

const struct cli_noun noun_graph = {
	.name = "graph",
	.text = "the context graph of a conversation",
	.examples = (const char *const[]) {
		"psync graph", "psync graph 1f3a --dot | dot -Tpdf > graph.pdf",
		"psync graph --svg --labels chat.log > graph.svg",
		"psync graph --names ann,ben,cleo", NULL
	},
	.verbs = (const struct cli_verb[]) {
		{ NULL, "[CID] [--ascii|--dot|--svg|--json]",
		  "draw it (CID: the beginning is enough; none if it is the only one)",
		  "%conv", graph_options, graph_show },
		{}
	},
	.more = "In characters: '*' a message in its sender's lane; '+' an edge leaves the\n"
		"last message of that lane so far, a digit: the so many messages earlier one\n"
		"('#': more than nine); a dotted line: the same participant, but no edge.",
};
