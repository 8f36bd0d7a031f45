#!/bin/sh
# Fuzzes what reads logs: tests/fuzz/run.sh [SECONDS], one minute if not given,
# half of it for the library, half for ptana's analyzers.
# With --corpus, writes the committed corpus anew instead.
# Fails on a crash, a sanitizer's report, a hang, or more than 500 MB; the input
# is then left in $BUILD/fuzz and can be given to $BUILD/fuzz/fuzz_reader or
# fuzz_analyze.
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
sanitize="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
shared="tests/fuzz/mutate.c format/*.c replay/*.c"
make -s BUILD="$BUILD" pages || exit 1
# shellcheck disable=SC2086
"$CLANG" $flags $sanitize -o "$out/fuzz_reader" tests/fuzz/fuzz_reader.c \
    tests/fuzz/fuzz_replay.c $shared $libs &&
    "$CLANG" $flags -I"$BUILD/gen" $sanitize -o "$out/fuzz_analyze" \
        tests/fuzz/fuzz_analyze.c syntax/*.c $(find analyze -name '*.c' ! -name main.c) \
        $shared $libs -lz -lpcre2-8 -ledit -lgmp -lcjson -lpthread -lm || exit 1

# What it finds goes to a copy: the committed corpus stays as it is.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
# Freed memory is kept from use by others, but not 256 MB of it.
export ASAN_OPTIONS="quarantine_size_mb=32"
for target in reader analyze; do
    log=$work/$target
    mkdir "$work/$target.found"
    if "$out/fuzz_$target" -max_total_time=$((seconds / 2)) -max_len=65536 \
        -timeout=60 -rss_limit_mb=500 -artifact_prefix="$out/" \
        -print_final_stats=1 "$work/$target.found" tests/corpus \
        >"$log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 60 "$log"
    fi
    grep -E '^#.*DONE|number_of_executed_units|peak_rss' "$log" |
        sed "s/^/$target: /"
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
