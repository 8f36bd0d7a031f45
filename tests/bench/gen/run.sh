#!/bin/sh
# Builds the generator and the measurement of histories, and runs them:
#
#   run.sh DIRECTORY [EVENTS [THREADS]]
#
# The trace (0.6 bytes an event) and the programs are left in DIRECTORY.
set -eu
cd "$(dirname "$0")/../../.."
out=$1
events=${2:-10000000}
threads=${3:-1}
lib=${BUILD:-build}/lib/libpt.a
for name in trace history; do
    ${CC:-gcc} -std=c11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -Iinclude \
        -o "$out/gen-$name" "tests/bench/gen/$name.c" "$lib" \
        -lzstd -lcbor -lxxhash
done
"$out/gen-trace" "$out/gen-$events-$threads.ptr" "$events" "$threads"
"$out/gen-history" "$out/gen-$events-$threads.ptr"
