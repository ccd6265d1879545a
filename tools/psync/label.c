// SPDX-License-Identifier: GPL-2.0-only
/* Texts of messages, from what "psync chat --log" wrote. */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "text.h"

static int hex4(const char *s)
{
	int i, n = 0;

	for (i = 0; i < 4; i++) {
		n <<= 4;
		if (s[i] >= '0' && s[i] <= '9')
			n |= s[i] - '0';
		else if (s[i] >= 'a' && s[i] <= 'f')
			n |= s[i] - 'a' + 10;
		else if (s[i] >= 'A' && s[i] <= 'F')
			n |= s[i] - 'A' + 10;
		else
			return -1;
	}
	return n;
}

/* One character after a backslash; returns what to skip, 0: none. */
static size_t unescape(const char *s, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int n;

	if (*s != 'u') {
		at = *s ? strchr(from, *s) : NULL;
		if (!at)
			return 0;
		*(*out)++ = to[at - from];
		return 1;
	}
	n = hex4(s + 1);
	if (n < 0)
		return 0;
	/* What json.c writes so: control characters and U+FFFD. */
	if (n < 0x80)
		*(*out)++ = n ? (char)n : ' ';
	else
		*(*out)++ = '?';
	return 5;
}

/* The string at @s, after its opening quote; returns its end or NULL. */
static const char *string_at(const char *s, char *out)
{
	size_t skip;

	while (*s != '"') {
		if (!*s)
			return NULL;
		if (*s != '\\') {
			*out++ = *s++;
			continue;
		}
		skip = unescape(++s, &out);
		if (!skip)
			return NULL;
		s += skip;
	}
	*out = '\0';
	return s + 1;
}

/*
 * Walks the strings of a line; a string followed by ':' is a name.  Brackets
 * need no attention: no other member of the log has these names.
 */
static bool members(const char *line, char *name, char *value, char *mid,
		    char *text)
{
	bool have_mid = false, have_text = false;
	const char *s = line;

	while ((s = strchr(s, '"'))) {
		s = string_at(s + 1, name);
		if (!s)
			return false;
		if (s[0] != ':' || s[1] != '"')
			continue;
		s = string_at(s + 2, value);
		if (!s)
			return false;
		if (!strcmp(name, "mid")) {
			strcpy(mid, value);
			have_mid = true;
		} else if (!strcmp(name, "text")) {
			strcpy(text, value);
			have_text = true;
		}
	}
	return have_mid && have_text;
}

/* One line; 1 if it has a label. */
static int label_line(const char *line, struct label *label)
{
	size_t room = strlen(line) + 1;
	char *space = malloc(4 * room);
	int found = 0;

	if (!space)
		return -ENOMEM;
	if (members(line, space, space + room, space + 2 * room,
		    space + 3 * room) &&
	    text_mid(space + 2 * room, &label->mid)) {
		label->text = strdup(space + 3 * room);
		found = label->text ? 1 : -ENOMEM;
	}
	free(space);
	return found;
}

static int label_compare(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return x->mid < y->mid ? -1 : x->mid > y->mid;
}

int label_read(FILE *in, struct label **labels)
{
	struct label *all = NULL, *more;
	size_t size = 0, n = 0, room = 0;
	char *line = NULL;
	int found = 0;

	while (getline(&line, &size, in) >= 0) {
		if (n == room) {
			room = room ? 2 * room : 64;
			more = realloc(all, room * sizeof(*all));
			if (!more) {
				found = -ENOMEM;
				break;
			}
			all = more;
		}
		found = label_line(line, &all[n]);
		if (found < 0)
			break;
		n += (size_t)found;
	}
	free(line);
	if (found < 0) {
		label_free(all, (int)n);
		return found;
	}
	if (n)
		qsort(all, n, sizeof(*all), label_compare);
	*labels = all;
	return (int)n;
}

const char *label_find(const struct label *labels, int n, uint64_t mid)
{
	struct label key = { .mid = mid }, *found;

	if (!n)
		return NULL;
	found = bsearch(&key, labels, (size_t)n, sizeof(key), label_compare);
	return found ? found->text : NULL;
}

void label_free(struct label *labels, int n)
{
	int i;

	for (i = 0; i < n; i++)
		free(labels[i].text);
	free(labels);
}
