# SPDX-License-Identifier: GPL-2.0-only
#
# psync.ko, for the top Makefile to include. KERNEL and KDIR say for which
# kernel; see scripts/module.
#
#	make module		build/module/RELEASE/psync.ko
#	make module-check	W=1, sparse, checkpatch, kernel-doc: silent
#	make module-install	for the running kernel, or the one in KDIR
#	make module-uninstall	for all kernels it was installed for

KERNEL ?= stock-6.1

.PHONY: module module-check module-install module-uninstall

module:
	+@KDIR='$(KDIR)' scripts/module build '$(KERNEL)'

module-check:
	+@KDIR='$(KDIR)' scripts/module check '$(KERNEL)'

module-install:
	+@KDIR='$(KDIR)' scripts/module install running

module-uninstall:
	+@scripts/module uninstall
