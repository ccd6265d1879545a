// SPDX-License-Identifier: GPL-2.0-only
/* Runs the core's unit tests as one group, so that TAP has one plan. */
#include "bed.h"

#define PSYNC_MAIN_TESTS(name)	{ psync_##name##_tests, &psync_##name##_ntests }

static const struct {
	const struct CMUnitTest	*tests;
	const size_t		*count;
} psync_main_files[] = {
	PSYNC_MAIN_TESTS(wire),
	PSYNC_MAIN_TESTS(peer),
	PSYNC_MAIN_TESTS(view),
	PSYNC_MAIN_TESTS(hold),
	PSYNC_MAIN_TESTS(image),
	PSYNC_MAIN_TESTS(confirm),
	PSYNC_MAIN_TESTS(ack),
	PSYNC_MAIN_TESTS(repair),
	PSYNC_MAIN_TESTS(null),
	PSYNC_MAIN_TESTS(linger),
	PSYNC_MAIN_TESTS(free),
	PSYNC_MAIN_TESTS(stable),
	PSYNC_MAIN_TESTS(room),
	PSYNC_MAIN_TESTS(restart),
	PSYNC_MAIN_TESTS(mask),
	PSYNC_MAIN_TESTS(flow),
	PSYNC_MAIN_TESTS(skip),
	PSYNC_MAIN_TESTS(model),
	PSYNC_MAIN_TESTS(memory),
	PSYNC_MAIN_TESTS(frag),
	PSYNC_MAIN_TESTS(bound),
};

/* What a failed test left behind is no matter of the next one. */
static int psync_main_setup(void **state)
{
	psync_bed_bodies = 0;
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[512];
	size_t i, count = 0;

	for (i = 0; i < ARRAY_SIZE(psync_main_files); i++) {
		if (count + *psync_main_files[i].count > ARRAY_SIZE(tests))
			return 2;
		memcpy(tests + count, psync_main_files[i].tests,
		       *psync_main_files[i].count * sizeof(*tests));
		count += *psync_main_files[i].count;
	}
	for (i = 0; i < count; i++)
		tests[i].setup_func = psync_main_setup;
	return _cmocka_run_group_tests("core", tests, count, NULL, NULL) != 0;
}
