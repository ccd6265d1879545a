// SPDX-License-Identifier: GPL-2.0-only
/* Events in words, and as JSON. */

#include <inttypes.h>

#include "print.h"

static const char *event_name(uint32_t type)
{
	switch (type) {
	case PSYNC_EV_REFUSED:
		return "refused";
	case PSYNC_EV_MISMATCH:
		return "mismatch";
	case PSYNC_EV_REOPENED:
		return "reopened";
	case PSYNC_EV_STALE:
		return "stale";
	case PSYNC_EV_LOST:
		return "lost";
	case PSYNC_EV_GAP:
		return "gap";
	case PSYNC_EV_ABSENT:
		return "absent";
	case PSYNC_EV_VOID:
		return "void";
	case PSYNC_EV_BLOCKED:
		return "blocked";
	case PSYNC_EV_RESUMED:
		return "resumed";
	case PSYNC_EV_SKIPPED:
		return "skipped";
	case PSYNC_EV_RESTARTED:
		return "restarted";
	case PSYNC_EV_DIFFERS:
		return "differs";
	case PSYNC_EV_MASKED:
		return "masked";
	case PSYNC_EV_UNMASKED:
		return "unmasked";
	case PSYNC_EV_AGREED:
		return "agreed";
	case PSYNC_EV_SUSPECT:
		return "suspect";
	case PSYNC_EV_HEARD:
		return "heard";
	case PSYNC_EV_ENDED:
		return "ended";
	}
	return "unknown";
}

const char *print_participant(const struct print_names *names, uint32_t index,
			      char *out)
{
	char pid[TEXT_PID];

	if (names && index < names->n)
		snprintf(out, PRINT_NAME, "%s%s",
			 text_of_pid(&names->pids[index], pid),
			 index == names->own ? " (us)" : "");
	else
		snprintf(out, PRINT_NAME, "participant %" PRIu32, index);
	return out;
}

/* The only participant of a site; false: there are others, or none is known. */
static bool event_only(const struct print_names *names, uint32_t site,
		       uint32_t *index)
{
	uint32_t i, n = 0;

	for (i = 0; names && i < names->n; i++) {
		if (names->pids[i].site != site)
			continue;
		*index = i;
		n++;
	}
	return n == 1;
}

/* Whom an event is about, as far as it is one participant. */
static bool event_about(const struct psync_event *ev,
			const struct print_names *names, uint32_t *index)
{
	switch (ev->type) {
	case PSYNC_EV_MASKED:
	case PSYNC_EV_UNMASKED:
		*index = ev->reason;
		return true;
	case PSYNC_EV_AGREED:
	case PSYNC_EV_ENDED:
	case PSYNC_EV_RESTARTED:
	case PSYNC_EV_DIFFERS:
	case PSYNC_EV_VOID:
		*index = PSYNC_MID_INDEX(ev->mid);
		return true;
	case PSYNC_EV_BLOCKED:
	case PSYNC_EV_SKIPPED:
	case PSYNC_EV_SUSPECT:
		if (!ev->reason)
			break;
		*index = ev->reason - 1;
		return true;
	}
	return event_only(names, ev->site, index);
}

static void event_print_gap(FILE *out, const struct psync_event *ev,
			    const char *who)
{
	char mid[TEXT_MID], other[TEXT_MID];

	text_of_mid(ev->mid, mid);
	if (!ev->site && ev->mid)
		fprintf(out, "we opened late: %s is the first message given",
			mid);
	else if (!ev->site)
		fputs("we opened late: what was said before is not given", out);
	else if (!ev->reason)
		fprintf(out, "%s does not have %s, which the restart asked for",
			who, mid);
	else
		fprintf(out, "messages are lost here, %" PRIu32
			" from %s to %s: %s does not keep them any more",
			ev->reason, mid, text_of_mid(ev->other, other), who);
}

/* Who is waited for, and who is not; false: it is no such event. */
static bool event_print_wait(FILE *out, const struct psync_event *ev,
			     const char *who)
{
	switch (ev->type) {
	case PSYNC_EV_ABSENT:
		fprintf(out, "%s was not heard: nobody waits for it until it is",
			who);
		return true;
	case PSYNC_EV_SUSPECT:
	case PSYNC_EV_BLOCKED:
		if (ev->reason)
			fprintf(out, "%s does not receive: who sends here waits for it",
				who);
		else if (ev->type == PSYNC_EV_SUSPECT)
			fprintf(out, "%s is silent, and something is expected of it",
				who);
		else
			fprintf(out, "%s holds back who sends here: perhaps it is away",
				who);
		return true;
	case PSYNC_EV_HEARD:
		fprintf(out, "%s was silent and was heard again", who);
		return true;
	case PSYNC_EV_SKIPPED:
		fprintf(out, "nobody here waits for %s any more: it may lose messages",
			who);
		return true;
	case PSYNC_EV_RESUMED:
		fputs("nobody is waited for any more: who sends here goes on",
		      out);
		return true;
	}
	return false;
}

/* Who is counted; @sender is that of the message. */
static bool event_print_mask(FILE *out, const struct psync_event *ev,
			     const char *who, const char *sender)
{
	char mid[TEXT_MID];

	text_of_mid(ev->mid, mid);
	switch (ev->type) {
	case PSYNC_EV_MASKED:
		fprintf(out, "%s does not wait for %s any more", sender, who);
		return true;
	case PSYNC_EV_UNMASKED:
		fprintf(out, "%s waits for %s again", sender, who);
		return true;
	case PSYNC_EV_AGREED:
		fprintf(out, "%s is masked out by all who remain, for good: ",
			who);
		fprintf(out, PSYNC_MID_SEQ(ev->mid) ?
			"its last message that counts is %s" :
			"no message of it counts", mid);
		return true;
	case PSYNC_EV_ENDED:
		fprintf(out, ev->reason == PSYNC_END_DIED ?
			"%s has died: its process ended without closing" :
			"%s has left", who);
		return true;
	case PSYNC_EV_RESTARTED:
		fprintf(out, "%s is back", who);
		return true;
	}
	return false;
}

/* Who must not take part, and what is not what it was. */
static void event_print_rest(FILE *out, const struct psync_event *ev,
			     const char *who)
{
	char mid[TEXT_MID], other[TEXT_MID];

	text_of_mid(ev->mid, mid);
	switch (ev->type) {
	case PSYNC_EV_REFUSED:
		fprintf(out, ev->reason == 1 ?
			"%s refused us: its list of participants differs" :
			"%s refused us: others go on, we need a restart", who);
		break;
	case PSYNC_EV_MISMATCH:
		fprintf(out, "we refused %s: its list of participants differs",
			who);
		break;
	case PSYNC_EV_REOPENED:
		fprintf(out, "%s reopened while others go on: refused", who);
		break;
	case PSYNC_EV_STALE:
		fputs("we reopened while others go on: we need a restart", out);
		break;
	case PSYNC_EV_LOST:
		fprintf(out, "%" PRIu32 " events were lost", ev->reason);
		break;
	case PSYNC_EV_GAP:
		event_print_gap(out, ev, who);
		break;
	case PSYNC_EV_VOID:
		fprintf(out, ev->reason == PSYNC_VOID_UNKEPT ?
			"%s of %s and what follows it are given up: who may have it masks us out" :
			"%s and what follows it died with %s, its sender",
			mid, who);
		if (ev->other)
			fprintf(out, "; %s has come and is dropped",
				text_of_mid(ev->other, other));
		break;
	case PSYNC_EV_DIFFERS:
		fprintf(out, "what is sent again is not %s", mid);
		break;
	default:
		fputs("an event this program does not know", out);
	}
}

/* Where nobody knows whose conversation it is. */
static void event_print_fields(FILE *out, const struct psync_event *ev)
{
	char cid[TEXT_CID], mid[TEXT_MID];

	if (ev->site)
		fprintf(out, " site %" PRIu32, ev->site);
	if (ev->cid)
		fprintf(out, " conversation %s", text_of_cid(ev->cid, cid));
	if (ev->mid)
		fprintf(out, " message %s", text_of_mid(ev->mid, mid));
	if (ev->group)
		fprintf(out, " group %" PRIu32, ev->group);
	if (ev->number)
		fprintf(out, " number %" PRIu32, ev->number);
}

void print_event(FILE *out, const struct psync_event *ev,
		 const struct print_names *names)
{
	char who[PRINT_NAME], sender[PRINT_NAME];
	uint32_t index;

	if (event_about(ev, names, &index))
		print_participant(names, index, who);
	else
		snprintf(who, sizeof(who), "site %" PRIu32, ev->site);
	print_participant(names, PSYNC_MID_INDEX(ev->mid), sender);
	fprintf(out, "event %s", event_name(ev->type));
	if (!names)
		event_print_fields(out, ev);
	fputs(": ", out);
	if (!event_print_wait(out, ev, who) &&
	    !event_print_mask(out, ev, who, sender))
		event_print_rest(out, ev, who);
	fputc('\n', out);
}

void print_event_json(struct json *j, const char *name,
		      const struct psync_event *ev,
		      const struct print_names *names)
{
	char text[TEXT_MID], pid[TEXT_PID];
	uint32_t index, by = PSYNC_MID_INDEX(ev->mid);

	json_open(j, name, '{');
	json_text(j, "type", event_name(ev->type));
	json_u64(j, "site", ev->site);
	json_text(j, "cid", text_of_cid(ev->cid, text));
	if (ev->mid)
		json_text(j, "mid", text_of_mid(ev->mid, text));
	if (ev->other)
		json_text(j, "other", text_of_mid(ev->other, text));
	json_u64(j, "group", ev->group);
	json_u64(j, "number", ev->number);
	json_u64(j, "reason", ev->reason);
	if (names && event_about(ev, names, &index) && index < names->n)
		json_text(j, "participant",
			  text_of_pid(&names->pids[index], pid));
	if (names && by < names->n && (ev->type == PSYNC_EV_MASKED ||
				       ev->type == PSYNC_EV_UNMASKED))
		json_text(j, "by", text_of_pid(&names->pids[by], pid));
	json_close(j, '}');
}
