// SPDX-License-Identifier: GPL-2.0-only
/* Pictures of fixed graphs, compared character by character. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draw.h"
#include "text.h"

#define NODES	64

/* A graph written as text: "0.1 1.1<0.1 2.1<0.1,1.1". */
struct fixture {
	struct draw_graph	g;
	struct draw_node	nodes[NODES];
	uint64_t		preds[NODES][8];
};

static const char *const names[] = { "1:100", "2:100", "3:100", "4:100" };

static void fixture_node(struct fixture *f, char *word)
{
	struct draw_node *node = &f->nodes[f->g.n];
	char *list = strchr(word, '<'), *pred, *rest = NULL;

	if (list)
		*list++ = '\0';
	assert_true(text_mid(word, &node->mid));
	node->sender = PSYNC_MID_INDEX(node->mid);
	node->len = 5;
	node->preds = f->preds[f->g.n];
	for (pred = list ? strtok_r(list, ",", &rest) : NULL; pred;
	     pred = strtok_r(NULL, ",", &rest))
		assert_true(text_mid(pred,
				     &f->preds[f->g.n][node->npreds++]));
	f->g.n++;
}

static void fixture_make(struct fixture *f, uint32_t lanes, const char *text)
{
	char *copy = strdup(text), *word, *rest = NULL;

	memset(f, 0, sizeof(*f));
	f->g.lanes = lanes;
	f->g.names = names;
	f->g.nodes = f->nodes;
	for (word = strtok_r(copy, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		fixture_node(f, word);
	free(copy);
}

static char *drawn(const struct draw_graph *g,
		   int (*draw)(FILE *, const struct draw_graph *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(draw(out, g), 0);
	fclose(out);
	return text;
}

static void check_ascii(uint32_t lanes, const char *graph, const char *want)
{
	struct fixture f;
	char *have;

	fixture_make(&f, lanes, graph);
	have = drawn(&f.g, draw_ascii);
	/* Names and lane numbers come before an empty line and a line. */
	assert_string_equal(strchr(strstr(have, "\n\n") + 2, '\n') + 1, want);
	free(have);
}

static void ascii__head(void **state)
{
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 2, "0.1");
	f.g.title = "a title";
	have = drawn(&f.g, draw_ascii);
	assert_string_equal(have, "a title\n"
				  "0 = 1:100, 1 = 2:100\n"
				  "\n"
				  "0     1\n"
				  "*        0.1    5 bytes\n");
	free(have);
}

static void ascii__chain_of_one_lane(void **state)
{
	(void)state;
	check_ascii(2, "0.1 0.2<0.1 0.3<0.2",
		    "*        0.1    5 bytes\n"
		    "*        0.2    5 bytes  after 0.1\n"
		    "*        0.3    5 bytes  after 0.2\n");
}

static void ascii__question_and_answers(void **state)
{
	(void)state;
	check_ascii(3, "0.1 1.1<0.1 2.1<0.1 0.2<1.1,2.1",
		    "*              0.1    5 bytes\n"
		    "+---->*        1.1    5 bytes  after 0.1\n"
		    "+-----|---->*  2.1    5 bytes  after 0.1\n"
		    "*<----+-----+  0.2    5 bytes  after 1.1, 2.1\n");
}

/* 0.2 does not follow 0.1 directly: 1.1 came between. */
static void ascii__dotted_line(void **state)
{
	(void)state;
	check_ascii(2, "0.1 1.1<0.1 1.2<1.1 0.2<1.2",
		    "*        0.1    5 bytes\n"
		    "+---->*  1.1    5 bytes  after 0.1\n"
		    ":     *  1.2    5 bytes  after 1.1\n"
		    "*<----+  0.2    5 bytes  after 1.2\n");
}

/* 1.1 answers 0.1 although 0.2 and 0.3 are drawn before it. */
static void ascii__edge_from_an_earlier_message(void **state)
{
	(void)state;
	check_ascii(2, "0.1 0.2<0.1 0.3<0.2 1.1<0.1 0.4<0.3,1.1",
		    "*        0.1    5 bytes\n"
		    "*        0.2    5 bytes  after 0.1\n"
		    "*        0.3    5 bytes  after 0.2\n"
		    "2---->*  1.1    5 bytes  after 0.1\n"
		    "*<----+  0.4    5 bytes  after 0.3, 1.1\n");
}

/* A line that ends crosses nothing below. */
static void ascii__lane_without_line_is_crossed(void **state)
{
	(void)state;
	check_ascii(3, "0.1 2.1<0.1 1.1<2.1 0.2<1.1 2.2<0.2",
		    "*              0.1    5 bytes\n"
		    "+---------->*  2.1    5 bytes  after 0.1\n"
		    ":     *<----+  1.1    5 bytes  after 2.1\n"
		    "*<----+     :  0.2    5 bytes  after 1.1\n"
		    "+---------->*  2.2    5 bytes  after 0.2\n");
}

static void ascii__freed_predecessor_is_named_only(void **state)
{
	(void)state;
	check_ascii(2, "1.7<0.9 0.10<1.7",
		    "      *  1.7    5 bytes  after 0.9\n"
		    "*<----+  0.10   5 bytes  after 1.7\n");
}

static void ascii__labels_cannot_command_the_terminal(void **state)
{
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 1, "0.1");
	f.nodes[0].label = "red \x1b[31m \xc2\x9b caf\xc3\xa9 \xff";
	have = drawn(&f.g, draw_ascii);
	assert_non_null(strstr(have, "\"red \\x1b[31m \\xc2\\x9b caf\xc3\xa9 "
			       "\\xff\"\n"));
	assert_null(strchr(have, '\x1b'));
	free(have);
}

static void ascii__contradictions_are_refused(void **state)
{
	static const char *const bad[] = { "0.1<1.1 1.1", "0.1<0.1", "3.1" };
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fixture_make(&f, 2, bad[i]);
		assert_int_equal(draw_ascii(stderr, &f.g), -EINVAL);
	}
	fixture_make(&f, 2, "3.1");
	assert_int_equal(draw_svg(tmpfile(), &f.g), -EINVAL);
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void dot__nodes_edges_and_quotes(void **state)
{
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 2, "0.1 1.1<0.1");
	f.nodes[1].label = "say \"x\\n\"\n";
	have = drawn(&f.g, draw_dot);
	assert_non_null(strstr(have, "\t\"0.1\" [group=p0, color=\"#0072b2\", "
			       "label=\"0.1\"];\n"));
	assert_non_null(strstr(have, "label=\"1.1\\nsay \\\"x\\\\n\\\"?\"];\n"));
	assert_non_null(strstr(have, "\t\"0.1\" -> \"1.1\";\n"));
	assert_non_null(strstr(have, "\tp0 -> \"0.1\" [style=invis];\n"));
	assert_non_null(strstr(have, "{ rank=same; p0 -> p1 [style=invis]; }"));
	free(have);
	f.g.lanes = 0;
	assert_int_equal(draw_dot(stderr, &f.g), -EINVAL);
}

/* An edge goes round a box, and only then. */
static void svg__goes_round_boxes(void **state)
{
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 3, "0.1 1.1<0.1 2.1<0.1");
	have = drawn(&f.g, draw_svg);
	assert_int_equal(count_of(have, " C"), 1);
	assert_int_equal(count_of(have, " V"), 3);
	free(have);
	fixture_make(&f, 3, "1.1 0.1<1.1 2.1<1.1");
	have = drawn(&f.g, draw_svg);
	assert_int_equal(count_of(have, " C"), 2);
	assert_int_equal(count_of(have, " V"), 0);
	free(have);
}

/* Names that participants are called by, in each kind of picture. */
static void names__are_harmless(void **state)
{
	static const char *const who[] = { "an\"n & <b>\033", NULL };
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 2, "0.1 1.1<0.1");
	f.g.who = who;
	have = drawn(&f.g, draw_ascii);
	assert_non_null(strstr(have, "0 = 1:100 an\"n & <b>\\x1b, 1 = 2:100\n"));
	free(have);
	have = drawn(&f.g, draw_dot);
	assert_non_null(strstr(have, "label=\"an\\\"n & <b>?\\n1:100\"]"));
	assert_non_null(strstr(have, "label=\"2:100\"]"));
	free(have);
	have = drawn(&f.g, draw_svg);
	assert_non_null(strstr(have, ">an\"n &amp; &lt;b>?</text>"));
	assert_non_null(strstr(have, ">participant 0 = 1:100</text>"));
	assert_non_null(strstr(have, ">2:100</text>"));
	assert_non_null(strstr(have, ">participant 1</text>"));
	free(have);
}

/* Graphviz understands it. */
static void dot__is_dot(void **state)
{
	struct fixture f;
	FILE *dot;

	(void)state;
	fixture_make(&f, 3, "0.1 1.1<0.1 2.1<0.1,1.1 0.2<2.1");
	f.nodes[1].label = "say \"x\\n\"\n";
	f.nodes[2].label = "{ a | b } ; -> <b>";
	dot = popen("dot -Tplain >/dev/null", "w");
	assert_non_null(dot);
	assert_int_equal(draw_dot(dot, &f.g), 0);
	assert_int_equal(pclose(dot), 0);
}

static void svg__boxes_edges_and_markup(void **state)
{
	struct fixture f;
	char *have;

	(void)state;
	fixture_make(&f, 3, "0.1 1.1<0.1 2.1<0.1,1.1 0.2<2.1,9.9");
	f.nodes[0].label = "<script> & a text that is longer than its box, even than two lines of it";
	f.nodes[1].label = "these words do not fit, but the second line takes them";
	have = drawn(&f.g, draw_svg);
	assert_int_equal(count_of(have, "<rect x="), 4);
	/* 9.9 is not there; the head's own path is no edge. */
	assert_int_equal(count_of(have, "marker-end"), 4);
	assert_int_equal(count_of(have, "<script"), 0);
	assert_non_null(strstr(have, ">&lt;script> &amp; a text that is</text>"));
	assert_non_null(strstr(have, ">these words do not fit, but</text>"));
	assert_non_null(strstr(have, ">the second line takes them</text>"));
	assert_non_null(strstr(have, "\xe2\x80\xa6</text>"));
	assert_non_null(strstr(have, "</svg>\n"));
	free(have);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii__head),
		cmocka_unit_test(ascii__chain_of_one_lane),
		cmocka_unit_test(ascii__question_and_answers),
		cmocka_unit_test(ascii__dotted_line),
		cmocka_unit_test(ascii__edge_from_an_earlier_message),
		cmocka_unit_test(ascii__lane_without_line_is_crossed),
		cmocka_unit_test(ascii__freed_predecessor_is_named_only),
		cmocka_unit_test(ascii__labels_cannot_command_the_terminal),
		cmocka_unit_test(ascii__contradictions_are_refused),
		cmocka_unit_test(dot__nodes_edges_and_quotes),
		cmocka_unit_test(dot__is_dot),
		cmocka_unit_test(names__are_harmless),
		cmocka_unit_test(svg__boxes_edges_and_markup),
		cmocka_unit_test(svg__goes_round_boxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
