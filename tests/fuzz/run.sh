#!/bin/sh
# Fuzzes the reader: tests/fuzz/run.sh [SECONDS], one minute if not given.
# With --corpus, writes the committed corpus anew instead.
# Fails on a crash, a sanitizer's report, a hang, or too much memory; the input
# is then left in $BUILD/fuzz and can be given to $BUILD/fuzz/fuzz_reader.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CLANG=${CLANG:-$(command -v clang || command -v clang-14 || echo clang)}
out=$BUILD/fuzz
mkdir -p "$out" || exit 1
flags="-D_GNU_SOURCE -Iinclude -I. -std=c11 -O1 -g"
libs="-lzstd -lcbor -lxxhash"

# shellcheck disable=SC2086
if [ "${1-}" = --corpus ]; then
    for tool in fuzz/make_corpus golden/make_flow; do
        ${CC:-cc} $flags -o "$out/${tool#*/}" "tests/$tool.c" \
            format/*.c $libs && "$out/${tool#*/}" tests/corpus || exit
    done
    exit
fi

seconds=${1:-60}
# shellcheck disable=SC2086
"$CLANG" $flags -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -o "$out/fuzz_reader" tests/fuzz/fuzz_reader.c \
    tests/fuzz/fuzz_replay.c format/*.c replay/*.c $libs || exit 1

# What it finds goes to a copy: the committed corpus stays as it is.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
log=$work/log
mkdir "$work/found"
"$out/fuzz_reader" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
    -rss_limit_mb=2048 -artifact_prefix="$out/" -print_final_stats=1 \
    "$work/found" tests/corpus >"$log" 2>&1
status=$?
if [ $status != 0 ]; then
    tail -n 60 "$log"
    echo "fuzz: 0 passed, 1 failed"
    exit 1
fi
grep -E 'number_of_executed_units|peak_rss' "$log"
grep -E '^#.*DONE' "$log"
echo "fuzz: 1 passed, 0 failed"
