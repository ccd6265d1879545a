/* SPDX-License-Identifier: GPL-2.0-only */
/* What is typed into psync chat and not said: /mask, /unmask, /masks. */
#ifndef PSYNC_COMMAND_H
#define PSYNC_COMMAND_H

#include "talk.h"

/**
 * struct command_mask - who has masked out whom, as far as it was told
 * @by: participant index
 * @out: likewise
 */
struct command_mask {
	uint32_t	by;
	uint32_t	out;
};

/**
 * struct command - what commands need to know
 * @talk: the participant
 * @masks: of all participants
 * @n: how many
 */
struct command {
	struct talk		*talk;
	struct command_mask	*masks;
	size_t			n;
};

/* What others mask out is known from events alone: 0 or -ENOMEM. */
int command_event(struct command *command, const struct psync_event *ev);

/*
 * Does what a line says, without its slash.  EXIT_OK, or what was said: that it is
 * no command (EXIT_USAGE), or was refused.
 */
int command_run(struct command *command, const char *line);

void command_free(struct command *command);

#endif /* PSYNC_COMMAND_H */
