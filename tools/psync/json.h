/* SPDX-License-Identifier: GPL-2.0-only */
/* A writer of JSON that puts the commas. */
#ifndef PSYNC_JSON_H
#define PSYNC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE	*out;
	bool	comma;	/* before the next value */
};

/* @name is NULL in arrays and at the top; json_end() ends the line there. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
void json_end(struct json *j);
void json_u64(struct json *j, const char *name, uint64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_text(struct json *j, const char *name, const char *s);
/* Bytes that are not UTF-8 become U+FFFD. */
void json_bytes(struct json *j, const char *name, const char *s, size_t n);
/* A value that is in JSON already. */
void json_raw(struct json *j, const char *name, const char *value);

#endif /* PSYNC_JSON_H */
