# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the scripts of the selftests, in the virtual machine: TAP, waiting,
# processes that hold something (see hold.c).

number=0
failed=0
tmp=$(mktemp -d) || exit 1
holders=
# shellcheck disable=SC2154 # rc is set there
trap 'rc=$?; hold_all_end; psync-lab down >/dev/null 2>&1
	rm -rf "$tmp"; exit $rc' EXIT

# scaled COUNT LEAST: a count that only makes a test longer, by PSYNC_SCALE
# (lib.h)
scaled()
{
	awk "BEGIN { n = int($1 * ${PSYNC_SCALE:-1}); print n < $2 ? $2 : n }"
}

# patience N: that many times longer where the kernel is PSYNC_SLOW (lib.h)
patience()
{
	echo $(($1 * ${PSYNC_SLOW:-1}))
}

# try WHAT COMMAND...: one test; it passes when the command succeeds
try()
{
	what=$1
	shift
	number=$((number + 1))
	begun=$(date +%s)
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $number - $what ($(($(date +%s) - begun)) s)"
	else
		failed=$((failed + 1))
		echo "not ok $number - $what"
		sed 's/^/# /' "$tmp/out"
	fi
}

# The last word: the plan, and whether all went well.
tests_end()
{
	echo "1..$number"
	[ $failed -eq 0 ] && [ $number -gt 0 ]
}

not()
{
	! "$@"
}

# says STATUS TEXT COMMAND...: it exits so and says that
says()
{
	want=$1 text=$2
	shift 2
	"$@" >"$tmp/said" 2>&1 </dev/null
	status=$?
	cat "$tmp/said"
	echo "exit $status"
	[ $status -eq "$want" ] && grep -qF -- "$text" "$tmp/said"
}

# await COMMAND...: until it succeeds, for 20 seconds, or more (patience)
await()
{
	left=$(patience 1000)
	until "$@" >/dev/null 2>&1; do
		if [ $((left -= 1)) -eq 0 ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		usleep 20000
	done
}

# hold NAME HOST ARG...: start the program in a host (- is here); it is ready
# when this returns, and ends with hold_end NAME
hold()
{
	name=$1 host=$2
	shift 2
	mkfifo "$tmp/$name.in"
	: >"$tmp/$name.said"
	if [ "$host" = - ]; then
		set -- /selftests/hold "$@"
	else
		set -- ip netns exec "$host" /selftests/hold "$@"
	fi
	"$@" <"$tmp/$name.in" >"$tmp/$name.said" 2>&1 &
	echo $! >"$tmp/$name.pid"
	# Its input ends when this process does.
	sleep 100000 >"$tmp/$name.in" &
	echo $! >"$tmp/$name.keeper"
	holders="$holders $name"
	await grep -q ready "$tmp/$name.said" || {
		cat "$tmp/$name.said"
		return 1
	}
}

# hold_end NAME: its input ends, and it does
hold_end()
{
	kill "$(cat "$tmp/$1.keeper")"
	wait "$(cat "$tmp/$1.pid")"
	status=$?
	holders=$(echo " $holders " | sed "s/ $1 / /")
	rm -f "$tmp/$1".*
	return $status
}

# Those that a failed test has left.
hold_all_end()
{
	for name in $holders; do
		kill "$(cat "$tmp/$name.keeper")" "$(cat "$tmp/$name.pid")"
		rm -f "$tmp/$name".*
	done 2>/dev/null
	holders=
}

# counter HOST NAME
counter()
{
	ip netns exec "$1" sed -n "s/^$2 *//p" /proc/net/psync_stat
}

# counts HOST NAME MORE_THAN
counts()
{
	[ "$(counter "$1" "$2")" -gt "$3" ]
}
