# SPDX-License-Identifier: GPL-2.0-only
#
# make		the tools, and the module for a Debian kernel that is fetched and
#		unpacked; KERNEL=running: for this machine's kernel
# make demo	three hosts converse in a virtual machine
# make check	every test that fits into a quarter of an hour
# make check-debug	every selftest under a kernel that looks for bugs
# make help	everything else

KERNEL ?= stock-6.1
SEEDS ?= 200
SITES ?=
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local

export PREFIX DESTDIR

.PHONY: all tools deps demo check check-ci check-debug check-all check-static \
	sim sim-long sim-mutants unit-mutants sim-coverage fuzz selftests install uninstall clean help

all: module tools

include net/psync/module.mk

tools:
	$(MAKE) -C tools/libpsync
	$(MAKE) -C tools/psync

deps:
	scripts/install-deps

# What the compiler says is not the demo's business, unless it fails.
demo: deps
	@mkdir -p build
	@echo 'Building the module and the tools (build/demo-build.log)...'
	@{ $(MAKE) module KERNEL=$(KERNEL) && $(MAKE) tools; } \
		>build/demo-build.log 2>&1 || { \
		tail -n 40 build/demo-build.log >&2; \
		echo 'demo: it does not build, see build/demo-build.log' >&2; \
		exit 1; }
	@tools/demo/run

check: deps
	scripts/check

check-all: deps
	scripts/check --all

# Check, and the debug kernel with short runs.
check-ci: deps
	PSYNC_SCALE=$${PSYNC_SCALE:-0.05} scripts/check --debug

# PSYNC_SCALE in the environment makes random runs shorter; 1 by default.
check-debug: deps
	$(MAKE) module KERNEL=debug
	$(MAKE) tools
	$(MAKE) -C selftests debug

check-static:
	scripts/check-static

sim:
	$(MAKE) -C tools/sim sim SEEDS=$(SEEDS) $(if $(SITES),SITES=$(SITES)) \
		$(if $(SEED),SEED=$(SEED))

sim-long:
	$(MAKE) -C tools/sim long $(if $(MESSAGES),MESSAGES=$(MESSAGES))

sim-coverage:
	$(MAKE) -C tools/sim coverage $(if $(SITES),SITES=$(SITES))

sim-mutants:
	$(MAKE) -C tools/sim mutant KIND=sim

unit-mutants:
	$(MAKE) -C tools/sim mutant KIND=unit

fuzz:
	$(MAKE) -C tools/sim fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)

selftests: module tools
	$(MAKE) -C selftests check

# For the kernel that runs, unless another was asked for.
install: KERNEL = running
install:
	$(MAKE) module tools KERNEL=$(KERNEL)
	$(MAKE) module-install KERNEL=$(KERNEL)
	$(MAKE) -C tools/libpsync install
	$(MAKE) -C tools/psync install

uninstall:
	$(MAKE) module-uninstall
	$(MAKE) -C tools/libpsync uninstall
	$(MAKE) -C tools/psync uninstall

clean:
	rm -rf build

help:
	@echo 'make               build psync.ko and the tools'
	@echo 'make install       install them (DESTDIR, PREFIX); then: modprobe psync'
	@echo 'make uninstall     take them away again'
	@echo 'make demo          three hosts converse in a virtual machine'
	@echo 'make check         every test that fits into a quarter of an hour'
	@echo 'make check-debug   the selftests under the debug kernel, which is built'
	@echo '                   once; PSYNC_SCALE=0.05 for the shortest runs'
	@echo 'make check-ci      make check, and check-debug with the shortest runs'
	@echo 'make check-all     all of these, and the long ones'
	@echo 'make sim SEEDS=N [SITES=K] [SEED=S] the simulator, of 2 to 32 sites or of K'
	@echo 'make sim-long MESSAGES=N            one long conversation: memory is flat'
	@echo 'make sim-mutants   broken cores that the simulator must catch'
	@echo 'make unit-mutants  and those that the unit tests must catch'
	@echo 'make sim-coverage  lines and branches of the core that simulator and fuzzer run'
	@echo 'make fuzz FUZZ_SECONDS=N            decoder and images under libFuzzer'
	@echo 'make selftests     the selftests in the virtual machine'
	@echo 'make check-static  sparse, checkpatch, shellcheck, documents'
