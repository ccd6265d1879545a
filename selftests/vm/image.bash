# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of selftests/vm/run: make the initramfs. A large base that depends on
# the host and the kernel only is cached; a small overlay with what was built
# here is made for each run; the kernel unpacks one after the other. Equal
# contents give equal bytes: sorted, one time stamp, owner 0.

# shellcheck disable=SC2154 # these globals are run's

# The shell is dash: Debian's busybox sh prefers its own applets to what PATH
# says, and so do its env, timeout and the like; its ip and tc are toys.
image_programs=(dash env timeout xargs setsid nsenter unshare chrt taskset
	ip tc bridge ss nstat tipc tcpdump strace)

# Modules, by name or pattern; what they depend on follows. A kernel need not
# have all of them.
image_modules=(virtio_pci virtio_console virtio_net e1000e
	veth bridge br_netfilter 8021q macvlan ipvlan bonding dummy ifb tun
	vrf vxlan netdevsim nlmon
	'sch_*' 'cls_*' 'act_*' 'em_*'
	udp_tunnel ip6_udp_tunnel ip_tunnel fou
	tipc tipc_diag sctp sctp_diag rxrpc
	af_packet_diag inet_diag tcp_diag udp_diag raw_diag unix_diag netlink_diag
	crc32c_generic crc32c-intel 9p 9pnet_virtio)

# image_pack ROOT FILE: the tree below ROOT as a cpio archive
image_pack()
{
	(
		cd "$1" || exit
		find . -exec touch -h -d @1767225600 {} +
		find . -mindepth 1 -print0 | sort -z |
			cpio -0 -o -H newc -R 0:0 --reproducible --quiet
	) >"$2"
}

# image_path PATH: where it is in the machine, whose /bin, /sbin and /lib* are
# links into /usr
image_path()
{
	case $1 in
	/bin/* | /sbin/* | /lib/* | /lib64/*) echo "/usr$1" ;;
	*) echo "$1" ;;
	esac
}

# image_copy ROOT HOST GUEST: add a file or directory, links followed, with
# modes that do not depend on the umask
image_copy()
{
	local to

	to=$1$(image_path "$3")
	[[ $to != */ ]] || to+=${2##*/}
	mkdir -p "${to%/*}"
	cp -rLT "$2" "$to"
}

# image_modes ROOT: make modes independent of the umask
image_modes()
{
	chmod -R u=rwX,go=rX "$1"
	[[ ! -d $1/tmp ]] || chmod 1777 "$1/tmp"
}

# image_libraries ROOT [BASELIST]: add the shared libraries that the programs
# below ROOT need and that BASELIST does not have
image_libraries()
{
	local root=$1 have=${2:-/dev/null} lib to
	local -a elf

	mapfile -t elf < <(find "$root" -type f -perm /111 ! -name '*.ko' \
		-exec grep -l -m 1 -a -e $'^\x7fELF' {} + || :)
	((${#elf[@]})) || return 0
	while read -r lib; do
		to=$(image_path "$lib")
		[[ ! -e $root$to ]] || continue
		grep -qxF ".$to" "$have" && continue
		image_copy "$root" "$lib" "$lib"
	done < <(ldd "${elf[@]}" 2>/dev/null |
		sed -n 's/^\t.*=> \(\/[^ ]*\) (.*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' |
		sort -u || :)
}

# image_module_files: the files, relative to MODDIR, of image_modules
image_module_files()
{
	printf '%s\n' "${image_modules[@]}" |
		awk 'NR == FNR {
			gsub("-", "_")
			gsub(/[*]/, ".*")
			want = want "|" $0
			next
		}
		{
			name = $1
			gsub(/.*\/|[.]ko.*/, "", name)
			gsub("-", "_", name)
			if (name !~ "^(" substr(want, 2) ")$")
				next
			sub(":", "", $1)
			for (i = 1; i <= NF; i++)
				print $i
		}' - "$MODDIR/modules.dep" | sort -u
}

# image_base_tree ROOT
image_base_tree()
{
	local root=$1 d name path mods=$1/usr/lib/modules/$KREL

	for d in dev proc sys run tmp root etc vm selftests usr/bin usr/sbin \
		 usr/lib/x86_64-linux-gnu usr/lib64; do
		mkdir -p "$root/$d"
	done
	for d in bin sbin lib lib64; do
		ln -s "usr/$d" "$root/$d"
	done
	ln -s ../run "$root/usr/var"
	image_copy "$root" "$vm_src/init" /init
	for name in "${image_programs[@]}"; do
		path=$(command -v "$name") || continue
		image_copy "$root" "$path" "/usr/sbin/$name"
	done
	if [[ -d /usr/lib/tc ]]; then
		image_copy "$root" /usr/lib/tc /usr/lib/tc
	fi
	ln -s ../sbin/dash "$root/usr/bin/sh" # before busybox takes the name
	ln -s ../bin/busybox "$root/usr/sbin/modprobe" # for the kernel
	image_copy "$root" "$(command -v busybox)" /usr/bin/busybox
	busybox --list | while read -r name; do
		[[ -e $root/usr/sbin/$name || -e $root/usr/bin/$name ]] ||
			ln -s busybox "$root/usr/bin/$name"
	done
	image_libraries "$root"

	printf '%s\n' root:x:0:0:root:/root:/bin/sh tcpdump:x:0:0::/:/bin/false \
		user:x:1000:1000:user:/tmp:/bin/sh \
		nobody:x:65534:65534:nobody:/:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: tcpdump:x:0: user:x:1000: nogroup:x:65534: \
		>"$root/etc/group"
	echo "127.0.0.1 localhost" >"$root/etc/hosts"
	for name in protocols services; do
		[[ ! -r /etc/$name ]] || image_copy "$root" /etc/$name /etc/$name
	done

	image_module_files | while read -r path; do
		mkdir -p "$mods/${path%/*}"
		cp "$MODDIR/$path" "$mods/$path"
	done
	cp "$MODDIR"/modules.builtin* "$MODDIR/modules.order" "$mods/"
	depmod -b "$root" "$KREL"
	image_modes "$root"
}

# Make the base unless it is there; sets base to the name of the archive
# without .cpio; base.modules has its modules unpacked, base.list its files.
image_base()
{
	local key root name lock
	local -a from=("$vm_src/init" "$vm_src/image.bash" "$MODDIR/modules.dep")

	for name in busybox "${image_programs[@]}"; do
		from+=("$(command -v "$name" || echo /dev/null)")
	done
	key=$(stat -L -c '%n %s %Y' "${from[@]}" | sha256sum)
	base=$top/build/vm/cache/base-$KREL-${key:0:16}
	[[ ! -r $base.cpio ]] || return 0

	exec {lock}>"$top/build/vm/cache/.lock"
	flock "$lock"
	if [[ ! -r $base.cpio ]]; then
		root=$dir/base
		rm -rf "$top/build/vm/cache/base-$KREL-"*
		image_base_tree "$root"
		(cd "$root" && find . | sort) >"$base.list"
		cp -r "$root/usr/lib/modules" "$base.modules"
		image_pack "$root" "$dir/base.cpio"
		mv "$dir/base.cpio" "$base.cpio"
		rm -rf "$root"
	fi
	exec {lock}>&-
}

# image_add_modules ROOT: what make module has built, known to modprobe, and
# without what only a debugger wants
image_add_modules()
{
	local root=$1 work=$dir/modules ko

	compgen -G "$module/*.ko" >/dev/null || return 0
	mkdir -p "$work/lib" "$root/usr/lib/modules/$KREL/extra"
	cp -rl "$base.modules" "$work/lib/modules"
	mkdir "$work/lib/modules/$KREL/extra"
	for ko in "$module"/*.ko; do
		strip --strip-debug -o "$root/usr/lib/modules/$KREL/extra/${ko##*/}" \
			"$ko"
	done
	cp "$root/usr/lib/modules/$KREL"/extra/*.ko "$work/lib/modules/$KREL/extra/"
	rm -f "$work/lib/modules/$KREL"/modules.{dep,alias,symbols,softdep,devname,builtin*.bin}*
	depmod -b "$work" "$KREL"
	cp "$work/lib/modules/$KREL"/modules.* "$root/usr/lib/modules/$KREL/"
}

# image_add_file ROOT HOST:GUEST
image_add_file()
{
	local host=${2%%:*} guest=${2#*:}

	[[ $2 == ?*:/* ]] ||
		vm_fail "--file takes HOST:GUEST, GUEST from /, not '$2'"
	[[ -r $host ]] || vm_fail "--file: cannot read '$host'"
	image_copy "$1" "$host" "$guest"
}

# image_command COMMAND [ARG...]: a shell script that is it, word for word
image_command()
{
	local arg

	printf 'exec'
	for arg; do
		printf " '%s'" "${arg//\'/\'\\\'\'}"
	done
	echo
}

# image_build FILE COMMAND [ARG...]
image_build()
{
	local out=$1 root=$dir/overlay f base
	shift

	image_base
	mkdir -p "$root/vm"
	image_command "$@" >"$root/vm/command"
	# Where both go to one place anyway, keep the order of the lines.
	[[ ! /dev/fd/1 -ef /dev/fd/2 ]] || : >"$root/vm/merge"
	[[ $load == no ]] || : >"$root/vm/load"
	image_copy "$root" "$vm_src/psync-lab" /usr/bin/psync-lab
	for f in "$top"/build/bin/*; do
		[[ ! -f $f ]] || image_copy "$root" "$f" "/usr/bin/${f##*/}"
	done
	for f in "$top"/build/selftests/* "$top"/selftests/*.sh \
		 "$top"/selftests/lib*; do
		[[ ! -e $f ]] || image_copy "$root" "$f" "/selftests/${f##*/}"
	done
	image_add_modules "$root"
	for f in "${files[@]}"; do
		image_add_file "$root" "$f"
	done
	image_libraries "$root" "$base.list"
	image_modes "$root"
	image_pack "$root" "$dir/overlay.cpio"
	cat "$base.cpio" "$dir/overlay.cpio" >"$out"
	rm -rf "$root" "$dir/overlay.cpio" "$dir/modules"
}
