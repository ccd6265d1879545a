#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Test psync-lab: on the host this script runs itself in the virtual machine,
# with a psync that only writes down how it is called.

vm=$(cd "$(dirname "$0")" && pwd)
if [ -z "$VM_INDEX" ]; then
	exec "$vm/run" --file "$0:/test-lab.sh" --file "$vm/tap.sh:/tap.sh" \
		-- sh /test-lab.sh
fi
# shellcheck source=tap.sh
. "$vm/tap.sh"

cat >/usr/bin/psync <<'END'
#!/bin/sh
[ -e /psync.fails ] && echo "psync: no luck" >&2 && exit 1
# which host this is shows in what its interfaces are called or have
if [ -e /sys/class/net/eth0 ]; then
	read -r h </sys/class/net/eth0/address
else
	h=$(cd /sys/class/net && echo to*)
fi
echo "$h: $*" >>/psync.log
END
chmod +x /usr/bin/psync

# lab ARG...: call psync-lab as tap_run calls vm/run
lab()
{
	status=0
	ran="psync-lab $*"
	psync-lab "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
}

# logged HOST TEXT...: the host has made these calls, and no others
logged()
{
	sed -n "s/^$1: //p" /psync.log >"$tmp/got"
	shift
	printf '%s\n' "$@" | cmp -s - "$tmp/got"
}

# clean: nothing of a lab is left
clean()
{
	[ -z "$(ip netns)" ] && [ "$(ip -o link | wc -l)" -eq "$links" ] &&
		[ ! -e /run/psync-lab ]
}

links=$(ip -o link | wc -l)

lab up 3
tap_check "three hosts on a bridge" tap_status 0
tap_check "host 2 is configured" logged 02:00:00:00:02:00 "site set 2" \
	"link add l0 eth dev eth0" \
	"peer add 1 link l0 addr 02:00:00:00:01:00" \
	"peer add 3 link l0 addr 02:00:00:00:03:00"
tap_check "they are no more than three" [ "$(ip netns | wc -l)" -eq 3 ]
lab on h1 ping -c 1 -W 5 10.7.0.3
tap_check "IPv4 works" tap_status 0
lab on h3 ping -c 1 -W 5 fd07::2
tap_check "IPv6 works" tap_status 0
lab on h2 sh -c 'echo "$@"; exit 5' sh "a  b"
tap_check "on gives the status" tap_status 5
tap_check "... and keeps the arguments" tap_out "a  b"
lab on h4 true
tap_check "on says that there is no such host" tap_err_says 'no host h4'
lab up 2
tap_check "a second lab is refused" tap_err_says 'up already'
tap_check "... and the first stays" [ -e /run/netns/h3 ]
lab down
tap_check "down" tap_status 0
tap_check "... leaves nothing" clean
lab down
tap_check "down again is no error" tap_status 0

: >/psync.log
lab up 2 --link udp4
tap_check "udp4" logged 02:00:00:00:01:00 "site set 1" \
	"link add l0 udp local 10.7.0.1" "peer add 2 link l0 addr 10.7.0.2"
lab on h1 ip neigh show nud permanent
tap_check "who loses nothing asks for addresses" tap_out ''
lab down
: >/psync.log
lab up 2 --link udp6 --loss 100
tap_check "udp6" logged 02:00:00:00:02:00 "site set 2" \
	"link add l0 udp local fd07::2" "peer add 1 link l0 addr fd07::1"
lab on h1 ping -c 3 -i 0.1 -W 1 10.7.0.2
tap_check "--loss 100 loses all" tap_status 1
lab on h1 ip neigh show fd07::2
tap_check "... but addresses are known" tap_out_says \
	'eth0 lladdr 02:00:00:00:02:00 PERMANENT'
lab down

: >/psync.log
lab up 3 --topology mesh --link udp6 --delay 20 --dup 50 --reorder 1.5
tap_check "a mesh of three hosts" tap_status 0
tap_check "host 2 is configured" logged "to1 to3" "site set 2" \
	"link add l1 udp local fd07:1:2::2" \
	"peer add 1 link l1 addr fd07:1:2::1" \
	"link add l3 udp local fd07:2:3::2" \
	"peer add 3 link l3 addr fd07:2:3::3"
lab on h3 ping -c 20 -i 0.1 -W 5 10.102.3.2
tap_check "its hosts hear each other" tap_status 0
tap_check "--dup duplicates" tap_out_says duplicates
# shellcheck disable=SC2016 # awk's
tap_check "--delay delays, both ways" awk -F'[ /]' \
	'/min.avg.max/ { ok = $6 >= 20 } END { exit !ok }' "$tmp/out"
lab on h3 ip neigh show fd07:2:3::2
tap_check "a mesh that loses packets knows addresses, too" tap_out_says \
	'to2 lladdr 02:00:00:00:02:03 PERMANENT'
lab on h1 tc qdisc show dev to2
tap_check "--reorder reaches netem" tap_out_says 'reorder 1.5%'
lab down
tap_check "a mesh leaves nothing" clean
: >/psync.log
lab up 2 --topology mesh
tap_check "Ethernet addresses of a mesh" logged to2 "site set 1" \
	"link add l2 eth dev to2" "peer add 2 link l2 addr 02:00:00:00:02:01"
lab down

: >/psync.fails
lab up 2
tap_check "what psync refuses is reported" tap_err_says \
	'h1: psync site set 1 failed'
tap_check "... and nothing is left" clean
rm /psync.fails

for args in "up" "up 0" "up x" "up 251" "up 33 --topology mesh" "up 2 --loss" \
	    "up 2 --loss 101" "up 2 --loss 1.2.3" "up 2 --dup x" \
	    "up 2 --delay -1" "up 2 --link tcp" "up 2 --topology star" \
	    "up 2 --bogus 1" "down now" "on" "on h1" "on x true" "bogus" ""; do
	# shellcheck disable=SC2086 # words
	lab $args
	tap_check "refused: '$args'" [ "$status" -ne 0 ]
	tap_check "... with a reason" [ -s "$tmp/err" ]
done
tap_check "refusals leave nothing" clean

tap_end
