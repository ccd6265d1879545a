/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures of a context graph.  Pure: nothing here asks the kernel. */
#ifndef PSYNC_DRAW_H
#define PSYNC_DRAW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct draw_node - a message
 * @mid: PSYNC_MID
 * @sender: participant index
 * @preds: mids of its immediate predecessors
 * @npreds: how many
 * @len: bytes of its body
 * @label: its text, or NULL
 * @kind: what it is when no program sent it, or NULL
 */
struct draw_node {
	uint64_t	mid;
	uint32_t	sender;
	const uint64_t	*preds;
	uint32_t	npreds;
	uint32_t	len;
	const char	*label;
	const char	*kind;
};

/**
 * struct draw_graph - a context graph
 * @title: one line
 * @lanes: participants
 * @names: of the participants: pids
 * @who: what they are called, each or all may be NULL
 * @nodes: messages in an order that extends precedes; predecessors that are
 *	not among them were freed
 * @n: how many
 */
struct draw_graph {
	const char		*title;
	uint32_t		lanes;
	const char		*const *names;
	const char		*const *who;
	const struct draw_node	*nodes;
	uint32_t		n;
};

/* draw.c; 0, or -ENOMEM, -EINVAL when the graph contradicts itself */
int draw_ascii(FILE *out, const struct draw_graph *g);
/* draw_file.c: likewise */
int draw_dot(FILE *out, const struct draw_graph *g);
int draw_svg(FILE *out, const struct draw_graph *g);

/* draw.c: rows of nodes by mid */
#define DRAW_NONE	UINT32_MAX

struct draw_index;

/* What a participant is called, or NULL. */
static inline const char *draw_who(const struct draw_graph *g, uint32_t lane)
{
	return g->who ? g->who[lane] : NULL;
}

struct draw_index *draw_index_new(const struct draw_graph *g);
/* The row of a message, or DRAW_NONE. */
uint32_t draw_index_row(const struct draw_index *index, uint64_t mid);

#endif /* PSYNC_DRAW_H */
