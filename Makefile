# ptrec: record, replay and analyze CPython programs.  `make help` lists targets.

VERSION := $(shell sed -n 's/^#define PT_VERSION "\(.*\)"/\1/p' include/pt/version.h)
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
AR      ?= ar
BUILD   ?= build
SAN     ?=

# Interpreters to build a recorder for: any that have headers.  Override with
# PYTHONS="/path/python3.12 ...".
PYTHONS ?= $(shell sh record/pythons.sh)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wno-unused-parameter -Wvla -Wpointer-arith
OPT     ?= -O2 -g
CPPFLAGS_ALL := -D_GNU_SOURCE -Iinclude -I. $(CPPFLAGS)
CFLAGS_ALL   := -std=c11 $(OPT) $(WARN) -fvisibility=hidden -MMD -MP $(CFLAGS)
ifneq ($(SAN),)
CFLAGS_ALL  += -fsanitize=$(SAN) -fno-omit-frame-pointer
LDFLAGS     += -fsanitize=$(SAN)
endif
LOGLIBS := -lzstd -lcbor -lxxhash
ANALYZELIBS := -lz -lpcre2-8 -ledit -lgmp -lcjson

FORMAT_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard format/*.c))
SYNTAX_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard syntax/*.c))
REPLAY_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard replay/*.c))
ANALYZE_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard analyze/*.c analyze/*/*.c))
RECORD_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard record/*.c))
UNIT_OBJ    := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/*.c))
# The recorder's side of the rings, which knows nothing of Python.
PRODUCER_OBJ := $(patsubst %,$(BUILD)/obj/record/inside/%.o,producer lanes emit definitions)
INSIDE_SRC  := $(wildcard record/inside/*.c)

BIN := $(BUILD)/bin/ptrec $(BUILD)/bin/ptana
LIB := $(BUILD)/lib/libpt.a
SHIM := $(BUILD)/lib/ptrec/shim.so
PARSE := $(BUILD)/lib/ptrec/parse.py

all: $(BIN) $(LIB) $(SHIM) $(PARSE) hooks ## build everything in build/

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# Pages, and parts of pages, as strings of C.
PAGES := $(patsubst %,$(BUILD)/gen/%.h,flamegraph_page coverage_style coverage_script)
$(BUILD)/gen/flamegraph_page.h: analyze/flamegraph.html
$(BUILD)/gen/coverage_style.h: analyze/coverage/html/report.css
$(BUILD)/gen/coverage_script.h: analyze/coverage/html/report.js
$(PAGES):
	@mkdir -p $(@D)
	sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@

pages: $(PAGES)

PAGED := $(patsubst %,$(BUILD)/obj/analyze/%.o,flamegraph coverage/html)
$(PAGED): $(PAGES)
$(PAGED): CPPFLAGS_ALL += -I$(BUILD)/gen

# An archive of objects from one folder each; links follow the one-way rule.
$(LIB): $(FORMAT_OBJ) $(REPLAY_OBJ)
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/bin/ptrec: $(RECORD_OBJ) $(SYNTAX_OBJ) $(FORMAT_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) -lpthread

$(BUILD)/bin/ptana: $(ANALYZE_OBJ) $(SYNTAX_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) $(ANALYZELIBS) -lpthread -lm

$(SHIM): $(wildcard record/shim/*.[ch]) record/proto.h record/inside/attach.h record/inside/dial.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -std=c11 $(OPT) $(WARN) -fvisibility=hidden -fPIC -shared \
	    -Wl,-z,now -o $@ $(filter %.c,$^) -ldl -lpthread

# Run by the interpreters that ptrec records.
$(PARSE): syntax/parse.py
	@mkdir -p $(@D)
	install -m 644 $< $@

# One recorder per interpreter ABI: $(BUILD)/lib/ptrec/hooks.SOABI.so
HOOKS_CC = $(CC) $(CPPFLAGS_ALL) -std=c11 -O3 -fno-plt -fno-tree-slp-vectorize -g $(WARN) -Wno-cast-function-type -Wno-missing-field-initializers \
           -fvisibility=hidden -fPIC $(HOOKS_CFLAGS)
hooks: $(INSIDE_SRC) $(wildcard record/inside/*.h record/inside/*.py) record/proto.h
	@set -e; for py in $(PYTHONS); do sh record/build-hooks.sh "$$py" \
	    "$(BUILD)" "$(HOOKS_CC)"; done

$(BUILD)/tests/unit: $(UNIT_OBJ) $(filter-out %/main.o,$(RECORD_OBJ) $(ANALYZE_OBJ)) \
                     $(BUILD)/obj/record/shim/words.o $(PRODUCER_OBJ) $(SYNTAX_OBJ) \
                     $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcriterion $(LOGLIBS) $(ANALYZELIBS) -lpthread -lm -ldl

# The tests of the rings by themselves: tests/tsan/run.sh, with SAN=thread.
RINGS_OBJ := $(patsubst %,$(BUILD)/obj/tests/%.o,tsan/main unit/producing \
               unit/test_record_fake unit/test_record_producer \
               unit/test_record_threads unit/test_record_drain)
$(BUILD)/tests/rings: $(RINGS_OBJ) $(PRODUCER_OBJ) \
                      $(filter-out %/main.o,$(RECORD_OBJ)) $(SYNTAX_OBJ) $(FORMAT_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) -lpthread

# Expressions by themselves: tests/values/expressions.py.
$(BUILD)/tests/evaluate: $(BUILD)/obj/tests/values/evaluate.o \
                         $(filter-out %/main.o,$(ANALYZE_OBJ)) $(SYNTAX_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) $(ANALYZELIBS) -lpthread -lm

# A ptrec whose chunks end every 53 events, beside the same recorders.
TINY := $(BUILD)/tests/tiny/bin/ptrec
$(BUILD)/tests/tiny/lane.o: record/lane.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -DPT_BLOCK_MOST=53 -c -o $@ $<

$(TINY): $(BUILD)/tests/tiny/lane.o $(filter-out %/lane.o,$(RECORD_OBJ)) $(SYNTAX_OBJ) $(FORMAT_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) -lpthread
	ln -sfn ../../lib $(BUILD)/tests/tiny/lib

# --- tests ---------------------------------------------------------------

TESTENV = BUILD="$(BUILD)" PYTHONS="$(PYTHONS)"

check: all $(BUILD)/tests/unit $(BUILD)/tests/evaluate $(TINY) ## run every test suite
	$(TESTENV) sh tests/run.sh

check-all: all $(BUILD)/tests/unit $(BUILD)/tests/evaluate $(TINY) ## ... and the long ones
	$(TESTENV) sh tests/run.sh --all

check-%: all $(BUILD)/tests/unit $(BUILD)/tests/evaluate $(TINY) ## run one suite, as in make check-roundtrip
	$(TESTENV) sh tests/run.sh $*

sid: ## fetch CPython 3.13 to 3.15 of Debian sid into build/sid, to test with
	sh tests/sidroot.sh

# Half an hour; BENCH=quick takes two minutes, BENCH=full an hour.  PEERS=DIR adds
# the tools that lie there (tests/bench/run.py).
BENCH ?=
PEERS ?=
bench: all ## measure, and write tests/bench/RESULTS.md
	$(TESTENV) python3 tests/bench/run.py $(if $(BENCH),--$(BENCH)) \
	    $(if $(PEERS),--peers "$(PEERS)")

# --- style ---------------------------------------------------------------

C_SOURCES = $(wildcard format/*.c syntax/*.c replay/*.c analyze/*.c analyze/*/*.c \
              record/*.c record/shim/*.c tests/unit/*.c)
C_FILES   = $(C_SOURCES) $(wildcard format/*.h syntax/*.h replay/*.h analyze/*.h \
              analyze/*/*.h record/*.h record/inside/*.[ch] record/shim/*.h include/pt/*.h \
              tests/unit/*.h tests/values/*.[ch] tests/bench/floor/*.[ch] tests/bench/gen/*.c \
              tests/fuzz/*.[ch] tests/tsan/*.c tests/tsan/criterion/*.h)
CLANG_FORMAT ?= clang-format
CLANG_TIDY   ?= clang-tidy

format-check: ## complain about code that clang-format would change
	$(CLANG_FORMAT) --dry-run --Werror $(C_FILES)

format: ## let clang-format change it
	$(CLANG_FORMAT) -i $(C_FILES)

tidy: $(PAGES) ## run clang-tidy
	@mkdir -p $(BUILD)/tidy; status=0; \
	$(CLANG_TIDY) --quiet $(C_SOURCES) -- -std=c11 $(CPPFLAGS_ALL) \
	    -I$(BUILD)/gen || status=1; \
	for py in $(PYTHONS); do \
	    $$py -I -S record/inside/gen_opcodes.py >$(BUILD)/tidy/opcodes.h; \
	    $$py -I -S record/inside/gen_calibration.py >$(BUILD)/tidy/calibration.h; \
	    $(CLANG_TIDY) --quiet $(INSIDE_SRC) -- -std=c11 $(CPPFLAGS_ALL) \
	        -I$(BUILD)/tidy -DPT_SOABI='"tidy"' -I"$$($$py -c \
	        'import sysconfig; print(sysconfig.get_path("include"))')" || status=1; \
	done; exit $$status

# --- installation --------------------------------------------------------

LIBDIR  = $(DESTDIR)$(PREFIX)/lib
MANDIR  = $(DESTDIR)$(PREFIX)/share/man/man1
MANPAGES = $(wildcard spec/man/*.1)

# Made anew each time: PREFIX may differ from the last time's.
$(BUILD)/lib/pkgconfig/ptrec.pc: spec/ptrec.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< >$@

install: all $(BUILD)/lib/pkgconfig/ptrec.pc ## install to $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBDIR)/ptrec $(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include/pt $(MANDIR)
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(LIB) $(LIBDIR)
	for f in $(BUILD)/lib/ptrec/*; do \
	    install -m 644 "$$f" $(LIBDIR)/ptrec || exit 1; done
	install -m 644 $(BUILD)/lib/pkgconfig/ptrec.pc $(LIBDIR)/pkgconfig
	install -m 644 include/pt/*.h $(DESTDIR)$(PREFIX)/include/pt
	$(if $(MANPAGES),install -m 644 $(MANPAGES) $(MANDIR))

uninstall: ## remove what install put there
	rm -f $(foreach b,$(notdir $(BIN)),$(DESTDIR)$(PREFIX)/bin/$(b))
	rm -f $(LIBDIR)/libpt.a $(LIBDIR)/pkgconfig/ptrec.pc
	rm -f $(foreach m,$(notdir $(MANPAGES)),$(MANDIR)/$(m))
	rm -rf $(LIBDIR)/ptrec $(DESTDIR)$(PREFIX)/include/pt

clean: ## remove what was built
	rm -rf $(BUILD)/obj $(BUILD)/bin $(BUILD)/lib $(BUILD)/tests \
	    $(BUILD)/tidy $(BUILD)/gen $(BUILD)/hooks $(BUILD)/demo $(BUILD)/bench

help: ## this list
	@sed -nE 's/^([a-z%-]+):.*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    expand -t 18
	@echo "variables: PREFIX DESTDIR CC BUILD SAN=address,undefined PYTHONS"

.PHONY: FORCE all pages hooks clean help check check-all sid bench install uninstall \
        format-check format tidy
-include $(shell find $(BUILD)/obj $(BUILD)/tests/tiny -name '*.d' 2>/dev/null)
