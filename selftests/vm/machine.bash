# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of selftests/vm/run: start the machines, follow them, judge how they
# ended. Every machine I has in $dir: console.I (the kernel's log), out.I and
# err.I (the command's output), verdict.I (see vm/init), qemu.I.
#
# Everything that leaves a machine goes to a plain file, because a pipe could
# be full, and then the guest would feel how fast the host reads.

# shellcheck disable=SC2154 # these globals are run's

# What the kernel says when it is in trouble, right after the time stamp.
machine_trouble='^(\[[ 0-9.]+\] )?(\[ *[TC][0-9]+\] )?('
machine_trouble+='WARNING: |BUG[: ]|=* *BUG |Oops|Kernel panic|kernel BUG at'
machine_trouble+='|general protection fault|divide error|invalid opcode'
machine_trouble+='|stack segment|int3: '
machine_trouble+='|watchdog: BUG|INFO: task .* blocked for more than'
machine_trouble+='|INFO: (possible|suspicious|lockdep|trying|rcu)'
machine_trouble+='|(rcu: )?INFO: .*(detected|self-detected).* stall'
machine_trouble+='|rcu: .*detected.*stall|KASAN: |UBSAN: |KCSAN: |KFENCE: '
machine_trouble+='|kmemleak: [1-9]|refcount_t: |list_(add|del) corruption'
machine_trouble+='|unregister_netdevice: waiting for|Bad page|bad: scheduling'
machine_trouble+='|Attempt to release|DEBUG_LOCKS_WARN_ON|ODEBUG: |Unable to handle'
machine_trouble+=')'

# machine_network I: set the array net to QEMU's arguments for eth0
machine_network()
{
	local i=$1 j model=$nic

	net=()
	((vms > 1)) || return 0
	[[ $model == e1000e ]] || model=virtio-net-pci
	if ((i > 1)); then
		net+=(-netdev "stream,id=eth0,server=off,addr.type=unix,addr.path=net.$i")
	else
		# The first machine is the hub to which the others connect.
		net+=(-netdev "hubport,id=eth0,hubid=0")
		for ((j = 2; j <= vms; j++)); do
			net+=(-netdev "stream,id=to$j,server=on,addr.type=unix,addr.path=net.$j"
			      -netdev "hubport,id=hub$j,hubid=0,netdev=to$j")
		done
	fi
	net+=(-device "$model,netdev=eth0,mac=52:54:00:00:00:0$i,romfile=")
}

# Build what makes --icount exact, unless it is there.
machine_lockstep()
{
	local so=$top/build/vm/cache/lockstep.so

	if [[ ! $so -nt $vm_src/lockstep.c ]]; then
		cc -O2 -Wall -shared -fPIC -o "$dir/lockstep.so" \
			"$vm_src/lockstep.c" || vm_fail "cannot build lockstep.so"
		mv "$dir/lockstep.so" "$so"
	fi
	# a name without blanks or colons, whatever the path is
	ln -s "$so" "$dir/lockstep.so"
}

# machine_start I: boot machine I; called with $dir as the working directory,
# so that the paths of sockets stay short
machine_start()
{
	local i=$1 net=() port nr=0 append preload=
	local -a qemu

	# Without ioeventfd what the guest writes has arrived when its
	# instruction ends, and not at the main loop's leisure.
	append="console=ttyS0 loglevel=5 panic=-1 oops=panic edd=off nokaslr"
	append+=" mitigations=off cryptomgr.notests no_timer_check"
	append+=" random.trust_cpu=on rcupdate.rcu_cpu_stall_timeout=60"
	qemu=(-nodefaults -no-user-config -display none -no-reboot
	      -machine q35 -m "$mem" -smp "$cpus" -kernel "$VMLINUZ" -initrd initrd
	      -chardev "file,id=console,path=console.$i" -serial chardev:console
	      -device "virtio-serial-pci,max_ports=4,ioeventfd=off")
	for port in out err verdict; do
		qemu+=(-chardev "file,id=$port,path=$port.$i"
		       -device "virtserialport,nr=$((++nr)),chardev=$port")
		: >"$port.$i"
	done
	if [[ $icount == yes ]]; then
		# Calibrating the local APIC's timer would take seconds, as
		# would an ERMS copy count as one instruction.
		append+=" nolapic_timer tsc=reliable"
		preload=./lockstep.so
		qemu+=(-accel tcg -cpu "max,-erms,-fsrm"
		       -icount "shift=0,sleep=off" -seed "${seed:-1}"
		       -rtc "base=2026-01-01,clock=vm")
	else
		append+=" VM_WATCH=$timeout"
		qemu+=(-accel tcg -cpu max)
	fi
	append+=" VM_INDEX=$i VM_COUNT=$vms ${kernel_args[*]}"
	machine_network "$i"

	: >"console.$i"
	# The death of this script, however violent, is QEMU's too. The alive
	# pipe stays open for as long as a QEMU lives.
	setpriv --pdeathsig KILL env LD_PRELOAD=$preload qemu-system-x86_64 \
		"${qemu[@]}" "${net[@]}" -append "$append" \
		</dev/null >"qemu.$i" 2>&1 &
	pids+=($!)
}

machine_start_all()
{
	local i j alive_write

	[[ $icount == no ]] || machine_lockstep
	cd "$dir" || exit 126
	mkfifo alive
	exec {alive_write}<>alive
	exec {alive}<alive
	for ((i = 1; i <= vms; i++)); do
		machine_start "$i"
		((i == 1)) || continue
		for ((j = 2; j <= vms; j++)); do
			until [[ -S net.$j ]]; do
				kill -0 "${pids[0]}" 2>/dev/null ||
					vm_fail "QEMU failed: $(tail -n 5 qemu.1)"
				sleep 0.02
			done
		done
	done
	exec {alive_write}>&-
}

# Pass on what the commands have written since the last call.
machine_pass()
{
	local i

	for ((i = 1; i <= vms; i++)); do
		cat <&"${out_fd[i]}" >&"${out_to[i]}"
		cat <&"${err_fd[i]}" >&"${err_to[i]}"
	done
}

# Succeeds when there is nothing more to wait for.
machine_ended()
{
	local i verdicts=0

	for ((i = 1; i <= vms; i++)); do
		if [[ -s verdict.$i ]]; then
			verdicts=$((verdicts + 1))
		elif ! kill -0 "${pids[i - 1]}" 2>/dev/null; then
			return 0 # died without a verdict: the rest is moot
		fi
	done
	# A single machine ends by itself; several stay, each being part of
	# the others' network, until all have given their verdict.
	((vms > 1 && verdicts == vms))
}

# Pass the output on until the machines have ended or time is over; sets
# timed_out.
machine_follow()
{
	local i fd end=$((SECONDS + timeout)) rc filters=()
	local -a out_fd out_to err_fd err_to

	timed_out=no
	for ((i = 1; i <= vms; i++)); do
		exec {fd}<"out.$i"
		out_fd[i]=$fd out_to[i]=1
		exec {fd}<"err.$i"
		err_fd[i]=$fd err_to[i]=2
		((vms > 1)) || continue
		exec {fd}> >(sed -u "s/^/vm$i: /")
		out_to[i]=$fd filters+=($!)
		exec {fd}> >(sed -u "s/^/vm$i: /" >&2)
		err_to[i]=$fd filters+=($!)
	done
	while :; do
		rc=0
		read -r -t 0.1 -u "$alive" || rc=$?
		machine_pass
		# Not a time-out of read: the last QEMU has closed the pipe.
		((rc > 128)) || break
		machine_ended && break
		if ((SECONDS >= end)); then
			timed_out=yes
			break
		fi
	done
	kill -KILL "${pids[@]}" 2>/dev/null || :
	wait "${pids[@]}" 2>/dev/null || :
	pids=()
	machine_pass
	((vms > 1)) || return 0
	for fd in "${out_to[@]}" "${err_to[@]}"; do
		exec {fd}>&-
	done
	wait "${filters[@]}" || :
}

# machine_show I: the part of the console log that tells most
machine_show()
{
	local first lines

	lines=$(wc -l <"console.$1")
	first=$(grep -a -n -m 1 -E "$machine_trouble" "console.$1" |
		cut -d : -f 1) || first=
	first=${first:-$((lines - 100))}
	first=$((first > 10 ? first - 10 : 1))
	echo "---- console of machine $1, from line $first of $lines" >&2
	tail -n "+$first" "console.$1" | head -n 250 | tr -d '\r' >&2
	echo "---- end" >&2
	cat "qemu.$1" >&2
}

# machine_verdict I: set status to that of machine I, and why to the reason
# when it is not the command's own
machine_verdict()
{
	local i=$1 word='' value='' taint=''

	why=
	read -r word value taint <"verdict.$i" || :
	if grep -a -q -E "$machine_trouble" "console.$i"; then
		status=125 why="kernel trouble"
	elif [[ $taint ]] && ((taint & 0x42b0)); then
		# page, oops, warn, lockup: bits 5, 7, 9, 14 (and 4, machine check)
		status=125 why="the kernel is tainted ($taint)"
	elif [[ $word == again ]]; then
		status=125 why="the kernel is tainted ($value) from the start"
	elif [[ $word == exit ]]; then
		status=$value
	elif [[ $word == setup ]]; then
		status=126 why="setup failed: $value $taint"
	elif [[ $timed_out == yes ]]; then
		status=124 why="still running after $timeout seconds"
	else
		status=125 why="ended without a verdict"
	fi
}

# The only machine's kernel was in trouble before anything was run: once more
machine_again()
{
	local kept=$top/build/vm/failed/${dir##*.}

	mkdir -p "${kept%/*}"
	cp console.1 "$kept.vm1.log"
	echo "run: machine 1: kernel trouble before anything was run: booted again" >&2
	echo "run: console log: $kept.vm1.log" >&2
	cd "$begun_in" || exit 126
	vm_cleanup
	VM_BOOTS=$((${VM_BOOTS:-1} + 1)) exec "$vm_src/run" "${args[@]}"
}

# Print what is to be said about the machines and exit with their status.
machine_judge()
{
	local i status why final=0 kept=$top/build/vm/failed/${dir##*.}

	if ((vms == 1 && ${VM_BOOTS:-1} < 3)) && grep -q '^again ' verdict.1; then
		machine_again
	fi
	for ((i = 1; i <= vms; i++)); do
		machine_verdict "$i"
		((status == 0)) && continue
		# Trouble outweighs what the command made of it.
		if ((final == 0)) || [[ $why && $status == 125 ]]; then
			final=$status
		fi
		if [[ $why ]]; then
			echo "run: machine $i: $why" >&2
			machine_show "$i"
		fi
	done
	if ((final)); then
		mkdir -p "${kept%/*}"
		for ((i = 1; i <= vms; i++)); do
			cp "console.$i" "$kept.vm$i.log"
			echo "run: console log: $kept.vm$i.log" >&2
		done
		# A hundred logs are enough.
		# shellcheck disable=SC2012 # mktemp's names are plain
		(cd "${kept%/*}" && ls -t | tail -n +101 | xargs -r rm -f)
	fi
	exit "$final"
}
