# snowflake-mcp: one non-recursive Makefile, everything built in $(B).
#
#   make demo     install what is missing, build, serve MCP on :8000 with sample data
#   make check    install what the tests need and run them
#   make help     the other targets

B ?= build
MAKEFLAGS += --no-builtin-rules
SHELL = /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

NO_CONFIG_GOALS := help clean demo check check-system sanitize sanitize-build coverage bench lint fuzz \
    clients distclean deps duckdb
ifneq ($(filter-out $(NO_CONFIG_GOALS),$(or $(MAKECMDGOALS),all)),)
include $(B)/config.mk
endif

# ---- configure -------------------------------------------------------------------------------
CONFIGURE_FLAGS ?=
ifeq ($(wildcard configure),)
CONFIGURE = $(B)/configure
$(B)/configure: configure.ac
	@mkdir -p $(B)
	@command -v autoconf >/dev/null || { \
	    echo "autoconf is missing: run packaging/install-deps.sh build" >&2; exit 1; }
	autoconf -o $@ configure.ac
else
CONFIGURE = configure
endif

$(B)/config.mk: $(CONFIGURE) config.mk.in config.h.in $(wildcard $(B)/duckdb/libduckdb.so)
	@mkdir -p $(B)
	cd $(B) && $(abspath $(CONFIGURE)) --srcdir=$(CURDIR) --quiet $(CONFIGURE_FLAGS)

# ---- flags -----------------------------------------------------------------------------------
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
       -Wvla -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings -Wno-unused-parameter \
       -Wno-missing-field-initializers
# Hidden symbols: none of our names (json_string, ...) may take the place of one inside a library.
HARDEN = -fPIE -fvisibility=hidden -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fstack-clash-protection
HARDEN_LD = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
OPT ?= -O2 -g
EXTRA_CFLAGS ?=
EXTRA_LDFLAGS ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) -I$(B) -Ilib -Isrc $(DEP_CFLAGS) \
             $(CPPFLAGS) $(CFLAGS) $(EXTRA_CFLAGS)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS) $(EXTRA_LDFLAGS)

# ---- layers: a folder calls only itself and what stands below it --------------------------------
# proc > front > mcp > sql, sf > state > lib; emulator stands on sql and lib; ctl on sf, state, lib.
LAYERS = lib state sql sf mcp front proc ctl emulator
src_lib = $(wildcard lib/*.c)
layer_srcs = $(if $(filter lib,$1),$(wildcard lib/*.c),$(wildcard src/$1/*.c))
layer_objs = $(patsubst %.c,$(B)/o/%.o,$(filter-out %/main.c,$(call layer_srcs,$1)))
layer_lib = $(B)/lib$1.a

LIBS_lib = $(call layer_lib,lib)
LIBS_state = $(call layer_lib,state) $(LIBS_lib)
LIBS_sql = $(call layer_lib,sql) $(LIBS_lib)
LIBS_sf = $(call layer_lib,sf) $(LIBS_state)
LIBS_mcp = $(call layer_lib,mcp) $(call layer_lib,sql) $(LIBS_sf)
LIBS_front = $(call layer_lib,front) $(LIBS_mcp)
LIBS_proc = $(call layer_lib,proc) $(LIBS_front)
LIBS_ctl = $(call layer_lib,ctl) $(LIBS_sf)
LIBS_emulator = $(call layer_lib,emulator) $(LIBS_sql)

EXT_LIBS = $(LIBEVENT_LIBS) $(LIBCURL_LIBS) $(LIBJWT_LIBS) $(CJSON_LIBS) $(LIBYAML_LIBS) \
           $(OPENSSL_LIBS) $(ZLIB_LIBS) -lpthread
DUCKDB_LIBS = -L$(DUCKDB_DIR) -lduckdb -Wl,-rpath,$(DUCKDB_DIR)

# The list of members is a prerequisite too: a source that was added or taken away remakes the library.
define layer_rule
$(B)/o/$1.members: FORCE
	@mkdir -p $$(@D); echo '$(call layer_objs,$1)' | cmp -s - $$@ || echo '$(call layer_objs,$1)' >$$@
$(call layer_lib,$1): $(call layer_objs,$1) $(B)/o/$1.members
	@rm -f $$@
	@ar rcs $$@ $$(filter %.o,$$^)
endef
.PHONY: FORCE
FORCE:
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$l)))

$(B)/o/src/emulator/%.o: EXTRA_CFLAGS += $(if $(DUCKDB_DIR),-isystem $(DUCKDB_DIR))
$(B)/o/tests/unit/emulator/%.o: EXTRA_CFLAGS += $(if $(DUCKDB_DIR),-isystem $(DUCKDB_DIR))
$(B)/o/tests/%.o: EXTRA_CFLAGS += -Itests $(CMOCKA_CFLAGS)
$(B)/o/%.o: %.c $(B)/config.mk Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
Q = @echo "  CC  $<";

-include $(shell find $(B)/o -name '*.d' 2>/dev/null)

# ---- programs --------------------------------------------------------------------------------
PROGRAMS = $(B)/snowflake-mcp \
           $(if $(wildcard src/ctl/main.c),$(B)/snowflake-mcp-ctl) \
           $(if $(filter yes,$(HAVE_DUCKDB)),$(B)/snowflake-emulator)
.PHONY: all
all: $(PROGRAMS)
ifneq ($(HAVE_DUCKDB),yes)
	@echo "snowflake-emulator is not built: no DuckDB here (make duckdb fetches it)"
endif

link = @echo "  LD  $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ \
       $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(B)/snowflake-mcp: $(B)/o/src/proc/main.o $(LIBS_proc)
	$(link) $(EXT_LIBS)
$(B)/snowflake-mcp-ctl: $(B)/o/src/ctl/main.o $(LIBS_ctl)
	$(link) $(EXT_LIBS)
$(B)/snowflake-emulator: $(B)/o/src/emulator/main.o $(LIBS_emulator)
	$(link) $(DUCKDB_LIBS) $(EXT_LIBS)

# ---- what has to be there first ----------------------------------------------------------------
.PHONY: deps duckdb
deps:
	@packaging/install-deps.sh build
duckdb:
	@packaging/get-duckdb.sh $(B)/duckdb

.PHONY: demo
demo:
	@packaging/install-deps.sh build demo
	@packaging/get-duckdb.sh $(B)/duckdb
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec $(B)/snowflake-mcp --demo

# ---- tests -----------------------------------------------------------------------------------
# tests/unit/LAYER/test_x.c links that layer and those below it.
UNIT_SRCS = $(foreach l,$(filter-out $(if $(filter yes,$(HAVE_DUCKDB)),,emulator),$(LAYERS)),\
                $(wildcard tests/unit/$l/test_*.c))
UNIT_TESTS = $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRCS))
define unit_rule
$(B)/unit/$1/%: $(B)/o/tests/unit/$1/%.o $(LIBS_$1)
	@mkdir -p $$(@D)
	$$(link) $(if $(filter emulator,$1),$$(DUCKDB_LIBS)) $$(EXT_LIBS) $$(CMOCKA_LIBS)
.PHONY: unit-$1
unit-$1: $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/$1/test_*.c))
	@for t in $$^; do echo "== $$$$t"; CMOCKA_MESSAGE_OUTPUT=STDOUT $$$$t || exit 1; done
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$l)))

# tests/fuzz/LAYER/fuzz_x.c: a libFuzzer target under clang (make fuzz), a corpus replay otherwise.
FUZZ_SRCS = $(foreach l,$(LAYERS),$(wildcard tests/fuzz/$l/fuzz_*.c))
FUZZ_REPLAYS = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRCS))
define fuzz_rule
$(B)/fuzz/$1/%: $(B)/o/tests/fuzz/$1/%.o $(B)/o/tests/fuzz/replay.o $(LIBS_$1)
	@mkdir -p $$(@D)
	$$(link) $$(EXT_LIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call fuzz_rule,$l)))

# The same targets with libFuzzer's own main; see tests/fuzz/run.sh.
define libfuzzer_rule
$(B)/libfuzzer/$1/%: $(B)/o/tests/fuzz/$1/%.o $(LIBS_$1)
	@mkdir -p $$(@D)
	$$(link) $$(LINK_FUZZER) $$(EXT_LIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call libfuzzer_rule,$l)))
.PHONY: fuzz-libs
fuzz-libs: $(sort $(foreach d,$(sort $(notdir $(patsubst %/,%,$(dir $(FUZZ_SRCS))))),$(LIBS_$d)))

.PHONY: tests
tests: all $(UNIT_TESTS) $(FUZZ_REPLAYS)

include tests/check.mk

# ---- install ---------------------------------------------------------------------------------
bindir = $(prefix)/bin
.PHONY: install uninstall clean distclean help
install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(prefix)/share/man/man5 $(DESTDIR)$(prefix)/share/man/man8 \
	    $(DESTDIR)$(prefix)/share/doc/snowflake-mcp/examples
	install -m 755 $(B)/snowflake-mcp $(DESTDIR)$(bindir)/
	test ! -f $(B)/snowflake-mcp-ctl || install -m 755 $(B)/snowflake-mcp-ctl $(DESTDIR)$(bindir)/
	install -m 644 man/*.5 $(DESTDIR)$(prefix)/share/man/man5/
	install -m 644 man/*.8 $(DESTDIR)$(prefix)/share/man/man8/
	install -m 644 README.md NEWS.md COPYING $(DESTDIR)$(prefix)/share/doc/snowflake-mcp/
	install -m 644 etc/* $(DESTDIR)$(prefix)/share/doc/snowflake-mcp/examples/
uninstall:
	rm -f $(DESTDIR)$(bindir)/snowflake-mcp $(DESTDIR)$(bindir)/snowflake-mcp-ctl
	rm -f $(addprefix $(DESTDIR)$(prefix)/share/man/man5/,$(notdir $(wildcard man/*.5)))
	rm -f $(addprefix $(DESTDIR)$(prefix)/share/man/man8/,$(notdir $(wildcard man/*.8)))
	rm -rf $(DESTDIR)$(prefix)/share/doc/snowflake-mcp
clean:
	rm -rf $(B)/o $(B)/unit $(B)/fuzz $(B)/*.a $(B)/snowflake-*
distclean:
	rm -rf $(B)

# ---- source tarball: reproducible, with a ready configure, builds without git ---------------------
DIST = snowflake-mcp-$(VERSION)
DIST_FILES = $(shell git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print)
.PHONY: dist distcheck
dist: $(CONFIGURE)
	@rm -rf $(B)/dist && mkdir -p $(B)/dist/$(DIST)
	@tar -cf - $(DIST_FILES) | tar -xf - -C $(B)/dist/$(DIST)
	@cp $(CONFIGURE) $(B)/dist/$(DIST)/configure
	@cd $(B)/dist && tar --format=ustar --sort=name --mtime=@$${SOURCE_DATE_EPOCH:-0} --owner=0 \
	    --group=0 --numeric-owner --mode=go=rX,u+rw,a-s -cf - $(DIST) | XZ_OPT='-6 -T1' xz -c >$(DIST).tar.xz
	@rm -rf $(B)/dist/$(DIST)
	@echo "$(B)/dist/$(DIST).tar.xz"
distcheck: dist
	@cd $(B)/dist && rm -rf check && mkdir check && tar -xJf $(DIST).tar.xz -C check
	@$(MAKE) --no-print-directory -C $(B)/dist/check/$(DIST) -j$$(nproc) all unit-lib unit-sql
	@$(MAKE) --no-print-directory -C $(B)/dist/check/$(DIST) DESTDIR=$(abspath $(B))/dist/check/root install
	@test -x $(B)/dist/check/root$(prefix)/bin/snowflake-mcp
	@$(MAKE) --no-print-directory -C $(B)/dist/check/$(DIST) DESTDIR=$(abspath $(B))/dist/check/root uninstall
	@left=$$(find $(B)/dist/check/root -type f); test -z "$$left" || { echo "left behind: $$left"; exit 1; }
	@rm -rf $(B)/dist/check
	@echo "$(DIST): builds, tests, installs and uninstalls"

help:
	@echo "all demo check check-system bench lint fuzz sanitize coverage"
	@echo "dist distcheck install uninstall clean distclean deps duckdb"
	@echo "variables: B (build folder), prefix, DESTDIR, CC, OPT, CONFIGURE_FLAGS"
