#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the selftests, in the virtual machine, without the module loaded: labs of
# each kind, in each the programs, and after each the module is unloaded and
# nothing may be left of it. Where the kernel looks for leaks, locks taken in
# the wrong order and the like, what it has found is looked at last. Prints TAP,
# how long each took, and at the very end "N passed, N failed".
#
# From the environment: PSYNC_SCALE and PSYNC_SLOW (lib.h).
#
# usage: run.sh SCENARIO...     (see scenario below)

total=0
bad=0
log=/tmp/run.log

# result ok|not WHAT [TIME]: one line of TAP
result()
{
	total=$((total + 1))
	if [ "$1" = ok ]; then
		echo "ok $total - $2"
	else
		bad=$((bad + 1))
		echo "not ok $total - $2"
	fi
}

# adopt NAME STATUS: the results in $log are ours, under that name
adopt()
{
	said=0 was_bad=$bad
	plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' $log | head -n 1)
	while IFS= read -r line; do
		case $line in
		'ok '[0-9]*)
			result ok "$1: ${line#ok * - }"
			said=$((said + 1))
			;;
		'not ok '[0-9]*)
			result not "$1: ${line#not ok * - }"
			said=$((said + 1))
			;;
		1..* | '# ok'* | '# not ok'* | '' | *' passed, '*' failed') ;;
		'# '*) echo "$line" ;;
		*) echo "# $line" ;;
		esac
	done <$log
	# A program that dies has not run all its tests; one that says nothing
	# has run none.
	if [ "$said" -ne "${plan:-0}" ] || [ "$said" -eq 0 ]; then
		result not "$1: $said of ${plan:-0} tests ended (status $2)"
	elif [ "$2" -ne 0 ] && [ $bad -eq $was_bad ]; then
		result not "$1: exit status $2"
	fi
}

# run_one NAME COMMAND...: a program or script that prints TAP
run_one()
{
	name=$1
	shift
	begun=$(date +%s)
	"$@" >$log 2>&1 </dev/null
	adopt "$name" $?
	echo "# $name: $(($(date +%s) - begun)) s"
}

# What the kernel has said of psync that it should not have.
complaints()
{
	# failslab.sh makes the second sort.
	dmesg | grep -E 'psync_(conv|participant)|psync.*(BUG|leak|remaining)|refcount_t|unregister_netdevice: waiting|Objects remaining|still has objects' |
		grep -vE '__kmem_cache_create_args\(|SLUB: Unable to add cache|kobject_add_internal failed|debugfs: out of free dentries| psync_conv_init\+'
}

# nothing_left NAME: no socket, no reference; the module goes, and its caches
# with it, which the kernel would complain of if they were not empty
nothing_left()
{
	left=$((500 * ${PSYNC_SLOW:-1}))
	until [ "$(cat /sys/module/psync/refcnt)" -eq 0 ] ||
	      [ $((left -= 1)) -eq 0 ]; do
		usleep 10000
	done
	awk '$1 == "PSYNC" && $3 != 0 { exit 1 }' /proc/net/protocols
	sockets=$?
	complaints >$log
	if [ $left -gt 0 ] && [ $sockets -eq 0 ] && rmmod psync &&
	   [ ! -e /sys/module/psync ] &&
	   ! grep -q '^psync_' /proc/slabinfo && ! complaints >>$log; then
		result ok "$1: nothing is left"
	else
		result not "$1: nothing is left"
		sed 's/^/# /' $log
		grep '^psync_' /proc/slabinfo | sed 's/^/# /'
	fi
}

# lab LINK HOSTS "OPTIONS" PROGRAM...: the programs one after the other, in one
# lab; a program's arguments are joined to it with commas
lab()
{
	LAB_LINK=$1 LAB_HOSTS=$2 options=$3
	export LAB_LINK LAB_HOSTS
	where="$LAB_LINK, $LAB_HOSTS hosts${options:+, $options}"
	shift 3
	modprobe psync || exit
	# shellcheck disable=SC2086 # words
	if ! psync-lab up "$LAB_HOSTS" --link "$LAB_LINK" $options; then
		result not "$where: lab"
		rmmod psync
		return
	fi
	for program; do
		# shellcheck disable=SC2046 # words
		run_one "$where: $program" \
			/selftests/$(echo "$program" | tr , ' ')
	done
	psync-lab down
	nothing_left "$where"
}

# script NAME ARG...: one that makes its own labs
script()
{
	modprobe psync || exit
	name=$1
	shift
	run_one "$name $*" "/selftests/$name" "$@"
	nothing_left "$name $*"
}

# histories LINK SEED: over a network that nothing gets through unhurt
histories()
{
	lab "$1" 3 '--loss 3 --delay 1 --reorder 10 --dup 3 --corrupt 2' \
		"history_test,none,$2" "history_test,kill,$2" \
		"history_test,stop,$2" "history_test,link,$2" \
		"history_test,flap,$2" "history_test,deaf,$2" \
		"history_test,bursts,$2" "history_test,rmmod,$2" \
		"history_test,netns,$2"
}

# Those that run on several links run on one when it is named: flow-udp4.
scenario()
{
	what=$1 links=
	case $1 in
	*-eth | *-udp4 | *-udp6)
		what=${1%-*} links=${1##*-}
		;;
	esac
	case $what in
	eth | udp4 | udp6)
		lab "$1" 3 '' input_test sockets_test message_test option_test \
			conv_test graph_test dgram_test
		;;
	charge)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 3 '' charge_test
		done
		;;
	config)
		lab eth 1 '' config_test
		;;
	two)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 2 '' conv_test,short
		done
		;;
	eight)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 8 '' conv_test,short
		done
		;;
	reorder)
		LAB_REORDERS=yes
		export LAB_REORDERS
		# What is held back by less than the time from one message to
		# the next is not overtaken.
		overtaken=$((5 * ${PSYNC_SLOW:-1}))
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 3 "--delay $overtaken --reorder 30" \
				conv_test,workload conv_test,workload,2
		done
		lab eth 8 "--delay $overtaken --reorder 30" conv_test,workload
		unset LAB_REORDERS
		;;
	flow)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 3 '' flow_test
		done
		;;
	repair)
		for link in ${links:-eth udp6}; do
			lab "$link" 3 '' repair_test
		done
		;;
	mask)
		for link in ${links:-eth udp4}; do
			lab "$link" 4 '' mask_test
		done
		;;
	libpsync)
		for link in ${links:-eth udp6}; do
			lab "$link" 3 '' libpsync_test
		done
		;;
	cut)
		seed=0
		for link in ${links:-eth udp4}; do
			lab "$link" 4 '' cut_test,$((seed += 1))
			lab "$link" 4 '--loss 3 --delay 1' \
				cut_test,$((seed += 1))
		done
		;;
	cut-long)
		for link in eth udp4 udp6; do
			lab $link 4 '' cut_test,5,40
			lab $link 4 '--loss 3 --delay 1 --reorder 10' \
				cut_test,6,40
			lab $link 4 '--loss 20' cut_test,7,40
		done
		;;
	large)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 3 '' large_test
		done
		;;
	path)
		for link in ${links:-udp4 udp6}; do
			lab "$link" 3 '' path_test
		done
		;;
	restart)
		for link in ${links:-eth udp4}; do
			lab "$link" 3 '' restart_test
		done
		;;
	loss)
		for loss in 1 3 20; do
			lab eth 3 "--loss $loss" conv_test,workload,$loss \
				conv_test,nulls,$loss
		done
		lab udp4 8 '--loss 5 --delay 2 --reorder 20 --dup 5' \
			conv_test,workload conv_test,nulls
		;;
	memory)
		lab eth 3 '--loss 1' memory_test,20000
		;;
	memory-long)
		lab eth 3 '--loss 1' memory_test,1000000
		;;
	histories)
		histories eth 1
		;;
	histories-udp)
		histories udp4 2
		histories udp6 3
		;;
	mesh)
		lab eth 3 '--topology mesh' conv_test,workload
		lab udp6 3 '--topology mesh' conv_test,workload
		;;
	json)
		script json.sh
		;;
	cli)
		script cli.sh eth
		;;
	cli-udp)
		script cli.sh udp4
		script cli.sh udp6
		;;
	life)
		run_one life.sh /selftests/life.sh
		;;
	failslab)
		for link in ${links:-eth udp4 udp6}; do
			lab "$link" 2 '' failslab_test
		done
		lab eth 2 '' failslab_conv_test
		# shellcheck disable=SC2086 # words
		run_one failslab.sh /selftests/failslab.sh \
			${links:-eth udp4 udp6}
		;;
	peers)
		script peers.sh eth
		;;
	peers-long)
		script peers.sh eth 5
		script peers.sh udp4 5
		;;
	soak)
		LAB_REORDERS=yes
		export LAB_REORDERS
		for seed in 3 4 5 6 7 8 9 10; do
			for link in eth udp4 udp6; do
				lab $link 8 '--delay 3 --reorder 40' \
					conv_test,workload,$seed \
					conv_test,workload,1$seed \
					conv_test,workload,2$seed
			done
		done
		unset LAB_REORDERS
		;;
	*)
		echo "run.sh: no scenario '$1'" >&2
		exit 2
		;;
	esac
}

# verdict WHAT COMMAND...: one of the last tests
verdict()
{
	what=$1
	shift
	if "$@" >$log 2>&1; then
		result ok "$what"
	else
		result not "$what"
		head -n 200 $log | sed 's/^/# /'
	fi
}

leaks=/sys/kernel/debug/kmemleak

# A leak is what two scans have found unreferenced and unchanged, and older
# than five seconds. With the module gone nothing can still refer to it.
no_leaks()
{
	sleep 6
	echo scan >$leaks && sleep 6 && echo scan >$leaks || return
	cat $leaks
	[ ! -s $log ]
}

# What debugobjects and lockdep have found is in the log, too; but then lockdep
# no longer looks, and nothing that it was silent about later is proved.
objects_right()
{
	sed -n 's/^warnings *: *//p' /sys/kernel/debug/debug_objects/stats
	[ "$(cat $log)" = "$objects" ]
}

locks_right()
{
	grep -E '^ *(debug_locks|lock-classes|direct dependencies|dependency chains|stack-trace entries)' \
		/proc/lockdep_stats
	grep -qE '^ *debug_locks: *1$' $log
}

# bits 5, 7, 9, 14: page, oops, warning, lockup
untainted()
{
	cat /proc/sys/kernel/tainted
	[ $(($(cat $log) & 0x42a0)) -eq 0 ]
}

no_trouble()
{
	dmesg | grep -E 'WARNING: |BUG: |KASAN|UBSAN|ODEBUG|INFO: |refcount_t|kmemleak: [1-9]|Objects remaining|blocked for more than'
	[ ! -s $log ]
}

if [ -e $leaks ]; then
	echo clear >$leaks
	objects=$(sed -n 's/^warnings *: *//p' \
		/sys/kernel/debug/debug_objects/stats)
fi
for which; do
	scenario "$which"
done
if [ -e $leaks ]; then
	verdict "the debug kernel found no leak" no_leaks
	verdict "... no object used wrongly" objects_right
	verdict "... no lock taken wrongly" locks_right
	verdict "... nothing to say" no_trouble
	verdict "... and is not tainted by warnings" untainted
fi
echo "1..$total"
# The last check before the verdict.
if complaints >$log; then
	bad=$((bad + 1))
	sed 's/^/# /' $log
fi
echo "$((total - bad)) passed, $bad failed"
[ $bad -eq 0 ] && [ $total -gt 0 ]
