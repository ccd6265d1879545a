# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For the tests of the virtual machine, on the host: results in TAP, and a
# directory $tmp for what they need.

# shellcheck disable=SC2154 # vm, the directory, is the test's
# shellcheck disable=SC2034 # tmp and status are for the test

tmp=$(mktemp -d) || exit 1
tap_number=0
tap_failed=0

# tap_check WHAT COMMAND...: one test; it passes when the command succeeds
tap_check()
{
	tap_what=$1
	shift
	tap_number=$((tap_number + 1))
	if "$@"; then
		echo "ok $tap_number - $tap_what"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_number - $tap_what"
		tap_explain
	fi
}

# tap_run ARG...: call vm/run; sets status, and leaves the output in
# $tmp/out and $tmp/err
tap_run()
{
	status=0
	"$vm/run" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	ran="run $*"
}

tap_explain()
{
	echo "# $ran"
	echo "# status $status"
	sed 's/^/# out: /' "$tmp/out"
	sed 's/^/# err: /' "$tmp/err" | tail -n 40
}

tap_end()
{
	echo "1..$tap_number"
	echo "$((tap_number - tap_failed)) passed, $tap_failed failed"
	[ "$tap_failed" -eq 0 ]
}

tap_status()
{
	[ "$status" -eq "$1" ]
}

# tap_out TEXT: standard output is exactly this
tap_out()
{
	[ "$(cat "$tmp/out")" = "$1" ]
}

tap_err_says()
{
	grep -q -e "$1" "$tmp/err"
}

tap_out_says()
{
	grep -q -e "$1" "$tmp/out"
}

trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
: >"$tmp/out"
: >"$tmp/err"
