// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options: what a socket is set to, and the paper's questions about the
 * context graph (P 2), each answered from the socket's own view.
 */

#include <linux/slab.h>

#include "psync.h"

/* Entries a set-valued answer may ask room for at once. */
#define PSYNC_QUERY_ROOM	65536

static int psync_sockopt_err(int answer)
{
	switch (answer) {
	case PSYNC_EUNKNOWN:
		return -ENOENT;
	case PSYNC_EFREED:
		return -ESTALE;
	case PSYNC_EWANTED:
		return -EBUSY;
	}
	return 0;
}

/* A value that the socket keeps, charged to it; psync_sockopt_free(). */
static void *psync_sockopt_dup(struct psync_sock *psk, sockptr_t optval,
			       unsigned int len)
{
	int err = psync_charge_own(psk, len);
	void *value;

	if (err)
		return ERR_PTR(err);
	value = memdup_sockptr(optval, len);
	if (IS_ERR(value))
		psync_charge_own_put(psk, len);
	return value;
}

static void psync_sockopt_free(struct psync_sock *psk, void *value,
			       unsigned int len)
{
	if (!value)
		return;
	kfree(value);
	psync_charge_own_put(psk, len);
}

static void psync_unset_participants(struct psync_sock *psk)
{
	psync_sockopt_free(psk, psk->pids, psk->npids * sizeof(*psk->pids));
	psk->pids = NULL;
	psk->npids = 0;
}

static void psync_unset_restart(struct psync_sock *psk)
{
	if (psk->restart)
		psync_sockopt_free(psk, psk->restart,
				   struct_size(psk->restart, leaves,
					       psk->restart->count));
	psk->restart = NULL;
}

void psync_sockopt_release(struct psync_sock *psk)
{
	psync_unset_participants(psk);
	psync_unset_restart(psk);
}

static int psync_set_participants(struct psync_sock *psk, sockptr_t optval,
				  unsigned int len)
{
	unsigned int n = len / sizeof(struct psync_pid);
	struct psync_pid *pids;
	unsigned int i, j;

	if (len % sizeof(*pids) || n < PSYNC_PARTICIPANTS_MIN ||
	    n > PSYNC_PARTICIPANTS_LIM)
		return -EINVAL;
	if (psk->part || psk->sk.sk_state == TCP_LISTEN)
		return -EISCONN;
	pids = psync_sockopt_dup(psk, optval, len);
	if (IS_ERR(pids))
		return PTR_ERR(pids);
	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++)
			if (pids[i].site == pids[j].site &&
			    pids[i].port == pids[j].port)
				break;
		if (j < i || !pids[i].site || !pids[i].port) {
			psync_sockopt_free(psk, pids, len);
			return -EINVAL;
		}
	}
	psync_unset_participants(psk);
	psk->pids = pids;
	psk->npids = n;
	return 0;
}

/* P 5, restart: what the next connect() does. */
static int psync_set_restart(struct psync_sock *psk, sockptr_t optval,
			     unsigned int len)
{
	struct psync_restart *restart;

	if (len < sizeof(*restart) ||
	    len > struct_size(restart, leaves, PSYNC_PARTICIPANTS_LIM))
		return -EINVAL;
	if (psk->part || psk->sk.sk_state == TCP_LISTEN)
		return -EISCONN;
	restart = psync_sockopt_dup(psk, optval, len);
	if (IS_ERR(restart))
		return PTR_ERR(restart);
	if (restart->flags & ~PSYNC_RESTART_KNOWN ||
	    restart->count > PSYNC_PARTICIPANTS_LIM ||
	    len != struct_size(restart, leaves, restart->count)) {
		psync_sockopt_free(psk, restart, len);
		return -EINVAL;
	}
	psync_unset_restart(psk);
	psk->restart = restart;
	return 0;
}

static int psync_set_mask(u32 *mask, u32 known, sockptr_t optval,
			  unsigned int len)
{
	u32 value;

	if (len != sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value & ~known)
		return -EINVAL;
	WRITE_ONCE(*mask, value);
	return 0;
}

static int psync_set_events(struct psync_sock *psk, sockptr_t optval,
			    unsigned int len)
{
	u32 events;
	int err;

	err = psync_set_mask(&events, PSYNC_EVMASK_ALL, optval, len);
	return err ?: psync_event_subscribe(psk, events);
}

static int psync_set_recvinfo(struct psync_sock *psk, sockptr_t optval,
			      unsigned int len)
{
	struct psync_participant *part = psk->part;
	u32 value;
	int err;

	err = psync_set_mask(&value, PSYNC_RECV_INFO | PSYNC_RECV_PREDS |
			     PSYNC_RECV_NULLS, optval, len);
	if (err)
		return err;
	/* Nothing else tells a null message from an empty one. */
	if (value & PSYNC_RECV_NULLS && !(value & PSYNC_RECV_INFO))
		return -EINVAL;
	psk->recvinfo = value;
	if (!part)
		return 0;
	psync_conv_lock(part->conv);
	psync_view_nulls(&part->view, value & PSYNC_RECV_NULLS,
			 ktime_get_ns());
	psync_conv_unlock(part->conv);
	return 0;
}

/* An option whose value is a message id. */
static int psync_get_mid(const struct psync_sock *psk, sockptr_t optval,
			 unsigned int len, u64 *mid)
{
	if (!psk->part)
		return -ENOTCONN;
	if (len != sizeof(*mid))
		return -EINVAL;
	return copy_from_sockptr(mid, optval, sizeof(*mid)) ? -EFAULT : 0;
}

/* P 3.2.2, resend. */
static int psync_set_resend(struct psync_sock *psk, sockptr_t optval,
			    unsigned int len)
{
	struct psync_participant *part = psk->part;
	int answer, err;
	u64 mid;

	err = psync_get_mid(psk, optval, len, &mid);
	if (err)
		return err;
	psync_conv_lock(part->conv);
	answer = part->conv->img.refused ? PSYNC_EFREED :
		 psync_view_resend(&part->view, mid, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return psync_sockopt_err(answer);
}

/* P 3.3, free_node. */
static int psync_set_free(struct psync_sock *psk, sockptr_t optval,
			  unsigned int len)
{
	struct psync_participant *part = psk->part;
	int answer, err;
	u64 mid;

	err = psync_get_mid(psk, optval, len, &mid);
	if (err)
		return err;
	psync_conv_lock(part->conv);
	answer = psync_view_free(&part->view, mid, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return psync_sockopt_err(answer);
}

static int psync_set_watch(struct psync_sock *psk, sockptr_t optval,
			   unsigned int len)
{
	struct psync_query_wait q;

	if (!psk->part)
		return -ENOTCONN;
	if (len != sizeof(q))
		return -EINVAL;
	if (copy_from_sockptr(&q, optval, sizeof(q)))
		return -EFAULT;
	return psync_stable_set(psk, &q);
}

/* S3.3; before connect() it is remembered. */
static int psync_set_manual(struct psync_sock *psk, sockptr_t optval,
			    unsigned int len)
{
	struct psync_participant *part = psk->part;
	int err;

	err = psync_set_mask(&psk->manual, 1, optval, len);
	if (err || !part)
		return err;
	psync_conv_lock(part->conv);
	psync_view_manual(&part->view, psk->manual, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return 0;
}

/* P 5.1; before connect() it is remembered. */
static int psync_set_history(struct psync_sock *psk, sockptr_t optval,
			     unsigned int len)
{
	struct psync_participant *part = psk->part;
	int err;

	err = psync_set_mask(&psk->history, U32_MAX, optval, len);
	if (err || !part)
		return err;
	psync_conv_lock(part->conv);
	psync_image_history(&part->conv->img, psk->history);
	psync_conv_unlock(part->conv);
	return 0;
}

static int psync_set_mask_out(struct psync_sock *psk, sockptr_t optval,
			      unsigned int len)
{
	struct psync_participant *part = psk->part;
	u64 cut = PSYNC_MASK_NO_CUT;
	struct psync_mask_out out;
	int err;

	if (!part)
		return -ENOTCONN;
	if (len != sizeof(out))
		return -EINVAL;
	if (copy_from_sockptr(&out, optval, sizeof(out)))
		return -EFAULT;
	if (out.flags & ~PSYNC_MASKF_CUT)
		return -EINVAL;
	if (out.flags & PSYNC_MASKF_CUT) {
		if (PSYNC_MID_INDEX(out.cut) != out.index)
			return -EINVAL;
		cut = PSYNC_MID_SEQ(out.cut);
	} else if (out.cut) {
		return -EINVAL;
	}
	psync_conv_lock(part->conv);
	err = part->conv->img.refused ? -ESTALE :
	      psync_view_mask_out(&part->view, out.index, cut, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return err;
}

static int psync_set_mask_in(struct psync_sock *psk, sockptr_t optval,
			     unsigned int len)
{
	struct psync_participant *part = psk->part;
	u32 index;
	int err;

	if (!part)
		return -ENOTCONN;
	if (len != sizeof(index))
		return -EINVAL;
	if (copy_from_sockptr(&index, optval, sizeof(index)))
		return -EFAULT;
	psync_conv_lock(part->conv);
	err = part->conv->img.refused ? -ESTALE :
	      psync_view_mask_in(&part->view, index, ktime_get_ns());
	psync_conv_unlock(part->conv);
	return err;
}

/* S6.6; before connect() it is remembered. */
static int psync_set_slow(struct psync_sock *psk, sockptr_t optval,
			  unsigned int len)
{
	struct psync_participant *part = psk->part;
	struct psync_slow slow;
	int err = 0;

	if (len != sizeof(slow))
		return -EINVAL;
	if (copy_from_sockptr(&slow, optval, sizeof(slow)))
		return -EFAULT;
	if (slow.policy > PSYNC_SLOW_MASK ||
	    (slow.policy != PSYNC_SLOW_BLOCK && !slow.ms))
		return -EINVAL;
	if (part) {
		psync_conv_lock(part->conv);
		err = psync_view_slow(&part->view, slow.policy,
				      (u64)slow.ms * NSEC_PER_MSEC,
				      ktime_get_ns());
		psync_conv_unlock(part->conv);
	}
	if (!err)
		psk->slow = slow;
	return err;
}

int psync_setsockopt(struct socket *sock, int level, int optname,
		     sockptr_t optval, unsigned int optlen)
{
	struct psync_sock *psk = psync_sk(sock->sk);
	int err;

	if (level != SOL_PSYNC || sock->type != SOCK_SEQPACKET)
		return -ENOPROTOOPT;
	lock_sock(sock->sk);
	switch (optname) {
	case PSYNC_PARTICIPANTS:
		err = psync_set_participants(psk, optval, optlen);
		break;
	case PSYNC_RESTART:
		err = psync_set_restart(psk, optval, optlen);
		break;
	case PSYNC_EVENTS:
		err = psync_set_events(psk, optval, optlen);
		break;
	case PSYNC_RECVINFO:
		err = psync_set_recvinfo(psk, optval, optlen);
		break;
	case PSYNC_MANUAL:
		err = psync_set_manual(psk, optval, optlen);
		break;
	case PSYNC_HISTORY:
		err = psync_set_history(psk, optval, optlen);
		break;
	case PSYNC_RESEND:
		err = psync_set_resend(psk, optval, optlen);
		break;
	case PSYNC_FREE_NODE:
		err = psync_set_free(psk, optval, optlen);
		break;
	case PSYNC_STABLE_POLL:
		err = psync_set_watch(psk, optval, optlen);
		break;
	case PSYNC_MASK_OUT:
		err = psync_set_mask_out(psk, optval, optlen);
		break;
	case PSYNC_MASK_IN:
		err = psync_set_mask_in(psk, optval, optlen);
		break;
	case PSYNC_SLOW:
		err = psync_set_slow(psk, optval, optlen);
		break;
	default:
		err = -ENOPROTOOPT;
	}
	release_sock(sock->sk);
	return err;
}

/*
 * Copies an answer of a fixed size, whole or not at all.  @answer is not part
 * of a socket or a conversation: their caches are closed to user space.
 */
static int psync_answer(const void *answer, unsigned int size, int len,
			char __user *optval, int __user *optlen)
{
	if (len < (int)size)
		return -EINVAL;
	if (copy_to_user(optval, answer, size) || put_user(size, optlen))
		return -EFAULT;
	return 0;
}

static int psync_get_participants(struct psync_sock *psk, int len,
				  char __user *optval, int __user *optlen)
{
	const struct psync_pid *pids = psk->pids;
	u32 size = psk->npids * sizeof(*pids);

	if (psk->part) {
		/* Immutable once there are participants. */
		pids = psk->part->conv->img.p.pids;
		size = psk->part->conv->img.p.n * sizeof(*pids);
	}
	return psync_answer(pids, size, len, optval, optlen);
}

static int psync_query_ask(struct psync_view *view, int optname, u64 mid,
			   u64 *mids, u32 room)
{
	switch (optname) {
	case PSYNC_ROOT:
		return psync_view_roots(view, mids, room);
	case PSYNC_LEAVES:
		return psync_view_leaves(view, mids, room);
	case PSYNC_NEXT:
		return psync_view_step(view, mid, true, mids, room);
	case PSYNC_PREV:
		return psync_view_step(view, mid, false, mids, room);
	case PSYNC_MIDS:
		return psync_view_mids(view, mid, mids, room);
	}
	return PSYNC_EUNKNOWN;
}

/* ROOT, LEAVES, NEXT, PREV, MIDS: a set of message ids. */
static int psync_get_query(struct psync_participant *part, int optname,
			   int len, char __user *optval, int __user *optlen)
{
	struct psync_query q;
	u64 *mids = NULL;
	u32 filled;
	int answer, err;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	if (q.room > PSYNC_QUERY_ROOM ||
	    q.room > (len - sizeof(q)) / sizeof(*mids))
		return -EINVAL;
	if ((optname == PSYNC_ROOT || optname == PSYNC_LEAVES) && q.mid)
		return -EINVAL;
	if (q.room) {
		mids = kvmalloc_array(q.room, sizeof(*mids), GFP_KERNEL);
		if (!mids)
			return -ENOMEM;
	}
	psync_conv_lock(part->conv);
	answer = psync_query_ask(&part->view, optname, q.mid, mids, q.room);
	psync_conv_unlock(part->conv);
	err = psync_sockopt_err(answer);
	if (err)
		goto out;
	q.count = answer;
	filled = min_t(u32, q.count, q.room);
	err = -EFAULT;
	if (copy_to_user(optval, &q, sizeof(q)) ||
	    (filled && copy_to_user(optval + sizeof(q), mids,
				    filled * sizeof(*mids))) ||
	    put_user((int)(sizeof(q) + filled * sizeof(*mids)), optlen))
		goto out;
	err = 0;
out:
	kvfree(mids);
	return err;
}

static int psync_get_sender(struct psync_participant *part, int len,
			    char __user *optval, int __user *optlen)
{
	const struct psync_node *node;
	struct psync_query_sender q;
	int err;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	if (q.reserved)
		return -EINVAL;
	psync_conv_lock(part->conv);
	err = psync_sockopt_err(psync_view_find(&part->view, q.mid, &node));
	psync_conv_unlock(part->conv);
	if (err)
		return err;
	q.index = PSYNC_MID_INDEX(q.mid);
	q.pid = part->conv->img.p.pids[q.index];
	return psync_answer(&q, sizeof(q), len, optval, optlen);
}

static int psync_get_precedes(struct psync_participant *part, int len,
			      char __user *optval, int __user *optlen)
{
	struct psync_query_precedes q;
	int answer, err;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	if (q.reserved)
		return -EINVAL;
	psync_conv_lock(part->conv);
	answer = psync_view_precedes(&part->view, q.first, q.second);
	psync_conv_unlock(part->conv);
	err = psync_sockopt_err(answer);
	if (err)
		return err;
	q.answer = answer;
	return psync_answer(&q, sizeof(q), len, optval, optlen);
}

static int psync_get_stable(struct psync_participant *part, int len,
			    char __user *optval, int __user *optlen)
{
	struct psync_query_stable q;
	int answer, err;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	if (q.reserved)
		return -EINVAL;
	psync_conv_lock(part->conv);
	answer = psync_view_stable(&part->view, q.mid, &q.participants,
				   &q.sites);
	psync_conv_unlock(part->conv);
	err = psync_sockopt_err(answer);
	if (err)
		return err;
	q.answer = answer;
	return psync_answer(&q, sizeof(q), len, optval, optlen);
}

/* May sleep; lock_sock is given back meanwhile. */
static int psync_get_wait(struct socket *sock, int len, char __user *optval,
			  int __user *optlen)
{
	bool nonblock = sock->file && sock->file->f_flags & O_NONBLOCK;
	struct psync_sock *psk = psync_sk(sock->sk);
	struct psync_query_wait q;
	int err;

	if (!psk->part)
		return -ENOTCONN;
	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	err = psync_stable_wait(psk, &q, nonblock);
	return err ?: psync_answer(&q, sizeof(q), len, optval, optlen);
}

/* One participant as another counts it; the conversation is locked. */
static void psync_masked_fill(const struct psync_view *view, u32 index,
			      const struct psync_announced *said,
			      struct psync_masked *masked)
{
	const struct psync_image *img = view->img;

	*masked = (struct psync_masked){};
	if (psync_view_masked(view, index)) {
		masked->flags |= PSYNC_MASKED_OUT;
		if (view->masks[index].agreed)
			masked->flags |= PSYNC_MASKED_AGREED;
		if (view->masks[index].asked)
			masked->flags |= PSYNC_MASKED_ASKED;
		if (view->masks[index].limit != PSYNC_MASK_NO_CUT) {
			masked->flags |= PSYNC_MASKED_CUT;
			masked->cut = PSYNC_MID(index,
						view->masks[index].limit);
		}
	}
	if (psync_mask_against(view, index))
		masked->flags |= PSYNC_MASKED_BY;
	if (img->parts[index].ended)
		masked->flags |= PSYNC_MASKED_ENDED;
	if (said->count && psync_mask_awaited(img, index, said))
		masked->flags |= PSYNC_MASKED_AWAITED;
}

/* All of them; what is awaited with @about is what was when it was asked. */
static int psync_masked_list(struct psync_participant *part, u32 about,
			     struct psync_masked *masked, u32 count)
{
	u32 n = part->conv->img.p.n;
	struct psync_announced said = {};
	u32 i;

	if (about != PSYNC_MASKS_ALL) {
		said.stamp = kvmalloc_array(n, sizeof(*said.stamp) +
					    sizeof(*said.about), GFP_KERNEL);
		if (!said.stamp)
			return -ENOMEM;
		said.about = (u32 *)(said.stamp + n);
		psync_conv_lock(part->conv);
		psync_mask_announced(&part->view, about, &said);
		psync_conv_unlock(part->conv);
	}
	for (i = 0; i < count; i++) {
		psync_conv_lock(part->conv);
		psync_masked_fill(&part->view, i, &said, &masked[i]);
		psync_conv_unlock(part->conv);
		cond_resched();
	}
	kvfree(said.stamp);
	return 0;
}

static int psync_get_masks(struct psync_participant *part, int len,
			   char __user *optval, int __user *optlen)
{
	struct psync_query_masks q;
	struct psync_masked *masked;
	u32 filled;
	int err;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, optval, sizeof(q)))
		return -EFAULT;
	if (q.reserved || q.room > (len - sizeof(q)) / sizeof(*masked) ||
	    (q.index != PSYNC_MASKS_ALL && q.index >= part->conv->img.p.n))
		return -EINVAL;
	q.count = part->conv->img.p.n;
	filled = min(q.count, q.room);
	masked = kvmalloc_array(q.count, sizeof(*masked), GFP_KERNEL);
	if (!masked)
		return -ENOMEM;
	err = psync_masked_list(part, q.index, masked, filled);
	if (err)
		goto out;
	if (copy_to_user(optval, &q, sizeof(q)) ||
	    (filled && copy_to_user(optval + sizeof(q), masked,
				    filled * sizeof(*masked))) ||
	    put_user((int)(sizeof(q) + filled * sizeof(*masked)), optlen))
		err = -EFAULT;
out:
	kvfree(masked);
	return err;
}

/* The last message this participant sent; the conversation is locked. */
static u64 psync_last_mid(const struct psync_participant *part)
{
	const struct psync_view *view = &part->view;
	u64 seq = view->stamp[view->index];

	/* In re-execution, what it has sent anew. */
	if (view->redo && !list_empty(&view->records))
		return view->redone;
	return seq > view->img->p.seq_base ? PSYNC_MID(view->index, seq) : 0;
}

static int psync_get_info(const struct psync_sock *psk,
			  struct psync_participant *part, int len,
			  char __user *optval, int __user *optlen)
{
	const struct psync_image *img = &part->conv->img;
	struct psync_info info = {};
	u64 ns;

	psync_conv_lock(part->conv);
	info.cid = part->conv->cid;
	info.last_mid = psync_last_mid(part);
	info.group = img->p.group;
	info.number = img->p.number;
	info.index = part->view.index;
	info.participants = img->p.n;
	info.view = part->view.count;
	info.nodes = img->nnodes;
	info.outstanding = part->view.outstanding;
	info.held = img->nheld;
	info.max_body = psync_conv_max_body(part->conv);
	info.unheld = img->nowed;
	info.lacking = min_t(u64, psync_conv_lacking(part->conv), U32_MAX);
	info.slow = psync_image_slow(img, &ns);
	info.slow_ms = div_u64(ns, NSEC_PER_MSEC);
	info.blocker_site = psync_image_blocker(img, &info.blocker);
	info.window = img->window;
	info.flight = img->flight;
	psync_conv_unlock(part->conv);
	info.charged = psync_purse_charged(psk);
	return psync_answer(&info, sizeof(info), len, optval, optlen);
}

static int psync_get_conv(const struct psync_sock *psk, int optname, int len,
			  char __user *optval, int __user *optlen)
{
	struct psync_participant *part = psk->part;
	u64 mid;
	u32 n;

	switch (optname) {
	case PSYNC_CID:
		mid = part->conv->cid;
		return psync_answer(&mid, sizeof(mid), len, optval, optlen);
	case PSYNC_ROOT:
	case PSYNC_LEAVES:
	case PSYNC_NEXT:
	case PSYNC_PREV:
	case PSYNC_MIDS:
		return psync_get_query(part, optname, len, optval, optlen);
	case PSYNC_SENDER:
		return psync_get_sender(part, len, optval, optlen);
	case PSYNC_PRECEDES:
		return psync_get_precedes(part, len, optval, optlen);
	case PSYNC_STABLE:
		return psync_get_stable(part, len, optval, optlen);
	case PSYNC_OUTSTANDING:
		n = READ_ONCE(part->view.outstanding);
		return psync_answer(&n, sizeof(n), len, optval, optlen);
	case PSYNC_LAST_MID:
		psync_conv_lock(part->conv);
		mid = psync_last_mid(part);
		psync_conv_unlock(part->conv);
		return psync_answer(&mid, sizeof(mid), len, optval, optlen);
	case PSYNC_INFO:
		return psync_get_info(psk, part, len, optval, optlen);
	case PSYNC_MASKS:
		return psync_get_masks(part, len, optval, optlen);
	}
	return -ENOPROTOOPT;
}

int psync_getsockopt(struct socket *sock, int level, int optname,
		     char __user *optval, int __user *optlen)
{
	struct psync_sock *psk = psync_sk(sock->sk);
	struct psync_slow slow;
	int len, err;
	u32 value;

	if (level != SOL_PSYNC || sock->type != SOCK_SEQPACKET)
		return -ENOPROTOOPT;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	lock_sock(sock->sk);
	switch (optname) {
	case PSYNC_PARTICIPANTS:
		err = psync_get_participants(psk, len, optval, optlen);
		break;
	case PSYNC_EVENTS:
		value = psk->events;
		err = psync_answer(&value, sizeof(value), len, optval, optlen);
		break;
	case PSYNC_RECVINFO:
		value = psk->recvinfo;
		err = psync_answer(&value, sizeof(value), len, optval, optlen);
		break;
	case PSYNC_MANUAL:
		value = psk->manual;
		err = psync_answer(&value, sizeof(value), len, optval, optlen);
		break;
	case PSYNC_HISTORY:
		value = psk->history;
		err = psync_answer(&value, sizeof(value), len, optval, optlen);
		break;
	case PSYNC_STABLE_WAIT:
		err = psync_get_wait(sock, len, optval, optlen);
		break;
	case PSYNC_SLOW:
		slow = psk->slow;
		err = psync_answer(&slow, sizeof(slow), len, optval, optlen);
		break;
	case PSYNC_CID ... PSYNC_LAST_MID:
	case PSYNC_INFO:
	case PSYNC_MASKS:
		err = psk->part ? psync_get_conv(psk, optname, len, optval,
						 optlen) : -ENOTCONN;
		break;
	default:
		err = -ENOPROTOOPT;
	}
	release_sock(sock->sk);
	return err;
}
