# SPDX-License-Identifier: Apache-2.0
# The thin face of Meson and Ninja: what is built and how stands in meson.build.
#
#	make build | check | run | demo | bench | install | clean | format
#	make check SANITIZE=1		with address and UB sanitizers
#	make check SANITIZE=thread	with the thread sanitizer
#	make check CC=clang		with the other compiler
#	make check SUITE=unit		one suite: unit, tree, cli, …
#
# Each variant has a build directory of its own.  Missing Debian packages are
# installed first when root (tools/packages).

MESON_OPTIONS_1 = -Db_sanitize=address,undefined
MESON_OPTIONS_thread = -Db_sanitize=thread
SUFFIX_1 = -asan
SUFFIX_thread = -tsan

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
BUILD ?= build$(SUFFIX_$(SANITIZE))$(if $(filter gcc,$(CC)),,-$(notdir $(CC)))
PREFIX ?= /usr/local

# Time limits are for a machine that has nothing else to do.  Sanitized programs
# run several times slower.
TIMEOUT_FACTOR = $(if $(SANITIZE),6,2)

build: packages-build $(BUILD)/build.ninja
	ninja -C $(BUILD)

check: packages-check build
	meson test -C $(BUILD) --no-rebuild --print-errorlogs \
		--timeout-multiplier $(TIMEOUT_FACTOR) \
		$(addprefix --suite ,$(SUITE))

run: packages-run build
	@tools/run.sh $(BUILD)

demo: packages-demo build
	@tools/demo $(BUILD)

bench: packages-bench build
	meson test -C $(BUILD) --no-rebuild --benchmark --verbose

install: build
	meson configure -D prefix=$(PREFIX) $(BUILD)
	meson install -C $(BUILD)

clean:
	rm -rf build build-*

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

# A directory that an interrupted setup left behind is set up again.
$(BUILD)/build.ninja:
	CC=$(CC) meson setup $(MESON_OPTIONS_$(SANITIZE)) \
		$(if $(wildcard $(BUILD)),--wipe) $(BUILD)

packages-%:
	@CC=$(CC) tools/packages $*

# apt runs once at a time.
.NOTPARALLEL:
.PHONY: build check run demo bench install clean format
