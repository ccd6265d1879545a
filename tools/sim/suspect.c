// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspicion by silence.  Three invariants of what a site is told of another one:
 *
 * suspect-true		it is suspect only if nothing of it was taken here for the
 *			time that is set
 * suspect-heard	it is said to be heard again if it was suspect, as soon as
 *			something of it is taken
 * suspect-told		at rest it is suspect, or nothing is expected of it, or the
 *			time has not passed, or nobody hears who is here (S1.4)
 *
 * Who is suspect because it is slow is another matter (S6.6): conversations whose
 * setting says so are left out, as the events do not always say which it was.
 */
#include <stdlib.h>
#include <linux/minmax.h>
#include "../../net/psync/core/confirm.h"
#include "agent.h"
#include "place.h"
#include "site.h"
#include "suspect.h"
#include "work.h"

/* The first of the streams of chance that this is drawn from, by conversation. */
#define PSYNC_SUSPECT_STREAM	1000
/* At rest timers have run so long ago. */
#define PSYNC_SUSPECT_SLACK	(10 * PSYNC_MSEC)

/**
 * struct psync_suspicion - what is known of another site
 * @heard_at: when something of it was taken last
 * @came_at: when something of it came last, taken or not
 * @told: it is suspect
 */
struct psync_suspicion {
	u64 heard_at;
	u64 came_at;
	bool told;
};

void psync_suspect_draw(struct psync_conv *conv)
{
	struct psync_prng rng;

	psync_prng_seed(&rng, conv->sim->seed,
			PSYNC_SUSPECT_STREAM + conv->index);
	if (psync_prng_chance(&rng, 250))
		conv->limits.suspect_ns =
			psync_prng_range(&rng, 1, 5000) * PSYNC_MSEC;
}

static bool psync_suspect_judged(const struct psync_place *place)
{
	const struct psync_limits *limits = &place->conv->limits;

	return limits->suspect_ns && limits->slow != PSYNC_SLOW_SUSPECT;
}

static struct psync_suspicion *psync_suspect_of(struct psync_place *place,
						u32 site)
{
	const struct psync_image *img = &place->img;
	const struct psync_remote *remote;

	if (!psync_suspect_judged(place) || !place->used || !img->p.n)
		return NULL;
	remote = psync_remote_find(img, site);
	if (!remote)
		return NULL;
	if (!place->suspicions)
		place->suspicions = psync_sim_alloc(img->nremotes,
						    sizeof(*place->suspicions));
	return &place->suspicions[remote - img->remotes];
}

/* Only what a conversation itself sends tells that a site is heard (S1.4). */
static bool psync_suspect_hears(const struct psync_image *img,
				const struct psync_remote *remote,
				const struct psync_pkt *pkt)
{
	return (pkt->type == PSYNC_PKT_MSG || pkt->type == PSYNC_PKT_ACK ||
		pkt->type == PSYNC_PKT_RR) &&
	       remote->state == PSYNC_REMOTE_CONFIRMED &&
	       !psync_confirm_compare(remote, pkt->src_inc, pkt->opening);
}

void psync_suspect_input(struct psync_place *place,
			 const struct psync_pkt *pkt, enum psync_drop drop)
{
	struct psync_suspicion *suspicion =
		psync_suspect_of(place, pkt->src_site);

	if (!suspicion)
		return;
	suspicion->came_at = place->site->sim->now;
	if (drop ||
	    !psync_suspect_hears(&place->img,
				 psync_remote_find(&place->img, pkt->src_site),
				 pkt))
		return;
	if (suspicion->told)
		psync_sim_fail(place->site->sim, "suspect-heard",
			       "site %u is suspect at %u, and was heard",
			       pkt->src_site, place->site->index);
	suspicion->heard_at = place->site->sim->now;
}

void psync_suspect_event(struct psync_place *place,
			 const struct psync_event *ev)
{
	struct psync_sim *sim = place->site->sim;
	struct psync_suspicion *suspicion;
	u64 bound = place->conv->limits.suspect_ns;

	if (ev->type != PSYNC_EV_SUSPECT && ev->type != PSYNC_EV_HEARD)
		return;
	suspicion = psync_suspect_of(place, ev->site);
	if (!suspicion)
		return;
	if (suspicion->told == (ev->type == PSYNC_EV_SUSPECT))
		psync_sim_fail(sim, "suspect-heard", "site %u is so already",
			       ev->site);
	suspicion->told = ev->type == PSYNC_EV_SUSPECT;
	sim->stats->suspects += suspicion->told;
	if (suspicion->told && sim->now - suspicion->heard_at < bound)
		psync_sim_fail(sim, "suspect-true",
			       "site %u was heard %llu us ago at %u", ev->site,
			       (sim->now - suspicion->heard_at) / PSYNC_USEC,
			       place->site->index);
}

void psync_suspect_rest(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	const struct psync_remote *remote;
	struct psync_suspicion *suspicion;
	u64 bound = img->p.limits.suspect_ns;
	u32 k;

	for (k = 0; !img->refused && k < img->nremotes; k++) {
		remote = &img->remotes[k];
		suspicion = psync_suspect_of(place, remote->site);
		if (suspicion && !suspicion->told && remote->heard &&
		    remote->lag &&
		    place->site->sim->now > max(suspicion->came_at,
						remote->lag_at) +
				max(bound, 8 * img->p.limits.rto_max_ns) +
				PSYNC_SUSPECT_SLACK)
			psync_sim_fail(place->site->sim, "suspect-told",
				       "site %u is silent, and not suspect at %u",
				       remote->site, place->site->index);
	}
}

void psync_suspect_forget(struct psync_place *place)
{
	free(place->suspicions);
	place->suspicions = NULL;
}
