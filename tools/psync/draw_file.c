// SPDX-License-Identifier: GPL-2.0-only
/* The context graph as DOT (for graphviz) and as SVG. */

#include <errno.h>
#include <inttypes.h>
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
	if (node->label) {
		fputs("\\n", out);
		dot_text(out, node->label);
	}
	fputs("\"];\n", out);
}

int draw_dot(FILE *out, const struct draw_graph *g)
{
	char mid[TEXT_MID], pred[TEXT_MID];
	uint32_t i, k;

	fputs("digraph psync {\n\tlabel=\"", out);
	dot_text(out, g->title ? g->title : "");
	fputs("\";\n\tlabelloc=t;\n\tfontname=\"sans-serif\";\n"
	      "\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
	      out);
	for (i = 0; i < g->lanes; i++) {
		fprintf(out, "\tp%" PRIu32 " [group=p%" PRIu32
			", shape=plaintext, fontcolor=\"%s\", label=\"",
			i, i, draw_colour(i));
		dot_text(out, g->names[i]);
		fputs("\"];\n", out);
	}
	fputs("\t{ rank=same;", out);
	for (i = 0; i < g->lanes; i++)
		fprintf(out, " p%" PRIu32 ";", i);
	fputs(" }\n", out);
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
#define SVG_LANE	230
#define SVG_ROW		52
#define SVG_TOP		84
#define SVG_BOX_W	190
#define SVG_BOX_H	34
#define SVG_CHARS	27	/* of a label that fit into a box */

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

static uint32_t svg_x(uint32_t lane)
{
	return SVG_LANE / 2 + lane * SVG_LANE;
}

static uint32_t svg_y(uint32_t row)
{
	return SVG_TOP + row * SVG_ROW;
}

static void svg_head(FILE *out, const struct draw_graph *g)
{
	uint32_t width = g->lanes * SVG_LANE, i;
	uint32_t height = svg_y(g->n) + SVG_ROW / 2;

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %" PRIu32 " %" PRIu32 "\" width=\"%" PRIu32
		"\" height=\"%" PRIu32 "\" font-family=\"sans-serif\" "
		"font-size=\"13\">\n", width, height, width, height);
	fputs("<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" "
	      "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">"
	      "<path d=\"M0 0 L10 5 L0 10 z\" fill=\"#555\"/></marker></defs>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
	      "<text x=\"12\" y=\"22\" font-size=\"15\">", out);
	svg_text(out, g->title ? g->title : "", 200);
	fputs("</text>\n", out);
	for (i = 0; i < g->lanes; i++) {
		fprintf(out, "<line x1=\"%" PRIu32 "\" y1=\"56\" x2=\"%" PRIu32
			"\" y2=\"%" PRIu32 "\" stroke=\"#ddd\"/>\n",
			svg_x(i), svg_x(i), height - 10);
		fprintf(out, "<text x=\"%" PRIu32 "\" y=\"50\" text-anchor=\"middle\" "
			"font-weight=\"bold\" fill=\"%s\">", svg_x(i),
			draw_colour(i));
		svg_text(out, g->names[i], 40);
		fputs("</text>\n", out);
	}
}

/* From the bottom of the predecessor's box to the top of the message's. */
static void svg_edge(FILE *out, const struct draw_node *from, uint32_t from_row,
		     const struct draw_node *to, uint32_t to_row)
{
	int64_t bend = ((int64_t)svg_y(to_row) - svg_y(from_row)) / 3;
	int64_t x1 = svg_x(from->sender), x2 = svg_x(to->sender);
	int64_t y1 = svg_y(from_row) + SVG_BOX_H / 2;
	int64_t y2 = svg_y(to_row) - SVG_BOX_H / 2;

	/* Edges of one lane to the same box arrive beside one another. */
	if (x1 != x2)
		x2 += x1 < x2 ? -30 : 30;
	fprintf(out, "<path d=\"M%" PRId64 " %" PRId64 " C%" PRId64 " %" PRId64
		" %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
		"\" fill=\"none\" stroke=\"#555\" stroke-width=\"1.3\" "
		"marker-end=\"url(#head)\"/>\n",
		x1, y1, x1, y1 + bend, x2, y2 - bend, x2, y2);
}

static void svg_node(FILE *out, const struct draw_node *node, uint32_t row)
{
	uint32_t x = svg_x(node->sender), y = svg_y(row);
	char mid[TEXT_MID];

	fprintf(out, "<g><title>%s ", text_of_mid(node->mid, mid));
	svg_text(out, node->label ? node->label : "", SIZE_MAX);
	fprintf(out, "</title><rect x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"#fff\" stroke=\"%s\" "
		"stroke-width=\"1.6\"/>\n", x - SVG_BOX_W / 2,
		y - SVG_BOX_H / 2, SVG_BOX_W, SVG_BOX_H,
		draw_colour(node->sender));
	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" text-anchor=\"middle\" font-size=\"10\" fill=\"#777\">%s, %"
		PRIu32 " bytes</text>", x, y - 4, mid, node->len);
	fprintf(out, "<text x=\"%" PRIu32 "\" y=\"%" PRIu32
		"\" text-anchor=\"middle\">", x, y + 11);
	svg_text(out, node->label ? node->label : "", SVG_CHARS);
	fputs("</text></g>\n", out);
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
				svg_edge(out, &g->nodes[pred], pred, node, row);
		}
	}
	for (row = 0; row < g->n; row++)
		svg_node(out, &g->nodes[row], row);
	fputs("</svg>\n", out);
	free(index);
	return 0;
}
