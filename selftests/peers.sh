#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# psync measured, and TIPC's communication groups beside it, by the same program
# (tools/bench): on four hosts of a bridge with 0.1 ms of delay
#
# - everybody asks and answers, with loss toward one: no answer may come before
#   what it answers, nothing may be lost;
# - the round trip of a group, with loss toward one host or all: 5 ms at most for
#   99 of 100;
# - one who receives stops for a while: nothing is lost;
# - one is killed: the others know within 1 ms; with loss, too, they agree.
#
# The bounds are for psync; of TIPC the figures are printed. Times are virtual:
# run it in the virtual machine with --icount.
#
# usage: peers.sh [LINK [TIMES]]	eth, udp4, udp6; so many times the messages

link=${1:-eth}
times=${2:-1}

# shellcheck source=SCRIPTDIR/lib.sh
. "${0%/*}/lib.sh"

hosts=4
conversation=0

# lossy PERCENT HOST...: what goes to these hosts is lost so often
lossy()
{
	percent=$1
	shift
	for i in 1 2 3 4; do
		case " $* " in
		*" $i "*) loses=$percent ;;
		*) loses=0 ;;
		esac
		tc qdisc replace dev veth$i root netem limit 100000 \
			delay 0.1ms loss random "$loses%" || return
	done
}

# measure PEER TITLE MODE ARG...: says the figures, which "figure" then has
measure()
{
	peer=$1 title=$2 mode=$3
	shift 3
	# "kill" takes one for each trial.
	conversation=$((conversation + 100))
	if /selftests/bench "$peer" "$mode" $hosts $conversation "$@" \
		>"$tmp/figures" 2>"$tmp/errors"; then
		# shellcheck disable=SC2046 # words
		echo "# $peer, $title:" $(cat "$tmp/figures")
	else
		: >"$tmp/figures"
		echo "# $peer, $title: $(cat "$tmp/errors")"
	fi
}

# figure NAME LEAST MOST
figure()
{
	value=$(sed -n "s/^$1 //p" "$tmp/figures")
	if [ -z "$value" ] || [ "$value" -lt "$2" ] || [ "$value" -gt "$3" ]; then
		echo "$1: '$value', not from $2 to $3"
		return 1
	fi
}

ordered()
{
	# Each of the questions has three answers, and each of these two who
	# asked for none.
	figure violations 0 0 && figure lost 0 0 && figure twice 0 0 &&
		figure replies $((rounds * 24)) $((rounds * 24))
}

resumed()
{
	figure stood_at 1 199999 && figure afterwards 2000 2000 &&
		figure lost 0 0 && figure twice 0 0
}

agreed()
{
	figure trials 1 90 && figure differ 0 0 && figure disagree 0 0 &&
		figure nodes 100 1000000
}

ended()
{
	agreed && figure us1000 1 1000
}

# run PEER: all of it; verdicts for psync alone
run()
{
	peer=$1
	verdict=try
	[ "$peer" = psync ] || verdict=:

	rounds=$((200 * times))
	for loss in 0 1 3 20; do
		lossy $loss 3 || exit
		about="answers, $loss % loss toward one"
		measure "$peer" "$about" order $rounds 8
		$verdict "$about: none too early or lost" ordered
	done

	rounds=$((2000 * times))
	for where in '' 3 1 '1 2 3 4'; do
		# shellcheck disable=SC2086 # words
		lossy 1 $where || exit
		about="round trip, 1 % loss toward ${where:-nobody}"
		measure "$peer" "$about" rtt $rounds
		$verdict "$about: 5 ms for 99 of 100" figure us990 1 5000
	done

	lossy 0 3 || exit
	about="a receiver stops"
	measure "$peer" "$about" stop
	$verdict "$about: the sender does, too, and goes on with it" resumed

	trials=$((10 * times))
	[ $trials -le 90 ] || trials=90
	about="killed in silence"
	measure "$peer" "$about" kill $trials 1 0 $hosts
	$verdict "$about: all know within 1 ms" ended
	about="killed while two ask"
	measure "$peer" "$about" kill $trials 1 20 2
	$verdict "$about: all know within 1 ms" ended
	# The processor that all hosts share is busy: times are the scheduler's.
	about="killed while all ask"
	measure "$peer" "$about" kill $trials 4 20 $hosts
	$verdict "$about: all agree" agreed
	lossy 20 3 || exit
	about="killed while all ask, 20 % loss toward one"
	measure "$peer" "$about" kill $trials 4 20 $hosts
	$verdict "$about: all agree" agreed
	lossy 0 3 || exit
}

# Between namespaces of one kernel TIPC takes a short cut, unless it cannot
# tell: here it is what its hosts say of it (word 13 of LINK_CONFIG).
tipc_link()
{
	modprobe tipc || return
	for i in 1 2 3 4; do
		tc -n h$i qdisc add dev eth0 clsact &&
			tc -n h$i filter add dev eth0 egress protocol 0x88ca \
				u32 match u32 0x1a000000 0x1e000000 at 0 \
				action pedit munge offset 52 \
				u32 set 0xdead000$i &&
			ip netns exec h$i tipc bearer enable media eth \
				device eth0 || return
	done
	for i in 1 2 3 4; do
		await tipc_linked h$i || return
	done
}

# To three hosts, and one for what all are told.
tipc_linked()
{
	[ "$(ip netns exec "$1" tipc link list | grep -c ': up')" -eq 4 ]
}

# sent: packets that have left the hosts
sent()
{
	for i in 1 2 3 4; do
		ip netns exec h$i cat /sys/class/net/eth0/statistics/tx_packets
	done | awk '{ sum += $1 } END { print sum }'
}

# Four packets for each round at least.
on_the_wire()
{
	before=$(sent)
	measure "$1" "how many packets" rtt 200
	after=$(sent)
	echo "# $1: $((after - before)) packets"
	[ $((after - before)) -ge 800 ]
}

psync-lab up $hosts --link "$link" --delay 0.1 || exit
for i in 1 2 3 4; do
	psync-lab on h$i psync group add 1 1:100 2:100 3:100 4:100 || exit
done
run psync
try "psync: on the wire" on_the_wire psync
if [ "$link" = eth ]; then
	try "TIPC's links" tipc_link
	try "TIPC: on the wire" on_the_wire tipc
	run tipc
fi
tests_end
