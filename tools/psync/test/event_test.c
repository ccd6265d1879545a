// SPDX-License-Identifier: GPL-2.0-only
/* What events are called, where the participants are known and where not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "print.h"

/* Site 3 has two participants; we are the first of all. */
static const struct psync_pid pids[] = {
	{ 1, 100 }, { 2, 100 }, { 3, 100 }, { 3, 101 },
};

static const struct print_names names = { .pids = pids, .n = 4, .own = 0 };

static void says(const struct psync_event *ev, const struct print_names *who,
		 const char *want)
{
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print_event(out, ev, who);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void says_json(const struct psync_event *ev,
		      const struct print_names *who, const char *want)
{
	size_t size = 0;
	char *text = NULL;
	struct json j = { .out = open_memstream(&text, &size) };

	assert_non_null(j.out);
	print_event_json(&j, NULL, ev, who);
	fclose(j.out);
	assert_string_equal(text, want);
	free(text);
}

static void event__waits(void **state)
{
	struct psync_event ev = { .type = PSYNC_EV_SUSPECT, .site = 2 };

	(void)state;
	says(&ev, &names, "event suspect: 2:100 is silent, and something is expected of it\n");
	ev.site = 3;
	says(&ev, &names, "event suspect: site 3 is silent, and something is expected of it\n");
	ev.reason = 4;
	says(&ev, &names, "event suspect: 3:101 does not receive: who sends here waits for it\n");
	ev.type = PSYNC_EV_BLOCKED;
	says(&ev, &names, "event blocked: 3:101 does not receive: who sends here waits for it\n");
	ev.type = PSYNC_EV_SKIPPED;
	says(&ev, &names, "event skipped: nobody here waits for 3:101 any more: it may lose messages\n");
	ev = (struct psync_event){ .type = PSYNC_EV_BLOCKED, .site = 2 };
	says(&ev, &names, "event blocked: 2:100 holds back who sends here: perhaps it is away\n");
	ev = (struct psync_event){ .type = PSYNC_EV_HEARD, .site = 2 };
	says(&ev, &names, "event heard: 2:100 was silent and was heard again\n");
	ev.type = PSYNC_EV_ABSENT;
	says(&ev, &names, "event absent: 2:100 was not heard: nobody waits for it until it is\n");
	ev = (struct psync_event){ .type = PSYNC_EV_RESUMED };
	says(&ev, &names, "event resumed: nobody is waited for any more: who sends here goes on\n");
}

static void event__masks(void **state)
{
	struct psync_event ev = {
		.type = PSYNC_EV_MASKED, .site = 2, .mid = PSYNC_MID(1, 5),
		.reason = 2,
	};

	(void)state;
	says(&ev, &names, "event masked: 2:100 does not wait for 3:100 any more\n");
	says_json(&ev, &names, "{\"type\":\"masked\",\"site\":2,\"cid\":\"0000000000000000\",\"mid\":\"1.5\",\"group\":0,\"number\":0,\"reason\":2,\"participant\":\"3:100\",\"by\":\"2:100\"}");
	says(&ev, NULL, "event masked site 2 message 1.5: participant 1 does not wait for participant 2 any more\n");
	says_json(&ev, NULL, "{\"type\":\"masked\",\"site\":2,\"cid\":\"0000000000000000\",\"mid\":\"1.5\",\"group\":0,\"number\":0,\"reason\":2}");
	ev.reason = 0;
	says(&ev, &names, "event masked: 2:100 does not wait for 1:100 (us) any more\n");
	ev.type = PSYNC_EV_UNMASKED;
	ev.mid = PSYNC_MID(0, 7);
	ev.reason = 1;
	says(&ev, &names, "event unmasked: 1:100 (us) waits for 2:100 again\n");
	ev = (struct psync_event){
		.type = PSYNC_EV_AGREED, .site = 3, .mid = PSYNC_MID(2, 9),
	};
	says(&ev, &names, "event agreed: 3:100 is masked out by all who remain, for good: its last message that counts is 2.9\n");
	says_json(&ev, &names, "{\"type\":\"agreed\",\"site\":3,\"cid\":\"0000000000000000\",\"mid\":\"2.9\",\"group\":0,\"number\":0,\"reason\":0,\"participant\":\"3:100\"}");
	ev.mid = PSYNC_MID(2, 0);
	says(&ev, &names, "event agreed: 3:100 is masked out by all who remain, for good: no message of it counts\n");
}

static void event__ends(void **state)
{
	struct psync_event ev = {
		.type = PSYNC_EV_ENDED, .site = 3, .mid = PSYNC_MID(3, 4),
	};

	(void)state;
	says(&ev, &names, "event ended: 3:101 has left\n");
	ev.reason = PSYNC_END_DIED;
	says(&ev, &names, "event ended: 3:101 has died: its process ended without closing\n");
	ev.type = PSYNC_EV_RESTARTED;
	says(&ev, &names, "event restarted: 3:101 is back\n");
	ev.type = PSYNC_EV_STALE;
	says(&ev, &names, "event stale: we reopened while others go on: we need a restart\n");
	ev.type = PSYNC_EV_REOPENED;
	says(&ev, &names, "event reopened: site 3 reopened while others go on: refused\n");
	ev.type = PSYNC_EV_REFUSED;
	says(&ev, &names, "event refused: site 3 refused us: its list of participants differs\n");
	ev.reason = 2;
	says(&ev, &names, "event refused: site 3 refused us: others go on, we need a restart\n");
	ev.type = PSYNC_EV_MISMATCH;
	says(&ev, &names, "event mismatch: we refused site 3: its list of participants differs\n");
}

static void event__losses(void **state)
{
	struct psync_event ev = { .type = PSYNC_EV_GAP };

	(void)state;
	says(&ev, &names, "event gap: we opened late: what was said before is not given\n");
	ev.mid = PSYNC_MID(1, 8);
	says(&ev, &names, "event gap: we opened late: 1.8 is the first message given\n");
	ev.site = 2;
	says(&ev, &names, "event gap: 2:100 does not have 1.8, which the restart asked for\n");
	ev.other = PSYNC_MID(1, 9);
	ev.reason = 2;
	says(&ev, &names, "event gap: messages are lost here, 2 from 1.8 to 1.9: 2:100 does not keep them any more\n");
	ev = (struct psync_event){
		.type = PSYNC_EV_VOID, .site = 2, .mid = PSYNC_MID(1, 3),
	};
	says(&ev, &names, "event void: 1.3 and what follows it died with 2:100, its sender\n");
	ev.other = PSYNC_MID(2, 1);
	says(&ev, &names, "event void: 1.3 and what follows it died with 2:100, its sender; 2.1 has come and is dropped\n");
	ev.reason = PSYNC_VOID_UNKEPT;
	ev.other = 0;
	says(&ev, &names, "event void: 1.3 of 2:100 and what follows it are given up: who may have it masks us out\n");
	ev = (struct psync_event){ .type = PSYNC_EV_LOST, .reason = 12 };
	says(&ev, &names, "event lost: 12 events were lost\n");
	ev = (struct psync_event){
		.type = PSYNC_EV_DIFFERS, .mid = PSYNC_MID(0, 2),
	};
	says(&ev, &names, "event differs: what is sent again is not 0.2\n");
}

/* None is without a name, and one that is not known says so. */
static void event__all(void **state)
{
	struct psync_event ev = { .type = 31 };
	size_t size = 0;
	char *text = NULL;
	FILE *out;

	(void)state;
	says(&ev, &names, "event unknown: an event this program does not know\n");
	for (ev.type = 1; ev.type < 31; ev.type++) {
		if (!(PSYNC_EVMASK_ALL & PSYNC_EVMASK(ev.type)))
			continue;
		out = open_memstream(&text, &size);
		print_event(out, &ev, NULL);
		fclose(out);
		assert_null(strstr(text, "unknown"));
		assert_null(strstr(text, "does not know"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event__waits),
		cmocka_unit_test(event__masks),
		cmocka_unit_test(event__ends),
		cmocka_unit_test(event__losses),
		cmocka_unit_test(event__all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
