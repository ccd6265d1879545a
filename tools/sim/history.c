// SPDX-License-Identifier: GPL-2.0-only
/* What participants did and were told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

/* Room for @more entries of @size bytes behind the first @n. */
static void *psync_hist_grow(void *mem, size_t *room, size_t n, size_t more,
			     size_t size)
{
	if (n + more <= *room)
		return mem;
	*room = (n + more) * 2 + 64;
	mem = realloc(mem, *room * size);
	if (!mem) {
		fprintf(stderr, "psync-sim: out of memory\n");
		abort();
	}
	return mem;
}

void psync_hist_reset(struct psync_hist *hist)
{
	hist->nrecs = 0;
	hist->nsets = 0;
	hist->nseats = 0;
	hist->nimages = 0;
	hist->nconvs = 0;
}

void psync_hist_free(struct psync_hist *hist)
{
	free(hist->recs);
	free(hist->sets);
	free(hist->seats);
	free(hist->images);
	free(hist->convs);
	*hist = (struct psync_hist){ 0 };
}

/* Eight bytes at a time; only compared with itself. */
uint64_t psync_hist_hash(const void *data, size_t len)
{
	uint64_t hash = 0x243f6a8885a308d3ULL ^ len;
	const uint8_t *p = data;
	uint64_t word;
	size_t take;

	while (len) {
		take = len < sizeof(word) ? len : sizeof(word);
		word = 0;
		memcpy(&word, p, take);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
		p += take;
		len -= take;
	}
	return hash;
}

uint64_t *psync_hist_conv_add(struct psync_hist *hist,
			      const struct psync_hist_conv *conv)
{
	size_t sites = hist->nsets;

	hist->convs = psync_hist_grow(hist->convs, &hist->conv_room,
				      hist->nconvs, 1, sizeof(*conv));
	hist->sets = psync_hist_grow(hist->sets, &hist->set_room, hist->nsets,
				     conv->n, sizeof(*hist->sets));
	hist->convs[hist->nconvs] = *conv;
	hist->convs[hist->nconvs++].sites = sites;
	hist->nsets += conv->n;
	return &hist->sets[sites];
}

struct psync_rec *psync_hist_add(struct psync_hist *hist, uint64_t at,
				 enum psync_rec_type type, uint32_t seat)
{
	struct psync_rec *rec;

	hist->recs = psync_hist_grow(hist->recs, &hist->rec_room, hist->nrecs,
				     1, sizeof(*rec));
	rec = &hist->recs[hist->nrecs++];
	*rec = (struct psync_rec){ .at = at, .type = type, .seat = seat,
				   .set = hist->nsets };
	return rec;
}

void psync_hist_set(struct psync_hist *hist, const unsigned long long *mids,
		    uint32_t n)
{
	hist->sets = psync_hist_grow(hist->sets, &hist->set_room, hist->nsets,
				     n, sizeof(*hist->sets));
	if (n)
		memcpy(&hist->sets[hist->nsets], mids, n * sizeof(*mids));
	hist->recs[hist->nrecs - 1].nset = n;
	hist->nsets += n;
}

uint32_t psync_hist_seat_add(struct psync_hist *hist, uint64_t at,
			     uint32_t conv, uint32_t part,
			     enum psync_rec_type type)
{
	uint32_t seat = hist->nseats;

	hist->seats = psync_hist_grow(hist->seats, &hist->seat_room,
				      hist->nseats, 1, sizeof(*hist->seats));
	hist->seats[hist->nseats++] = (struct psync_seat){ conv, part };
	psync_hist_add(hist, at, type, seat);
	return seat;
}

uint32_t psync_hist_image_add(struct psync_hist *hist, uint32_t conv,
			      uint32_t site, uint32_t part, uint64_t inc)
{
	hist->images = psync_hist_grow(hist->images, &hist->image_room,
				       hist->nimages, 1,
				       sizeof(*hist->images));
	hist->images[hist->nimages] = (struct psync_hist_image){
		.conv = conv, .site = site, .part = part, .inc = inc };
	return hist->nimages++;
}

void psync_hist_image_opened(struct psync_hist *hist, uint32_t image,
			     uint64_t opening)
{
	hist->images[image].opening = opening;
}
