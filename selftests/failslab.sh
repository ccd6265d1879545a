#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Allocations that fail where no call could tell: while the module is loaded,
# and under traffic, in softirq. (In calls: failslab_test.) In the virtual
# machine with the debug kernel, without the module loaded. TAP.
#
# usage: failslab.sh LINK...

# shellcheck disable=SC2317 # try calls the functions
. /selftests/lib.sh

knobs=/sys/kernel/debug/failslab

loading()
{
	modprobe udp_tunnel && modprobe ip6_udp_tunnel || return
	/selftests/failslab_test load "$(modinfo -F filename psync)" || return
	psync site set 1 || return
	await rmmod psync
}

# The text of the module, as a range: from where, to where
psync_text()
{
	grep -i ' t .*\[psync\]' /proc/kallsyms | cut -d ' ' -f 1 | sort |
		sed -n '1p; $p'
}

# One in five allocations that psync makes or has made fails.
faults_begin()
{
	# shellcheck disable=SC2046 # two words
	set -- $(psync_text)
	[ $# -eq 2 ] || return
	echo N >$knobs/ignore-gfp-wait &&
		echo 0 >$knobs/verbose &&
		echo N >$knobs/task-filter &&
		echo -1 >$knobs/times &&
		echo "0x$1" >$knobs/require-start &&
		echo "0x$2" >$knobs/require-end &&
		echo 20 >$knobs/probability
}

faults_end()
{
	echo 0 >$knobs/probability
	echo 0 >$knobs/require-start
	echo 0xffffffffffffffff >$knobs/require-end
}

# What is lost for want of memory is counted, on both ways; then there is
# memory again and another conversation can be had.
traffic()
{
	modprobe psync || return
	psync-lab up 2 --link "$1" || return
	for h in h1 h2; do
		psync-lab on $h psync group add 7 1:5 2:5 || return
		psync-lab on $h psync group add 8 1:6 2:6 || return
	done
	hold one h1 flood 7 1 && hold two h2 flood 7 1 || return
	await counts h1 MsgReceived 100 || return
	faults_begin || return
	lost=0
	await no_memory || lost=1
	faults_end
	[ $lost -eq 0 ] || return
	hold_end one && hold_end two || return
	hold one h1 flood 8 1 && hold two h2 flood 8 1 || return
	await counts h1 MsgReceived "$(counter h1 MsgReceived)" || return
	hold_end one && hold_end two || return
	psync-lab down
	await not test -e /sys/class/net/veth1 || return
	await rmmod psync
}

# A failure on the way in and one on the way out, at host 1.
no_memory()
{
	[ $(($(counter h1 DropNoMem) + $(counter h2 DropNoMem))) -gt 5 ] &&
		[ $(($(counter h1 DropTxNoMem) + $(counter h2 DropTxNoMem))) -gt 5 ]
}

try "the module is loaded when there is memory, only then" loading
for link; do
	try "traffic over $link while memory is short" traffic "$link"
done
tests_end
