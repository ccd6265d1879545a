/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: nodes and the context graph. */
#ifndef _PSYNC_CORE_GRAPH_H
#define _PSYNC_CORE_GRAPH_H

#include "image.h"

/**
 * psync_node_mid - a node's message id
 * @node: node
 */
static inline u64 psync_node_mid(const struct psync_node *node)
{
	return PSYNC_MID(node->sender, node->seq);
}

/**
 * psync_node_follows - is a message an immediate predecessor?
 * @node: node
 * @mid: the message
 */
bool psync_node_follows(const struct psync_node *node, u64 mid);

/**
 * psync_node_take_body - a node that is to be kept gets its message
 * @img: image
 * @node: new node
 * @body: its body, or NULL; the reference becomes the node's
 *
 * Sets what both count in the limits.
 */
void psync_node_take_body(struct psync_image *img, struct psync_node *node,
			  void *body);

/**
 * psync_node_size - bytes of memory that a node takes
 * @img: image
 * @npred: entries in psync_node.preds
 */
size_t psync_node_size(const struct psync_image *img, u16 npred);

/**
 * psync_node_new - memory for a message that is not attached yet
 * @img: image
 * @sender: participant index
 * @seq: sequence number
 * @npred: immediate predecessors
 *
 * Return: the node, its stamp and predecessors zero, or NULL.
 */
struct psync_node *psync_node_new(struct psync_image *img, u16 sender, u64 seq,
				  u16 npred);

/* Entries of a stamp each of which is compared with each other: bits of a u64. */
#define PSYNC_GRAPH_EDGES	64

/**
 * psync_node_free - give back a node's memory; its body is the caller's
 * @img: image
 * @node: node in no list, or NULL
 */
void psync_node_free(struct psync_image *img, struct psync_node *node);

/**
 * psync_node_decode - make a node of a message from the wire
 * @img: image
 * @pkt: the message; its number of participants is the image's
 * @node: where the node goes
 *
 * Checks what concerns the message alone: that the entries are possible
 * sequence numbers, and the sender's own one is that of its previous message.
 * Return: PSYNC_OK, BAD_CONTEXT, NO_MEM.
 */
enum psync_drop psync_node_decode(struct psync_image *img,
				  const struct psync_pkt *pkt,
				  struct psync_node **node);

/**
 * psync_graph_init - an empty graph
 * @img: image with participants
 *
 * Return: 0, -ENOMEM.
 */
int psync_graph_init(struct psync_image *img);

/**
 * psync_graph_exit - free all nodes and bodies
 * @img: image, perhaps without a graph
 */
void psync_graph_exit(struct psync_image *img);

/**
 * psync_graph_find - a node that is kept
 * @img: image
 * @index: participant
 * @seq: sequence number
 *
 * Return: the node or NULL.
 */
struct psync_node *psync_graph_find(const struct psync_image *img, u32 index,
				    u64 seq);

/**
 * psync_graph_newest - the last message of a participant that is kept
 * @img: image
 * @index: participant
 *
 * Return: its node, or NULL.
 */
struct psync_node *psync_graph_newest(const struct psync_image *img, u32 index);

/**
 * psync_graph_below - the one before a message, of the same sender
 * @img: image
 * @node: attached message
 *
 * Return: its node, or NULL: none is kept.
 */
struct psync_node *psync_graph_below(const struct psync_image *img,
				     const struct psync_node *node);

/**
 * psync_graph_above - the first message of a participant behind a number
 * @img: image
 * @index: participant
 * @seq: the number
 *
 * Found at once, or, where numbers are missing, by a walk over what is kept of
 * that participant behind it: never over what is before it, or of others.
 * Return: its node, or NULL: none is kept.
 */
struct psync_node *psync_graph_above(const struct psync_image *img, u32 index,
				     u64 seq);

/**
 * psync_graph_known - a node whose stamp and wave are known
 * @img: image
 * @index: participant
 * @seq: sequence number
 *
 * Return: one that is kept, or the last freed one of the participant, or NULL.
 */
const struct psync_node *psync_graph_known(const struct psync_image *img,
					   u32 index, u64 seq);

/**
 * psync_graph_check - does a message with complete context fit the graph?
 * @img: image
 * @node: the message; its stamp is computed unless it came with it
 *
 * Return: PSYNC_OK, BAD_CONTEXT, BAD_WAVE.
 */
enum psync_drop psync_graph_check(struct psync_image *img,
				  struct psync_node *node);

/**
 * psync_graph_heed - a message says what its sender's site holds
 * @img: image
 * @node: checked message
 *
 * One that came with a stamp has said so before that was completed.
 *
 * Context: the image's lock.
 */
void psync_graph_heed(struct psync_image *img, const struct psync_node *node);

/**
 * psync_graph_attach - P 3.1.3: the message becomes part of the image
 * @img: image
 * @node: checked message, whose body is accounted for; may be freed at once
 */
void psync_graph_attach(struct psync_image *img, struct psync_node *node);

/**
 * psync_graph_first - who of a participant's messages first follows another one?
 * @img: image
 * @index: the participant
 * @sender: the other message's sender
 * @seq: its number
 *
 * A search, or, where numbers are missing, a walk over what is kept.
 * Return: the first of its messages that are kept that has that one in its
 * context; or NULL.
 */
const struct psync_node *psync_graph_first(const struct psync_image *img,
					   u32 index, u32 sender, u64 seq);

/**
 * psync_graph_next - the immediate successors of a message, one after the other
 * @img: image
 * @node: attached node that is kept
 * @after: the one before, or @node: the first
 *
 * All of them together cost a search for each participant or, where numbers are
 * missing, one walk over what was attached since.
 * Return: the next one, or NULL: there is no more.
 */
const struct psync_node *
psync_graph_next(const struct psync_image *img, const struct psync_node *node,
		 const struct psync_node *after);

/**
 * psync_graph_lost_depth - how deep what is lost may be
 * @img: image
 *
 * Who lost something says how deep it may be (GONE).  That is believed as far as
 * anybody has messages: of each depth there is one.  It need not be among those
 * that were named as lost: what is lost may follow what is not.
 * Return: the greatest wave, or 0.
 */
u32 psync_graph_lost_depth(const struct psync_image *img);

/**
 * psync_graph_release - give back a body that nobody wants any more
 * @img: image
 * @node: attached node
 */
void psync_graph_release(struct psync_image *img, struct psync_node *node);

/**
 * psync_graph_settle - a node does not count as in use any more
 * @img: image
 * @node: attached node, not in the history
 */
void psync_graph_settle(struct psync_image *img, const struct psync_node *node);

/**
 * psync_graph_free - free a message's node and all that precede it
 * @img: image
 * @last: attached node that is kept
 *
 * What is freed was closed downwards and stays so.  The history keeps none of
 * it.
 * Return: false: one of their bodies has yet to be given back; none is freed.
 */
bool psync_graph_free(struct psync_image *img, const struct psync_node *last);

/**
 * psync_graph_trim - free old nodes beyond the depth threshold
 * @img: image
 */
void psync_graph_trim(struct psync_image *img);

#endif /* _PSYNC_CORE_GRAPH_H */
