// SPDX-License-Identifier: GPL-2.0-only
/* The context graph as DOT (for graphviz) and as SVG. */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "text.h"

/* Colours that can be told apart, also by the colour-blind; used in turn. */
static const char *const draw_colours[] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
};

static const char *draw_colour(uint32_t lane)
{
	return draw_colours[lane % (sizeof(draw_colours) /
				    sizeof(*draw_colours))];
}

/* Text within quotes; what others wrote must not end them. */
static void dot_text(FILE *out, const char *s)
{
	size_t n = strlen(s), len;

	for (; n; s += len, n -= len) {
		len = text_utf8(s, n);
		if (!len || (unsigned char)*s < 0x20 || *s == 0x7f) {
			len = 1;
			fputc('?', out);
		} else if (*s == '"' || *s == '\\') {
			fprintf(out, "\\%c", *s);
		} else {
			fwrite(s, 1, len, out);
		}
	}
}

static void dot_node(FILE *out, const struct draw_node *node)
{
	char mid[TEXT_MID];

	fprintf(out, "\t\"%s\" [group=p%" PRIu32 ", color=\"%s\", label=\"%s",
		text_of_mid(node->mid, mid), node->sender,
		draw_colour(node->sender), mid);
	if (node->kind || node->label) {
		fputs("\\n", out);
		dot_text(out, node->kind ? node->kind : node->label);
	}
	fputs(node->kind ? "\", style=dotted];\n" : "\"];\n", out);
}

/* A row of the participants' names, in their order. */
static void dot_lanes(FILE *out, const struct draw_graph *g)
{
	const char *who;
	uint32_t i;

	for (i = 0; i < g->lanes; i++) {
		who = draw_who(g, i);
		fprintf(out, "\tp%" PRIu32 " [group=p%" PRIu32
			", shape=plaintext, fontcolor=\"%s\", label=\"",
			i, i, draw_colour(i));
		if (who) {
			dot_text(out, who);
			fputs("\\n", out);
		}
		dot_text(out, g->names[i]);
		fputs("\"];\n", out);
	}
	fputs("\t{ rank=same; p0", out);
	for (i = 1; i < g->lanes; i++)
		fprintf(out, " -> p%" PRIu32, i);
	fputs(" [style=invis]; }\n", out);
}

int draw_dot(FILE *out, const struct draw_graph *g)
{
	char mid[TEXT_MID], pred[TEXT_MID];
	uint32_t i, k;

	if (!g->lanes)
		return -EINVAL;

	fputs("digraph psync {\n\tlabel=\"", out);
	dot_text(out, g->title ? g->title : "");
	fputs("\";\n\tlabelloc=t;\n\tfontname=\"sans-serif\";\n"
	      "\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
	      out);
	dot_lanes(out, g);
	for (i = 0; i < g->n; i++) {
		if (g->nodes[i].sender >= g->lanes)
			return -EINVAL;
		dot_node(out, &g->nodes[i]);
	}
	for (i = 0; i < g->n; i++) {
		text_of_mid(g->nodes[i].mid, mid);
		/* Below the name of its participant. */
		if (!g->nodes[i].npreds)
			fprintf(out, "\tp%" PRIu32 " -> \"%s\" [style=invis];\n",
				g->nodes[i].sender, mid);
		for (k = 0; k < g->nodes[i].npreds; k++)
			fprintf(out, "\t\"%s\" -> \"%s\";\n",
				text_of_mid(g->nodes[i].preds[k], pred), mid);
	}
	fputs("}\n", out);
	return 0;
}

/* Geometry of the SVG, in its units. */
#define SVG_LANE	250
#define SVG_ROW		70
#define SVG_TOP		128
#define SVG_BOX_W	222
#define SVG_BOX_H	48
#define SVG_MARGIN	14
#define SVG_HEAD_Y	40
#define SVG_HEAD_H	44
#define SVG_CHARS	30	/* of a label that fit into a line of a box */

static void svg_text(FILE *out, const char *s, size_t most)
{
	size_t n = strlen(s), len;

	for (; n && most; s += len, n -= len, most--) {
		len = text_utf8(s, n);
		if (!len || (unsigned char)*s < 0x20 || *s == 0x7f) {
			len = 1;
			fputc('?', out);
		} else if (*s == '&') {
			fputs("&amp;", out);
		} else if (*s == '<') {
			fputs("&lt;", out);
		} else {
			fwrite(s, 1, len, out);
		}
	}
	if (n)
		fputs("…", out);
}

/* Bytes of the first line: at most so many characters, words whole if may be. */
static size_t svg_line(const char *s)
{
	size_t n = strlen(s), at = 0, blank = 0, len;
	uint32_t i;

	for (i = 0; i < SVG_CHARS && at < n; i++, at += len) {
		len = text_utf8(s + at, n - at);
		len = len ? len : 1;
		if (s[at] == ' ')
			blank = at;
	}
	return at < n && s[at] != ' ' && blank ? blank : at;
}

static uint32_t svg_x(uint32_t lane)
{
	return SVG_MARGIN + SVG_LANE / 2 + lane * SVG_LANE;
}

static uint32_t svg_y(uint32_t row)
{
	return SVG_TOP + row * SVG_ROW;
}

/* A lane: a line down, and on top of it who it is. */
static void svg_lane(FILE *out, const struct draw_graph *g, uint32_t lane,
		     uint32_t height)
{
	const char *who = draw_who(g, lane);
	uint32_t x = svg_x(lane);

	fprintf(out, "<line x1=\"%" PRIu32 "\" y1=\"%d\" x2=\"%" PRIu32
		"\" y2=\"%" PRIu32 "\" stroke=\"#ccc\" "
		"stroke-dasharray=\"4 4\"/>\n",
		x, SVG_HEAD_Y + SVG_HEAD_H, x, height - 10);
	fprintf(out, "<path d=\"M%" PRIu32 " %d h%d v%d h-%d z\" fill=\"%s\"/>\n",
		x - SVG_BOX_W / 2, SVG_HEAD_Y, SVG_BOX_W, SVG_HEAD_H,
		SVG_BOX_W, draw_colour(lane));
	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%d\" text-anchor=\"middle\" "
		"font-size=\"17\" font-weight=\"bold\" fill=\"#fff\">",
		x, SVG_HEAD_Y + 20);
	svg_text(out, who ? who : g->names[lane], 20);
	fprintf(out, "</text>\n<text x=\"%" PRIu32 "\" y=\"%d\" "
		"text-anchor=\"middle\" fill=\"#fff\">participant %" PRIu32,
		x, SVG_HEAD_Y + 37, lane);
	if (who) {
		fputs(" = ", out);
		svg_text(out, g->names[lane], 40);
	}
	fputs("</text>\n", out);
}

static void svg_head(FILE *out, const struct draw_graph *g)
{
	uint32_t width = 2 * SVG_MARGIN + g->lanes * SVG_LANE, i;
	uint32_t height = svg_y(g->n) - SVG_BOX_H / 2 + SVG_MARGIN;

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %" PRIu32 " %" PRIu32 "\" width=\"%" PRIu32
		"\" height=\"%" PRIu32 "\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n", width, height, width, height);
	fputs("<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" "
	      "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">"
	      "<path d=\"M0 0 L10 5 L0 10 z\" fill=\"#555\"/></marker></defs>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
	      "<text x=\"12\" y=\"22\" font-size=\"15\">", out);
	svg_text(out, g->title ? g->title : "", 200);
	fputs("</text>\n", out);
	for (i = 0; i < g->lanes; i++)
		svg_lane(out, g, i, height);
}

/* Is a box where a line straight from one message to the other would go? */
static bool svg_blocked(const struct draw_graph *g, uint32_t from, uint32_t to)
{
	uint32_t a = g->nodes[from].sender, b = g->nodes[to].sender, lane, row;

	for (row = from + 1; row < to; row++) {
		lane = g->nodes[row].sender;
		if ((lane >= a && lane <= b) || (lane <= a && lane >= b))
			return true;
	}
	return false;
}

/*
 * From the bottom of the predecessor's box to the top of the message's: a curve,
 * or, where boxes are in the way, between rows and lanes.
 */
static void svg_edge(FILE *out, const struct draw_graph *g, uint32_t from,
		     uint32_t to)
{
	int64_t x1 = svg_x(g->nodes[from].sender), y1 = svg_y(from);
	int64_t x2 = svg_x(g->nodes[to].sender), y2 = svg_y(to);
	int64_t bend = (y2 - y1) / 3, gap = (SVG_ROW - SVG_BOX_H) / 2;
	int64_t side = x1 < x2 ? -1 : 1;
	/* Lines in the same gap beside one another. */
	int64_t between = x2 + side * SVG_LANE / 2 + (int64_t)(from % 5) * 4 - 8;

	y1 += SVG_BOX_H / 2;
	y2 -= SVG_BOX_H / 2;
	/* Edges of one lane to the same box arrive beside one another. */
	if (x1 != x2)
		x2 += side * 30;
	fprintf(out, "<path d=\"M%" PRId64 " %" PRId64, x1, y1);
	if (!svg_blocked(g, from, to))
		fprintf(out, " C%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
			" %" PRId64 " %" PRId64, x1, y1 + bend, x2, y2 - bend,
			x2, y2);
	else
		fprintf(out, " V%" PRId64 " H%" PRId64 " V%" PRId64
			" H%" PRId64 " V%" PRId64, y1 + gap, between,
			y2 - gap, x2, y2);
	fputs("\" fill=\"none\" stroke=\"#555\" stroke-width=\"1.3\" "
	      "stroke-linejoin=\"round\" marker-end=\"url(#head)\"/>\n", out);
}

/* One line or two. */
static void svg_label(FILE *out, const char *label, uint32_t x, uint32_t y)
{
	size_t len = svg_line(label), rest = strlen(label + len);
	char *first = strndup(label, len);

	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" text-anchor=\"middle\">", x, rest ? y + 4 : y + 11);
	svg_text(out, first ? first : "", SIZE_MAX);
	fputs("</text>", out);
	free(first);
	if (!rest)
		return;
	label += len + (label[len] == ' ');
	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" text-anchor=\"middle\">", x, y + 18);
	svg_text(out, label, SVG_CHARS);
	fputs("</text>", out);
}

static void svg_node(FILE *out, const struct draw_node *node, uint32_t row)
{
	const char *label = node->label ? node->label : "";
	const char *style = "";
	uint32_t x = svg_x(node->sender), y = svg_y(row);
	char mid[TEXT_MID];

	if (node->kind) {
		label = node->kind;
		style = " stroke-dasharray=\"3 3\"";
	}
	fprintf(out, "<g><title>%s ", text_of_mid(node->mid, mid));
	svg_text(out, label, SIZE_MAX);
	fprintf(out, "</title><rect x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"#fff\" stroke=\"%s\" "
		"stroke-width=\"1.6\"%s/>\n", x - SVG_BOX_W / 2,
		y - SVG_BOX_H / 2, SVG_BOX_W, SVG_BOX_H,
		draw_colour(node->sender), style);
	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" text-anchor=\"middle\" font-size=\"10\" fill=\"#777\">%s, %"
		PRIu32 " bytes</text>", x, y - 10, mid, node->len);
	svg_label(out, label, x, y);
	fputs("</g>\n", out);
}

int draw_svg(FILE *out, const struct draw_graph *g)
{
	struct draw_index *index = draw_index_new(g);
	const struct draw_node *node;
	uint32_t row, i, pred;

	if (!index)
		return -ENOMEM;
	for (row = 0; row < g->n; row++) {
		if (g->nodes[row].sender < g->lanes)
			continue;
		free(index);
		return -EINVAL;
	}
	svg_head(out, g);
	for (row = 0; row < g->n; row++) {
		node = &g->nodes[row];
		for (i = 0; i < node->npreds; i++) {
			pred = draw_index_row(index, node->preds[i]);
			if (pred != DRAW_NONE)
				svg_edge(out, g, pred, row);
		}
	}
	for (row = 0; row < g->n; row++)
		svg_node(out, &g->nodes[row], row);
	fputs("</svg>\n", out);
	free(index);
	return 0;
}
