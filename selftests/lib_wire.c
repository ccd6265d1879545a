// SPDX-License-Identifier: GPL-2.0-only
/* Packets by hand, and fake peers that send them. */

#include <arpa/inet.h>
#include <endian.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/psync_netlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include "lib_wire.h"

#define FAKE_HOST	2	/* whose interface it uses */
#define FAKE_SITE	209
#define FAKE_INC	1000	/* incarnations are times; this is long ago */

void wire_put8(struct wire *w, size_t at, uint8_t value)
{
	w->data[at] = value;
}

void wire_put16(struct wire *w, size_t at, uint16_t value)
{
	value = htobe16(value);
	memcpy(w->data + at, &value, sizeof(value));
}

void wire_put32(struct wire *w, size_t at, uint32_t value)
{
	value = htobe32(value);
	memcpy(w->data + at, &value, sizeof(value));
}

void wire_put64(struct wire *w, size_t at, uint64_t value)
{
	value = htobe64(value);
	memcpy(w->data + at, &value, sizeof(value));
}

uint16_t wire_get16(const struct wire *w, size_t at)
{
	uint16_t value;

	memcpy(&value, w->data + at, sizeof(value));
	return be16toh(value);
}

uint32_t wire_get32(const struct wire *w, size_t at)
{
	uint32_t value;

	memcpy(&value, w->data + at, sizeof(value));
	return be32toh(value);
}

uint64_t wire_get64(const struct wire *w, size_t at)
{
	uint64_t value;

	memcpy(&value, w->data + at, sizeof(value));
	return be64toh(value);
}

static uint64_t wire_fnv(uint64_t hash, uint64_t value, int bytes)
{
	while (bytes--) {
		hash ^= value >> 8 * bytes & 0xff;
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

#define FNV_BASIS	0xcbf29ce484222325ULL

uint64_t wire_digest(const struct psync_pid *pids, unsigned int n)
{
	uint64_t hash = FNV_BASIS;
	unsigned int i;

	for (i = 0; i < n; i++) {
		hash = wire_fnv(hash, pids[i].site, 4);
		hash = wire_fnv(hash, pids[i].port, 4);
	}
	return hash ? hash : FNV_BASIS;
}

uint64_t wire_cid(uint32_t group, uint32_t number, uint64_t digest)
{
	uint64_t hash = wire_fnv(FNV_BASIS, group, 4);

	hash = wire_fnv(hash, number, 4);
	hash = wire_fnv(hash, digest, 8);
	return hash ? hash : FNV_BASIS;
}

static uint32_t wire_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += (uint32_t)data[i] << (i & 1 ? 0 : 8);
	return sum;
}

static uint16_t wire_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

void wire_seal(struct wire *w)
{
	wire_put16(w, AT_LEN, w->len);
	wire_put16(w, AT_CSUM, 0);
	if (lab.link == LAB_ETH)
		wire_put16(w, AT_CSUM, wire_fold(wire_sum(0, w->data, w->len)));
}

static void wire_header(struct wire *w, const struct fake *f, uint8_t type,
			size_t len)
{
	memset(w, 0, sizeof(*w));
	w->len = len;
	wire_put8(w, AT_VERSION, 1);
	wire_put8(w, AT_TYPE, type);
	wire_put32(w, AT_SRC_SITE, f->site);
	wire_put32(w, AT_DST_SITE, 1);
	wire_put64(w, AT_SRC_INC, f->inc);
}

static void wire_put_conv(struct wire *w, const struct wire_conv *c)
{
	wire_put64(w, AT_CID, c->cid);
	wire_put64(w, AT_DIGEST, wire_digest(c->pids, c->n));
	wire_put32(w, AT_GROUP, c->group);
	wire_put32(w, AT_NUMBER, c->number);
	wire_put32(w, AT_OPENING, c->opening);
}

void wire_hello(struct wire *w, const struct fake *f, uint64_t cid,
		uint64_t nonce)
{
	wire_header(w, f, WIRE_HELLO, WIRE_HELLO_ALL);
	wire_put64(w, AT_CID, cid);
	wire_put64(w, AT_NONCE, nonce);
}

void wire_ack(struct wire *w, const struct fake *f, const struct wire *hello)
{
	wire_header(w, f, WIRE_HELLO_ACK, WIRE_HELLO_ALL);
	memcpy(w->data + AT_CID, hello->data + AT_CID, AT_OPENING - AT_CID);
	wire_put64(w, AT_NONCE, wire_get64(hello, AT_NONCE));
}

void wire_refuse(struct wire *w, const struct fake *f,
		 const struct wire_conv *c, uint32_t opening, uint16_t reason,
		 uint64_t digest)
{
	wire_header(w, f, WIRE_REFUSE, WIRE_REFUSE_ALL);
	wire_put_conv(w, c);
	wire_put16(w, AT_REASON, reason);
	wire_put32(w, AT_REFUSE_OPENING, opening);
	wire_put64(w, AT_REFUSE_DIGEST, digest);
}

static void wire_append(struct wire *w, const void *data, size_t len)
{
	memcpy(w->data + w->len, data, len);
	w->len += len;
}

void wire_dgram(struct wire *w, const struct fake *f, uint32_t port,
		const char *body)
{
	wire_header(w, f, WIRE_DGRAM, WIRE_DGRAM_ALL);
	wire_put32(w, AT_SRC_PORT, 77);
	wire_put32(w, AT_SRC_BINDING, 5);
	wire_put32(w, AT_DST_PORT, port);
	wire_put32(w, AT_DG_BODY_LEN, strlen(body));
	wire_append(w, body, strlen(body));
}

void wire_msg(struct wire *w, const struct fake *f, const struct wire_conv *c,
	      uint16_t sender, uint32_t seq, uint32_t wave, const char *body)
{
	wire_header(w, f, WIRE_MSG, WIRE_MSG_FIXED);
	wire_put_conv(w, c);
	wire_put16(w, AT_SENDER, sender);
	wire_put8(w, AT_KIND, 1);
	wire_put32(w, AT_SEQ, seq);
	wire_put32(w, AT_WAVE, wave);
	wire_put32(w, AT_BINDING, 1);
	wire_put16(w, AT_N, c->n);
	wire_put32(w, AT_BODY_LEN, strlen(body));
	wire_append(w, body, strlen(body));
}

/* Makes room for more header in front of the body. */
static size_t wire_insert(struct wire *w, size_t len)
{
	size_t body = wire_get32(w, AT_BODY_LEN);
	size_t at = w->len - body;

	memmove(w->data + at + len, w->data + at, body);
	memset(w->data + at, 0, len);
	w->len += len;
	return at;
}

void wire_msg_start(struct wire *w, const struct wire_conv *c)
{
	size_t at = wire_insert(w, c->n * 8);
	unsigned int i;

	wire_put8(w, AT_MSG_FLAGS, w->data[AT_MSG_FLAGS] | WIRE_START);
	for (i = 0; i < c->n; i++) {
		wire_put32(w, at + 8 * i, c->pids[i].site);
		wire_put32(w, at + 8 * i + 4, c->pids[i].port);
	}
}

void wire_msg_pred(struct wire *w, uint16_t index, uint32_t seq)
{
	size_t at = wire_insert(w, 8);

	wire_put16(w, at, index);
	wire_put32(w, at + 4, seq);
	wire_put16(w, AT_NPRED, wire_get16(w, AT_NPRED) + 1);
}

/* The first @npred participants' entries are predecessors. */
void wire_msg_stamp(struct wire *w, const uint32_t *seqs, uint16_t n,
		    uint16_t npred)
{
	size_t at = wire_insert(w, n * 4 + (n + 31) / 32 * 4);
	unsigned int i;

	wire_put8(w, AT_MSG_FLAGS, w->data[AT_MSG_FLAGS] | WIRE_STAMP);
	wire_put16(w, AT_NPRED, npred);
	for (i = 0; i < n; i++)
		wire_put32(w, at + 4 * i, seqs[i]);
	for (i = 0; i < npred; i++)
		w->data[at + 4 * n + i / 8] |= 1 << i % 8;
}

/* Comes first of what is inserted, so it is asked for last. */
void wire_msg_foreign(struct wire *w, uint64_t inc, uint32_t opening)
{
	memmove(w->data + WIRE_MSG_FIXED + 16, w->data + WIRE_MSG_FIXED,
		w->len - WIRE_MSG_FIXED);
	memset(w->data + WIRE_MSG_FIXED, 0, 16);
	w->len += 16;
	wire_put64(w, WIRE_MSG_FIXED, inc);
	wire_put32(w, WIRE_MSG_FIXED + 8, opening);
	wire_put8(w, AT_MSG_FLAGS, w->data[AT_MSG_FLAGS] | WIRE_FOREIGN |
				   WIRE_REPEAT);
}

void wire_vector(struct wire *w, const struct fake *f, uint8_t type,
		 const struct wire_conv *c, const uint32_t *seqs)
{
	unsigned int i;

	wire_header(w, f, type, WIRE_VECTOR_FIXED + c->n * 4);
	wire_put_conv(w, c);
	wire_put16(w, AT_VEC_N, c->n);
	if (type == WIRE_ACK) {
		wire_put32(w, AT_VEC_CREDIT_BYTES, 1 << 20);
		wire_put32(w, AT_VEC_CREDIT_MSGS, 1 << 10);
	}
	for (i = 0; i < c->n; i++)
		wire_put32(w, WIRE_VECTOR_FIXED + 4 * i, seqs[i]);
}

static void fake_mac(uint8_t *mac, unsigned int index)
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, FAKE_SITE, index }, ETH_ALEN);
}

static const char *fake_ip(void)
{
	return lab.link == LAB_UDP4 ? "10.7.0.209" : "fd07::209";
}

static socklen_t fake_addr(struct sockaddr_storage *ss, const char *ip,
			   uint16_t port)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (lab.link == LAB_UDP4) {
		in->sin_family = AF_INET;
		in->sin_port = htobe16(port);
		assert_int_equal(inet_pton(AF_INET, ip, &in->sin_addr), 1);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htobe16(port);
	assert_int_equal(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
	return sizeof(*in6);
}

static void fake_configure(const struct fake *f)
{
	struct nl *nl = nl_open(1);
	uint8_t addr[16];

	nl_begin(nl, PSYNC_CMD_PEER_ADD);
	nl_u32(nl, PSYNC_A_PEER_SITE, f->site);
	nl_str(nl, PSYNC_A_PEER_LINK, "l0");
	switch (lab.link) {
	case LAB_ETH:
		fake_mac(addr, f->index);
		nl_put(nl, PSYNC_A_PEER_MAC, addr, ETH_ALEN);
		break;
	case LAB_UDP4:
		inet_pton(AF_INET, fake_ip(), addr);
		nl_put(nl, PSYNC_A_PEER_IP4, addr, 4);
		break;
	case LAB_UDP6:
		inet_pton(AF_INET6, fake_ip(), addr);
		nl_put(nl, PSYNC_A_PEER_IP6, addr, 16);
		break;
	}
	if (lab.link != LAB_ETH)
		nl_u16(nl, PSYNC_A_PEER_PORT, PSYNC_PORT_UDP + f->index);
	if (nl_talk(nl))
		fail_msg("fake peer: %s", nl_words(nl));
	nl_close(nl);
}

static int fake_socket_eth(void)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htobe16(PSYNC_ETHERTYPE_DEFAULT),
		.sll_ifindex = if_nametoindex("eth0"),
	};
	int fd = works(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC,
			      ll.sll_protocol));

	works(bind(fd, (struct sockaddr *)&ll, sizeof(ll)));
	return fd;
}

static int fake_socket_udp(unsigned int index)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	/* Addresses stay until the lab is gone. */
	if (system(lab.link == LAB_UDP4 ?
		   "ip addr replace 10.7.0.209/24 dev eth0" :
		   "ip addr replace fd07::209/64 dev eth0 nodad"))
		fail_msg("no address for fake peers");
	len = fake_addr(&ss, fake_ip(), PSYNC_PORT_UDP + index);
	fd = works(socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	works(bind(fd, (struct sockaddr *)&ss, len));
	len = fake_addr(&ss, lab.link == LAB_UDP4 ? "10.7.0.1" : "fd07::1",
			PSYNC_PORT_UDP);
	works(connect(fd, (struct sockaddr *)&ss, len));
	return fd;
}

struct fake fake_new(unsigned int index)
{
	struct fake f = { FAKE_SITE + index, FAKE_INC, -1, index };

	fake_configure(&f);
	lab_enter(FAKE_HOST);
	f.fd = lab.link == LAB_ETH ? fake_socket_eth() :
				     fake_socket_udp(index);
	sock_timeout(f.fd, SO_RCVTIMEO, PATIENCE * 1000);
	return f;
}

void fake_del(struct fake *f)
{
	struct nl *nl = nl_open(1);

	nl_begin(nl, PSYNC_CMD_PEER_DEL);
	nl_u32(nl, PSYNC_A_PEER_SITE, f->site);
	assert_int_equal(nl_talk(nl), 0);
	nl_close(nl);
	works(close(f->fd));
}

static size_t fake_ethernet(uint8_t *frame, unsigned int index, uint16_t type)
{
	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 1, 0 }, ETH_ALEN);
	fake_mac(frame + ETH_ALEN, index);
	frame[12] = type >> 8;
	frame[13] = type;
	return ETH_HLEN;
}

bool fake_try(const struct fake *f, const struct wire *w)
{
	uint8_t frame[ETH_HLEN + sizeof(w->data)];
	size_t at;

	if (lab.link != LAB_ETH)
		return send(f->fd, w->data, w->len, 0) == (ssize_t)w->len;
	at = fake_ethernet(frame, f->index, PSYNC_ETHERTYPE_DEFAULT);
	memcpy(frame + at, w->data, w->len);
	return send(f->fd, frame, at + w->len, 0) == (ssize_t)(at + w->len);
}

void fake_send_raw(const struct fake *f, const struct wire *w)
{
	if (!fake_try(f, w))
		fail_msg("fake peer cannot send: %s", strerror(errno));
}

void fake_send(const struct fake *f, struct wire *w)
{
	wire_seal(w);
	fake_send_raw(f, w);
}

/* An IP header of either version; gives where the next one begins. */
static size_t fake_ip_header(uint8_t *p, size_t payload)
{
	uint16_t sum;

	if (lab.link == LAB_UDP4) {
		memset(p, 0, 20);
		p[0] = 0x45;
		p[2] = (20 + payload) >> 8;
		p[3] = 20 + payload;
		p[8] = 64;
		p[9] = IPPROTO_UDP;
		inet_pton(AF_INET, fake_ip(), p + 12);
		inet_pton(AF_INET, "10.7.0.1", p + 16);
		sum = wire_fold(wire_sum(0, p, 20));
		p[10] = sum >> 8;
		p[11] = sum;
		return 20;
	}
	memset(p, 0, 40);
	p[0] = 0x60;
	p[4] = payload >> 8;
	p[5] = payload;
	p[6] = IPPROTO_UDP;
	p[7] = 64;
	inet_pton(AF_INET6, fake_ip(), p + 8);
	inet_pton(AF_INET6, "fd07::1", p + 24);
	return 40;
}

void fake_send_udp_csum(const struct fake *f, struct wire *w, bool zero)
{
	uint8_t frame[ETH_HLEN + 48 + sizeof(w->data)];
	uint16_t port = PSYNC_PORT_UDP + f->index;
	size_t len = 8 + w->len, at, udp;
	uint32_t sum;
	int fd;

	wire_seal(w);
	at = fake_ethernet(frame, f->index, lab.link == LAB_UDP4 ? 0x0800 :
								   0x86dd);
	udp = at + fake_ip_header(frame + at, len);
	memcpy(frame + udp, (uint8_t[]){
		port >> 8, port, PSYNC_PORT_UDP >> 8, PSYNC_PORT_UDP & 0xff,
		len >> 8, len, 0, 0 }, 8);
	memcpy(frame + udp + 8, w->data, w->len);
	if (!zero) {
		/* The right one, then one bit of it wrong. */
		at += lab.link == LAB_UDP4 ? 12 : 8;
		sum = wire_sum(IPPROTO_UDP + len, frame + at, udp - at);
		sum = wire_fold(wire_sum(sum, frame + udp, len)) ^ 0x0100;
		frame[udp + 6] = sum >> 8;
		frame[udp + 7] = sum;
	}
	lab_enter(FAKE_HOST);
	fd = fake_socket_eth();
	works(send(fd, frame, udp + len, 0));
	works(close(fd));
}

void fake_recv(const struct fake *f, uint8_t type, struct wire *w)
{
	uint8_t frame[ETH_HLEN + sizeof(w->data)], mac[ETH_ALEN];
	size_t skip = lab.link == LAB_ETH ? ETH_HLEN : 0;
	ssize_t len;

	fake_mac(mac, f->index);
	do {
		len = works(recv(f->fd, frame, sizeof(frame), 0));
	} while (len < (ssize_t)skip + WIRE_HDR ||
		 (skip && memcmp(frame, mac, ETH_ALEN)) ||
		 frame[skip + AT_TYPE] != type ||
		 (type == WIRE_MSG && frame[skip + AT_KIND] != WIRE_DATA));
	w->len = len - skip;
	memcpy(w->data, frame + skip, w->len);
	/* What comes is well-formed, too. */
	assert_int_equal(w->data[AT_VERSION], 1);
	assert_int_equal(wire_get16(w, AT_FLAGS), 0);
	assert_int_equal(wire_get16(w, AT_LEN), w->len);
	assert_int_equal(wire_get32(w, AT_SRC_SITE), 1);
	assert_int_equal(wire_get32(w, AT_DST_SITE), f->site);
	assert_true(wire_get64(w, AT_SRC_INC) != 0);
	assert_true(wire_get64(w, AT_SEAL) == 0);
	if (lab.link != LAB_ETH)
		assert_int_equal(wire_get16(w, AT_CSUM), 0);
}
