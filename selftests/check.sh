#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the selftests in the virtual machine, on the host: on one CPU, and on two
# CPUs, where races show, those that race. Needs the module and the tools built.
# Ends with "N passed, N failed".
#
# usage: selftests/check.sh [--kernel NAME]
#        selftests/check.sh --debug
#
# --debug: every one once under the debug kernel, on two CPUs, with what only
# that kernel can do. Counts are multiplied by PSYNC_SCALE from the environment
# (1 by default), see lib.h; with less than 1, what runs on several links runs on
# one, each of them in its turn.

cd "$(dirname "$0")/.." || exit 1
log=build/selftests.log
passed=0
failed=0

# machine LOG CPUS SCENARIO...: one run, whose status is the log's last line
machine()
{
	out=$1
	cpus=$2
	shift 2
	echo "# on $cpus CPU: $*" >"$out"
	# shellcheck disable=SC2086 # words
	selftests/vm/run $kernel --cpus "$cpus" --timeout $limit \
		-- $environment /selftests/run.sh "$@" >>"$out" 2>&1
	echo "# status $?" >>"$out"
}

# collect LOG: shows it and adds to the sums
collect()
{
	cat "$1"
	status=$(sed -n 's/^# status //p' "$1" | tail -n 1)
	line=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$1" |
		tail -n 1)
	# Without a verdict nothing was proved.
	[ -n "$line" ] || line="0 1"
	[ "$status" = 0 ] || [ "${line#* }" -gt 0 ] || line="${line% *} 1"
	passed=$((passed + ${line% *}))
	failed=$((failed + ${line#* }))
}

if [ "${1-}" = --debug ]; then
	log=build/selftests-debug.log
	kernel='--kernel debug'
	limit=3600
	environment="env PSYNC_SCALE=${PSYNC_SCALE:-1} PSYNC_SLOW=8"
	echo "${PSYNC_SCALE:-1}" | grep -qE '^[0-9]+([.][0-9]+)?$' || {
		echo "check.sh: PSYNC_SCALE is a number, not '$PSYNC_SCALE'" >&2
		exit 2
	}
	# Two at a time: what one of them waits for leaves the other room.
	case ${PSYNC_SCALE:-1} in
	0 | 0.*)
		machine $log.1 2 config eth udp4 udp6 charge-eth two-udp4 \
			eight-udp6 reorder-udp4 loss mesh memory failslab-udp6 &
		machine $log.2 2 repair-udp6 mask-eth cut-udp4 flow-udp6 \
			large-eth path-udp4 restart-udp4 libpsync-eth \
			histories json cli life &
		;;
	*)
		machine $log.1 2 config eth udp4 udp6 charge two eight reorder \
			loss mesh memory failslab &
		machine $log.2 2 repair mask cut flow large path restart \
			libpsync histories json cli life &
		;;
	esac
	wait
	collect $log.1
	collect $log.2
else
	kernel=$*
	limit=900
	environment=
	# All at a time: most of them wait for time to pass, most of the time.
	machine $log.1 1 config eth udp4 udp6 charge two eight reorder loss \
		mesh &
	machine $log.2 1 repair mask cut flow large path restart \
		libpsync memory json cli &
	machine $log.3 2 eth charge-eth eight repair mask restart histories \
		life &
	wait
	collect $log.1
	collect $log.2
	collect $log.3
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
