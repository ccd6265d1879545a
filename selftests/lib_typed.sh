# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the scripts of the selftests, in the virtual machine: programs that are typed
# into and watched, on hosts that may die. What they print is in $dir, which the
# script sets.

# until_true COMMAND...: wait for it, at most 30 seconds, or more (lib.h)
until_true()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt $((300 * ${PSYNC_SLOW:-1})) ] || return 1
		sleep 0.1
	done
}

# typed_open NAME HOST COMMAND...: start it there; it ends with typed_end NAME
typed_open()
{
	name=$1 host=$2
	shift 2
	# shellcheck disable=SC2154 # the script sets it
	rm -f "$dir/$name.in"
	mkfifo "$dir/$name.in"
	# What an earlier one said is not its.
	: >"$dir/$name.out"
	: >"$dir/$name.err"
	ip netns exec "$host" "$@" <"$dir/$name.in" >"$dir/$name.out" \
		2>"$dir/$name.err" &
	echo $! >"$dir/$name.pid"
	# Its input ends when this process does.
	sleep 100000 >"$dir/$name.in" &
	echo $! >"$dir/$name.keeper"
}

# typed_line NAME LINE...: waits for it to open its input, if it has not died
typed_line()
{
	name=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's
	timeout $((30 * ${PSYNC_SLOW:-1})) sh -c 'printf "%s\n" "$@" >"$0"' \
		"$dir/$name.in" "$@"
}

# typed_told out|err TEXT NAME...: they say so, at last
typed_told()
{
	where=$1 text=$2
	shift 2
	for name; do
		until_true grep -qF -- "$text" "$dir/$name.$where" || {
			typed_show "not told at $name: $text"
			return 1
		}
	done
}

# typed_show WORD...: and what all of them have said
typed_show()
{
	echo "$*"
	for said in "$dir"/*.pid; do
		name=$(basename "$said" .pid)
		sed "s/^/$name: /" "$dir/$name.out" "$dir/$name.err"
	done 2>&1
}

# typed_kill NAME: without a chance to say anything
typed_kill()
{
	kill -9 "$(cat "$dir/$1.pid")" "$(cat "$dir/$1.keeper")"
	rm "$dir/$1.keeper"
}

# typed_end STATUS NAME...: their input ends, and they exit so
typed_end()
{
	want=$1
	shift
	for name; do
		kill "$(cat "$dir/$name.keeper")"
		rm "$dir/$name.keeper"
	done
	for name; do
		wait "$(cat "$dir/$name.pid")"
		status=$?
		[ $status -eq "$want" ] || {
			typed_show "$name exits $status"
			return 1
		}
	done
}

# Those that a failed test has left.
typed_end_all()
{
	cat "$dir"/*.keeper 2>/dev/null | xargs -r kill 2>/dev/null
}

# host_cut N: all packets to and from host N of a lab are lost
host_cut()
{
	tc qdisc replace dev "veth$1" root netem loss 100% &&
		ip netns exec "h$1" tc qdisc replace dev eth0 root netem \
			loss 100%
}

# host_mend N: and they go again
host_mend()
{
	tc qdisc del dev "veth$1" root &&
		ip netns exec "h$1" tc qdisc del dev eth0 root
}
