#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The cost of a message must not depend on how long the conversation has been
# going on: 100,000 of them through one, on three hosts, with the graph's depth
# bounded.  Run it in the virtual machine with --icount, see cost_test.c.
#
# usage: cost.sh [MESSAGES [eth|udp4|udp6]]

messages=${1:-100000}
link=${2:-eth}

trap 'psync-lab down' EXIT
psync-lab up 3 --link "$link" || exit 1
for host in h1 h2 h3; do
	psync-lab on "$host" psync group add 1 1:100 2:100 3:100 || exit 1
	psync-lab on "$host" sysctl -qw net.psync.graph_depth=1000 || exit 1
done
echo "# $messages messages over $link"
/selftests/cost_test "$messages"
