# SPDX-License-Identifier: GPL-2.0-only
#
# psync.ko, included by the top Makefile.
#
#	make module [KERNEL=NAME]	build/module/RELEASE/psync.ko
#	make module-check [KERNEL=NAME]	warnings, sparse, checkpatch: silent
#	make module-install		for the running kernel, as root
#	make module-clean
#
# NAME is one of selftests/vm/kernel (stock-6.1 without it), or "running":
# this machine's kernel, whose headers must be installed. Each kernel has a
# directory of its own, of links to the sources, so that several builds can
# stand side by side.

KERNEL ?= stock-6.1

psync_top := $(patsubst %/net/psync/module.mk,%,$(abspath $(lastword $(MAKEFILE_LIST))))

# A shell fragment that sets KREL and KDIR.
ifeq ($(KERNEL),running)
psync_kernel = KREL=$$(uname -r); KDIR=/lib/modules/$$KREL/build; \
	test -e "$$KDIR/Makefile" || { \
		echo "no headers of $$KREL: install linux-headers-$$KREL" >&2; exit 1; }
else
psync_kernel = env=$$('$(psync_top)/selftests/vm/kernel' '$(KERNEL)') || exit 1; \
	eval "$$env"
endif

# Makes or refreshes the directory of links; sets dir. Links whose source has
# gone are removed, and with them what they were built into.
psync_farm = $(psync_kernel); dir='$(psync_top)'/build/module/$$KREL; \
	mkdir -p "$$dir/net/psync/core" "$$dir/include/uapi/linux"; \
	(cd '$(psync_top)' && ls Kbuild net/psync/*.[ch] net/psync/core/*.[ch] \
		include/uapi/linux/*.h) | while read -r file; do \
		ln -sfn '$(psync_top)'/"$$file" "$$dir/$$file"; done; \
	find "$$dir" -xtype l | while read -r link; do \
		rm -f "$$link" "$${link%.c}.o"; done

.PHONY: module
module:
	+@$(psync_farm); $(MAKE) --no-print-directory -C "$$KDIR" M="$$dir" modules

# Out of the way of the real build: everything is compiled anew. Headers that
# are not ours are not our business, but sparse reads them, too.
PSYNC_CHECKPATCH ?= $(firstword $(wildcard $(addsuffix /scripts/checkpatch.pl, \
	$(psync_top)/build/vm/cache/checkpatch /usr/src/linux-source-6.1 \
	/usr/src/linux)) $(shell command -v checkpatch.pl 2>/dev/null))
psync_sources = $(wildcard $(addprefix $(psync_top)/, net/psync/*.[ch] \
	net/psync/core/*.[ch] include/uapi/linux/psync*.h))

.PHONY: module-check
module-check:
	+@$(psync_farm); check=$$dir/check; rm -rf "$$check"; mkdir -p "$$check"; \
	cp -a "$$dir/Kbuild" "$$check"; \
	(cd "$$dir" && find net include -type l) | while read -r file; do \
		mkdir -p "$$check/$${file%/*}"; cp -a "$$file" "$$check/$$file" 2>/dev/null || \
		cp -a "$$dir/$$file" "$$check/$$file"; done; \
	command -v sparse >/dev/null || { echo "sparse is not installed" >&2; exit 1; }; \
	$(MAKE) --no-print-directory -C "$$KDIR" M="$$check" W=1 C=2 \
		CF=-D__CHECK_ENDIAN__ modules >"$$check/log" 2>"$$check/errors" || \
		{ cat "$$check/errors" >&2; exit 1; }; \
	if [ -s "$$check/errors" ]; then cat "$$check/errors" >&2; exit 1; fi
