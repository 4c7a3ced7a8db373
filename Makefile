# The front doors. CMake does the work; packaging/ and tests/ hold the scripts.
#   make        the program, in build/minerva
#   make demo   a pool and a worker on this machine, real tasks to the end, results on one screen
#   make test   everything that can be checked here
#   make bench  everything that can be measured here, beside peers: build/bench and docs/performance.md
BUILD ?= build

.PHONY: all deps fetch demo test bench fuzz format tidy install clean

all: deps
	@cmake --preset default > build.log 2>&1 || { cat build.log; exit 1; }; rm -f build.log
	cmake --build --preset default --target minerva

deps:
	@packaging/install-deps.sh

fetch: deps
	@packaging/fetch.sh

demo: all
	@packaging/fetch.sh || true
	@packaging/demo.sh

test: all
	@packaging/fetch.sh || true
	@tests/run.sh

bench: all
	@packaging/fetch.sh || true
	@bench/run.sh

fuzz: deps
	@tests/fuzz/run.sh

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

tidy: all
	@tests/lint/tidy.sh

install: all
	cmake --install build

clean:
	rm -rf build build-*
