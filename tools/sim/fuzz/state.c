// SPDX-License-Identifier: GPL-2.0-only
/* What must hold in every image, whatever came in. */
#include <stdio.h>
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "core/ack.h"
#include "core/flow.h"
#include "core/graph.h"
#include "core/mask.h"
#include "core/view.h"
#include "state.h"

void psync_fuzz_check(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* Who lacks a node, counted anew. */
static u32 psync_fuzz_unheld(const struct psync_image *img,
			     const struct psync_node *node)
{
	const struct psync_remote *remote;
	u32 unheld = 0;
	u32 k;

	for (k = 0; k < img->nremotes && !node->spared; k++) {
		remote = &img->remotes[k];
		unheld += psync_ack_counts(remote) &&
			  psync_ack_lacks(img, remote, node);
	}
	return unheld;
}

static u32 psync_fuzz_wanted(const struct psync_image *img,
			     const struct psync_node *node)
{
	const struct psync_view *view;
	u32 wanted = 0;

	list_for_each_entry(view, &img->views, link)
		if (!psync_view_has(view, node) &&
		    psync_mask_keeps(view, node)) {
			/* What did not count may not be there when it does. */
			psync_fuzz_require(!node->gone || view->masks);
			wanted += !node->gone;
		}
	return wanted;
}

static void psync_fuzz_nodes(const struct psync_image *img)
{
	u32 count = 0, untaken = 0, owed = 0, unheld, lag = 0, k;
	u64 body = 0, own = 0, history = 0, ordinal = 0;
	const struct psync_node *node;
	bool here;

	list_for_each_entry(node, &img->order, order) {
		count++;
		psync_fuzz_require(node->ordinal > ordinal);
		ordinal = node->ordinal;
		psync_fuzz_require(node->wanted ==
				   psync_fuzz_wanted(img, node));
		unheld = psync_fuzz_unheld(img, node);
		if (node->gone) {
			psync_fuzz_require(!node->body && !node->wanted);
			continue;
		}
		psync_fuzz_require(node->unheld == unheld);
		here = img->parts[node->sender].remote < 0;
		lag += unheld;
		body += node->cost;
		owed += here && unheld;
		/* What rests may be lacked again by one who is back. */
		if (node->kept) {
			history += node->cost;
			continue;
		}
		psync_fuzz_require(unheld || node->wanted || !img->joined);
		untaken++;
		own += here ? node->cost : 0;
	}
	psync_fuzz_require(img->nnodes == count);
	psync_fuzz_require(img->nuntaken == untaken);
	psync_fuzz_require(img->nowed == owed);
	psync_fuzz_require(img->own_bytes == own);
	psync_fuzz_require(img->body_bytes == body + img->waiting_bytes);
	psync_fuzz_require(img->history_bytes == history);
	body -= history;
	for (k = 0; k < img->nremotes; k++) {
		lag -= psync_ack_counts(&img->remotes[k]) ?
		       img->remotes[k].lag : 0;
		own += img->remotes[k].bytes;
	}
	psync_fuzz_require(!lag);
	psync_fuzz_require(own == body);
	for (k = 0; k < img->p.n; k++)
		untaken -= img->parts[k].nkept;
	psync_fuzz_require(!untaken);
	psync_fuzz_require(count <= img->p.limits.max_nodes ||
			   !list_first_entry(&img->order, struct psync_node,
					     order)->gone);
}

/* What is kept of a site, and what is under way to it, adds up. */
static void psync_fuzz_flow(const struct psync_image *img)
{
	const struct psync_remote *remote;
	const struct psync_node *node, *oldest;
	u64 kept, flight, under_way = 0;
	u32 k, from;

	list_for_each_entry(node, &img->order, order)
		if (!node->gone && node->kind == PSYNC_KIND_DATA &&
		    img->parts[node->sender].remote < 0 && node->unheld)
			under_way += psync_flow_size(node);
	psync_fuzz_require(img->flight == under_way);
	psync_fuzz_require(img->window && img->cut_at <= img->attached);

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		kept = 0;
		flight = 0;
		oldest = NULL;
		list_for_each_entry(node, &img->order, order) {
			if (node->gone || node->kind != PSYNC_KIND_DATA)
				continue;
			from = img->parts[node->sender].remote;
			kept += from == k && !node->kept;
			if (from == k && !node->kept && !oldest)
				oldest = node;
			flight += from == -1 && !node->spared &&
				  psync_ack_counts(remote) &&
				  psync_ack_lacks(img, remote, node);
		}
		psync_fuzz_require(remote->kept_msgs == kept);
		psync_fuzz_require(remote->oldest == oldest);
		psync_fuzz_require(remote->flight_msgs == flight);
		psync_fuzz_require(kept || !remote->kept_bytes);
		psync_fuzz_require(flight || !remote->flight_bytes);
	}
}

static void psync_fuzz_parts(const struct psync_image *img)
{
	const struct psync_part *part;
	const struct psync_remote *remote;
	u32 lack = 0, live, i, k;

	for (i = 0; i < img->p.n; i++) {
		part = &img->parts[i];
		psync_fuzz_require(part->claimed >= part->seq);
		/* Who is back asks for its own messages. */
		psync_fuzz_require(part->remote >= 0 || img->restart ||
				   part->claimed == part->seq);
		lack += part->claimed > part->seq;
	}
	psync_fuzz_require(img->nlack == lack);
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		live = 0;
		for (i = 0; i < img->p.n; i++) {
			live += img->parts[i].remote == k &&
				img->parts[i].live;
			psync_fuzz_require(!img->parts[i].live ||
					   !img->parts[i].ended ||
					   img->parts[i].remote < 0);
			/* Of what was sent here only who recovers wants more. */
			psync_fuzz_require(!psync_ack_counts(remote) ||
					   !img->parts[i].live ||
					   (img->parts[i].remote < 0 &&
					    !img->recover) ||
					   psync_ack_held(img, remote, i) <=
					   img->parts[i].claimed);
		}
		psync_fuzz_require(remote->nlive == live);
	}
}

/* Whatever somebody waits for is armed: nothing is forgotten. */
static void psync_fuzz_deadlines(const struct psync_image *img)
{
	const struct psync_remote *remote;
	const struct psync_view *view;
	bool manual = img->nopen;
	u64 first = img->absent_at;
	u32 k;

	list_for_each_entry(view, &img->views, link) {
		first = min(first, view->null_at);
		manual &= view->manual || view->pending;
	}
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (!manual)
			first = min(first, remote->probe_at);
		psync_fuzz_require(!psync_ack_counts(remote) || !remote->lag ||
				   remote->probe_at != U64_MAX);
	}
	if (!manual)
		first = min(first, img->ack_at);
	/* Who has closed needs nothing any more. */
	if (!psync_image_lingers(img))
		first = min(first, img->rr_at);
	psync_fuzz_require(!img->nlack || img->rr_at != U64_MAX);
	if (psync_image_lingers(img) && img->now < img->linger_end)
		first = min(first, img->linger_end);
	/* Who was refused has nothing to say any more. */
	if (img->refused)
		first = U64_MAX;
	for (k = 0; k < img->nremotes; k++)
		if (img->remotes[k].state == PSYNC_REMOTE_ASKED)
			first = min(first, img->remotes[k].deadline);
	/* What is late already is looked for as soon as anything. */
	psync_fuzz_require(img->deadline <= max(first, img->now));
}

void psync_fuzz_state(const struct psync_image *img)
{
	const struct psync_limits *limits = &img->p.limits;

	psync_fuzz_require(img->nearly <= limits->max_early);
	psync_fuzz_require(img->nheld <= limits->max_held +
						PSYNC_SKIP_HELD * img->p.n);
	psync_fuzz_require(img->waiting_bytes <= img->body_bytes);
	psync_fuzz_require(img->nopen <= img->nviews);
	if (!img->p.pids)
		return;
	psync_fuzz_nodes(img);
	psync_fuzz_parts(img);
	psync_fuzz_flow(img);
	psync_fuzz_deadlines(img);
}
