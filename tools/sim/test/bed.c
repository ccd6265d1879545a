// SPDX-License-Identifier: GPL-2.0-only
/* A bed for the core's unit tests: sites, surroundings, packets by hand. */
#include "bed.h"

int psync_bed_bodies;

static struct psync_bed *psync_bed_of(struct psync_image *img)
{
	return container_of(img, struct psync_bed, img);
}

static void *psync_bed_alloc(struct psync_image *img, size_t size)
{
	struct psync_bed *bed = psync_bed_of(img);
	void *mem;

	bed->allocs++;
	if (bed->allocs == bed->fail_at ||
	    (bed->fail_from && bed->allocs >= bed->fail_from))
		return NULL;
	mem = calloc(1, size);
	assert_non_null(mem);
	bed->live += size;
	return mem;
}

static void psync_bed_free(struct psync_image *img, void *mem, size_t size)
{
	if (!mem)
		return;
	assert_true(psync_bed_of(img)->live >= size);
	psync_bed_of(img)->live -= size;
	free(mem);
}

static void psync_bed_transmit(struct psync_image *img, u32 site,
			       struct psync_pkt *pkt, void *body)
{
	struct psync_bed *bed = psync_bed_of(img);
	struct psync_bed_packet *packet;

	assert_in_range(pkt->type, PSYNC_PKT_MSG, PSYNC_PKT_RS_ACK);
	bed->ntypes[pkt->type]++;
	if (bed->muted & 1 << pkt->type)
		return;
	assert_true(bed->nsent < PSYNC_BED_PACKETS);
	packet = &bed->sent[bed->nsent++];
	pkt->src_site = img->p.site;
	pkt->src_inc = bed->inc;
	pkt->dst_site = site;
	if (site)
		psync_image_address(img, site, pkt);
	packet->site = site;
	packet->len = psync_wire_hdr_size(pkt);
	packet->data = malloc(packet->len);
	packet->body = body;
	if (packet->body)
		packet->body->refs++;
	assert_non_null(packet->data);
	memset(packet->data, 0xa5, packet->len);
	psync_wire_encode(pkt, packet->data);
}

struct psync_bed_body *psync_bed_body_new(void)
{
	struct psync_bed_body *body = calloc(1, sizeof(*body));

	assert_non_null(body);
	body->refs = 1;
	psync_bed_bodies++;
	return body;
}

void psync_bed_body_put(struct psync_bed_body *body)
{
	if (!body)
		return;
	assert_true(body->refs > 0);
	if (--body->refs)
		return;
	psync_bed_bodies--;
	free(body);
}

static void psync_bed_op_body_put(struct psync_image *img, void *body)
{
	assert_non_null(body);
	psync_bed_body_put(body);
}

/* Bodies of the same length are the same. */
static u64 psync_bed_hash(struct psync_image *img, const void *body, u32 len)
{
	assert_non_null(body);
	return len;
}

static void psync_bed_rest(struct psync_image *img, void *body)
{
	assert_true(((struct psync_bed_body *)body)->refs > 0);
	psync_bed_of(img)->rested++;
}

static void psync_bed_readable(struct psync_image *img, struct psync_view *view)
{
	assert_true(view->nulls ? view->outstanding : view->outstanding == 1);
	psync_bed_of(img)->readable++;
}

static void psync_bed_event(struct psync_image *img, struct psync_view *view,
			    const struct psync_event *ev)
{
	struct psync_bed *bed = psync_bed_of(img);

	if (bed->nevents < PSYNC_BED_EVENTS)
		bed->events[bed->nevents] = *ev;
	bed->nevents++;
	assert_int_equal(ev->cid, img->p.cid);
	assert_int_equal(ev->reserved, 0);
}

static void psync_bed_arm(struct psync_image *img, u64 deadline)
{
	assert_int_equal(deadline, img->deadline);
	psync_bed_of(img)->armed = deadline;
}

static void psync_bed_writable(struct psync_image *img)
{
	psync_bed_of(img)->writable++;
}

static void psync_bed_passed(struct psync_image *img, struct psync_view *view,
			     const struct psync_node *node)
{
	struct psync_bed *bed = psync_bed_of(img);

	assert_true(node->kind != PSYNC_KIND_DATA || node->gone ||
		    !psync_mask_keeps(view, node));
	assert_true(node->kind == PSYNC_KIND_DATA || !node->body);
	assert_non_null(view);
	if (bed->npassed < PSYNC_BED_EVENTS)
		bed->passed[bed->npassed] = psync_node_mid(node);
	bed->npassed++;
}

static void psync_bed_stable(struct psync_image *img, struct psync_watch *watch)
{
	assert_int_not_equal(watch->answer, 0);
	assert_ptr_equal(watch->view->img, img);
	psync_bed_of(img)->stable++;
}

static void psync_bed_dropped(struct psync_image *img, enum psync_drop reason)
{
	assert_in_range(reason, PSYNC_OK + 1, PSYNC_DROP_MAX - 1);
	psync_bed_of(img)->drops[reason]++;
}

static u64 psync_bed_nonce(struct psync_image *img)
{
	/* Different ones, with something in every bit. */
	return ++psync_bed_of(img)->nonce * 0x9e3779b97f4a7c15ULL;
}

static u32 psync_bed_cost(struct psync_image *img, void *body, u32 len,
			  size_t size)
{
	return len > PSYNC_BODY_LEAST ? len : PSYNC_BODY_LEAST;
}

static u32 psync_bed_room(struct psync_image *img, struct psync_view *view)
{
	struct psync_bed *bed = psync_bed_of(img);

	assert_true(view->unread);
	return bed->room ? bed->room : U32_MAX;
}

static bool psync_bed_afford(struct psync_image *img)
{
	return !psync_bed_of(img)->poor;
}

const struct psync_image_ops psync_bed_ops = {
	.alloc		= psync_bed_alloc,
	.free		= psync_bed_free,
	.transmit	= psync_bed_transmit,
	.body_put	= psync_bed_op_body_put,
	.readable	= psync_bed_readable,
	.event		= psync_bed_event,
	.arm		= psync_bed_arm,
	.cost		= psync_bed_cost,
	.room		= psync_bed_room,
	.afford		= psync_bed_afford,
	.writable	= psync_bed_writable,
	.hash		= psync_bed_hash,
	.rest		= psync_bed_rest,
	.passed		= psync_bed_passed,
	.stable		= psync_bed_stable,
	.dropped	= psync_bed_dropped,
	.nonce		= psync_bed_nonce,
};

void psync_bed_params(struct psync_image_params *p, struct psync_pid *pids,
		      const u32 *sites, u32 n, u32 number)
{
	u32 i;

	for (i = 0; i < n; i++) {
		pids[i].site = sites[i];
		pids[i].port = 1000 + i;
	}
	*p = (struct psync_image_params){
		.cid		= PSYNC_BED_CID,
		.digest		= psync_wire_digest(pids, n),
		.group		= 7,
		.number		= number,
		.pids		= pids,
		.n		= n,
		.limits = {
			.max_nodes	= 1 << 20,
			.max_held	= 1 << 20,
			.max_early	= 1 << 20,
			.max_bytes	= 1 << 30,
			.max_pending	= 1 << 30,
			.hello_ns	= 100 * PSYNC_BED_MS,
			.hello_tries	= 3,
			.ack_ns		= PSYNC_BED_NEVER,
			.null_ns	= PSYNC_BED_NEVER,
			.rto_ns		= PSYNC_BED_NEVER,
			.rto_min_ns	= PSYNC_BED_NEVER,
			.rto_max_ns	= PSYNC_BED_NEVER,
			.absent_ns	= PSYNC_BED_NEVER,
			.linger_ns	= PSYNC_BED_NEVER,
			.repair_rate	= 1 << 20,
			.max_msgs	= 1 << 20,
			.first_msgs	= 1 << 20,
			.first_bytes	= 1 << 30,
			.slow_ns	= PSYNC_BED_NEVER,
		},
	};
}

void psync_bed_times(struct psync_image_params *p)
{
	p->limits.ack_ns = 5 * PSYNC_BED_MS;
	p->limits.null_ns = 40 * PSYNC_BED_MS;
	p->limits.rto_ns = 100 * PSYNC_BED_MS;
	p->limits.rto_min_ns = 10 * PSYNC_BED_MS;
	p->limits.rto_max_ns = 2000 * PSYNC_BED_MS;
	p->limits.absent_ns = 30000 * PSYNC_BED_MS;
	p->limits.linger_ns = 10000 * PSYNC_BED_MS;
	p->limits.repair_rate = 1000;
}

int psync_bed_init(struct psync_bed *bed, const struct psync_image_params *p,
		   u32 site)
{
	struct psync_image_params mine = *p;

	memset(bed, 0, sizeof(*bed));
	bed->inc = 5000 + site;
	bed->nonce = 1000 * site;
	bed->muted = 1 << PSYNC_PKT_ACK | 1 << PSYNC_PKT_RR |
		     1 << PSYNC_PKT_GONE;
	mine.site = site;
	mine.inc = bed->inc;
	return psync_image_init(&bed->img, &mine, &psync_bed_ops);
}

void psync_bed_leave(struct psync_bed *bed, struct psync_view *view)
{
	u32 muted = bed->muted;

	bed->muted = ~0U;
	psync_image_leave(&bed->img, view, bed->img.now);
	bed->muted = muted;
}

void psync_bed_exit(struct psync_bed *bed)
{
	assert_int_equal(bed->img.nviews, 0);
	assert_int_equal(bed->img.nopen, 0);
	assert_true(list_empty(&bed->img.watches));
	psync_image_destroy(&bed->img);
	assert_int_equal(bed->live, 0);
	assert_int_equal(bed->img.nheld, 0);
	assert_int_equal(bed->img.nbeside, 0);
	assert_int_equal(bed->img.beside_bytes, 0);
	assert_int_equal(bed->img.nearly, 0);
	assert_int_equal(bed->img.body_bytes, 0);
	assert_int_equal(bed->img.waiting_bytes, 0);
	assert_int_equal(bed->img.known_bytes, 0);
	assert_int_equal(bed->img.own_bytes, 0);
	assert_int_equal(bed->img.history_bytes, 0);
	assert_int_equal(bed->img.nuntaken, 0);
	psync_bed_forget(bed);
}

u32 psync_bed_forget(struct psync_bed *bed)
{
	u32 count = bed->nsent;
	u32 i;

	for (i = 0; i < count; i++)
		psync_bed_packet_free(&bed->sent[i]);
	bed->nsent = 0;
	return count;
}

struct psync_bed_packet psync_bed_pop(struct psync_bed *bed)
{
	struct psync_bed_packet packet;

	assert_true(bed->nsent);
	packet = bed->sent[0];
	bed->nsent--;
	memmove(bed->sent, bed->sent + 1, bed->nsent * sizeof(packet));
	return packet;
}

struct psync_bed_packet psync_bed_pop_type(struct psync_bed *bed, u8 type)
{
	struct psync_bed_packet packet;
	u32 i = 0;

	while (i < bed->nsent && bed->sent[i].data[1] != type)
		i++;
	assert_true(i < bed->nsent);
	packet = bed->sent[i];
	bed->nsent--;
	memmove(bed->sent + i, bed->sent + i + 1,
		(bed->nsent - i) * sizeof(packet));
	return packet;
}

void psync_bed_packet_free(struct psync_bed_packet *packet)
{
	free(packet->data);
	psync_bed_body_put(packet->body);
	packet->data = NULL;
	packet->body = NULL;
}

/* @data has the header; the body is only a number. */
static enum psync_drop psync_bed_decode(const u8 *data, u32 len,
					struct psync_pkt *pkt)
{
	u32 total = data[4] << 8 | data[5];
	u32 need = psync_wire_need(data, 0);

	while (need <= len && need != psync_wire_need(data, need))
		need = psync_wire_need(data, need);
	assert_int_equal(need, len);
	return psync_wire_decode(data, len, total, pkt);
}

enum psync_drop psync_bed_give(struct psync_bed *to,
			       const struct psync_bed_packet *packet, u64 now)
{
	struct psync_bed_body *body = NULL;
	struct psync_pkt pkt;
	enum psync_drop drop;

	assert_int_equal(psync_bed_decode(packet->data, packet->len, &pkt),
			 PSYNC_OK);
	if (pkt.type == PSYNC_PKT_MSG && pkt.msg.kind == PSYNC_KIND_DATA)
		body = psync_bed_body_new();
	drop = psync_image_input(&to->img, &pkt, body, now);
	if (drop)
		psync_bed_body_put(body);
	return drop;
}

enum psync_drop psync_bed_input(struct psync_bed *to,
				const struct psync_pkt *pkt, u64 now)
{
	struct psync_bed_packet packet = {
		.len = psync_wire_hdr_size(pkt),
	};
	enum psync_drop drop;

	packet.data = malloc(packet.len);
	assert_non_null(packet.data);
	psync_wire_encode(pkt, packet.data);
	drop = psync_bed_give(to, &packet, now);
	free(packet.data);
	return drop;
}

void psync_bed_craft(const struct psync_bed *to, u32 sender, u64 seq, u32 wave,
		     u32 npred, const u64 *preds, struct psync_wire_mid *wire,
		     struct psync_pkt *pkt)
{
	const struct psync_image *img = &to->img;
	u32 i;

	*pkt = (struct psync_pkt){
		.type		= PSYNC_PKT_MSG,
		.src_site	= img->parts[sender].pid.site,
		.src_inc	= 5000 + img->parts[sender].pid.site,
		.cid		= img->p.cid,
		.digest		= img->p.digest,
		.group		= img->p.group,
		.number		= img->p.number,
		.opening	= 1,
		.msg = {
			.sender	= sender,
			.kind	= PSYNC_KIND_DATA,
			.seq	= seq,
			.wave	= wave,
			.n	= img->p.n,
			.npred	= npred,
			.preds	= wire,
		},
		.body_len = 100,
	};
	assert_true(npred <= PSYNC_PREDS_LIST);
	for (i = 0; i < npred; i++) {
		wire[i].index = cpu_to_be16(PSYNC_MID_INDEX(preds[i]));
		wire[i].seq_high = cpu_to_be16(PSYNC_MID_SEQ(preds[i]) >> 32);
		wire[i].seq = cpu_to_be32((u32)PSYNC_MID_SEQ(preds[i]));
	}
}

enum psync_drop psync_bed_returns(struct psync_bed *to, u32 sender, u64 seq,
				  u64 prev, u32 wave, u32 opening)
{
	__be32 stamp[32] = {};
	u8 bitmap[4] = {};
	struct psync_pkt pkt;

	assert_in_range(to->img.p.n, 1, 32);
	psync_bed_craft(to, sender, seq, wave, 0, NULL, NULL, &pkt);
	stamp[sender] = cpu_to_be32((u32)prev);
	bitmap[sender / 8] = 1 << sender % 8;
	pkt.opening = opening;
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_RESTART;
	pkt.msg.binding = 9;
	pkt.msg.npred = 1;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	return psync_bed_input(to, &pkt, 1);
}

enum psync_drop psync_bed_restart(struct psync_bed *to, u32 sender, u64 seq,
				  u64 prev, u32 wave)
{
	return psync_bed_returns(to, sender, seq, prev, wave, 1);
}

enum psync_drop psync_bed_msg(struct psync_bed *to, u32 sender, u64 seq,
			      u32 wave, u32 npred, const u64 *preds)
{
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_pkt pkt;

	psync_bed_craft(to, sender, seq, wave, npred, preds, wire, &pkt);
	return psync_bed_input(to, &pkt, 0);
}

void psync_bed_vector(const struct psync_bed *to, u8 type, u32 site,
		      const u64 *held, __be32 *wire, struct psync_pkt *pkt)
{
	static __be16 highs[PSYNC_PARTICIPANTS_LIM];
	const struct psync_image *img = &to->img;
	bool high = false;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		high |= !!psync_wire_seq_set(wire, highs, i, held[i]);
	*pkt = (struct psync_pkt){
		.type		= type,
		.src_site	= site,
		.src_inc	= 5000 + site,
		.cid		= img->p.cid,
		.digest		= img->p.digest,
		.group		= img->p.group,
		.number		= img->p.number,
		.opening	= 1,
		.vector		= {
			.n	= img->p.n,
			.seqs	= wire,
			.highs	= high ? highs : NULL,
		},
	};
	/* Tests of what is granted say so themselves. */
	if (type == PSYNC_PKT_ACK) {
		pkt->vector.credit_bytes = U32_MAX;
		pkt->vector.credit_msgs = U32_MAX;
	}
}

enum psync_drop psync_bed_ack(struct psync_bed *to,
			      const struct psync_bed *from, u64 now)
{
	static u64 held[PSYNC_PARTICIPANTS_LIM];
	static __be32 wire[PSYNC_PARTICIPANTS_LIM];
	struct psync_pkt pkt;
	u32 i;

	for (i = 0; i < from->img.p.n; i++)
		held[i] = from->img.parts[i].seq;
	psync_bed_vector(to, PSYNC_PKT_ACK, from->img.p.site, held, wire, &pkt);
	pkt.opening = from->img.opening;
	return psync_bed_input(to, &pkt, now);
}

void psync_bed_held(struct psync_bed *bed)
{
	static u64 held[PSYNC_PARTICIPANTS_LIM];
	static __be32 wire[PSYNC_PARTICIPANTS_LIM];
	struct psync_remote *remote;
	struct psync_pkt pkt;
	u32 i;

	for (i = 0; i < bed->img.p.n; i++)
		held[i] = bed->img.parts[i].seq;
	for (i = 0; i < bed->img.nremotes; i++) {
		remote = &bed->img.remotes[i];
		psync_bed_vector(bed, PSYNC_PKT_ACK, remote->site, held, wire,
				 &pkt);
		if (remote->state == PSYNC_REMOTE_CONFIRMED) {
			pkt.src_inc = remote->inc;
			pkt.opening = remote->opening;
		}
		assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now),
				 PSYNC_OK);
	}
}

void psync_bed_take(struct psync_bed *bed, struct psync_pkt *pkt, u32 *site)
{
	struct psync_bed_packet packet = psync_bed_pop(bed);

	assert_int_equal(psync_bed_decode(packet.data, packet.len, pkt),
			 PSYNC_OK);
	if (site)
		*site = packet.site;
	psync_bed_packet_free(&packet);
}

void psync_bed_run(struct psync_bed *bed, u64 until)
{
	u32 rounds = 0;

	while (bed->img.deadline <= until) {
		/* It must get somewhere: time goes on, or there is an end. */
		assert_true(++rounds < 100000);
		psync_image_timer(&bed->img, max(bed->img.now,
						 bed->img.deadline));
	}
	bed->img.now = until;
}

u64 psync_bed_send(struct psync_bed *bed, struct psync_view *view, u32 len)
{
	u64 mid = 0;

	assert_int_equal(psync_image_send(&bed->img, view,
					  psync_bed_body_new(), len, &mid,
					  bed->img.now), 0);
	return mid;
}

u64 psync_bed_tell(struct psync_bed *from, struct psync_view *view,
		   struct psync_bed **to, u32 nto)
{
	struct psync_bed_packet packet;
	u64 mid;
	u32 i;

	mid = psync_bed_send(from, view, 100);
	packet = psync_bed_pop(from);
	for (i = 0; i < nto; i++)
		if (to[i] != from)
			assert_int_equal(psync_bed_give(to[i], &packet, 0),
					 PSYNC_OK);
	psync_bed_packet_free(&packet);
	return mid;
}

u64 psync_bed_receive(struct psync_view *view)
{
	struct psync_node *node = psync_view_next(view);
	u64 mid;

	if (!node)
		return 0;
	assert_non_null(node->body);
	assert_true(((struct psync_bed_body *)node->body)->refs > 0);
	mid = psync_node_mid(node);
	assert_true(psync_view_take(view, mid, view->img->now));
	return mid;
}

u32 psync_bed_drain(struct psync_view *view)
{
	u32 count = 0;

	while (psync_bed_receive(view))
		count++;
	assert_int_equal(view->outstanding, 0);
	return count;
}
