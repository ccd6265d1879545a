#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line against the module: every noun and verb, refusals and their
# reasons, dumps while the configuration changes, events, conversations between
# three hosts. In the virtual machine, with psync.ko loaded. TAP.
#
# usage: cli.sh [eth|udp4|udp6]

# shellcheck disable=SC2317 # the functions are called by cli_try

. /selftests/lib_typed.sh

link=${1:-eth}
slow=${PSYNC_SLOW:-1}
number=0
failed=0
dir=/tmp/cli
mkdir -p $dir
trap 'typed_end_all
	psync-lab down >/dev/null 2>&1' EXIT

# on HOST COMMAND...
on()
{
	psync-lab on "$@"
}

# cli_try WHAT COMMAND...: one test
cli_try()
{
	what=$1
	shift
	number=$((number + 1))
	if "$@" >$dir/out 2>&1; then
		echo "ok $number - $what"
	else
		failed=$((failed + 1))
		echo "not ok $number - $what"
		sed 's/^/# /' $dir/out
	fi
}

# says STATUS TEXT COMMAND...: it exits so and says that (or nothing)
says()
{
	want=$1 text=$2
	shift 2
	"$@" >$dir/said 2>&1 </dev/null
	status=$?
	cat $dir/said
	echo "exit $status"
	[ $status -eq "$want" ] || return 1
	if [ -n "$text" ]; then
		grep -qF -- "$text" $dir/said
	else
		[ ! -s $dir/said ]
	fi
}

# run STATUS TEXT HOST ARG...: psync ARG... on HOST exits so and says that
run()
{
	want=$1 text=$2 host=$3
	shift 3
	cli_try "$host: psync $* exits $want: ${text:-nothing}" \
		says "$want" "$text" on "$host" psync "$@"
}

cli_refusals()
{
	run 1 'a peer has this site id' h1 site set 2
	run 1 'no such group' h1 group set 9 name x
	run 1 'no group "none"' h1 group del none
	run 1 'no link "l9" (links: l0)' h1 peer add 9 link l9 addr 192.0.2.9
	run 1 'no link "l9" (links: l0)' h1 link del l9
	run 1 'no link "l9" (links: l0)' h1 link set l9 dev eth0
	if [ "$link" = eth ]; then
		run 1 'no device has this name' h1 link set l0 dev none
		run 1 'no IP address or port' h1 link set l0 port 7
	else
		elsewhere=192.0.2.1
		[ "$link" = udp4 ] || elsewhere=2001:db8::1
		run 1 'does not have that address' h1 link set l0 \
			local $elsewhere
		run 1 'no device or EtherType' h1 link set l0 dev eth0
	fi
	run 1 'peers use this link' h1 link del l0
	run 1 'another kind of address' h1 peer add 9 link l0 addr "$1"
	run 1 'no peer 9 (peers: 2 3)' h1 peer del 9
	run 1 'no peer 9 (peers: 2 3)' h1 peer set 9 link l0
	run 1 'no link "l9" (links: l0)' h1 peer set 2 link l9
	run 1 '"errno":"ENOENT"' h1 peer del 9 --json
	run 1 '"command":"link del","exit":1,"errno":"EBUSY"' h1 link del l0 \
		--json
	run 1 'no device has this name' h1 link add l1 eth dev none
	run 1 'does not have that address' h1 link add l1 udp local 192.0.2.1
	run 1 'another group has this number' h1 group add 7 1:1 2:1
	run 1 'another group has this name' h1 group add 8 name demo 1:1 2:1
	run 1 'no group "none"' h1 group set none name x
	run 1 'must not begin with a digit' h1 group add 8 name 8a 1:1 2:1
	run 1 'letters, digits, dot' h1 group add 8 name a/b 1:1 2:1
	run 1 'in the group twice' h1 group add 8 1:1 2:1 1:1
	run 1 '2 to 1024 members' h1 group add 8 1:1
	run 1 'no counter "Nothing"' h1 stat show Nothing
	run 1 'no conversations here' h1 graph
	run 2 '1 to 16 hexadecimal digits, not "zz"' h1 graph zz
	run 1 'no group "none"' h1 chat none
	run 1 'no member of the group' h1 chat demo --port 5
	run 4 '0 of 1 messages came' h1 recv 9 --count 1 --timeout 0.2
	run 4 'the time is over' h1 monitor --count 1 --timeout 0.2
}

cli_configuration()
{
	run 0 '"site":1,"incarnation":' h1 site --json
	run 0 'site 1 since ' h1 site
	run 0 '"name":"l0","kind":"' h1 link show l0 --json
	run 0 '2 link l0 addr ' h1 peer show 2
	run 0 '"site":2,"link":"l0"' h1 peer --json
	run 0 '' h1 group add 8 1:1 2:1
	run 0 '{"what":"group-add","group":{"number":9,"name":"g9",' h1 \
		group add 9 1:1 2:1 --json
	run 0 '"members":["2:1","1:1"]}}' h1 group set 9 2:1 1:1 --json
	run 0 '{"what":"group-del","group":{"number":9}}' h1 group del g9 --json
	run 0 '{"what":"link-add","link":{"name":"l1","kind":"udp"' h1 \
		link add l1 udp local 127.0.0.1 port 11 --json
	run 0 '"peer":{"site":9,"link":"l1","addr":"127.0.0.9","port":7007' h1 \
		peer add 9 link l1 addr 127.0.0.9 --json
	run 0 '"what":"peer-set","peer":{"site":9,"link":"l1","addr":"127.0.0.8"' \
		h1 peer set 9 addr 127.0.0.8 --json
	run 0 '{"what":"peer-del","peer":{"site":9}}' h1 peer del 9 --json
	run 0 '{"what":"link-del","link":{"name":"l1"}}' h1 link del l1 --json
	run 0 '8 name g8 1:1 2:1' h1 group
	run 0 '' h1 group set 8 name talk
	run 0 '' h1 group set talk name other
	run 0 '8 name other 1:1 2:1' h1 group show other
	run 1 'no group "talk"' h1 group set talk slow block
	run 0 '{"what":"group-set","group":{"number":8,"name":"talk",' h1 \
		group set other name talk --json
	run 0 '' h1 group set 8 2:1 1:1
	run 0 '"number":8,"name":"talk"' h1 group --json
	run 0 '"members":["2:1","1:1"]' h1 group show talk --json
	run 2 'slow is block, skip, suspect or mask' h1 group set 8 slow down
	run 0 '' h1 group set 8 slow skip
	run 0 '"slow":"skip"' h1 group --json
	run 2 'slow-ms is a number' h1 group set 8 slow-ms 0
	run 0 '' h1 group set 8 slow suspect slow-ms 500
	run 0 '8 name talk slow suspect slow-ms 500 2:1 1:1' h1 group
	run 0 '"slow":"suspect","slow_ms":500' h1 group --json
	run 0 '' h1 group set 8 slow mask
	run 0 '8 name talk slow mask slow-ms 500 2:1 1:1' h1 group
	run 0 '"slow":"mask","slow_ms":500' h1 group --json
	run 0 '' h1 group set 8 slow block
	run 0 '8 name talk slow-ms 500 2:1 1:1' h1 group
	run 0 '' h1 group del talk
	run 0 '[]' h1 group show --json
}

# scaled COUNT LEAST: a count that only makes a test longer (lib.h)
scaled()
{
	awk "BEGIN { n = int($1 * ${PSYNC_SCALE:-1}); print n < $2 ? $2 : n }"
}

# The largest group there can be, and many peers.
cli_large_dumps()
{
	# shellcheck disable=SC2046 # many words
	cli_try "a group of 1024" on h1 psync group add 99 name big 1:7 \
		$(seq 1 1023 | sed 's/^/9:/')
	cli_try "it is shown whole" says 0 ' 9:1023' on h1 psync group show big
	run 0 '' h1 group del big
	many=$(scaled 300 20)
	seq 1001 $((1000 + many)) | while read -r site; do
		echo "psync peer add $site link u0 addr 127.1.$((site / 250)).$((site % 250 + 1)) || exit 1"
	done >$dir/peers
	cli_try "a link of its own" on h1 psync link add u0 udp \
		local 127.0.0.1 port 9
	cli_try "$many peers" on h1 sh $dir/peers
	cli_try "dumps while one comes and goes are complete" cli_dumps
	run 0 '' h1 link set u0 port 18
	run 0 '"what":"link-set","link":{"name":"u0","kind":"udp"' \
		h1 link set u0 port 19 --json
	run 0 'u0 udp local 127.0.0.1 port 19 up' h1 link show u0
	cli_try "they are the link's still" cli_moved
	sed 's/ add \([0-9]*\) .*/ del \1/' $dir/peers >$dir/unpeers
	cli_try "$many peers fewer" on h1 sh $dir/unpeers
	run 0 '' h1 link del u0
}

# More members than fit a packet go in fragments, if those go. Over so small an
# MTU IPv6 does not go at all.
cli_too_many()
{
	# shellcheck disable=SC2046 # many words
	cli_try "a group of 400" on h1 psync group add 98 name wide 1:7 \
		$(seq 1 399 | sed 's/^/2:/')
	run 1 'another group has this name' h1 group set wide name demo
	[ "$link" = udp6 ] || {
		ip -n h1 link set eth0 mtu 200
		text='the link to a member carries too little, even for fragments'
		run 1 "$text" h1 send wide hello
		run 1 "$text" h1 chat wide
		run 1 '"errno":"EMSGSIZE"' h1 chat wide --json
		ip -n h1 link set eth0 mtu 1500
	}
	run 0 '' h1 group del wide
}

cli_moved()
{
	on h1 psync peer | grep -c ' link u0 ' | grep -x "$many" &&
		says 1 'peers use this link' on h1 psync link del u0
}

# Peers 2 and 3, and all of the many, or all but one.
cli_dumps()
{
	# shellcheck disable=SC2016 # for the inner shell
	on h1 sh -c 'for i in $(seq 1 $1); do
		psync peer del $2 && psync peer add $2 link u0 addr 127.2.2.2
	done' sh "$(scaled 30 3)" $((1000 + many / 2)) &
	churn=$!
	for i in $(seq 1 "$(scaled 20 3)"); do
		n=$(on h1 psync peer | wc -l)
		echo "dump $i: $n peers"
		[ "$n" -eq $((many + 1)) ] || [ "$n" -eq $((many + 2)) ] || return 1
		[ "$(on h1 psync peer | sort -n | uniq | wc -l)" -ge \
			$((many + 1)) ] ||
			return 1
	done
	wait $churn
}

cli_monitor()
{
	psync-lab on h1 psync monitor --json >$dir/monitor 2>&1 &
	watcher=$!
	# It has begun to watch when it hears of something; on a slow machine
	# that is after several rounds.
	until_true sh -c "psync-lab on h1 psync group add 50 1:1 2:1;
		psync-lab on h1 psync group del 50;
		grep -q group-del $dir/monitor"
	on h1 psync link add m0 udp local 127.0.0.1 port 10
	on h1 psync link set m0 port 11
	on h1 psync peer add 90 link m0 addr 127.0.0.2
	on h1 psync peer set 90 addr 127.0.0.3
	on h1 psync peer del 90
	on h1 psync link del m0
	until_true grep -qF '"what":"link-del","link":{"name":"m0"}' $dir/monitor
	kill $watcher
	wait $watcher
	cat $dir/monitor
	for what in '"what":"link-add","link":{"name":"m0","kind":"udp"' \
		'"what":"link-set","link":{"name":"m0","kind":"udp","local":"127.0.0.1","port":11' \
		'"what":"peer-add","peer":{"site":90,"link":"m0"' \
		'"what":"peer-set"' '"what":"peer-del","peer":{"site":90}' \
		'"what":"link-del","link":{"name":"m0"}'; do
		grep -qF "$what" $dir/monitor || return 1
	done
}

# Three speak, some of the lines answer others.
cli_chat()
{
	printf '%s\n' 'who is there?' '@welcome thanks' >$dir/s1
	printf '%s\n' '@who two' '@"three here" welcome' >$dir/s2
	printf '%s\n' '@who three here' '@@end' >$dir/s3
	for i in 2 3; do
		on h$i psync chat demo --script $dir/s$i --until 6 \
			--timeout $((60 * slow)) --linger "$slow" --log $dir/log$i \
			>$dir/chat$i 2>&1 &
		eval "chat$i=$!"
		until_true grep -q joined $dir/log$i || return 1
	done
	on h1 psync chat demo --script $dir/s1 --until 6 --timeout $((60 * slow)) \
		--linger $((4 + slow)) --log $dir/log1 >$dir/chat1 2>&1 &
	chat1=$!
	until_true sh -c "[ \$(wc -l <$dir/log1) -ge 7 ]" || return 1
	on h1 psync conv
	on h1 psync graph --labels $dir/log1 >$dir/graph
	on h1 psync graph --dot --labels $dir/log1 >$dir/dot
	on h1 psync graph --json --labels $dir/log1 >$dir/json
	on h1 psync graph --svg --labels $dir/log1 --names ann,ben >$dir/svg
	on h1 psync graph --names a,b,c,d >$dir/names 2>&1
	echo "exit $?" >>$dir/names
	# shellcheck disable=SC2154 # set by eval
	wait "$chat1" && wait "$chat2" && wait "$chat3" || return 1
	cat $dir/chat? $dir/graph
}

# line WORD FILE: number of the line with it
line()
{
	grep -nF -- "$1" "$2" | head -n 1 | cut -d: -f1
}

cli_order()
{
	for i in 1 2 3; do
		cat $dir/chat$i
		[ "$(grep -c '^[0-2]\.[0-9]* <' $dir/chat$i)" -eq 6 ] || return 1
		for pair in 'who is:> two' 'who is:three here' \
			'three here:welcome' 'welcome:thanks'; do
			[ "$(line "${pair%%:*}" $dir/chat$i)" -lt \
				"$(line "${pair#*:}" $dir/chat$i)" ] || return 1
		done
	done
}

cli_pictures()
{
	cat $dir/graph $dir/json
	grep -q '^\*  *0\.1 *"who is there?"$' $dir/graph &&
		grep -q '"thanks"  after ' $dir/graph &&
		grep -q '"0.1" -> "2.1"\|"0.1" -> "1.1"' $dir/dot &&
		[ "$(grep -o '"kind":"data"' $dir/json | wc -l)" -eq 6 ] &&
		grep -q '"ordinal":6,' $dir/json &&
		[ "$(grep '<rect x=' $dir/svg | grep -vc dasharray)" -eq 6 ] &&
		grep -q '>ben</text>' $dir/svg &&
		grep -q '>3:100</text>' $dir/svg &&
		grep -q '4 names for 3 participants' $dir/names &&
		grep -q 'exit 2' $dir/names
}

cli_send_recv()
{
	for i in 2 3; do
		on h$i psync recv 100 --count 2 --timeout $((60 * slow)) --reply "yes $i" \
			>$dir/recv$i 2>&1 &
		eval "recv$i=$!"
		until_true grep -q listening $dir/recv$i || return 1
	done
	printf 'one\ntwo\n' | on h1 psync send demo --reply-timeout $((1 + slow)) --json \
		>$dir/send 2>&1 || return 1
	# shellcheck disable=SC2154 # set by eval
	wait "$recv2" && wait "$recv3" || return 1
	cat $dir/send $dir/recv?
	grep -q '> one$' $dir/recv2 && grep -q '> one$' $dir/recv3 &&
		grep -q '"text":"yes 2"' $dir/send &&
		grep -q '"text":"yes 3"' $dir/send
}

# h3 has another idea of the group: both sides hear of it.
cli_mismatch()
{
	on h3 psync group set 7 3:100 2:100 1:100
	on h3 psync monitor --count 1 --timeout $((60 * slow)) >$dir/mismatch 2>&1 &
	watcher=$!
	until_true grep -q watching $dir/mismatch || return 1
	mkfifo $dir/hold
	on h3 psync chat demo <$dir/hold >$dir/c3 2>&1 &
	holder=$!
	exec 9>$dir/hold
	until_true sh -c 'psync-lab on h3 psync conv | grep -q open' || return 1
	echo hello | on h1 psync chat demo --linger $((1 + slow)) >$dir/c1 2>&1
	exec 9>&-
	wait $watcher
	wait $holder
	cat $dir/mismatch $dir/c1
	grep -q '^event mismatch site 1 .*: we refused site 1: its list' \
		$dir/mismatch &&
		grep -q '^event refused: 3:100 refused us: its list' $dir/c1
}

# chat_open NAME HOST ARG...: psync chat that is typed into
chat_open()
{
	name=$1 host=$2
	shift 2
	rm -f "$dir/$name.log"
	typed_open "$name" "$host" psync chat demo "$@" --log "$dir/$name.log"
	until_true grep -q '"dir":"joined"' "$dir/$name.log" || {
		typed_show "$name has not joined"
		return 1
	}
}

chat_open_all()
{
	chat_open ann h1 "$@" && chat_open ben h2 "$@" && chat_open cid h3 "$@"
}

# One is killed, and hears what was said before when it is back.
cli_restart()
{
	chat_open_all --number 2 || return
	typed_line ann one
	typed_told out '<1:100> one' ben cid || return
	typed_line cid two
	typed_told out '<3:100> two' ann ben || return
	typed_kill cid
	typed_told err 'event ended: 3:100 has died: ' ann ben || return
	typed_line ben three
	typed_told out '<2:100> three' ann || return
	refused=$(echo four | on h3 psync chat demo --number 2 2>&1)
	echo "$refused" | grep -F 'psync chat --restart comes back' || return
	chat_open cid h3 --number 2 --restart || return
	typed_told err ', back: what is kept of what was said comes first' cid &&
		typed_told out '<1:100> one' cid &&
		typed_told out '<3:100> two' cid &&
		typed_told out '<2:100> three' cid &&
		typed_told err 'event restarted: 3:100 is back' ann ben || return
	grep '"dir":"joined".*"restart":true' $dir/cid.log || return
	grep '"type":"restarted".*"participant":"3:100"' $dir/ann.log || return
	typed_line cid five
	typed_told out '<3:100> five' ann ben || return
	typed_end 0 ann ben cid
}

# A host dies without a word, and begins anew later, with another incarnation.
cli_host_dies()
{
	host_cut 3 && typed_kill cid || return
	until_true on h3 psync site del && on h3 psync site set 3
}

# Who remains masks it out, agrees, goes on, and lets it in when it is back.
cli_masks()
{
	chat_open_all --number 3 || return
	typed_line cid first
	typed_told out '<3:100> first' ann ben || return
	typed_line ann second
	typed_told out '<1:100> second' ben cid || return
	cli_host_dies || return
	typed_line ann third
	typed_told out '<1:100> third' ben || return
	typed_told err 'event suspect: 3:100 is silent' ann || return
	typed_line ann '/mask 3'
	typed_told err 'masks: 3:100 is masked out by 1:100 (us); that it be agreed waits for 2:100' \
		ann || return
	typed_told err 'event masked: 1:100 does not wait for 3:100 any more' ben ||
		return
	typed_line ben /masks
	typed_told err 'masks: 3:100 is masked out by 1:100; that it be agreed waits for 2:100 (us)' \
		ben || return
	typed_line ben '/mask 3:100'
	typed_told err 'event agreed: 3:100 is masked out by all who remain, for good' \
		ann ben || return
	typed_line ann /masks '/unmask 3' //fourth
	typed_told err 'masks: 3:100 is masked out by 1:100 (us), 2:100; agreed by all who remain, for good' \
		ann || return
	typed_told err '3:100: all who remain have masked it out: it comes back by a restart' \
		ann || return
	typed_told out '<1:100> /fourth' ben || return
	grep '"dir":"masks".*"by":."1:100","2:100".,"agreed":true' $dir/ann.log
}

# The host of cli_masks is there again.
cli_unmasks()
{
	host_mend 3 && chat_open cid h3 --number 3 --restart || return
	typed_told out '<3:100> first' cid &&
		typed_told out '<1:100> second' cid &&
		typed_told out '<1:100> third' cid &&
		typed_told out '<1:100> /fourth' cid || return
	typed_told err 'event restarted: 3:100 is back' ann ben || return
	typed_line cid /masks back
	typed_line ann '/unmask 3:100'
	typed_told err 'event unmasked: 1:100 waits for 3:100 again' ben || return
	typed_line ben '/unmask 3'
	typed_told err 'masks: 3:100 is not masked out' ben || return
	typed_told out '<3:100> back' ann ben || return
	typed_line ann /masks
	typed_told err 'masks: nobody is masked out' ann || return
	# It was refused something.
	typed_end 1 ann && typed_end 0 ben cid
}

# Whoever holds back what is said is masked out all the same.
cli_blocked()
{
	on h3 sysctl -qw net.psync.image_msgs=12 || return
	chat_open_all --number 5 || return
	on h3 sysctl -qw net.psync.image_msgs=2048
	typed_line cid here
	typed_told out '<3:100> here' ann ben || return
	kill -STOP "$(cat $dir/cid.pid)"
	# shellcheck disable=SC2046 # many words
	typed_line ann $(seq 1 50)
	typed_told err 'event blocked: 3:100 does not receive' ann || return
	typed_line ann '/mask 3'
	typed_told out '<1:100> 50' ben || return
	kill -CONT "$(cat $dir/cid.pid)"
	typed_told err 'event masked: 1:100 does not wait for 3:100 (us)' cid ||
		return
	typed_end 0 ann ben cid
}

# What is refused loses nothing: who types goes on, a pipe ends so in the end.
cli_commands()
{
	chat_open ann h1 --number 4 && chat_open ben h2 --number 4 || return
	typed_line ann /mark /nothing '/mask' '/mask 1' '/mask x' '/mask 9' \
		'/mask 2:7' '/unmask 2:100' '/mask 2 3' '/masks all' 'all said'
	typed_told out '<1:100> all said' ben || return
	typed_told err 'no command /mark, did you mean /mask? (/mask HOST,' ann &&
		typed_told err 'no command /nothing (/mask HOST,' ann &&
		typed_told err '/mask takes one HOST' ann &&
		typed_told err '1:100 (us): nobody masks itself out or in' ann &&
		typed_told err 'the SITE of one, not "x"' ann &&
		typed_told err '9 is no participant' ann &&
		typed_told err '2:7 is no participant' ann &&
		typed_told err 'masks: 2:100 is not masked out' ann &&
		typed_told err '/masks takes nothing' ann || return
	typed_end 0 ben || return
	typed_told err 'event ended: 2:100 has left' ann || return
	typed_line ann '/mask 2'
	typed_told err '2:100: it has ended, nobody waits for it' ann || return
	typed_end 1 ann || return
	printf '%s\n' /nothing 'not said' >$dir/bad
	says 2 'no command /nothing' on h1 psync chat demo --script $dir/bad \
		--log $dir/bad.log || return
	! grep 'not said' $dir/bad.log
}

psync-lab up 3 --link "$link" || exit 1
cli_configuration
for i in 1 2 3; do
	on h$i psync group add 7 name demo 1:100 2:100 3:100 || exit 1
done
cli_refusals "$([ "$link" = eth ] && echo 192.0.2.1 || echo 02:00:00:00:09:00)"
cli_large_dumps
cli_too_many
cli_try "monitor hears of every change" cli_monitor
cli_try "three hosts talk by script" cli_chat
cli_try "each sees questions before answers" cli_order
cli_try "the graph is drawn" cli_pictures
cli_try "send opens, recv answers" cli_send_recv
cli_try "a list that differs is refused with events" cli_mismatch
run 0 'DropDigest' h3 stat
on h3 psync group set 7 1:100 2:100 3:100
cli_try "who was killed comes back and hears what was said" cli_restart
cli_try "a host dies, and those who remain agree and go on" cli_masks
cli_try "it comes back and they let it in" cli_unmasks
cli_try "what waits for one who does not read goes on without it" cli_blocked
cli_try "what is no command is refused, and the rest is said" cli_commands
cli_try "the site can be taken away" on h1 psync site del
run 0 '{"site":0' h1 site --json

echo "1..$number"
echo "$((number - failed)) passed, $failed failed"
[ $failed -eq 0 ] && [ $number -gt 0 ]
