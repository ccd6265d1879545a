/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: the lesser and the greater of two values of one type. */
#ifndef _SIM_LINUX_MINMAX_H
#define _SIM_LINUX_MINMAX_H

#undef min
#undef max
#define __sim_pick(type_a, type_b, a, b, op) __extension__ ({	\
	type_a _pick_a = (a);					\
	type_b _pick_b = (b);					\
	_Static_assert(__builtin_types_compatible_p(		\
		__typeof__(_pick_a), __typeof__(_pick_b)),	\
		"types differ");				\
	_pick_a op _pick_b ? _pick_a : _pick_b; })
#define min(a, b) __sim_pick(__typeof__((a) + 0), __typeof__((b) + 0), a, b, <)
#define max(a, b) __sim_pick(__typeof__((a) + 0), __typeof__((b) + 0), a, b, >)
#define min_t(type, a, b) __sim_pick(type, type, a, b, <)
#define max_t(type, a, b) __sim_pick(type, type, a, b, >)
#define clamp_t(type, val, lo, hi) \
	min_t(type, max_t(type, val, lo), hi)
#ifndef __cplusplus
#define swap(a, b) do {						\
	__typeof__(a) _swap = (a);				\
	(a) = (b);						\
	(b) = _swap;						\
} while (0)
#endif

#endif /* _SIM_LINUX_MINMAX_H */
