#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Beginnings and ends: the module, namespaces, devices, links and peers, each
# taken away (links and peers: or changed) while it is in use. In the virtual machine, without the module
# loaded. TAP.

# shellcheck disable=SC2317 # try calls the functions
. /selftests/lib.sh

refcnt()
{
	[ "$(cat /sys/module/psync/refcnt)" -eq "$1" ]
}

unloaded()
{
	[ ! -e /sys/module/psync ]
}

# A socket gives its module back after a grace period, not when close returns.
unload()
{
	await refcnt 0 && rmmod psync && unloaded
}

rmmod_refused()
{
	modprobe psync || return
	psync site set 1 || return
	hold sock - socket 5 || return
	rmmod psync && return 1
	refcnt 0 && return 1
	hold_end sock || return
	unload
}

# A site id is what sockets rely on.
site_held()
{
	modprobe psync || return
	psync site set 1 || return
	hold sock - socket 5 || return
	says 1 'use the present site id' psync site set 2 || return
	says 1 'use the present site id' psync site del || return
	hold_end sock || return
	psync site set 2 && unload
}

# Load and unload with namespaces that come and go, configured and not.
load_unload()
{
	i=0 times=$(scaled 10 2)
	while [ $((i += 1)) -le "$times" ]; do
		ip netns add n$i
		modprobe psync || return
		ip netns add m$i
		ip netns exec m$i psync site set $i || return
		ip netns exec n$i psync site set $i || return
		ip netns del m$i
		rmmod psync || return
		ip netns del n$i
	done
	unloaded
}

family_taken()
{
	# Some modprobes call EEXIST success: is the module there or not?
	for family in 17 0 -1 46 500; do
		modprobe psync family=$family
		unloaded || return
	done
	dmesg | grep -q 'psync: socket family 17 is taken' || return
	modprobe psync family=26 || return
	[ "$(cat /sys/module/psync/parameters/family)" -eq 26 ] || return
	psync site set 1 && hold sock - socket 5 && hold_end sock || return
	unload
}

# unload_under_packets LINK: nobody has a socket, packets of all kinds come
unload_under_packets()
{
	modprobe psync || return
	psync-lab up 2 --link "$1" || return
	LAB_HOSTS=2 LAB_LINK=$1
	export LAB_HOSTS LAB_LINK
	hold raw - raw || return
	await counts h1 RxPackets 300 || return
	unload || return
	# They go on coming, to nobody.
	modprobe psync || return
	rmmod psync || return
	hold_end raw
	psync-lab down
}

# A namespace's device v-NAME here is there as long as the namespace.
ns_new()
{
	ip netns add "$1" &&
		ip link add "v-$1" type veth peer name eth0 netns "$1" &&
		ip -n "$1" link set lo up && ip -n "$1" link set eth0 up &&
		ip link set "v-$1" up &&
		ip netns exec "$1" psync site set 1 &&
		ip netns exec "$1" psync link add l0 eth dev eth0 &&
		ip netns exec "$1" psync peer add 2 link l0 \
			addr 02:00:00:00:02:00 &&
		ip netns exec "$1" psync group add 7 1:5 1:6 2:5
}

ns_gone()
{
	[ ! -e "/sys/class/net/v-$1" ]
}

# Deleted with sockets open, it ends when the last is closed.
ns_with_sockets()
{
	modprobe psync || return
	ns_new a && ns_new b || return
	hold one a join 7 1 && hold two a join 7 1 || return
	ip netns del a
	ip netns del b
	# Ends come one after the other: when b is gone, a was looked at.
	await ns_gone b || return
	not ns_gone a || return
	hold_end one || return
	ns_new b || return
	ip netns del b
	await ns_gone b || return
	not ns_gone a || return
	hold_end two || return
	await ns_gone a || return
	unload
}

# Deleted with conversations that nobody holds and timers that run, it frees
# them all: unloading finds none of their memory left.
ns_with_timers()
{
	modprobe psync || return
	psync-lab up 3 || return
	for h in h1 h2 h3; do
		psync-lab on $h psync group add 7 1:5 2:5 3:5 || return
	done
	# At host 1: questions that nobody answers any more.
	hold one h1 join 7 1 || return
	hold two h2 join 7 1 || return
	await counts h1 MsgAttached 0 || return
	LAB_HOSTS=2 LAB_LINK=eth
	export LAB_HOSTS LAB_LINK
	# ... messages without a beginning, and peers in doubt.
	hold raw - raw || return
	await counts h1 RxPackets 300 || return
	hold three h3 join 7 1 || return
	ip link set veth2 down
	await counts h3 HelloSent 0 || return
	hold_end one && hold_end two && hold_end three || return
	psync-lab down
	hold_end raw
	await not test -e /sys/class/net/veth1 || return
	unload
}

# Deleted while a conversation lingers, for longer than anybody waits here: what
# others lack of it is given up at once.
ns_lingering()
{
	modprobe psync || return
	echo 600000 >/proc/sys/net/psync/absent_ms || return
	echo 600000 >/proc/sys/net/psync/linger_ms || return
	ns_new a || return
	hold one a join 7 1 && hold_end one || return
	[ "$(counter a ConvLingered)" -eq 1 ] || return
	[ "$(counter a ConvGivenUp)" -eq 0 ] || return
	ip netns del a
	await ns_gone a || return
	unload
}

# flood LINK: hosts 1 and 2 send one another what they can
flood()
{
	modprobe psync || return
	psync-lab up 2 --link "$1" || return
	for h in h1 h2; do
		psync-lab on $h psync group add 7 1:5 2:5 || return
	done
	hold one h1 flood 7 1 && hold two h2 flood 7 1 || return
	await counts h1 MsgReceived 100 && await counts h2 MsgReceived 100
}

flood_end()
{
	hold_end one && hold_end two || return
	psync-lab down
	await not test -e /sys/class/net/veth1 || return
	unload
}

# device_removed LINK: under traffic; the programs go on and nothing stays
device_removed()
{
	flood "$1" || return
	ip link del veth1
	lost=$(counter h1 DropTxNoRoute)
	await counts h1 DropTxNoRoute "$lost" || return
	kill -0 "$(cat "$tmp/one.pid")" || return
	if [ "$1" = eth ]; then
		psync-lab on h1 psync link show --json || return
		# One of the same name takes its place.
		ip link add veth1 address 02:00:00:00:00:01 type veth \
			peer name eth0 address 02:00:00:00:01:00 netns h1
		ip link set veth1 master br-lab up
		ip -n h1 link set eth0 up
		got=$(counter h2 RxPackets)
		await counts h2 RxPackets "$got" || return
	fi
	flood_end
}

# A device that is renamed is no longer the link's, until it has its name again.
device_renamed()
{
	flood eth || return
	ip -n h1 link set eth0 down
	ip -n h1 link set eth0 name other
	ip -n h1 link set other up
	lost=$(counter h1 DropTxNoRoute)
	await counts h1 DropTxNoRoute "$lost" || return
	ip -n h1 link set other down
	ip -n h1 link set other name eth0
	ip -n h1 link set eth0 up
	got=$(counter h2 RxPackets)
	await counts h2 RxPackets "$got" || return
	# It moves into another namespace, and comes back.
	ip netns add away
	ip -n h1 link set eth0 netns away
	await counts h1 DropTxNoRoute "$(counter h1 DropTxNoRoute)" || return
	ip -n away link set eth0 netns h1
	ip -n h1 link set eth0 up
	got=$(counter h2 RxPackets)
	await counts h2 RxPackets "$got" || return
	ip netns del away
	flood_end
}

# config_churn LINK: peer and link deleted and added again under traffic
config_churn()
{
	flood "$1" || return
	case $1 in
	eth) addr=02:00:00:00:02:00 how='eth dev eth0' ;;
	udp4) addr=10.7.0.2 how='udp local 10.7.0.1' ;;
	udp6) addr=fd07::2 how='udp local fd07::1' ;;
	esac
	i=0 times=$(scaled 4 2)
	while [ $((i += 1)) -le "$times" ]; do
		says 1 'peers use this link' \
			psync-lab on h1 psync link del l0 || return
		psync-lab on h1 psync peer del 2 || return
		psync-lab on h1 psync link del l0 || return
		# shellcheck disable=SC2086 # words
		psync-lab on h1 psync link add l0 $how || return
		psync-lab on h1 psync peer add 2 link l0 addr "$addr" || return
		psync-lab on h1 psync peer set 2 addr "$addr" || return
		psync-lab on h1 psync group set 7 2:5 1:5 || return
		psync-lab on h1 psync group set 7 1:5 2:5 || return
	done
	counts h1 DropTxNoPeer 0 || return
	got=$(counter h2 RxPackets)
	await counts h2 RxPackets "$got" || return
	flood_end
}

# h1_link ARG...: change it
h1_link()
{
	psync-lab on h1 psync link set l0 "$@"
}

# h1_received: packets, as the link counts them
h1_received()
{
	psync-lab on h1 psync link | sed 's/.* rx \([0-9]*\) .*/\1/'
}

# talks N: as many messages are received on both hosts from now on
talks()
{
	for h in h1 h2; do
		got=$(counter $h MsgReceived)
		await counts $h MsgReceived $((got + $1)) || return
	done
}

# link_set_lossless LINK HERE ANY NOWHERE OTHER: two hosts talk, to which a lost
# message would be the end, while the address of one's link becomes ANY, and its
# own again, and those that are refused are tried
link_set_lossless()
{
	modprobe psync || return
	psync-lab up 2 --link "$1" || return
	for h in h1 h2; do
		psync-lab on $h psync group add 7 1:5 2:5 || return
	done
	hold one h1 talk 7 1 && hold two h2 talk 7 1 || return
	talks 20 || return
	i=0
	while [ $((i += 1)) -le 3 ]; do
		rx=$(h1_received)
		h1_link local "$3" && talks 5 || return
		h1_link local "$2" && talks 5 || return
		# It goes on counting from where it was.
		[ "$(h1_received)" -gt "$rx" ] || return
	done
	says 1 'does not have that address' h1_link local "$4" || return
	says 1 'another kind of address' h1_link local "$5" || return
	talks 5 || return
	flood_end
}

# arrives HOST: packets still come there
arrives()
{
	got=$(counter "$1" RxPackets)
	await counts "$1" RxPackets "$got"
}

# The other host is told where this one is now.
link_set_udp()
{
	flood "$1" || return
	h1_link port 7008 || return
	psync-lab on h2 psync peer set 1 addr "$2" port 7008 || return
	arrives h1 && arrives h2 || return
	says 0 "udp local $2 port 7008 up" psync-lab on h1 psync link || return
	flood_end
}

link_set_eth()
{
	flood eth || return
	# Another card on the same bridge.
	ip link add veth9 type veth peer name eth9 netns h1 || return
	ip link set veth9 master br-lab up || return
	ip -n h1 link set eth9 address 02:00:00:00:09:00 up || return
	says 1 'no device has this name' h1_link dev none || return
	arrives h2 || return
	rx=$(h1_received)
	h1_link dev eth9 || return
	[ "$(h1_received)" -ge "$rx" ] || return
	psync-lab on h2 psync peer set 1 addr 02:00:00:00:09:00 || return
	arrives h1 && arrives h2 || return
	ip link del veth1
	arrives h1 && arrives h2 || return
	# Nothing of it comes in until the other changes, too.
	h1_link ethertype 0x88b6 || return
	psync-lab on h2 psync link set l0 ethertype 0x88b6 || return
	arrives h1 && arrives h2 || return
	says 0 'eth dev eth9 ethertype 0x88b6 up' \
		psync-lab on h1 psync link || return
	flood_end
}

# Killed, not closed: the kernel does what the program would have.
killed()
{
	flood eth || return
	kill -9 "$(cat "$tmp/one.pid")" "$(cat "$tmp/two.pid")"
	wait "$(cat "$tmp/one.pid")" "$(cat "$tmp/two.pid")"
	unload || return
	psync-lab down
}

# life_try WHAT COMMAND...: one test, that finds nothing of the one before
life_try()
{
	before=$failed
	try "$@"
	[ $failed -eq "$before" ] && return
	hold_all_end
	psync-lab down
	ip -all netns del
	await rmmod psync
}

life_try "rmmod is refused while a socket is open" rmmod_refused
life_try "the site id cannot change under a socket" site_held
life_try "load and unload among namespaces" load_unload
life_try "a family that is taken, and another" family_taken
for link in eth udp4 udp6; do
	life_try "unload while packets arrive over $link" unload_under_packets $link
done
life_try "a namespace ends when its last socket is closed" ns_with_sockets
life_try "the end of a namespace frees conversations and timers" ns_with_timers
life_try "a namespace ends while a conversation lingers" ns_lingering
for link in eth udp4 udp6; do
	life_try "a device of $link is removed under traffic" device_removed $link
	life_try "link and peer of $link change under traffic" config_churn $link
done
life_try "a link of eth is changed under traffic" link_set_eth
life_try "a link of udp4 is changed under traffic" link_set_udp udp4 10.7.0.1
life_try "a link of udp6 is changed under traffic" link_set_udp udp6 fd07::1
life_try "a link of udp4 is changed and nothing lost" \
	link_set_lossless udp4 10.7.0.1 0.0.0.0 10.7.0.9 fd07::1
life_try "a link of udp6 is changed and nothing lost" \
	link_set_lossless udp6 fd07::1 :: fd07::9 10.7.0.1
life_try "a device is renamed and moved under traffic" device_renamed
life_try "programs are killed under traffic" killed
tests_end
