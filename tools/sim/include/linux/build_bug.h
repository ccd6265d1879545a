/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in: checks made by the compiler. */
#ifndef _SIM_LINUX_BUILD_BUG_H
#define _SIM_LINUX_BUILD_BUG_H

#undef static_assert
#define __sim_static_assert(expr, msg, ...) _Static_assert(expr, msg)
#define static_assert(expr, ...) \
	__sim_static_assert(expr, ##__VA_ARGS__, #expr)
#define BUILD_BUG_ON(cond) \
	_Static_assert(!(cond), "BUILD_BUG_ON failed: " #cond)

#endif /* _SIM_LINUX_BUILD_BUG_H */
