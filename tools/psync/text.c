// SPDX-License-Identifier: GPL-2.0-only
/* Numbers, addresses and ids as people write them; messages made harmless. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "text.h"

static int text_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool text_u64(const char *text, uint64_t *value)
{
	uint64_t base = 10, n = 0;
	int digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && text[1]) {
		return false;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		digit = text_digit(*text);
		if ((uint64_t)digit >= base ||
		    n > (UINT64_MAX - (uint64_t)digit) / base)
			return false;
		n = n * base + (uint64_t)digit;
	}
	*value = n;
	return true;
}

bool text_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t n;

	if (!text_u64(text, &n) || n < min || n > max)
		return false;
	*value = (uint32_t)n;
	return true;
}

bool text_seconds(const char *text, int *milliseconds)
{
	int scale = 1000;
	long n = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (*text - '0') * 1000;
		if (n > TEXT_SECONDS_MAX * 1000L)
			return false;
	}
	if (*text == '.' && text[1]) {
		for (text++; *text >= '0' && *text <= '9'; text++) {
			scale /= 10;
			n += (*text - '0') * scale;
		}
	}
	*milliseconds = (int)n;
	return !*text;
}

/* Splits at @sign into two buffers of the same size. */
static bool text_split(const char *text, char sign, char *left, char *right,
		       size_t size)
{
	const char *at = strchr(text, sign);
	size_t n = at ? (size_t)(at - text) : size;

	if (n >= size || strlen(at + 1) >= size)
		return false;
	memcpy(left, text, n);
	left[n] = '\0';
	memcpy(right, at + 1, strlen(at + 1) + 1);
	return true;
}

bool text_pid(const char *text, struct psync_pid *pid)
{
	char site[24], port[24];

	return text_split(text, ':', site, port, sizeof(site)) &&
	       text_u32(site, 1, UINT32_MAX, &pid->site) &&
	       text_u32(port, 1, UINT32_MAX, &pid->port);
}

bool text_mid(const char *text, uint64_t *mid)
{
	char left[24], right[24];
	uint32_t index;
	uint64_t seq;

	if (!text_split(text, '.', left, right, sizeof(left)) ||
	    !text_u32(left, 0, 1023, &index) || !text_u64(right, &seq) ||
	    !seq || PSYNC_MID_SEQ(seq) != seq)
		return false;
	*mid = PSYNC_MID(index, seq);
	return true;
}

static bool text_mac(const char *text, uint8_t *mac)
{
	int i;

	if (strlen(text) != 17)
		return false;
	for (i = 0; i < 6; i++, text += 3) {
		if (text_digit(text[0]) > 15 || text_digit(text[1]) > 15 ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(text_digit(text[0]) << 4 |
				   text_digit(text[1]));
	}
	return true;
}

bool text_addr(const char *text, struct text_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (text_mac(text, addr->mac))
		addr->family = AF_PACKET;
	else if (inet_pton(AF_INET, text, &addr->ip4) == 1)
		addr->family = AF_INET;
	else if (inet_pton(AF_INET6, text, &addr->ip6) == 1)
		addr->family = AF_INET6;
	return addr->family != AF_UNSPEC;
}

const char *text_of_pid(const struct psync_pid *pid, char *out)
{
	snprintf(out, TEXT_PID, "%" PRIu32 ":%" PRIu32, pid->site, pid->port);
	return out;
}

const char *text_of_mid(uint64_t mid, char *out)
{
	snprintf(out, TEXT_MID, "%u.%" PRIu64, PSYNC_MID_INDEX(mid),
		 (uint64_t)PSYNC_MID_SEQ(mid));
	return out;
}

const char *text_of_cid(uint64_t cid, char *out)
{
	snprintf(out, TEXT_CID, "%016" PRIx64, cid);
	return out;
}

const char *text_of_addr(const struct text_addr *addr, char *out)
{
	const uint8_t *m = addr->mac;

	out[0] = '\0';
	switch (addr->family) {
	case AF_PACKET:
		snprintf(out, TEXT_ADDR, "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
			 m[1], m[2], m[3], m[4], m[5]);
		break;
	case AF_INET:
		inet_ntop(AF_INET, &addr->ip4, out, TEXT_ADDR);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &addr->ip6, out, TEXT_ADDR);
		break;
	}
	return out;
}

static const struct {
	uint32_t	policy;
	const char	*word;
} text_slows[] = {
	{ PSYNC_SLOW_BLOCK, "block" },
	{ PSYNC_SLOW_SKIP, "skip" },
	{ PSYNC_SLOW_SUSPECT, "suspect" },
	{ PSYNC_SLOW_MASK, "mask" },
};

bool text_slow(const char *text, uint32_t *policy)
{
	size_t i;

	for (i = 0; i < sizeof(text_slows) / sizeof(*text_slows); i++) {
		if (strcmp(text, text_slows[i].word))
			continue;
		*policy = text_slows[i].policy;
		return true;
	}
	return false;
}

const char *text_of_slow(uint32_t policy)
{
	size_t i;

	for (i = 0; i < sizeof(text_slows) / sizeof(*text_slows); i++)
		if (text_slows[i].policy == policy)
			return text_slows[i].word;
	return "unknown";
}

size_t text_utf8(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i, len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 :
		u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;

	if (!len || len > n)
		return 0;
	for (i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond Unicode. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

/* Control characters, those of C1 (U+0080 to U+009F) included. */
static bool text_obeyed(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	return len == 1 ? u[0] < 0x20 || u[0] == 0x7f :
	       len == 2 && u[0] == 0xc2 && u[1] < 0xa0;
}

void text_print(FILE *out, const char *s, size_t n)
{
	size_t len, i;

	for (; n; s += len, n -= len) {
		len = text_utf8(s, n);
		if (len && (!text_obeyed(s, len) || *s == '\t')) {
			fwrite(s, 1, len, out);
			continue;
		}
		len = len ? len : 1;
		for (i = 0; i < len; i++)
			fprintf(out, "\\x%02x", (unsigned char)s[i]);
	}
}
