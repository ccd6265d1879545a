// SPDX-License-Identifier: GPL-2.0-only
/* What people type, what programs write, what messages may contain. */

#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "cli.h"
#include "json.h"
#include "label.h"
#include "text.h"

static void number__strict(void **state)
{
	static const char *const bad[] = {
		"", " ", " 1", "1 ", "+1", "-1", "01", "00", "0x", "0xg", "1.0",
		"1e3", "18446744073709551616", "0x10000000000000000", "a", "1a",
	};
	uint64_t n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_u64(bad[i], &n));
	assert_true(n == 77);
	assert_true(text_u64("0", &n) && n == 0);
	assert_true(text_u64("18446744073709551615", &n) && n == UINT64_MAX);
	assert_true(text_u64("0xfFfF", &n) && n == 0xffff);
}

static void number__bounds(void **state)
{
	uint32_t n = 77;

	(void)state;
	assert_false(text_u32("0", 1, 10, &n));
	assert_false(text_u32("11", 1, 10, &n));
	assert_false(text_u32("4294967296", 0, UINT32_MAX, &n));
	assert_int_equal(n, 77);
	assert_true(text_u32("4294967295", 0, UINT32_MAX, &n));
	assert_int_equal(n, UINT32_MAX);
}

static void number__seconds(void **state)
{
	static const char *const bad[] = {
		"", ".", ".5", "1.", "-1", "1s", "1000001", "1 ", "1.5.5",
		"99999999999999999999",
	};
	size_t i;
	int ms;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_seconds(bad[i], &ms));
	assert_true(text_seconds("0", &ms) && ms == 0);
	assert_true(text_seconds("1.5", &ms) && ms == 1500);
	assert_true(text_seconds("0.0019", &ms) && ms == 1);
	assert_true(text_seconds("1000000", &ms) && ms == 1000000000);
}

static void pid__both_parts(void **state)
{
	static const char *const bad[] = {
		"", ":", "1", "1:", ":1", "0:1", "1:0", "1:2:3", "1:2 ", "x:1",
		"4294967296:1",
		"1111111111111111111111111111111111:1",
		"1:1111111111111111111111111111111111",
	};
	char out[TEXT_PID];
	struct psync_pid pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_pid(bad[i], &pid));
	assert_true(text_pid("3:4294967295", &pid));
	assert_int_equal(pid.site, 3);
	assert_int_equal(pid.port, UINT32_MAX);
	assert_string_equal(text_of_pid(&pid, out), "3:4294967295");
}

static void slow__there_and_back(void **state)
{
	static const uint32_t policies[] = {
		PSYNC_SLOW_BLOCK, PSYNC_SLOW_SKIP, PSYNC_SLOW_SUSPECT,
		PSYNC_SLOW_MASK,
	};
	uint32_t policy;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		policy = 77;
		assert_true(text_slow(text_of_slow(policies[i]), &policy));
		assert_int_equal(policy, policies[i]);
	}
	assert_false(text_slow("", &policy));
	assert_false(text_slow("blocks", &policy));
	assert_false(text_slow("unknown", &policy));
	assert_string_equal(text_of_slow(77), "unknown");
}

static void mid__there_and_back(void **state)
{
	static const char *const bad[] = {
		"", ".", "1", "1.0", "1024.1", "0.281474976710656", "-1.1",
	};
	char out[TEXT_MID];
	uint64_t mid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_mid(bad[i], &mid));
	assert_true(text_mid("1023.281474976710655", &mid));
	assert_true(mid == PSYNC_MID(1023, 0xffffffffffffULL));
	assert_string_equal(text_of_mid(mid, out), "1023.281474976710655");
}

static void address__of_each_kind(void **state)
{
	static const char *const bad[] = {
		"", "02:00:00:00:02", "02:00:00:00:02:0", "02:00:00:00:02:000",
		"02-00-00-00-02-00", "1.2.3", "1.2.3.4.5", "256.1.1.1",
		":::", "host", "10.0.0.1 ", "02:00:00:00:02:0g",
	};
	static const char *const good[] = {
		"02:00:00:00:02:ff", "10.7.0.1", "fd07::1",
	};
	static const int family[] = { AF_PACKET, AF_INET, AF_INET6 };
	struct text_addr addr;
	char out[TEXT_ADDR];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_addr(bad[i], &addr));
	for (i = 0; i < 3; i++) {
		assert_true(text_addr(good[i], &addr));
		assert_int_equal(addr.family, family[i]);
		assert_string_equal(text_of_addr(&addr, out), good[i]);
	}
}

static void utf8__valid_only(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xff", "\xe2\x82",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(text_utf8(bad[i], strlen(bad[i])), 0);
	assert_int_equal(text_utf8("a", 1), 1);
	assert_int_equal(text_utf8("\xc3\xa9", 2), 2);
	assert_int_equal(text_utf8("\xc3\xa9", 1), 0);
	assert_int_equal(text_utf8("\xe2\x82\xac", 3), 3);
	assert_int_equal(text_utf8("\xf0\x9f\x98\x80", 4), 4);
}

static void json__commas_and_escapes(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct json j = { .out = open_memstream(&text, &size) };

	(void)state;
	json_open(&j, NULL, '{');
	json_u64(&j, "a", UINT64_MAX);
	json_open(&j, "b", '[');
	json_bytes(&j, NULL, "x\0\"\\\n\xff\xc3\xa9", 8);
	json_open(&j, NULL, '[');
	json_close(&j, ']');
	json_bool(&j, NULL, true);
	json_close(&j, ']');
	json_close(&j, '}');
	json_end(&j);
	fclose(j.out);
	assert_string_equal(text, "{\"a\":18446744073709551615,\"b\":["
			    "\"x\\u0000\\\"\\\\\\u000a\\ufffd\xc3\xa9\",[],true]}\n");
	free(text);
}

static void label__reads_what_chat_logs(void **state)
{
	char log[] =
		"{\"time\":1.0,\"dir\":\"joined\",\"cid\":\"00\"}\n"
		"{\"dir\":\"sent\",\"mid\":\"1.2\",\"sender\":\"2:100\","
		"\"preds\":[\"0.1\"],\"text\":\"say \\\"mid\\\":\\u000a ok\"}\n"
		"{\"mid\":\"0.1\",\"text\":\"first\"}\n"
		"{\"mid\":\"x\",\"text\":\"no mid\"}\n"
		"{\"mid\":\"0.3\",\"text\":\"broken\\\n"
		"{\"mid\":\"0.4\n"
		"garbage\n";
	FILE *in = fmemopen(log, strlen(log), "r");
	struct label *labels = NULL;
	int n;

	(void)state;
	n = label_read(in, &labels);
	fclose(in);
	assert_int_equal(n, 2);
	assert_string_equal(label_find(labels, n, PSYNC_MID(0, 1)), "first");
	assert_string_equal(label_find(labels, n, PSYNC_MID(1, 2)),
			    "say \"mid\":\n ok");
	assert_null(label_find(labels, n, PSYNC_MID(0, 3)));
	label_free(labels, n);
}

static void options__anywhere_but_after_dashes(void **state)
{
	char *arg[] = { "a", "--n", "5", "b", "--flag", "--", "--n", "c" };
	struct cli cli = { .noun = "test", .n = 8, .arg = arg };
	uint32_t n = 0;
	bool flag = false;
	const struct cli_option options[] = {
		{ "--n", OPTION_NUMBER, &n, "N", "" },
		{ "--flag", OPTION_FLAG, &flag, NULL, "" },
		{}
	};

	(void)state;
	assert_int_equal(cli_options(&cli, options), EXIT_OK);
	assert_int_equal(n, 5);
	assert_true(flag);
	assert_int_equal(cli.n, 4);
	assert_string_equal(cli_next(&cli), "a");
	assert_string_equal(cli_next(&cli), "b");
	assert_string_equal(cli_next(&cli), "--n");
	assert_string_equal(cli_next(&cli), "c");
	assert_null(cli_next(&cli));
}

static void options__bad_ones(void **state)
{
	static char *const bad[][2] = {
		{ "--n", "0" }, { "--n", "x" }, { "--unknown", "1" },
		{ "--s", "x" }, { "x", "--n" },
	};
	struct cli cli = { .noun = "test" };
	const struct cli_option options[] = {
		{ "--n", OPTION_NUMBER, &(uint32_t){ 0 }, "N", "" },
		{ "--s", OPTION_SECONDS, &(int){ 0 }, "S", "" },
		{}
	};
	char *arg[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memcpy(arg, bad[i], sizeof(arg));
		cli.arg = arg;
		cli.n = 2;
		assert_int_equal(cli_options(&cli, options), EXIT_USAGE);
	}
}

static void nearest__only_near(void **state)
{
	const char *const words[] = { "link", "peer", "group", NULL };

	(void)state;
	assert_string_equal(cli_nearest("lnik", words), "link");
	assert_string_equal(cli_nearest("groups", words), "group");
	assert_null(cli_nearest("conversation", words));
	assert_null(cli_nearest("", words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number__strict),
		cmocka_unit_test(number__bounds),
		cmocka_unit_test(number__seconds),
		cmocka_unit_test(pid__both_parts),
		cmocka_unit_test(slow__there_and_back),
		cmocka_unit_test(mid__there_and_back),
		cmocka_unit_test(address__of_each_kind),
		cmocka_unit_test(utf8__valid_only),
		cmocka_unit_test(json__commas_and_escapes),
		cmocka_unit_test(label__reads_what_chat_logs),
		cmocka_unit_test(options__anywhere_but_after_dashes),
		cmocka_unit_test(options__bad_ones),
		cmocka_unit_test(nearest__only_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
