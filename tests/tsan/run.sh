#!/bin/sh
# The collector, and both sides of the rings, under ThreadSanitizer.  It sees
# one process at a time: so the tests of the rings run with the recorder's
# producers as threads of the collector's process, and ptrec itself records
# threads and processes, with its bell's thread beside it.
#
#   tests/tsan/run.sh [PYTHON]      default: the last of record/pythons.sh
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
build=$BUILD/tsan work=$BUILD/tests/tsan
# shellcheck disable=SC2086
set -- ${1:-${PYTHONS:-$(sh record/pythons.sh)}}
for python in "$@"; do :; done
mkdir -p "$work" "$build"
ln -sfn ../lib "$build/lib"
passed=0 failed=0

note() { # note RESULT NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "tsan: FAILED $2"
    fi
}

make -s -j2 SAN=thread BUILD="$build" CPPFLAGS=-Itests/tsan "$build/tests/rings" \
    "$build/bin/ptrec" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log"; echo "tsan: 0 passed, 1 failed"; exit 1; }
export TSAN_OPTIONS="exitcode=66 suppressions=$PWD/tests/tsan/suppressions"

"$build/tests/rings" >"$work/rings" 2>&1
note $? "rings (see $work/rings)"
[ "$failed" = 0 ] || tail -n 60 "$work/rings"

record() { # record NAME PROGRAM ARGUMENT...: in $work/NAME is what it said
    name=$1
    shift
    rm -f "$work/log"
    "$build/bin/ptrec" run --quiet -f -o "$work/$name.ptr" --python="$python" \
        "$@" >"$work/$name" 2>&1 &&
        "$BUILD/bin/ptana" verify "$work/$name.ptr" >>"$work/$name" 2>&1
    note $? "$name (see $work/$name)"
}
record threads tests/fault/programs/threads.py
record processes tests/processes/programs/ways.py many "$work/log"
echo "tsan: $passed passed, $failed failed"
[ "$failed" = 0 ]
