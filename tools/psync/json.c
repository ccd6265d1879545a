// SPDX-License-Identifier: GPL-2.0-only
/* A writer of JSON that puts the commas. */

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "text.h"

static void json_string(FILE *out, const char *s, size_t n)
{
	size_t len;

	fputc('"', out);
	for (; n; s += len, n -= len) {
		len = text_utf8(s, n);
		if (!len) {
			len = 1;
			fputs("\\ufffd", out);
		} else if (*s == '"' || *s == '\\') {
			fprintf(out, "\\%c", *s);
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			fprintf(out, "\\u%04x", (unsigned char)*s);
		} else {
			fwrite(s, 1, len, out);
		}
	}
	fputc('"', out);
}

static void json_name(struct json *j, const char *name)
{
	if (j->comma)
		fputc(',', j->out);
	j->comma = true;
	if (!name)
		return;
	json_string(j->out, name, strlen(name));
	fputc(':', j->out);
}

void json_open(struct json *j, const char *name, char bracket)
{
	json_name(j, name);
	fputc(bracket, j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

void json_end(struct json *j)
{
	fputc('\n', j->out);
	fflush(j->out);
	j->comma = false;
}

void json_u64(struct json *j, const char *name, uint64_t value)
{
	json_name(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
	json_raw(j, name, value ? "true" : "false");
}

void json_text(struct json *j, const char *name, const char *s)
{
	json_bytes(j, name, s, strlen(s));
}

void json_bytes(struct json *j, const char *name, const char *s, size_t n)
{
	json_name(j, name);
	json_string(j->out, s, n);
}

void json_raw(struct json *j, const char *name, const char *value)
{
	json_name(j, name);
	fputs(value, j->out);
}
