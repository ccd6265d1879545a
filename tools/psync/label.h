/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of messages, from what "psync chat --log" wrote. */
#ifndef PSYNC_LABEL_H
#define PSYNC_LABEL_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct label - a message's text
 * @mid: message
 * @text: its text
 */
struct label {
	uint64_t	mid;
	char		*text;
};

/*
 * Reads lines of JSON and takes the members "mid" and "text" of each; lines
 * without them are passed over.  Returns how many, or a negative errno.
 */
int label_read(FILE *in, struct label **labels);
const char *label_find(const struct label *labels, int n, uint64_t mid);
void label_free(struct label *labels, int n);

#endif /* PSYNC_LABEL_H */
