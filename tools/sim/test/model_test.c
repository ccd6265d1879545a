// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random conversations against a naive model: sets of messages, nothing
 * clever.  Sites get packets in any order and twice; some free old nodes;
 * every answer of every view is compared with what the sets say.
 */
#include <linux/bitops.h>
#include "bed.h"

#define PSYNC_MODEL_PARTS	12
#define PSYNC_MODEL_MSGS	160
#define PSYNC_MODEL_WORDS	((PSYNC_MODEL_MSGS + 63) / 64)

/**
 * struct psync_model_msg - a message that was sent
 * @sender: by whom
 * @seq: its number
 * @mid: its id
 * @wave: its depth
 * @context: what precedes it
 * @preds: its immediate predecessors
 * @packet: what went out
 * @given: bit per site: it got it, or has it from the beginning
 */
struct psync_model_msg {
	u32			sender;
	u64			seq;
	u64			mid;
	u32			wave;
	u64			context[PSYNC_MODEL_WORDS];
	u64			preds[PSYNC_MODEL_WORDS];
	struct psync_bed_packet	packet;
	u32			given;
};

/**
 * struct psync_model - the conversation
 * @rng: state of the generator
 * @n: participants
 * @nsites: sites
 * @site_of: site of each participant
 * @beds: sites
 * @views: participants
 * @seen: what is in each participant's view
 * @sent: messages of each
 * @msgs: messages
 * @nmsgs: how many
 */
struct psync_model {
	u64			rng;
	u32			n;
	u32			nsites;
	u32			site_of[PSYNC_MODEL_PARTS];
	struct psync_bed	beds[PSYNC_MODEL_PARTS];
	struct psync_view	views[PSYNC_MODEL_PARTS];
	u64			seen[PSYNC_MODEL_PARTS][PSYNC_MODEL_WORDS];
	u32			sent[PSYNC_MODEL_PARTS];
	struct psync_model_msg	msgs[PSYNC_MODEL_MSGS];
	u32			nmsgs;
};

static u32 psync_model_below(struct psync_model *model, u32 bound)
{
	model->rng ^= model->rng << 13;
	model->rng ^= model->rng >> 7;
	model->rng ^= model->rng << 17;
	return (model->rng >> 11) % bound;
}

static bool psync_model_has(const u64 *set, u32 i)
{
	return set[i / 64] >> i % 64 & 1;
}

static void psync_model_add(u64 *set, u32 i)
{
	set[i / 64] |= 1ULL << i % 64;
}

static struct psync_bed *psync_model_bed(struct psync_model *model, u32 part)
{
	return &model->beds[model->site_of[part]];
}

static void psync_model_open(struct psync_model *model, u64 seed)
{
	static const u32 depths[] = { 1, 3, 10, 1 << 20, 1 << 20, 1 << 20 };
	struct psync_pid pids[PSYNC_MODEL_PARTS];
	struct psync_image_params p;
	u32 sites[PSYNC_MODEL_PARTS];
	u32 i;

	memset(model, 0, sizeof(*model));
	model->rng = seed * 0x9e3779b97f4a7c15ULL | 1;
	model->n = 2 + psync_model_below(model, PSYNC_MODEL_PARTS - 1);
	model->nsites = 2 + psync_model_below(model, model->n - 1);
	for (i = 0; i < model->n; i++) {
		model->site_of[i] = i < model->nsites ? i :
			psync_model_below(model, model->nsites);
		sites[i] = 1 + model->site_of[i];
	}
	psync_bed_params(&p, pids, sites, model->n, 0);
	p.seq_base = psync_model_below(model, 2) ? U32_MAX - 4 : 0;
	for (i = 0; i < model->nsites; i++) {
		p.limits.max_nodes = depths[psync_model_below(model, 6)];
		assert_int_equal(psync_bed_init(&model->beds[i], &p, 1 + i), 0);
	}
	for (i = 0; i < model->n; i++)
		assert_int_equal(psync_image_join(&psync_model_bed(model, i)->img,
						  &model->views[i], i, 1, 1, 0),
				 0);
}

static void psync_model_close(struct psync_model *model)
{
	u32 i;

	for (i = 0; i < model->n; i++)
		psync_bed_leave(psync_model_bed(model, i), &model->views[i]);
	for (i = 0; i < model->nsites; i++)
		psync_bed_exit(&model->beds[i]);
	for (i = 0; i < model->nmsgs; i++)
		psync_bed_packet_free(&model->msgs[i].packet);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Does something in @set come after message @m? */
static bool psync_model_followed(const struct psync_model *model,
				 const u64 *set, u32 m)
{
	u32 i;

	for (i = 0; i < model->nmsgs; i++)
		if (psync_model_has(set, i) &&
		    psync_model_has(model->msgs[i].context, m))
			return true;
	return false;
}

static void psync_model_send(struct psync_model *model, u32 part)
{
	struct psync_model_msg *msg = &model->msgs[model->nmsgs];
	u64 *seen = model->seen[part];
	u32 i;

	memcpy(msg->context, seen, sizeof(msg->context));
	msg->wave = 1;
	for (i = 0; i < model->nmsgs; i++) {
		if (!psync_model_has(seen, i))
			continue;
		msg->wave = max(msg->wave, model->msgs[i].wave + 1);
		if (!psync_model_followed(model, seen, i))
			psync_model_add(msg->preds, i);
	}
	msg->sender = part;
	msg->seq = model->views[part].img->p.seq_base + ++model->sent[part];
	msg->mid = psync_bed_send(psync_model_bed(model, part),
				  &model->views[part], 100);
	assert_int_equal(msg->mid, PSYNC_MID(part, msg->seq));
	msg->packet = psync_bed_pop(psync_model_bed(model, part));
	msg->given = 1 << model->site_of[part];
	psync_model_add(seen, model->nmsgs++);
}

/* Gives message @m to a site: the first time it is new, then never again. */
static void psync_model_give(struct psync_model *model, u32 m, u32 site)
{
	struct psync_model_msg *msg = &model->msgs[m];
	enum psync_drop expected = PSYNC_OK;

	if (site == model->site_of[msg->sender])
		expected = PSYNC_DROP_NOT_MEMBER;
	else if (msg->given & 1 << site)
		expected = PSYNC_DROP_DUPLICATE;
	assert_int_equal(psync_bed_give(&model->beds[site], &msg->packet, 0),
			 expected);
	msg->given |= 1 << site;
}

/* The participant receives one message: any the sets allow. */
static bool psync_model_receive(struct psync_model *model, u32 part)
{
	u64 mid = psync_bed_receive(&model->views[part]);
	u32 i, w;

	if (!mid)
		return false;
	for (i = 0; model->msgs[i].mid != mid; i++)
		assert_true(i < model->nmsgs);
	assert_false(psync_model_has(model->seen[part], i));
	assert_true(model->msgs[i].given & 1 << model->site_of[part]);
	for (w = 0; w < PSYNC_MODEL_WORDS; w++)
		assert_int_equal(model->msgs[i].context[w] &
				 ~model->seen[part][w], 0);
	psync_model_add(model->seen[part], i);
	return true;
}

static bool psync_model_freed(const struct psync_model *model, u32 part, u32 m)
{
	const struct psync_image *img = model->views[part].img;

	return model->msgs[m].seq <= img->floor.stamp[model->msgs[m].sender];
}

static void psync_model_check_list(const u64 *got, int count,
				   const u64 *expected, int n)
{
	assert_int_equal(count, n);
	assert_memory_equal(got, expected, n * sizeof(*got));
}

/* Mids of those of @set that are in the view, by participant index. */
static int psync_model_list(const struct psync_model *model, u32 part,
			    const u64 *set, u64 *mids)
{
	int count = 0;
	u32 p, i;

	for (p = 0; p < model->n; p++)
		for (i = 0; i < model->nmsgs; i++)
			if (model->msgs[i].sender == p &&
			    psync_model_has(set, i) &&
			    psync_model_has(model->seen[part], i))
				mids[count++] = model->msgs[i].mid;
	return count;
}

static void psync_model_check_sets(struct psync_model *model, u32 part)
{
	u64 roots[PSYNC_MODEL_WORDS] = {}, leaves[PSYNC_MODEL_WORDS] = {};
	u64 expected[PSYNC_MODEL_MSGS], got[PSYNC_MODEL_MSGS];
	const u64 none[PSYNC_MODEL_WORDS] = {};
	struct psync_view *view = &model->views[part];
	u64 *seen = model->seen[part];
	u32 i, count = 0;
	int n;

	for (i = 0; i < model->nmsgs; i++) {
		if (!psync_model_has(seen, i))
			continue;
		count++;
		if (!memcmp(model->msgs[i].context, none, sizeof(none)))
			psync_model_add(roots, i);
		if (!psync_model_followed(model, seen, i))
			psync_model_add(leaves, i);
	}
	assert_int_equal(view->count, count);
	n = psync_model_list(model, part, roots, expected);
	psync_model_check_list(got, psync_view_roots(view, got, 99), expected,
			       n);
	n = psync_model_list(model, part, leaves, expected);
	psync_model_check_list(got, psync_view_leaves(view, got, 99), expected,
			       n);
	assert_int_equal(view->nleaves, n);
	/* MIDS: a permutation of what is kept, contexts first. */
	n = psync_view_mids(view, 0, got, PSYNC_MODEL_MSGS);
	for (i = 0; i < model->nmsgs; i++)
		if (psync_model_has(seen, i) && !psync_model_freed(model, part, i))
			count--;
	assert_int_equal(n + count, view->count);
}

static void psync_model_check_stable(struct psync_model *model, u32 part, u32 m)
{
	const struct psync_model_msg *msg = &model->msgs[m];
	struct psync_view *view = &model->views[part];
	u32 participants, sites, i, set = 0, where = 0;
	int stable;

	for (i = 0; i < model->nmsgs; i++)
		if (psync_model_has(model->seen[part], i) &&
		    model->msgs[i].sender != msg->sender &&
		    psync_model_has(model->msgs[i].context, m)) {
			set |= 1 << model->msgs[i].sender;
			where |= 1 << model->site_of[model->msgs[i].sender];
		}
	where |= 1 << model->site_of[msg->sender];
	stable = psync_view_stable(view, msg->mid, &participants, &sites);
	if (psync_model_freed(model, part, m)) {
		/* Of freed ones it may know less, never more. */
		assert_true(participants <= hweight32(set));
		assert_true(sites <= hweight32(where));
	} else {
		assert_int_equal(participants, hweight32(set));
		assert_int_equal(sites, hweight32(where));
	}
	assert_int_equal(stable, participants == model->n - 1);
}

static void psync_model_check_msg(struct psync_model *model, u32 part, u32 m)
{
	u64 expected[PSYNC_MODEL_MSGS], got[PSYNC_MODEL_MSGS];
	const struct psync_model_msg *msg = &model->msgs[m];
	struct psync_view *view = &model->views[part];
	u64 next[PSYNC_MODEL_WORDS] = {};
	const struct psync_node *node;
	u32 i;
	int n;

	psync_model_check_stable(model, part, m);
	if (psync_model_freed(model, part, m)) {
		assert_int_equal(psync_view_find(view, msg->mid, &node),
				 PSYNC_EFREED);
		return;
	}
	assert_int_equal(psync_view_find(view, msg->mid, &node), 0);
	assert_int_equal(node->wave, msg->wave);
	n = psync_model_list(model, part, msg->preds, expected);
	psync_model_check_list(got, psync_view_step(view, msg->mid, false, got,
						    99), expected, n);
	for (i = 0; i < model->nmsgs; i++) {
		if (psync_model_has(model->msgs[i].preds, m))
			psync_model_add(next, i);
		if (!psync_model_has(model->seen[part], i))
			assert_int_equal(psync_view_precedes(view, msg->mid,
							     model->msgs[i].mid),
					 PSYNC_EUNKNOWN);
		else if (!psync_model_freed(model, part, i))
			assert_int_equal(psync_view_precedes(view, msg->mid,
							     model->msgs[i].mid),
					 psync_model_has(model->msgs[i].context,
							 m));
	}
	n = psync_model_list(model, part, next, expected);
	psync_model_check_list(got, psync_view_step(view, msg->mid, true, got,
						    99), expected, n);
}

static void psync_model_check(struct psync_model *model, u32 part)
{
	const struct psync_node *node;
	u32 i;

	psync_model_check_sets(model, part);
	for (i = 0; i < model->nmsgs; i++)
		if (psync_model_has(model->seen[part], i))
			psync_model_check_msg(model, part, i);
		else
			assert_int_equal(psync_view_find(&model->views[part],
							 model->msgs[i].mid,
							 &node),
					 PSYNC_EUNKNOWN);
}

/* What a site no longer keeps, all others hold (S2.3), and who is to know. */
static void psync_model_check_held(struct psync_model *model, u32 site)
{
	const struct psync_image *img = &model->beds[site].img;
	const struct psync_node *node;
	u32 unheld, lag = 0, k, i;

	list_for_each_entry(node, &img->order, order) {
		unheld = 0;
		for (k = 0; k < model->nsites; k++)
			if (model->beds[k].img.parts[node->sender].seq <
			    node->seq) {
				assert_int_not_equal(k, site);
				unheld++;
			}
		assert_true(node->unheld >= unheld);
		assert_true(!node->gone || !node->unheld);
		assert_int_equal(node->gone, !node->unheld && !node->wanted);
		lag += node->unheld;
	}
	for (k = 0; k < img->nremotes; k++)
		lag -= img->remotes[k].lag;
	assert_int_equal(lag, 0);
	for (i = 0; i < model->n; i++)
		for (k = 0; k < model->nsites; k++)
			assert_true(model->beds[k].img.parts[i].seq >=
				    img->floor.stamp[i]);
}

/* One site tells another what it holds. */
static void psync_model_ack(struct psync_model *model, u32 from, u32 to)
{
	if (from == to)
		return;
	assert_int_equal(psync_bed_ack(&model->beds[to], &model->beds[from],
				       0), PSYNC_OK);
	psync_model_check_held(model, to);
}

static void psync_model_settle(struct psync_model *model)
{
	u32 start, i, k, site;

	start = psync_model_below(model, model->nmsgs);
	for (i = 0; i < model->nmsgs; i++) {
		/* Backwards from somewhere. */
		k = (start + model->nmsgs - i) % model->nmsgs;
		for (site = 0; site < model->nsites; site++)
			if (!(model->msgs[k].given & 1 << site))
				psync_model_give(model, k, site);
	}
	for (i = 0; i < model->n; i++) {
		while (psync_model_receive(model, i))
			;
		assert_int_equal(model->views[i].count, model->nmsgs);
		psync_model_check(model, i);
	}
	for (site = 0; site < model->nsites; site++) {
		for (i = 0; i < model->nsites; i++)
			psync_model_ack(model, i, site);
		assert_int_equal(model->beds[site].img.nheld, 0);
		assert_int_equal(model->beds[site].img.nowed, 0);
		assert_int_equal(model->beds[site].img.body_bytes, 0);
		assert_true(model->beds[site].img.nnodes <=
			    model->beds[site].img.p.limits.max_nodes);
	}
}

static void psync_model_run(struct psync_model *model, u64 seed)
{
	u32 part;

	psync_model_open(model, seed);
	while (model->nmsgs < PSYNC_MODEL_MSGS) {
		part = psync_model_below(model, model->n);
		switch (psync_model_below(model, 18)) {
		case 0 ... 2:
			psync_model_send(model, part);
			break;
		case 3 ... 9:
			if (model->nmsgs)
				psync_model_give(model,
						 psync_model_below(model,
								   model->nmsgs),
						 psync_model_below(model,
								   model->nsites));
			break;
		case 10 ... 14:
			psync_model_receive(model, part);
			break;
		case 15:
		case 16:
			psync_model_ack(model,
					psync_model_below(model, model->nsites),
					psync_model_below(model, model->nsites));
			break;
		default:
			if (!psync_model_below(model, 20))
				psync_model_check(model, part);
		}
	}
	psync_model_settle(model);
	psync_model_close(model);
}

static void psync_model_test_random(void **state)
{
	static struct psync_model model;
	u64 seed;

	for (seed = 1; seed <= 120; seed++)
		psync_model_run(&model, seed);
}

const struct CMUnitTest psync_model_tests[] = {
	cmocka_unit_test(psync_model_test_random),
};

const size_t psync_model_ntests = ARRAY_SIZE(psync_model_tests);
