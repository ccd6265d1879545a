// SPDX-License-Identifier: GPL-2.0-only
/* Which line of input is said when, and which are commands. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "say.h"

/* Input that was read whole. */
static struct say *input(const char *text, bool script)
{
	struct say *say = calloc(1, sizeof(*say));

	assert_non_null(say);
	say->script = script;
	say->in.len = strlen(text);
	say->in.room = say->in.len + 1;
	say->in.buffer = strdup(text);
	say->in.eof = true;
	return say;
}

static void input_free(struct say *say)
{
	say_free(say);
	free(say);
}

/* The line whose turn it is, which is this, and of that sort. */
static void next_is(struct say *say, bool blocked, const char *text,
		    bool command)
{
	struct say_line *line;

	assert_int_equal(say_fill(say), 0);
	line = say_next(say, blocked);
	assert_non_null(line);
	assert_null(line->bad);
	assert_string_equal(line->text, text);
	assert_int_equal(line->len, strlen(text));
	assert_int_equal(line->command, command);
	say_done(say, line);
}

static void next_none(struct say *say, bool blocked)
{
	assert_int_equal(say_fill(say), 0);
	assert_null(say_next(say, blocked));
}

static void say__order(void **state)
{
	struct say *say = input("one\n\n@two x\n//three\n/mask 3\n/\nend", false);

	(void)state;
	next_is(say, false, "one", false);
	next_is(say, false, "@two x", false);
	next_is(say, false, "/three", false);
	next_is(say, false, "mask 3", true);
	next_is(say, false, "", true);
	assert_false(say_over(say));
	next_is(say, false, "end", false);
	next_none(say, false);
	assert_true(say_over(say));
	input_free(say);
}

/* What waits for room is overtaken, what waits for a word is not. */
static void say__overtakes(void **state)
{
	struct say *say = input("one\n/mask 3\ntwo\n@word three\n/masks\n"
				"@@four\n@\"a b\" //five\n@a /unmask 3\n", true);

	(void)state;
	next_is(say, true, "mask 3", true);
	next_none(say, true);
	next_is(say, false, "one", false);
	next_is(say, false, "two", false);
	next_none(say, false);
	assert_string_equal(say_waits(say), "word");
	assert_int_equal(say_hear(say, "a words", 7), 0);
	next_is(say, true, "masks", true);
	next_is(say, false, "three", false);
	assert_null(say_waits(say));
	next_is(say, false, "@four", false);
	next_none(say, true);
	assert_int_equal(say_hear(say, "x a b", 5), 0);
	next_is(say, true, "unmask 3", true);
	next_is(say, false, "/five", false);
	assert_true(say_over(say));
	input_free(say);
}

/* Not before what is in front of it was said. */
static void say__bad(void **state)
{
	struct say *say = input("one\n@\"two\n@three \n/mask 3\n", true);
	struct say_line *line;

	(void)state;
	assert_int_equal(say_fill(say), 0);
	assert_null(say_next(say, true));
	next_is(say, false, "one", false);
	line = say_next(say, false);
	assert_non_null(strstr(line->bad, "is not @WORD and a text"));
	say_done(say, line);
	line = say_next(say, false);
	assert_non_null(strstr(line->bad, "nothing to say after @three"));
	input_free(say);
}

/* No more is read than there is room for. */
static void say__room(void **state)
{
	char text[2 * SAY_AHEAD * 2 + 1] = "";
	struct say *say;
	int i;

	(void)state;
	for (i = 0; i < 2 * SAY_AHEAD; i++)
		strcat(text, "x\n");
	say = input(text, false);
	assert_int_equal(say_fill(say), 0);
	assert_int_equal(say->n, SAY_AHEAD);
	assert_false(say_hungry(say));
	assert_false(say_over(say));
	for (i = 0; i < 2 * SAY_AHEAD; i++)
		next_is(say, false, "x", false);
	assert_true(say_over(say));
	input_free(say);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(say__order),
		cmocka_unit_test(say__overtakes),
		cmocka_unit_test(say__bad),
		cmocka_unit_test(say__room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
