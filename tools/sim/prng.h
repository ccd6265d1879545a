/* SPDX-License-Identifier: GPL-2.0-only */
/* Pseudo-random numbers: the only source of chance in a simulation. */
#ifndef _PSYNC_SIM_PRNG_H
#define _PSYNC_SIM_PRNG_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct psync_prng - a splitmix64 generator
 * @state: everything it knows
 */
struct psync_prng {
	uint64_t state;
};

void psync_prng_seed(struct psync_prng *rng, uint64_t seed, uint64_t stream);
uint64_t psync_prng_next(struct psync_prng *rng);
/* 0 <= result < @n; 0 when @n is 0. */
uint64_t psync_prng_below(struct psync_prng *rng, uint64_t n);
/* @lo <= result <= @hi */
uint64_t psync_prng_range(struct psync_prng *rng, uint64_t lo, uint64_t hi);
/* True in @permille of 1000 cases. */
bool psync_prng_chance(struct psync_prng *rng, unsigned int permille);
/* About exponentially distributed around @mean, in integers: it repeats. */
uint64_t psync_prng_exp(struct psync_prng *rng, uint64_t mean);

#endif /* _PSYNC_SIM_PRNG_H */
