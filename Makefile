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

FORMAT_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard format/*.c))
REPLAY_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard replay/*.c))
ANALYZE_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard analyze/*.c))
RECORD_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard record/*.c))
UNIT_OBJ    := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/*.c))
INSIDE_SRC  := $(wildcard record/inside/*.c)

BIN := $(BUILD)/bin/ptrec $(BUILD)/bin/ptana
LIB := $(BUILD)/lib/libpt.a
SHIM := $(BUILD)/lib/ptrec/shim.so

all: $(BIN) $(LIB) $(SHIM) hooks ## build everything in build/

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# An archive of objects from one folder each; links follow the one-way rule.
$(LIB): $(FORMAT_OBJ) $(REPLAY_OBJ)
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/bin/ptrec: $(RECORD_OBJ) $(FORMAT_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) -lpthread

$(BUILD)/bin/ptana: $(ANALYZE_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOGLIBS) -lpthread -lm

$(SHIM): record/shim/shim.c record/proto.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -std=c11 $(OPT) $(WARN) -fvisibility=hidden -fPIC -shared \
	    -Wl,-z,now -o $@ $< -ldl

# One recorder per interpreter ABI: $(BUILD)/lib/ptrec/hooks.SOABI.so
HOOKS_CC = $(CC) $(CPPFLAGS_ALL) -std=c11 -O3 -g $(WARN) -Wno-cast-function-type \
           -fvisibility=hidden -fPIC $(HOOKS_CFLAGS)
hooks: $(INSIDE_SRC) $(wildcard record/inside/*.h record/inside/*.py) record/proto.h
	@set -e; for py in $(PYTHONS); do sh record/build-hooks.sh "$$py" \
	    "$(BUILD)" "$(HOOKS_CC)"; done

$(BUILD)/tests/unit: $(UNIT_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcriterion $(LOGLIBS) -lpthread -lm

clean: ## remove what was built
	rm -rf $(BUILD)/obj $(BUILD)/bin $(BUILD)/lib $(BUILD)/tests $(BUILD)/hooks

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | sort

.PHONY: all hooks clean help check bench install uninstall format-check tidy
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
