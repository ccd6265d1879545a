// SPDX-License-Identifier: GPL-2.0-only
/* The module: what is started, in which order, and the way back. */

#include <linux/module.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>

#include "psync.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * Each step may rely on those before it, and nobody outside can reach us
 * before the last: namespaces have their tables before a device is looked for
 * in them, both are there before netlink can configure links, and the family
 * comes last, so that the first socket finds everything.
 */
static int __init psync_init(void)
{
	int err;

	err = psync_charge_init();
	if (err)
		return err;
	err = psync_conv_init();
	if (err)
		goto err_charge;
	err = psync_netns_init();
	if (err)
		goto err_conv;
	err = psync_link_eth_init();
	if (err)
		goto err_netns;
	err = psync_netlink_init();
	if (err)
		goto err_link_eth;
	err = psync_family_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	psync_netlink_exit();
err_link_eth:
	psync_link_eth_exit();
err_netns:
	psync_netns_exit();
err_conv:
	rcu_barrier();
	psync_conv_exit();
err_charge:
	psync_charge_exit();
	return err;
}

/*
 * The kernel calls this when no socket is left: each holds the module.  With
 * family and netlink gone nothing new can be asked for; psync_netns_exit()
 * ends what is under way in every namespace (see the proof there).  After
 * that only RCU callbacks are left, which the barrier waits for.
 */
static void __exit psync_exit(void)
{
	psync_family_exit();
	psync_netlink_exit();
	psync_link_eth_exit();
	psync_netns_exit();
	rcu_barrier();
	psync_conv_exit();
	psync_charge_exit();
}

module_init(psync_init);
module_exit(psync_exit);

MODULE_DESCRIPTION("Psync: conversations that preserve their context");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NETPROTO(18); /* PSYNC_FAMILY_DEFAULT, as a plain literal */
MODULE_ALIAS_GENL_FAMILY("psync");
