// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is standard input JSON (RFC 8259), one value or one to a line, and nothing
 * else? Exit status 0 if so; else 1, and where it goes wrong.
 */

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	64

static int next;
static unsigned long at;

static void json_read(void)
{
	next = getchar();
	at++;
}

static void json_bad(const char *what)
{
	fprintf(stderr, "json-check: byte %lu: %s\n", at, what);
	exit(1);
}

static void json_space(void)
{
	while (next == ' ' || next == '\t' || next == '\n' || next == '\r')
		json_read();
}

static void json_take(int c, const char *what)
{
	if (next != c)
		json_bad(what);
	json_read();
}

static void json_escape(void)
{
	int i;

	json_read();
	if (next == 'u') {
		for (i = 0; i < 4; i++) {
			json_read();
			if (next == EOF || !isxdigit(next))
				json_bad("four hexadecimal digits expected");
		}
	} else if (next == EOF || !strchr("\"\\/bfnrt", next)) {
		json_bad("unknown escape");
	}
	json_read();
}

/* Bytes of UTF-8: no stray ones, none missing. */
static void json_utf8(void)
{
	int more = next >= 0xf0 && next < 0xf5 ? 3 : next >= 0xe0 ? 2 :
		   next >= 0xc2 ? 1 : 0;

	if (!more || next >= 0xf5)
		json_bad("not UTF-8");
	while (more--) {
		json_read();
		if (next == EOF || (next & 0xc0) != 0x80)
			json_bad("not UTF-8");
	}
	json_read();
}

static void json_string(void)
{
	json_take('"', "string expected");
	while (next != '"') {
		if (next == EOF || next < 0x20)
			json_bad("control character or end in a string");
		else if (next == '\\')
			json_escape();
		else if (next >= 0x80)
			json_utf8();
		else
			json_read();
	}
	json_read();
}

static void json_digits(void)
{
	if (next == EOF || !isdigit(next))
		json_bad("digit expected");
	while (next != EOF && isdigit(next))
		json_read();
}

static void json_number(void)
{
	if (next == '-')
		json_read();
	if (next == '0')
		json_read();
	else
		json_digits();
	if (next == '.') {
		json_read();
		json_digits();
	}
	if (next == 'e' || next == 'E') {
		json_read();
		if (next == '+' || next == '-')
			json_read();
		json_digits();
	}
}

static void json_word(const char *word)
{
	while (*word)
		json_take(*word++, "unknown word");
}

static void json_value(int depth);

/* What is between brackets: members of an object have names. */
static void json_list(int depth, int end, bool names)
{
	json_read();
	json_space();
	if (next == end) {
		json_read();
		return;
	}
	for (;;) {
		if (names) {
			json_string();
			json_space();
			json_take(':', "colon expected");
			json_space();
		}
		json_value(depth + 1);
		json_space();
		if (next == end)
			break;
		json_take(',', "comma or end expected");
		json_space();
	}
	json_read();
}

static void json_value(int depth)
{
	if (depth > DEPTH_MAX)
		json_bad("too deep");
	switch (next) {
	case '{':
		json_list(depth, '}', true);
		break;
	case '[':
		json_list(depth, ']', false);
		break;
	case '"':
		json_string();
		break;
	case 't':
		json_word("true");
		break;
	case 'f':
		json_word("false");
		break;
	case 'n':
		json_word("null");
		break;
	default:
		json_number();
	}
}

int main(void)
{
	unsigned int values = 0;

	json_read();
	json_space();
	while (next != EOF) {
		json_value(0);
		values++;
		if (next != EOF && next != '\n')
			json_bad("newline expected after a value");
		json_space();
	}
	if (!values)
		json_bad("nothing there");
	return 0;
}
