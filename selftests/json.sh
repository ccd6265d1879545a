#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What psync prints with --json is JSON, to the letter, for everything there
# is to see. In the virtual machine, with the module loaded. TAP.

# shellcheck disable=SC2317 # try calls the functions
. /selftests/lib.sh

# json ARG...: psync ARG... at host 1
json()
{
	psync-lab on h1 psync "$@" >"$tmp/json" || return
	cat "$tmp/json"
	/selftests/json-check <"$tmp/json"
}

# json_stream COMMAND ARG...: that ends by itself, also with an error
json_stream()
{
	psync-lab on h1 psync "$@" >"$tmp/json" 2>/dev/null </dev/null
	cat "$tmp/json"
	/selftests/json-check <"$tmp/json"
}

# json_commands WHERE: what is typed, as told on stdout or in the log; and what is
# refused
json_commands()
{
	rm -f "$tmp/json" "$tmp/refused" "$tmp/log"
	printf '%s\n' /masks '/mask 2' /masks '/unmask 2:5' /nothing text |
		psync-lab on h1 psync chat 7 --json --number 3 --log "$tmp/log" \
			>"$tmp/json" 2>"$tmp/refused"
	[ $? -eq 2 ] || return
	cat "$tmp/$1" "$tmp/refused"
	[ "$(grep -c '"dir":"masks"' "$tmp/$1")" -eq 3 ] &&
		grep -q '"participant":"2:5","by":."1:5".' "$tmp/$1" &&
		grep -q '"masks":\[\]' "$tmp/$1" &&
		grep -q '"text":"text"' "$tmp/$1" &&
		/selftests/json-check <"$tmp/$1" &&
		/selftests/json-check <"$tmp/refused"
}

# Each send opens a conversation, so that one comes when recv listens.
json_recv()
{
	psync-lab on h2 psync recv 5 --json --count 1 --timeout "$(patience 20)" \
		>"$tmp/recv" &
	receiver=$!
	left=$(patience 300)
	while kill -0 $receiver 2>/dev/null && [ $((left -= 1)) -gt 0 ]; do
		psync-lab on h1 psync send 7 'a "text" \ of all	kinds é'
	done
	wait $receiver || return
	cat "$tmp/recv"
	/selftests/json-check <"$tmp/recv"
}

json_monitor()
{
	psync-lab on h1 psync monitor --json --count 3 --timeout "$(patience 20)" \
		>"$tmp/monitor" &
	watcher=$!
	# It has begun to watch when it hears of something.
	left=$(patience 300)
	while kill -0 $watcher 2>/dev/null && [ $((left -= 1)) -gt 0 ]; do
		psync-lab on h1 psync group add 50 1:1 2:1
		psync-lab on h1 psync group del 50
	done
	wait $watcher || return
	cat "$tmp/monitor"
	/selftests/json-check <"$tmp/monitor"
}

# json_error ARG...: it fails with JSON, and nothing else, on stderr
json_error()
{
	if psync-lab on h1 psync "$@" >"$tmp/none" 2>"$tmp/json" </dev/null; then
		return 1
	fi
	cat "$tmp/none" "$tmp/json"
	[ ! -s "$tmp/none" ] && /selftests/json-check <"$tmp/json"
}

psync-lab up 2 || exit 1
for args in site link peer group conv stat 'stat --all' version; do
	# shellcheck disable=SC2086 # words
	try "psync $args, with next to nothing there" json $args --json
done
for args in 'link add u0 udp local 127.0.0.1 port 9' 'link set u0 port 10' \
	    'link del u0' \
	    'peer add 9 link l0 addr 02:00:00:00:00:99' \
	    'peer set 9 addr 02:00:00:00:00:98' 'peer del 9' \
	    'group add 8 1:1 2:1' 'group set 8 name x' 'group del x'; do
	# shellcheck disable=SC2086 # words
	try "psync $args" json $args --json
done
for args in nothing 'link add' 'site set 0' 'peer del 9' 'link del l0' \
	    'group del none' 'chat none' 'graph' 'graph zz' 'recv x' \
	    'recv 5 --count 1 --timeout 0.1'; do
	# shellcheck disable=SC2086 # words
	try "psync $args fails" json_error $args --json
done
for h in h1 h2; do
	psync-lab on $h psync group add 7 name 'a.b-c_d' 1:5 2:5 || exit 1
done
hold one h1 join 7 1 && hold two h2 join 7 1 &&
	await counts h1 MsgAttached 0 || exit 1
for args in site link 'link show l0' peer 'peer show 2' group \
	    'group show 7' conv stat 'stat show RxPackets' graph; do
	# shellcheck disable=SC2086 # words
	try "psync $args" json $args --json
done
try "psync conv show CID" json conv show \
	"$(psync-lab on h1 psync conv | sed -n 's/^\([0-9a-f]*\).*/\1/p' |
		head -n 1)" --json
hold_end one && hold_end two
try "psync chat" json_stream chat 7 --json --timeout 1
try "psync chat with commands" json_commands json
try "psync chat with commands, the log" json_commands log
try "psync send" json_stream send 7 --json 'a "text" \ of	all	kinds é'
try "psync recv" json_recv
try "psync monitor" json_monitor
try "psync site del" json site del --json
try "psync site set" json site set 5 --json
psync-lab down
tests_end
