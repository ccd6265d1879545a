// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scripts/check-docs wants to know of the wire format, from the code that
 * makes it.  Compiled with net/psync/core/wire.c against tools/sim/include.
 *
 * usage: check-docs-wire digest GROUP NUMBER SITE:PORT...
 *	  check-docs-wire decode HEX
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire.h"

static int psync_docs_digest(int argc, char **argv)
{
	struct psync_pid pids[16];
	unsigned int group = strtoul(argv[2], NULL, 0);
	unsigned int number = strtoul(argv[3], NULL, 0);
	unsigned long long cid, sum;
	int i, n = argc - 4;

	if (n > 16)
		return 2;
	for (i = 0; i < n; i++)
		if (sscanf(argv[i + 4], "%u:%u", &pids[i].site,
			   &pids[i].port) != 2)
			return 2;
	sum = psync_wire_digest(pids, n);
	cid = psync_wire_cid(group, number, sum);
	printf("%016llx %016llx\n", sum, cid);
	return 0;
}

static void psync_docs_print(const struct psync_pkt *pkt, const u8 *data)
{
	u32 i;

	printf("MSG group=%u number=%u cid=%016llx digest=%016llx src=%u dst=%u",
	       pkt->group, pkt->number, (unsigned long long)pkt->cid,
	       (unsigned long long)pkt->digest, pkt->src_site, pkt->dst_site);
	printf(" sender=%u seq=%llu wave=%u n=%u npred=%u", pkt->msg.sender,
	       (unsigned long long)pkt->msg.seq, pkt->msg.wave, pkt->msg.n,
	       pkt->msg.npred);
	for (i = 0; pkt->msg.preds && i < pkt->msg.npred; i++)
		printf(" pred=%u:%llu", be16_to_cpu(pkt->msg.preds[i].index),
		       (unsigned long long)
		       psync_wire_mid_seq(&pkt->msg.preds[i]));
	printf(" body=%.*s\n", (int)pkt->body_len,
	       (const char *)data + pkt->hdr_len);
}

static int psync_docs_decode(const char *hex)
{
	struct psync_pkt pkt;
	u8 data[512];
	u32 len = 0;

	while (*hex && len < sizeof(data)) {
		char two[3] = { hex[0], hex[1], 0 };

		if (!hex[1])
			return 2;
		data[len++] = strtoul(two, NULL, 16);
		hex += 2;
	}
	if (!psync_wire_csum_ok(data, len)) {
		printf("checksum wrong\n");
		return 1;
	}
	if (psync_wire_decode(data, len, len, &pkt) ||
	    pkt.type != PSYNC_PKT_MSG) {
		printf("no message\n");
		return 1;
	}
	psync_docs_print(&pkt, data);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 4 && !strcmp(argv[1], "digest"))
		return psync_docs_digest(argc, argv);
	if (argc == 3 && !strcmp(argv[1], "decode"))
		return psync_docs_decode(argv[2]);
	fprintf(stderr, "usage: see the head of check-docs-wire.c\n");
	return 2;
}
