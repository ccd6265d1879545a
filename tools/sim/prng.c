// SPDX-License-Identifier: GPL-2.0-only
/* Pseudo-random numbers: splitmix64, the same on every machine. */
#include "prng.h"

uint64_t psync_prng_next(struct psync_prng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Streams of one seed are independent: drawing from one moves no other. */
void psync_prng_seed(struct psync_prng *rng, uint64_t seed, uint64_t stream)
{
	rng->state = seed;
	rng->state = psync_prng_next(rng) ^ stream;
	rng->state = psync_prng_next(rng);
}

uint64_t psync_prng_below(struct psync_prng *rng, uint64_t n)
{
	return n ? psync_prng_next(rng) % n : 0;
}

uint64_t psync_prng_range(struct psync_prng *rng, uint64_t lo, uint64_t hi)
{
	return lo + psync_prng_below(rng, hi - lo + 1);
}

bool psync_prng_chance(struct psync_prng *rng, unsigned int permille)
{
	return psync_prng_below(rng, 1000) < permille;
}

/*
 * -log2 of a uniform number is its count of leading zeros and a fraction; the
 * fraction is taken linearly, which bends the curve by less than a tenth.
 */
uint64_t psync_prng_exp(struct psync_prng *rng, uint64_t mean)
{
	uint64_t x = psync_prng_next(rng) | 1;
	unsigned int zeros = __builtin_clzll(x);
	uint64_t frac = (x << zeros << 1) >> 48;
	uint64_t log2 = ((uint64_t)zeros << 16) + 0xffff - frac;

	/* 45426 / 65536 is ln 2 */
	return (mean * ((log2 * 45426) >> 16)) >> 16;
}
