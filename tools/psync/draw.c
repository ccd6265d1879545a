// SPDX-License-Identifier: GPL-2.0-only
/*
 * The context graph in characters, like "git log --graph" but with one lane
 * per participant: a message is a row, '*' in its sender's lane.
 *
 *	*                1.1  "who is there?"
 *	+---->*          2.1  "I am"
 *	+-----|---->*    3.1  "me too"
 *	*<----+-----+    1.2  "both of you"
 *
 * A line straight down into a '*' and every line that arrives with a head are
 * edges from an immediate predecessor; '+' is where one leaves.  It leaves the
 * last message of that lane so far, or, where there is a digit, the so many
 * messages earlier one ('#': more than nine).  A dotted line joins messages of
 * a participant that are not immediate predecessor and successor.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "text.h"

/* A message's id and row, sorted by id. */
struct draw_entry {
	uint64_t	mid;
	uint32_t	row;
};

struct draw_index {
	uint32_t		n;
	struct draw_entry	entry[];
};

static int entry_compare(const void *a, const void *b)
{
	const struct draw_entry *x = a, *y = b;

	return x->mid < y->mid ? -1 : x->mid > y->mid;
}

struct draw_index *draw_index_new(const struct draw_graph *g)
{
	struct draw_index *index;
	uint32_t i;

	index = calloc(1, sizeof(*index) + g->n * sizeof(index->entry[0]));
	if (!index)
		return NULL;
	index->n = g->n;
	for (i = 0; i < g->n; i++) {
		index->entry[i].mid = g->nodes[i].mid;
		index->entry[i].row = i;
	}
	qsort(index->entry, g->n, sizeof(index->entry[0]), entry_compare);
	return index;
}

uint32_t draw_index_row(const struct draw_index *index, uint64_t mid)
{
	struct draw_entry key = { .mid = mid }, *found;

	found = bsearch(&key, index->entry, index->n, sizeof(key),
			entry_compare);
	return found ? found->row : DRAW_NONE;
}

/**
 * struct draw_rows - what is known of each row before anything is drawn
 * @ordinal: place among its sender's messages
 * @next: row of its sender's next message, or DRAW_NONE
 * @solid: the line below it is solid down to this row
 * @dotted: and dotted from there down to this one
 */
struct draw_rows {
	uint32_t	*ordinal;
	uint32_t	*next;
	uint32_t	*solid;
	uint32_t	*dotted;
};

/**
 * struct draw_state - while drawing
 * @g: the graph
 * @index: rows by mid
 * @rows: facts
 * @last: per lane, row of its last message so far, or DRAW_NONE
 * @from: per lane, where an edge to the present row leaves: '+', digit or 0
 * @width: of a lane
 */
struct draw_state {
	const struct draw_graph	*g;
	struct draw_index	*index;
	struct draw_rows	rows;
	uint32_t		*last;
	char			*from;
	uint32_t		width;
};

static void draw_state_free(struct draw_state *s)
{
	free(s->index);
	free(s->rows.ordinal);
	free(s->last);
	free(s->from);
}

static int draw_state_init(struct draw_state *s, const struct draw_graph *g)
{
	uint32_t room = g->n ? g->n : 1, *facts;

	memset(s, 0, sizeof(*s));
	s->g = g;
	s->width = g->lanes <= 12 ? 6 : g->lanes <= 24 ? 4 : 2;
	s->index = draw_index_new(g);
	facts = calloc(room, 4 * sizeof(*facts));
	s->rows.ordinal = facts;
	s->last = malloc((g->lanes + 1) * sizeof(*s->last));
	s->from = calloc(1, g->lanes + 1);
	if (!s->index || !facts || !s->last || !s->from) {
		draw_state_free(s);
		return -ENOMEM;
	}
	s->rows.next = facts + room;
	s->rows.solid = facts + 2 * room;
	s->rows.dotted = facts + 3 * room;
	return 0;
}

static void draw_lanes_reset(struct draw_state *s)
{
	uint32_t i;

	for (i = 0; i < s->g->lanes; i++)
		s->last[i] = DRAW_NONE;
}

/* The row's message needs its predecessor's lane down to here. */
static void draw_reach(struct draw_state *s, uint32_t row, uint32_t pred)
{
	uint32_t lane = s->g->nodes[pred].sender, last = s->last[lane];

	if (lane == s->g->nodes[row].sender) {
		if (pred == last)
			s->rows.solid[pred] = row;
		return;
	}
	/* An edge from an earlier message leaves the same line. */
	if (pred == last)
		s->rows.solid[last] = row;
	else if (s->rows.dotted[last] < row)
		s->rows.dotted[last] = row;
}

/* First pass: how far each line goes.  -EINVAL if the order is none. */
static int draw_measure(struct draw_state *s)
{
	const struct draw_node *node;
	uint32_t row, i, pred, prev;

	draw_lanes_reset(s);
	for (row = 0; row < s->g->n; row++) {
		node = &s->g->nodes[row];
		if (node->sender >= s->g->lanes)
			return -EINVAL;
		for (i = 0; i < node->npreds; i++) {
			pred = draw_index_row(s->index, node->preds[i]);
			if (pred == DRAW_NONE)
				continue;
			if (pred >= row)
				return -EINVAL;
			draw_reach(s, row, pred);
		}
		prev = s->last[node->sender];
		s->rows.next[row] = DRAW_NONE;
		if (prev != DRAW_NONE) {
			s->rows.next[prev] = row;
			s->rows.ordinal[row] = s->rows.ordinal[prev] + 1;
			/* At least dotted down to one's next message. */
			if (s->rows.dotted[prev] < row)
				s->rows.dotted[prev] = row;
		}
		s->last[node->sender] = row;
	}
	return 0;
}

/* The character of a lane in a row where it has no message. */
static char draw_line(const struct draw_state *s, uint32_t lane, uint32_t row)
{
	uint32_t last = s->last[lane];

	if (last == DRAW_NONE)
		return ' ';
	if (s->rows.solid[last] >= row)
		return '|';
	return s->rows.dotted[last] >= row ? ':' : ' ';
}

/* Marks where edges to the row leave; tells the leftmost and rightmost lane. */
static void draw_sources(struct draw_state *s, uint32_t row, uint32_t *left,
			 uint32_t *right)
{
	const struct draw_node *node = &s->g->nodes[row], *from;
	uint32_t i, pred, back;

	*left = *right = node->sender;
	memset(s->from, 0, s->g->lanes);
	for (i = 0; i < node->npreds; i++) {
		pred = draw_index_row(s->index, node->preds[i]);
		if (pred == DRAW_NONE)
			continue;
		from = &s->g->nodes[pred];
		if (from->sender == node->sender)
			continue;
		back = s->rows.ordinal[s->last[from->sender]] -
		       s->rows.ordinal[pred];
		s->from[from->sender] = !back ? '+' :
			back < 10 ? (char)('0' + back) : '#';
		if (from->sender < *left)
			*left = from->sender;
		if (from->sender > *right)
			*right = from->sender;
	}
}

/* The blanks or dashes between a lane and the next, heads included. */
static void draw_gap(FILE *out, const struct draw_state *s, uint32_t lane,
		     uint32_t sender, uint32_t left, uint32_t right)
{
	bool line = lane >= left && lane < right;
	uint32_t i;
	char c;

	for (i = 1; i < s->width; i++) {
		c = line ? '-' : ' ';
		if (line && lane + 1 == sender && i == s->width - 1)
			c = '>';
		else if (line && lane == sender && i == 1)
			c = '<';
		fputc(c, out);
	}
}

static void draw_picture(FILE *out, struct draw_state *s, uint32_t row)
{
	uint32_t sender = s->g->nodes[row].sender, left, right, lane;
	char c;

	draw_sources(s, row, &left, &right);
	for (lane = 0; lane < s->g->lanes; lane++) {
		c = draw_line(s, lane, row);
		if (lane == sender)
			c = '*';
		else if (s->from[lane])
			c = s->from[lane];
		else if (c == ' ' && lane > left && lane < right)
			c = '-';
		fputc(c, out);
		if (lane + 1 < s->g->lanes)
			draw_gap(out, s, lane, sender, left, right);
	}
}

static void draw_words(FILE *out, const struct draw_node *node)
{
	char mid[TEXT_MID];
	uint32_t i;

	fprintf(out, "  %-6s", text_of_mid(node->mid, mid));
	if (node->kind) {
		fprintf(out, " %s", node->kind);
	} else if (node->label) {
		fputs(" \"", out);
		text_print(out, node->label, strlen(node->label));
		fputc('"', out);
	} else {
		fprintf(out, " %" PRIu32 " bytes", node->len);
	}
	for (i = 0; i < node->npreds; i++)
		fprintf(out, "%s%s", i ? ", " : "  after ",
			text_of_mid(node->preds[i], mid));
	fputc('\n', out);
}

static void draw_head(FILE *out, const struct draw_state *s)
{
	const char *who;
	uint32_t i;

	if (s->g->title)
		fprintf(out, "%s\n", s->g->title);
	for (i = 0; i < s->g->lanes; i++) {
		who = draw_who(s->g, i);
		fprintf(out, "%s%" PRIu32 " = %s%s", i ? ", " : "", i,
			s->g->names[i], who ? " " : "");
		if (who)
			text_print(out, who, strlen(who));
	}
	fputs("\n\n", out);
	for (i = 0; i + 1 < s->g->lanes; i++)
		fprintf(out, "%-*" PRIu32, (int)s->width,
			s->width > 2 ? i : i % 10);
	fprintf(out, "%" PRIu32 "\n", s->g->lanes - 1);
}

int draw_ascii(FILE *out, const struct draw_graph *g)
{
	struct draw_state s;
	uint32_t row;
	int err;

	if (!g->lanes)
		return -EINVAL;
	err = draw_state_init(&s, g);
	if (err)
		return err;
	err = draw_measure(&s);
	if (!err) {
		draw_head(out, &s);
		draw_lanes_reset(&s);
	}
	for (row = 0; !err && row < g->n; row++) {
		draw_picture(out, &s, row);
		draw_words(out, &g->nodes[row]);
		s.last[g->nodes[row].sender] = row;
	}
	draw_state_free(&s);
	return err;
}
