/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a window was made smaller: that of a conversation, or of a fragmented packet. */
#ifndef _PSYNC_CORE_CUT_H
#define _PSYNC_CORE_CUT_H

enum psync_cut {
	PSYNC_CUT_LOSS,		/* something was asked for, or did not come */
	PSYNC_CUT_TIMEOUT,	/* nothing was heard in time */
	PSYNC_CUT_MARK,		/* something came with a congestion mark */
	PSYNC_CUT_MAX
};

#endif /* _PSYNC_CORE_CUT_H */
