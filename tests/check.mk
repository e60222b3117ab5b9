# The test targets; HACKING.md, "Tests", says what each is for.
.PHONY: check check-system check-build check-system-build lint bench fuzz sanitize coverage clients

RUN_SUITE = /usr/bin/python3 tests/run_suite.py --build $(B)

# What a newcomer types: installs, builds, runs everything that is quick.
check:
	@packaging/install-deps.sh build demo check
	@packaging/get-duckdb.sh $(B)/duckdb
	@$(MAKE) --no-print-directory -j$$(nproc) check-build
	@$(RUN_SUITE) lint unit fuzz system

# What is slow: the same suite under sanitizers, another compiler, valgrind, storms, clang-tidy.
check-system:
	@packaging/install-deps.sh build demo check system fuzz
	@packaging/get-duckdb.sh $(B)/duckdb
	@$(MAKE) --no-print-directory -j$$(nproc) check-build
	@$(MAKE) --no-print-directory -j$$(nproc) sanitize-build
	@$(RUN_SUITE) --result system slow

check-build: tests clients

# The official clients and the conformance suite, from their registries, pinned.
clients: $(B)/clients/.stamp
$(B)/clients/.stamp: $(wildcard tests/support/clients/*)
	@tests/support/clients/install.sh $(B)/clients
	@touch $@

lint:
	@packaging/install-deps.sh build check
	@$(RUN_SUITE) lint

# ---- sanitizers: separate build folders, the same sources -----------------------------------------
SAN_FLAGS_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE
.PHONY: sanitize sanitize-build
sanitize-build:
	@$(MAKE) --no-print-directory B=$(B)/asan OPT='$(SAN_FLAGS_asan)' CFLAGS=-Wno-format-truncation \
	    CONFIGURE_FLAGS=--with-duckdb=$(CURDIR)/$(B)/duckdb tests
	@$(MAKE) --no-print-directory B=$(B)/clang CC=clang \
	    CONFIGURE_FLAGS=--with-duckdb=$(CURDIR)/$(B)/duckdb tests
sanitize: sanitize-build
	@ASAN_OPTIONS=detect_leaks=1 /usr/bin/python3 tests/run_suite.py --build $(B)/asan unit fuzz system

coverage:
	@packaging/install-deps.sh build demo check
	@$(MAKE) --no-print-directory B=$(B)/cov OPT='-O0 -g --coverage' \
	    CONFIGURE_FLAGS=--with-duckdb=$(CURDIR)/$(B)/duckdb tests
	@/usr/bin/python3 tests/run_suite.py --build $(B)/cov unit fuzz system
	@command -v gcovr >/dev/null || { echo "apt-get install gcovr for the report" >&2; exit 1; }
	gcovr --root . --object-directory $(B)/cov -e tests/ --print-summary

# ---- fuzzing: make fuzz TARGET=fuzz_guard SECONDS=600 -----------------------------------------------
SECONDS ?= 60
TARGET ?= $(notdir $(basename $(FUZZ_SRCS)))
fuzz:
	@packaging/install-deps.sh build fuzz
	@CC=clang-14 tests/fuzz/run.sh $(B)/libfuzzer $(SECONDS) $(TARGET)

# ---- speed: ratios side by side in one run ---------------------------------------------------------
bench:
	@packaging/install-deps.sh build demo check system
	@packaging/get-duckdb.sh $(B)/duckdb
	@$(MAKE) --no-print-directory -j$$(nproc) all bench-build
	@/usr/bin/python3 tests/bench/bench.py --build $(B)

.PHONY: bench-build
bench-build: $(B)/bench/hello_evhttp
$(B)/bench/hello_evhttp: tests/bench/hello_evhttp.c
	@mkdir -p $(@D)
	$(CC) -O2 -o $@ $< $(LIBEVENT_LIBS)
