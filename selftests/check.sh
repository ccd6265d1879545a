#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the selftests in the virtual machine, on the host: on one CPU, and on two
# CPUs, where races show, those that race. Needs the module and the tools built.
# Ends with "N passed, N failed".
#
# usage: selftests/check.sh [--kernel NAME]

cd "$(dirname "$0")/.." || exit 1
log=build/selftests.log
passed=0
failed=0

# run CPUS SCENARIO...: adds to the sums
run()
{
	cpus=$1
	shift
	echo "# on $cpus CPU: $*"
	# shellcheck disable=SC2086 # words
	selftests/vm/run $kernel --cpus "$cpus" --timeout 900 \
		-- /selftests/run.sh "$@" >$log 2>&1
	status=$?
	cat $log
	line=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' $log |
		tail -n 1)
	# Without a verdict nothing was proved.
	[ -n "$line" ] || line="0 1"
	[ $status -eq 0 ] || [ "${line#* }" -gt 0 ] || line="${line% *} 1"
	passed=$((passed + ${line% *}))
	failed=$((failed + ${line#* }))
}

kernel=$*
run 1 config eth udp4 udp6 two eight reorder repair loss mesh json cli
run 2 eth udp6 eight reorder repair life
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
