#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Test selftests/vm/run itself, on the host.
#
# shellcheck disable=SC2016 # much is expanded in the machine only

vm=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tap.sh
. "$vm/tap.sh"

not()
{
	! "$@"
}

# What goes in and what comes out.
tap_run -- sh -c 'echo out; echo err >&2; printf "[%s]\n" "$@"; exit 7' \
	sh "it's" 'a "b"  c' '' '$HOME *' 'two
lines'
tap_check "the exit status comes out" tap_status 7
tap_check "arguments and output stay as they are" tap_out "out
[it's]
[a \"b\"  c]
[]
[\$HOME *]
[two
lines]"
tap_check "standard error comes out, apart" tap_err_says '^err$'

tap_run -- /no/such/command
tap_check "a missing command gives 127" tap_status 127
tap_run -- sh -c 'kill -9 $$'
tap_check "death by signal 9 gives 137" tap_status 137

tap_run -- sh -c 'head -c 3000000 /dev/zero | tr "\0" x; echo; sleep 1000 &'
tap_check "a process left behind does not hold up the end" tap_status 0
tap_check "3 MB of output arrive" [ "$(wc -c <"$tmp/out")" -eq 3000001 ]

mkdir "$tmp/d"
echo inside >"$tmp/d/f"
tap_run --file "$tmp/d:/etc/put" --file "$tmp/d/f:/usr/share/" --cpus 2 \
	--mem 300 -- sh -c 'cat /etc/put/f /usr/share/f && nproc &&
		awk "/MemTotal/ { print (\$2 < 300000) }" /proc/meminfo &&
		ip -o link show lo | grep -c LOWER_UP &&
		for t in tc bridge tcpdump psync-lab; do
			command -v $t >/dev/null || echo no $t
		done
		mount | grep -c "on /dev/shm \|on /sys/kernel/debug "'
tap_check "--file, --cpus, --mem, lo, the tools" tap_out "inside
inside
2
1
1
2"

# Trouble.
tap_run --kernel-arg sysctl.kernel.tainted=32 -- echo never
tap_check "trouble from the start: nothing is run" tap_status 125
tap_check "it is booted again, twice" [ "$(grep -c 'booted again$' \
	"$tmp/err")" -eq 2 ]
tap_check "and nothing comes out" tap_out ""
tap_run --vms 2 --kernel-arg sysctl.kernel.tainted=32 -- echo never
tap_check "of two machines none is booted again" tap_status 125
tap_check "..." not tap_err_says 'booted again'
tap_run -- sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2" \
	>/dev/kmsg; echo after'
tap_check "a kernel warning is a failure" tap_status 125
tap_check "... its log is shown" tap_err_says 'WARNING: CPU: 0 PID: 1'
tap_check "... the command went on" tap_out after
# The shell and the one that passes it on have written so much when it is out.
tap_run -- sh -c 'echo before
	until [ "$(grep -ls "^wchar: 7$" /proc/[0-9]*/io | wc -l)" -ge 2 ]; do :; done
	echo c >/proc/sysrq-trigger; sleep 100'
tap_check "a crash is a failure" tap_status 125
tap_check "... its log is shown" tap_err_says 'sysrq_handle_crash'
tap_check "... output until then came out" tap_out before
tap_run --timeout 20 -- sh -c 'echo before; sleep 1000'
tap_check "a hang ends with the time" tap_status 124
tap_check "... its log tells who blocks" tap_err_says 'Show Blocked State'
tap_run -- sh -c 'echo says: WARNING: CPU: BUG: Oops >/dev/kmsg'
tap_check "an innocent message is no trouble" tap_status 0

# Usage.
for args in "--icount --cpus 2" "--icount --vms 2" "--seed 3" "--nic e1000e" \
	    "--vms 2 --nic ne2000" "--vms 2 --nic e1000e" "--vms 9" "--cpus 0" \
	    "--mem x" "--timeout" "--kernel none" "--file /x" \
	    "--file /no/such:/x" "--bogus"; do
	# shellcheck disable=SC2086 # words
	tap_run $args -- true
	tap_check "refused: $args" tap_status 126
done
tap_run
tap_check "refused: no command" tap_status 126
tap_run --help
tap_check "--help helps" tap_out_says '^usage: '

# Repetition. The script has all that could differ: time, the random pool,
# netem's losses, several processes.
cat >"$tmp/chance" <<'END'
for i in 1 2 3; do
	ip netns add n$i
	ip link add v$i type veth peer name eth0 netns n$i
	ip -n n$i addr add 10.0.$i.2/24 dev eth0
	ip -n n$i link set eth0 up
	ip addr add 10.0.$i.1/24 dev v$i
	ip link set v$i up
	tc qdisc add dev v$i root netem loss 10% delay 3ms 1ms
	tc -n n$i qdisc add dev eth0 root netem loss 10%
	ping -c 40 -i 0.01 -W 1 10.0.$i.2 &
done
wait
sleep 3600
cat /proc/uptime
od -A n -t x1 -N 16 /dev/urandom
tc -s qdisc
END
tap_run --icount --seed 5 --file "$tmp/chance:/chance" -- sh /chance
tap_check "--icount runs, an hour of sleep included" tap_status 0
cp "$tmp/out" "$tmp/first"
tap_run --icount --seed 5 --file "$tmp/chance:/chance" -- sh /chance
tap_check "--icount repeats bit for bit" cmp "$tmp/first" "$tmp/out"
tap_check "... and something was lost" tap_out_says 'dropped [1-9]'
tap_run --icount --seed 6 --file "$tmp/chance:/chance" -- sh /chance
tap_check "--icount with another seed differs" \
	not cmp -s "$tmp/first" "$tmp/out"

# Several machines. Each waits for the other, so that both are there at once.
cat >"$tmp/pair" <<'END'
ip addr add 10.9.0.$VM_INDEX/24 dev eth0
for other in $(seq $VM_COUNT); do
	tries=0
	until ping -c 1 -W 1 10.9.0.$other >/dev/null; do
		[ $((tries += 1)) -lt 60 ] || exit 9
	done
	echo "heard $other of $VM_COUNT"
done
[ $VM_INDEX = 1 ] || exit 5
END
tap_run --vms 2 --file "$tmp/pair:/pair" -- sh /pair
tap_check "of two machines the first status that is not 0" tap_status 5
sort "$tmp/out" >"$tmp/sorted"
cp "$tmp/sorted" "$tmp/out"
tap_check "two machines hear each other" tap_out "vm1: heard 1 of 2
vm1: heard 2 of 2
vm2: heard 1 of 2
vm2: heard 2 of 2"
tap_run --vms 3 --file "$tmp/pair:/pair" -- sh /pair
tap_check "three machines" tap_status 5
tap_check "... hear each other" [ "$(grep -c heard "$tmp/out")" -eq 9 ]
tap_run --vms 2 --kernel stock-6.1-full --nic e1000e \
	--file "$tmp/pair:/pair" -- sh -c 'sh /pair; rc=$?
	readlink /sys/class/net/eth0/device/driver; exit $rc'
tap_check "two machines with e1000e" tap_status 5
tap_check "... have it" [ "$(grep -c 'drivers/e1000e$' "$tmp/out")" -eq 2 ]
tap_check "... hear each other" [ "$(grep -c heard "$tmp/out")" -eq 4 ]

# Two at once.
"$vm/run" -- sh -c 'sleep 2; echo a; exit 3' >"$tmp/a" 2>/dev/null &
pid=$!
tap_run -- sh -c 'sleep 1; echo b; exit 4'
tap_check "one of two at once" tap_status 4
tap_check "... has its own output" tap_out b
status=0
wait $pid || status=$?
tap_check "the other" tap_status 3
tap_check "... has its own output" [ "$(cat "$tmp/a")" = a ]

# The module, in whichever state the tree is.
krel=$("$vm/kernel" stock-6.1 | sed -n 's/^KREL=//p')
if [ -e "$vm/../../build/module/$krel/psync.ko" ]; then
	tap_run -- sh -c 'grep -c ^psync /proc/modules; modprobe psync &&
		grep -c "^psync " /proc/modules'
	tap_check "the module is there, not loaded" tap_out "0
1"
	tap_run --load -- grep -q '^psync ' /proc/modules
	tap_check "--load loads it" tap_status 0
else
	tap_run --load -- true
	tap_check "--load without a module is refused" tap_status 126
fi

tap_end
