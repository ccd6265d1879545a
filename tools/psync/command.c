// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of psync chat: whom not to wait for, whom again, and who is masked
 * out by whom.  What a socket masks out, who masks it out, and whom an agreement
 * waits for the kernel says; what others mask out only events tell.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Most participants that there can be. */
#define PARTICIPANTS_MAX	1024

#define COMMAND_KNOWN \
	"/mask HOST, /unmask HOST, /masks; a text that begins with / is typed //"

static bool command_told(const struct command *command, uint32_t by,
			 uint32_t out)
{
	size_t i;

	for (i = 0; i < command->n; i++)
		if (command->masks[i].by == by && command->masks[i].out == out)
			return true;
	return false;
}

static int command_masked(struct command *command, uint32_t by, uint32_t out)
{
	struct command_mask *more;

	if (command_told(command, by, out))
		return 0;
	more = realloc(command->masks, (command->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	command->masks = more;
	more[command->n++] = (struct command_mask){ .by = by, .out = out };
	return 0;
}

static void command_unmasked(struct command *command, uint32_t by,
			     uint32_t out)
{
	size_t i;

	for (i = 0; i < command->n; i++)
		if (command->masks[i].by == by && command->masks[i].out == out)
			command->masks[i--] = command->masks[--command->n];
}

int command_event(struct command *command, const struct psync_event *ev)
{
	uint32_t by = PSYNC_MID_INDEX(ev->mid);

	if (ev->type == PSYNC_EV_MASKED)
		return command_masked(command, by, ev->reason);
	if (ev->type == PSYNC_EV_UNMASKED)
		command_unmasked(command, by, ev->reason);
	return 0;
}

void command_free(struct command *command)
{
	free(command->masks);
}

static int command_host_unknown(const struct cli *cli, const char *word)
{
	return cli_fail(cli, EXIT_USAGE,
			"HOST is a participant, SITE:PORT, or the SITE of one, not \"%s\"",
			word);
}

/* "2:100", or "2" where no other participant is at that site. */
static int command_host(const struct talk *talk, const char *word,
			uint32_t *index)
{
	uint32_t i, site = 0, found = 0;
	struct psync_pid pid;
	bool whole = text_pid(word, &pid);

	if (!whole && !text_u32(word, 1, UINT32_MAX, &site))
		return command_host_unknown(talk->cli, word);
	for (i = 0; i < talk->info.participants; i++) {
		if (whole ? talk->pids[i].site != pid.site ||
			    talk->pids[i].port != pid.port :
			    talk->pids[i].site != site)
			continue;
		*index = i;
		found++;
	}
	if (found == 1)
		return EXIT_OK;
	if (found)
		return cli_fail(talk->cli, EXIT_USAGE,
				"%" PRIu32 " participants are at site %s: say which, as SITE:PORT",
				found, word);
	return cli_fail(talk->cli, EXIT_USAGE,
			"%s is no participant of this conversation", word);
}

/**
 * struct command_view - who masks one participant out
 * @out: that one
 * @by: for each participant: it does
 * @awaited: for each participant: that it be agreed waits for it
 * @flags: PSYNC_MASKED_* of the one who is masked out
 * @nby: how many mask it out
 * @nawaited: for how many it waits
 */
struct command_view {
	uint32_t	out;
	bool		by[PARTICIPANTS_MAX];
	bool		awaited[PARTICIPANTS_MAX];
	uint32_t	flags;
	uint32_t	nby;
	uint32_t	nawaited;
};

/* Of one whom this socket masks out the kernel knows, of another one events. */
static bool command_awaits(const struct command *command,
			   const struct psync_masked *masked,
			   const struct command_view *view, uint32_t i)
{
	uint32_t own = command->talk->info.index;

	if (masked[view->out].flags & PSYNC_MASKED_OUT)
		return masked[i].flags & PSYNC_MASKED_AWAITED;
	return view->nby && view->out != own && i != view->out && !view->by[i] &&
	       !(masked[i].flags & (PSYNC_MASKED_OUT | PSYNC_MASKED_ENDED));
}

static int command_look(const struct command *command, uint32_t out,
			struct command_view *view)
{
	const struct talk *talk = command->talk;
	struct psync_masked *masked = NULL;
	int n = psync_masks(talk->fd, out == talk->info.index ?
			    PSYNC_MASKS_ALL : out, &masked);
	int i, own = (int)talk->info.index;

	if (n < 0)
		return cli_refused(talk->cli, n, NULL);
	*view = (struct command_view){ .out = out, .flags = masked[out].flags };
	for (i = 0; i < n; i++) {
		if ((int)out == own)
			view->by[i] = masked[i].flags & PSYNC_MASKED_BY;
		else if (i == own)
			view->by[i] = view->flags & PSYNC_MASKED_OUT;
		else
			view->by[i] = command_told(command, (uint32_t)i, out);
		view->nby += view->by[i];
	}
	for (i = 0; i < n; i++) {
		view->awaited[i] = command_awaits(command, masked, view,
						  (uint32_t)i);
		view->nawaited += view->awaited[i];
	}
	free(masked);
	return EXIT_OK;
}

static void command_print_names(const struct talk *talk, const bool *which)
{
	struct print_names names = talk_names(talk);
	const char *before = "";
	char name[PRINT_NAME];
	uint32_t i;

	for (i = 0; i < names.n; i++) {
		if (!which[i])
			continue;
		fprintf(stderr, "%s%s", before,
			print_participant(&names, i, name));
		before = ", ";
	}
}

static void command_print(const struct talk *talk,
			  const struct command_view *view)
{
	struct print_names names = talk_names(talk);
	char name[PRINT_NAME];

	fprintf(stderr, "masks: %s is ",
		print_participant(&names, view->out, name));
	fputs(view->nby ? "masked out by " : "not masked out", stderr);
	command_print_names(talk, view->by);
	if (view->flags & PSYNC_MASKED_AGREED)
		fputs("; agreed by all who remain, for good", stderr);
	else if (view->flags & PSYNC_MASKED_ASKED)
		fputs("; to be masked in here when all who count know of that",
		      stderr);
	else if (view->nawaited)
		fputs("; that it be agreed waits for ", stderr);
	command_print_names(talk, view->awaited);
	fputc('\n', stderr);
}

static void command_json_names(struct json *j, const char *key,
			       const struct talk *talk, const bool *which)
{
	char pid[TEXT_PID];
	uint32_t i;

	json_open(j, key, '[');
	for (i = 0; i < talk->info.participants; i++)
		if (which[i])
			json_text(j, NULL, text_of_pid(&talk->pids[i], pid));
	json_close(j, ']');
}

static void command_json(struct json *j, const struct talk *talk,
			 const struct command_view *view)
{
	char pid[TEXT_PID];

	json_open(j, NULL, '{');
	json_text(j, "participant", text_of_pid(&talk->pids[view->out], pid));
	command_json_names(j, "by", talk, view->by);
	json_bool(j, "agreed", view->flags & PSYNC_MASKED_AGREED);
	json_bool(j, "asked", view->flags & PSYNC_MASKED_ASKED);
	command_json_names(j, "awaited", talk, view->awaited);
	json_close(j, '}');
}

/* How it is with some participants: of all, those whom somebody masks out. */
static int command_tell(const struct command *command, uint32_t first,
			uint32_t end, bool all)
{
	const struct talk *talk = command->talk;
	struct json j[TALK_JSON_OUTS] = {};
	struct command_view view;
	int i, status = EXIT_OK;
	bool none = true;

	for (i = 0; i < TALK_JSON_OUTS; i++) {
		j[i].out = talk_json_out(talk, i);
		if (!j[i].out)
			continue;
		talk_json_open(talk, &j[i], "masks");
		json_open(&j[i], "masks", '[');
	}
	for (; first < end && !status; first++) {
		status = command_look(command, first, &view);
		if (status || (all && !view.nby))
			continue;
		none = false;
		for (i = 0; i < TALK_JSON_OUTS; i++)
			if (j[i].out)
				command_json(&j[i], talk, &view);
		if (!talk->cli->json)
			command_print(talk, &view);
	}
	for (i = 0; i < TALK_JSON_OUTS; i++) {
		if (!j[i].out)
			continue;
		json_close(&j[i], ']');
		json_close(&j[i], '}');
		json_end(&j[i]);
	}
	if (none && !status && !talk->cli->json)
		fputs("masks: nobody is masked out\n", stderr);
	return status;
}

/* Why the kernel refused, of whom. */
static int command_refused(const struct talk *talk, int err, uint32_t index)
{
	struct print_names names = talk_names(talk);
	char name[PRINT_NAME];
	const char *why;

	print_participant(&names, index, name);
	switch (-err) {
	case EINVAL:
		why = "nobody masks itself out or in";
		break;
	case ESHUTDOWN:
		why = "it has ended, nobody waits for it";
		break;
	case EPERM:
		why = "all who remain have masked it out: it comes back by a restart alone (psync chat --restart, there)";
		break;
	default:
		return cli_refused(talk->cli, err, NULL);
	}
	return cli_fail_errno(talk->cli, err, "%s: %s", name, why);
}

static int command_mask(struct command *command, uint32_t index)
{
	int err = psync_mask_out(command->talk->fd, index);

	if (err && err != -EALREADY)
		return command_refused(command->talk, err, index);
	return command_tell(command, index, index + 1, false);
}

static int command_unmask(struct command *command, uint32_t index)
{
	int err = psync_mask_in(command->talk->fd, index);

	if (err && err != -EALREADY)
		return command_refused(command->talk, err, index);
	return command_tell(command, index, index + 1, false);
}

static int command_unknown(const struct cli *cli, const char *word)
{
	static const char *const words[] = { "mask", "unmask", "masks", NULL };
	const char *near = cli_nearest(word, words);

	if (near)
		return cli_fail(cli, EXIT_USAGE,
				"no command /%s, did you mean /%s? (%s)", word,
				near, COMMAND_KNOWN);
	return cli_fail(cli, EXIT_USAGE, "no command /%s (%s)", word,
			COMMAND_KNOWN);
}

int command_run(struct command *command, const char *line)
{
	const struct cli *cli = command->talk->cli;
	char word[16] = "", host[64] = "", more[2] = "";
	int n = sscanf(line, "%15s %63s %1s", word, host, more);
	bool masks = !strcmp(word, "masks"), mask = !strcmp(word, "mask");
	uint32_t index = 0;
	int status;

	if (!masks && !mask && strcmp(word, "unmask"))
		return command_unknown(cli, word);
	if (n != (masks ? 1 : 2))
		return cli_fail(cli, EXIT_USAGE, "/%s takes %s", word,
				masks ? "nothing" : "one HOST");
	if (masks)
		return command_tell(command, 0,
				    command->talk->info.participants, true);
	status = command_host(command->talk, host, &index);
	if (status)
		return status;
	return mask ? command_mask(command, index) :
		      command_unmask(command, index);
}
