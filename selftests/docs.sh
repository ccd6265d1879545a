#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands and programs of README.md, the man pages and sockets.rst, run as
# they are written there. In the virtual machine, by scripts/check-docs --guest, which
# puts them into /selftests/docs: NAME.sh for commands, NAME for programs.

# shellcheck disable=SC2317 # docs_try calls the functions

number=0
failed=0
docs=/selftests/docs
dir=/tmp/docs
mkdir -p $dir
. /selftests/lib_typed.sh

# docs_try WHAT COMMAND...: one test
docs_try()
{
	what=$1
	shift
	number=$((number + 1))
	if "$@" >/tmp/out 2>&1; then
		echo "ok $number - $what"
	else
		failed=$((failed + 1))
		echo "not ok $number - $what"
		sed 's/^/# /' /tmp/out
	fi
}

docs_end()
{
	echo "1..$number"
	echo "$((number - failed)) passed, $failed failed"
	[ $failed -eq 0 ] && [ $number -gt 0 ]
	exit
}

# docs_network: two hosts whose cards are as README.md says
docs_network()
{
	for i in 1 2; do
		ip netns add "docs$i" || return
	done
	ip link add eth0 address 02:00:00:00:00:01 netns docs1 type veth \
		peer name eth0 address 02:00:00:00:00:02 netns docs2 || return
	for i in 1 2; do
		ip -n "docs$i" addr add "192.0.2.$i/24" dev eth0 || return
		ip -n "docs$i" link set lo up || return
		ip -n "docs$i" link set eth0 up || return
	done
}

# docs_commands HOST NAME
docs_commands()
{
	ip netns exec "docs$1" sh -e "$docs/$2.sh"
}

# docs_boot HOST NAME: what the unit does, with these commands
docs_boot()
{
	cp "$docs/$2.sh" /etc/psync.sh
	start=$(sed -n 's/^ExecStart=//p' "$docs/psync.service")
	ip netns exec "docs$1" sh -c "$start" || return
	# And not again.
	! ip netns exec "docs$1" sh -c "$start"
}

# docs_converse PROGRAM: on both hosts; each prints what the other said
docs_converse()
{
	ip netns exec docs1 timeout 30 "$docs/$1" "from the first" >/tmp/one &
	ip netns exec docs2 timeout 30 "$docs/$1" "from the second" >/tmp/two
	two=$?
	wait $!
	one=$?
	cat /tmp/one /tmp/two
	[ "$one" -eq 0 ] && [ "$two" -eq 0 ] &&
		[ "$(cat /tmp/one)" = "from the second" ] &&
		[ "$(cat /tmp/two)" = "from the first" ]
}

# docs_hear PROGRAM: it prints what another member says
docs_hear()
{
	ip netns exec docs1 timeout 30 "$docs/$1" >/tmp/one &
	ip netns exec docs2 timeout 30 "$docs/first" "are you there?" >/tmp/two
	two=$?
	wait $!
	one=$?
	cat /tmp/one /tmp/two
	[ "$one" -eq 0 ] && [ "$two" -eq 0 ] && grep -q "are you there?" /tmp/one
}

# docs_answer: psync recv answers what psync send says
docs_answer()
{
	ip netns exec docs2 sh -e "$docs/psync8recv.sh" >/tmp/two 2>&1 &
	left=1000
	until grep -q listening /tmp/two; do
		[ $((left -= 1)) -gt 0 ] || return 1
		usleep 10000
	done
	docs_commands 1 psync8send >/tmp/one || return
	wait $! || return
	cat /tmp/one /tmp/two
	grep -q "anybody there" /tmp/two && grep -q "I am" /tmp/one
}

# docs_lab: three hosts, in a tree where psync-lab is as it is in the sources
docs_lab()
{
	mkdir -p "$dir"/selftests/vm &&
		cp "$(command -v psync-lab)" "$dir"/selftests/vm/psync-lab || return
	(cd "$dir" && sh -e "$docs/lab.sh") >"$dir"/said || return
	cat "$dir"/said
	grep -q '^2 link l0 ' "$dir"/said && grep -q '^3 link l0 ' "$dir"/said
}

# docs_survive PROGRAM: two go on without the third, which comes back
docs_survive()
{
	for i in 1 2 3; do
		typed_open "h$i" "h$i" "$docs/$1" 7
	done
	typed_line h3 first
	typed_told out 'heard: first' h1 h2 || return
	typed_line h2 second
	typed_told out 'heard: second' h1 h3 || return
	host_cut 3 && typed_kill h3 || return
	typed_line h1 third
	typed_told out 'heard: third' h2 &&
		typed_told out 'host 3 is silent' h1 h2 &&
		typed_told out '2 is masked out' h1 h2 &&
		typed_told out '2 is out, after its message ' h1 h2 || return
	typed_line h2 fourth
	typed_told out 'heard: fourth' h1 || return
	host_mend 3 && typed_open h3 h3 "$docs/$1" 7 again
	typed_line h3 fifth
	for text in first second third fourth; do
		typed_told out "heard: $text" h3 || return
	done
	typed_told out '2 is back' h1 h2 && typed_told out '2 is masked in' h1 h2 &&
		typed_told out '0 waits for 2 again' h2 h3 &&
		typed_told out '1 waits for 2 again' h1 h3 &&
		typed_told out 'heard: fifth' h1 h2 || return
	typed_end 0 h1 h2 h3
}

docs_try "a network of two hosts" docs_network
docs_try "README.md: configure the first host, as at boot" docs_boot 1 host1
docs_try "README.md: configure the second host" docs_commands 2 host2
docs_try "README.md: the first program" docs_converse first
docs_try "psync.7: the example" docs_hear psync7
docs_try "psync.8: a link, a peer and a group" docs_commands 1 psync8
docs_try "psync.8: say something, and answer it" docs_answer
docs_try "README.md: a lab of three hosts" docs_lab
docs_try "sockets.rst: when a host dies" docs_survive survive
typed_end_all
psync-lab down
docs_end
