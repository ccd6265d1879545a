// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everybody asks, so many questions at a time, and everybody answers what the
 * others ask, to all.  Who sees an answer before the question has seen an
 * effect before its cause.
 */
#include <stdlib.h>

#include "bench.h"

struct bench_talk {
	struct bench		*b;
	struct bench_seen	*seen;
	int			fd;
	uint32_t		me;
	uint32_t		asked;
	uint32_t		answered;	/* by all */
	bool			hush;
	bool			blocked;
	/* [from][about][number]: was it received? */
	uint8_t			*got;
	uint8_t			*answers;	/* [number] */
	/* Replies that are to be sent, a ring. */
	struct bench_msg	*due;
	uint32_t		ndue;
	uint32_t		first;
};

static uint32_t talk_room(const struct bench_talk *t)
{
	return t->b->hosts * t->b->window;
}

struct bench_talk *bench_talk_new(struct bench *b, uint32_t host, int fd)
{
	struct bench_talk *t = calloc(1, sizeof(*t));

	if (!t)
		bench_die("no memory");
	t->b = b;
	t->seen = &b->shared->seen[host];
	t->fd = fd;
	t->me = host;
	t->hush = host >= b->askers;
	t->got = calloc(b->hosts * b->hosts, b->rounds);
	t->answers = calloc(b->rounds, 1);
	t->due = calloc(talk_room(t), sizeof(*t->due));
	if (!t->got || !t->answers || !t->due)
		bench_die("no memory");
	return t;
}

void bench_talk_free(struct bench_talk *t)
{
	free(t->got);
	free(t->answers);
	free(t->due);
	free(t);
}

void bench_talk_hush(struct bench_talk *t)
{
	t->hush = true;
}

uint64_t bench_talk_lacks(const struct bench_talk *t)
{
	uint64_t questions = (uint64_t)t->b->rounds * t->b->askers;

	/* A question and its answers are one message of each host. */
	return questions * (t->b->hosts - 1) - t->seen->received;
}

static uint8_t *talk_got(const struct bench_talk *t, uint32_t from,
			 uint32_t about, uint32_t number)
{
	return &t->got[(from * t->b->hosts + about) * t->b->rounds + number];
}

static bool talk_say(struct bench_talk *t, const struct bench_msg *m)
{
	t->blocked = !bench_send(t->b, t->fd, m);
	t->seen->sent += !t->blocked;
	return !t->blocked;
}

/* What is to be sent, as far as it goes. */
static bool talk_send(struct bench_talk *t)
{
	struct bench_msg ask = { BENCH_ASK, t->me, t->me, t->asked };
	bool some = false;

	t->blocked = false;
	while (t->ndue && talk_say(t, &t->due[t->first])) {
		t->first = (t->first + 1) % talk_room(t);
		t->ndue--;
		some = true;
	}
	if (t->blocked || t->hush || t->asked == t->b->rounds ||
	    t->asked - t->answered >= t->b->window || !talk_say(t, &ask))
		return some;
	t->asked++;
	return true;
}

static void talk_asked(struct bench_talk *t, const struct bench_msg *m)
{
	if (t->ndue == talk_room(t))
		bench_die("too many questions");
	t->due[(t->first + t->ndue++) % talk_room(t)] = (struct bench_msg){
		BENCH_REPLY, t->me, m->about, m->number
	};
}

static void talk_take(struct bench_talk *t, const struct bench_msg *m)
{
	uint8_t *got;

	if (m->from >= t->b->hosts || m->about >= t->b->hosts ||
	    m->number >= t->b->rounds || m->from == t->me)
		bench_die("a message that nobody sent");
	got = talk_got(t, m->from, m->about, m->number);
	if (*got) {
		t->seen->twice++;
		return;
	}
	*got = 1;
	t->seen->received++;
	t->seen->of_victim += (int)m->from == t->b->victim;
	if (m->kind == BENCH_ASK) {
		talk_asked(t, m);
	} else if (m->about == t->me) {
		if (++t->answers[m->number] == t->b->hosts - 1)
			t->answered++;
	} else {
		t->seen->replies++;
		if (!*talk_got(t, m->about, m->about, m->number))
			t->seen->violations++;
	}
}

bool bench_talk_step(struct bench_talk *t, int ms)
{
	bool some = talk_send(t);
	struct bench_msg m;
	enum bench_got got;

	got = t->b->link->receive(t->fd, &m);
	if (got == BENCH_LEFT && (int)m.from == t->b->victim) {
		t->seen->left_at = bench_now();
		t->seen->end = m.number;
	} else if (got == BENCH_MSG && m.kind) {
		talk_take(t, &m);
	}
	if (got != BENCH_NOTHING || some)
		return true;
	/* What is still to be sent is something to do. */
	return bench_await(t->b, t->fd, t->blocked, ms) || t->blocked;
}
