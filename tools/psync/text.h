/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers, addresses and ids as people write them; messages made harmless. */
#ifndef PSYNC_TEXT_H
#define PSYNC_TEXT_H

#include <linux/psync.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Longest an address or id gets, with the zero. */
#define TEXT_ADDR	72
#define TEXT_PID	24
#define TEXT_MID	32
#define TEXT_CID	20

#define TEXT_SECONDS_MAX	1000000

/**
 * struct text_addr - where something is on a link
 * @family: AF_PACKET, AF_INET, AF_INET6, or AF_UNSPEC: nowhere
 * @port: UDP port
 * @mac: Ethernet address
 * @ip4: IPv4 address
 * @ip6: IPv6 address
 */
struct text_addr {
	int		family;
	uint16_t	port;
	uint8_t		mac[6];
	struct in_addr	ip4;
	struct in6_addr	ip6;
};

/*
 * Strict: decimal without leading zeros, or 0x and hexadecimal digits, nothing
 * before or after.  All return whether the text is one.
 */
bool text_u64(const char *text, uint64_t *value);
bool text_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value);
bool text_seconds(const char *text, int *milliseconds);

bool text_pid(const char *text, struct psync_pid *pid);	/* SITE:PORT */
bool text_mid(const char *text, uint64_t *mid);		/* INDEX.SEQUENCE */
bool text_addr(const char *text, struct text_addr *addr); /* MAC or IP */
bool text_slow(const char *text, uint32_t *policy);	/* block, skip... */

const char *text_of_pid(const struct psync_pid *pid, char *out);
const char *text_of_mid(uint64_t mid, char *out);
const char *text_of_cid(uint64_t cid, char *out);
const char *text_of_addr(const struct text_addr *addr, char *out);
const char *text_of_slow(uint32_t policy);

/* Length of the valid UTF-8 sequence at @s (at most @n bytes), 0 if none. */
size_t text_utf8(const char *s, size_t n);

/* Prints what others wrote: whatever a terminal might obey as \xNN. */
void text_print(FILE *out, const char *s, size_t n);

#endif /* PSYNC_TEXT_H */
