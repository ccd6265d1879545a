// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is stable stays so (S2.2), though more participants count again.
 *
 * Before somebody does, what is stable in a view is put down, and what is at its
 * site, received or not.  Of each participant that is a beginning of what it sent:
 * the least of what those who count have in their contexts.  While GAPs are kept
 * it need not be a beginning, since who was skipped never acknowledges what it
 * lost but does what comes later (S6.6).  Then it is put down in the nodes, two
 * bits for each participant that may be open here.  What is freed then is not
 * known any more, and answered so.
 */
#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "graph.h"
#include "mask.h"
#include "skip.h"
#include "sure.h"
#include "view.h"

size_t psync_sure_size(const struct psync_image *img)
{
	return BITS_TO_LONGS(2 * img->nlocal) * sizeof(unsigned long);
}

static unsigned long *psync_sure_bits(const struct psync_node *node)
{
	return (unsigned long *)(node->preds + node->nsaid);
}

/* The bit of a view, or of all that is at its site. */
static u32 psync_sure_bit(const struct psync_view *view, bool here)
{
	return 2 * view->slot + here;
}

void psync_sure_begin(struct psync_view *view)
{
	struct psync_image *img = view->img;
	struct psync_node *node;
	u32 i;

	view->slot = 0;
	for (i = 0; i < view->index; i++)
		view->slot += img->parts[i].remote < 0;
	for (i = 0; i < img->p.n; i++) {
		view->masks[i].sure[0] = img->p.seq_base;
		view->masks[i].sure[1] = img->p.seq_base;
	}
	/* Another may have been open in its place. */
	list_for_each_entry(node, &img->order, order) {
		__clear_bit(psync_sure_bit(view, false), psync_sure_bits(node));
		__clear_bit(psync_sure_bit(view, true), psync_sure_bits(node));
	}
}

/* Has it to acknowledge what is to be stable?  With its last message, or NULL. */
static bool psync_sure_awaits(const struct psync_view *view, u32 index,
			      bool here, const struct psync_node **last)
{
	const struct psync_image *img = view->img;

	if (psync_mask_ignores(view, index))
		return false;
	*last = here ? img->parts[index].last :
		       psync_graph_known(img, index, view->stamp[index]);
	return !*last || (*last)->kind != PSYNC_KIND_END;
}

/*
 * From where on would it be news?  While GAPs are kept, only of what is kept and
 * was not put down.
 */
static void psync_sure_news(struct psync_view *view, bool here)
{
	const struct psync_image *img = view->img;
	struct psync_mask *masks = view->masks;
	bool gaps = !list_empty(&img->gaps);
	const struct psync_node *node;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		masks[i].news = gaps ? U64_MAX : masks[i].sure[here] + 1;
	if (!gaps)
		return;
	list_for_each_entry(node, &img->order, order)
		if (node->seq > masks[node->sender].sure[here] &&
		    !test_bit(psync_sure_bit(view, here),
			      psync_sure_bits(node)))
			masks[node->sender].news =
				min(masks[node->sender].news, node->seq);
}

/* What has one of @index in its context, whose last message is @last, or NULL? */
static u64 psync_sure_context(const struct psync_image *img,
			      const struct psync_node *last, u32 index)
{
	return last ? last->stamp[index] : img->p.seq_base;
}

/* Is there no news of @index?  It has sent none, or who lacked it still does. */
static bool psync_sure_closed(struct psync_view *view, u32 index, bool here)
{
	const struct psync_image *img = view->img;
	const struct psync_mask *mask = &view->masks[index];
	const struct psync_node *last;
	u32 k = mask->lacks[here];

	return mask->least < mask->news ||
	       (k != index && psync_sure_awaits(view, k, here, &last) &&
		psync_sure_context(img, last, index) < mask->news);
}

/* What has @k?  Returns of how many there may still be news; before: @count. */
static u32 psync_sure_ask(struct psync_view *view, u32 k, bool here,
			  const struct psync_node *last, u32 count)
{
	struct psync_mask *mask, *masks = view->masks;
	u32 index, i = 0;

	while (i < count) {
		index = masks[i].open;
		mask = &masks[index];
		if (index != k)
			mask->least = min(mask->least,
					  psync_sure_context(view->img, last,
							     index));
		if (mask->least >= mask->news) {
			i++;
			continue;
		}
		mask->lacks[here] = k;
		masks[i].open = masks[--count].open;
	}
	return count;
}

/*
 * The least of what they have in their contexts, or less than what would be news;
 * false: there is none.  Somebody may come back again and again, while another
 * lacks what it lacked: that one is noted, and looked at before all are.
 */
static bool psync_sure_least(struct psync_view *view, bool here)
{
	const struct psync_image *img = view->img;
	struct psync_mask *mask, *masks = view->masks;
	const struct psync_node *last;
	u32 i, k, count = 0;

	psync_sure_news(view, here);
	for (i = 0; i < img->p.n; i++) {
		mask = &masks[i];
		mask->least = here ? img->parts[i].seq : view->stamp[i];
		if (psync_sure_closed(view, i, here))
			mask->least = min(mask->least, mask->news - 1);
		else
			masks[count++].open = i;
	}
	for (k = 0; k < img->p.n && count; k++)
		if (psync_sure_awaits(view, k, here, &last))
			count = psync_sure_ask(view, k, here, last, count);
	return count;
}

/* Of whom something is to be looked for: who is at sites that GAPs are about. */
static void psync_sure_trace(struct psync_view *view, bool here)
{
	const struct psync_image *img = view->img;
	const struct psync_node *last, *gap;
	struct psync_mask *masks = view->masks;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		masks[i].trace = (struct psync_sure_trace){};
	list_for_each_entry(gap, &img->gaps, gaps) {
		for (i = 0; !masks[gap->about].trace.some && i < img->p.n; i++)
			if (img->parts[i].pid.site ==
			    img->parts[gap->about].pid.site && i != gap->about)
				masks[i].trace.some = true;
		masks[gap->about].trace.some = true;
	}
	for (i = 0; i < img->p.n; i++)
		if (masks[i].trace.some &&
		    psync_sure_awaits(view, i, here, &last) && last) {
			masks[i].trace.until = last->seq;
			masks[i].trace.before = img->parts[i].freed;
		}
}

/* What is kept of participant @index after @after up to @until is in doubt. */
static void psync_sure_doubt(const struct psync_image *img, u32 index,
			     u64 after, u64 until)
{
	struct psync_node *node;

	after = max(after, img->floor.stamp[index]);
	until = min(until, img->parts[index].seq);
	if (after >= until)
		return;
	if (until - after > img->parts[index].nnodes) {
		for (node = psync_graph_newest(img, index);
		     node && node->seq > after;
		     node = psync_graph_below(img, node))
			node->doubt |= node->seq <= until;
		return;
	}
	while (after++ < until) {
		node = psync_graph_find(img, index, after);
		if (node)
			node->doubt = true;
	}
}

/* What has @node, not the one before it, in its context with @gap? */
static void psync_sure_lose(struct psync_view *view,
			    const struct psync_node *node,
			    const struct psync_node *gap, bool first)
{
	struct psync_sure_trace *trace;
	u32 i;

	for (i = 0; i < view->img->p.n; i++) {
		trace = &view->masks[i].trace;
		trace->lost = max(first ? 0 : trace->lost,
				  psync_skip_context(gap, i));
	}
	view->masks[gap->sender].trace.taken = node->ordinal;
}

/*
 * What was lost with a GAP is not acknowledged by its site's first message behind
 * that, though this follows it.  Of GAPs of one sender the last is enough: it has
 * in its context what the others have.  @gap is the last attached before @node.
 */
static void psync_sure_look(struct psync_view *view,
			    const struct psync_node *node,
			    const struct psync_node *gap)
{
	const struct psync_image *img = view->img;
	struct psync_sure_trace *trace = &view->masks[node->sender].trace;
	const struct psync_node *before = trace->before, *known = gap, *prev;
	bool lost = false;
	u32 i;

	for (; gap && gap != trace->known; gap = prev) {
		prev = list_is_first(&gap->gaps, &img->gaps) ? NULL :
		       list_prev_entry(gap, gaps);
		if (img->parts[gap->about].pid.site !=
		    img->parts[node->sender].pid.site)
			continue;
		if (gap->seq > node->stamp[gap->sender]) {
			known = prev;
		} else if ((!before ||
			    gap->seq > before->stamp[gap->sender]) &&
			   view->masks[gap->sender].trace.taken !=
			   node->ordinal) {
			psync_sure_lose(view, node, gap, !lost);
			lost = true;
		}
	}
	for (i = 0; lost && i < img->p.n; i++)
		if (i != node->sender)
			psync_sure_doubt(img, i, before ? before->stamp[i] : 0,
					 view->masks[i].trace.lost);
	trace->known = known;
	trace->before = node;
}

/* One by one, where GAPs are kept. */
static void psync_sure_mark(struct psync_view *view, bool here)
{
	struct psync_image *img = view->img;
	const struct psync_node *gap = NULL;
	struct psync_node *node;

	list_for_each_entry(node, &img->order, order)
		node->doubt = node->seq > view->masks[node->sender].least;
	psync_sure_trace(view, here);
	list_for_each_entry(node, &img->order, order) {
		if (node->seq <= view->masks[node->sender].trace.until)
			psync_sure_look(view, node, gap);
		if (node->kind == PSYNC_KIND_GAP)
			gap = node;
	}
	list_for_each_entry(node, &img->order, order)
		if (!node->doubt)
			__set_bit(psync_sure_bit(view, here),
				  psync_sure_bits(node));
}

static void psync_sure_put(struct psync_view *view, bool here)
{
	struct psync_mask *mask;
	u32 i;

	if (!psync_sure_least(view, here))
		return;
	if (!list_empty(&view->img->gaps)) {
		psync_sure_mark(view, here);
		return;
	}
	for (i = 0; i < view->img->p.n; i++) {
		mask = &view->masks[i];
		mask->sure[here] = max(mask->sure[here], mask->least);
	}
}

bool psync_sure_prepare(struct psync_image *img)
{
	struct psync_view *view;

	img->sure = true;
	list_for_each_entry(view, &img->views, link)
		if (psync_mask_begin(view))
			return false;
	return true;
}

int psync_sure_join(struct psync_view *view)
{
	return view->img->sure ? psync_mask_begin(view) : 0;
}

void psync_sure_back(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		psync_sure_keep(view);
}

void psync_sure_keep(struct psync_view *view)
{
	psync_sure_put(view, false);
	psync_sure_put(view, true);
}

bool psync_sure_has(const struct psync_view *view, u32 index, u64 seq)
{
	const struct psync_node *node;
	bool here = !view->stamp;

	if (!view->masks)
		return false;
	if (seq <= view->masks[index].sure[here])
		return true;
	node = psync_graph_find(view->img, index, seq);
	return node && test_bit(psync_sure_bit(view, here),
				psync_sure_bits(node));
}

bool psync_sure_forgets(const struct psync_view *view, u32 index, u64 seq)
{
	return view->masks && !list_empty(&view->img->gaps) &&
	       seq <= view->img->floor.stamp[index];
}
