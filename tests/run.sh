#!/bin/sh
# Runs the test suites and sums up what they report.
#
#   run.sh             every suite (make check)
#   run.sh --all       ... with the long cases of each (make check-all)
#   run.sh NAME...     these suites only
#
# A suite is a command that prints, last, "NAME: N passed, N failed".  One that
# prints no such line, or that tests nothing, or that leaves with a status
# other than 0 while it reports no failure, counts as one failure.  The last
# line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
# On one line: make takes it from the environment.
# shellcheck disable=SC2046,SC2086,SC2116
PYTHONS=$(echo ${PYTHONS:-$(sh record/pythons.sh)})
export BUILD PYTHONS
export PT_TEST_ALL=0

# Debian's own Python has the test packages; others are only recorded.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

wanted=
for arg in "$@"; do
    case $arg in
    --all) PT_TEST_ALL=1 ;;
    *) wanted="$wanted $arg" ;;
    esac
done

logs=$BUILD/tests/log
mkdir -p "$logs"
passed=0
failed=0
bad=

suite() { # name, limit in seconds, command...
    name=$1
    limit=$2
    shift 2
    case "$wanted " in
    " " | *" $name "*) ;;
    *) return ;;
    esac
    log=$logs/$name
    begun=$(date +%s)
    timeout -k 10 "$limit" "$@" >"$log" 2>&1
    status=$?
    result=$(sed -nE "s/^$name: ([0-9]+) passed, ([0-9]+) failed\$/\1 \2/p" \
        "$log" | tail -n 1)
    ok=${result% *}
    no=${result#* }
    ok=${ok:-0}
    no=${no:-0}
    if [ -z "$result" ] || [ $((ok + no)) = 0 ] ||
        { [ "$status" != 0 ] && [ "$no" = 0 ]; }; then
        echo "$name: no result, or nothing tested (exit status $status)" \
            >>"$log"
        no=$((no + 1))
    fi
    if [ "$no" != 0 ]; then
        bad="$bad $name"
        grep -v ' ok$' "$log" | tail -n 60
    else
        grep -E "^(skipped|note):" "$log"
    fi
    echo "$name: $ok passed, $no failed ($(($(date +%s) - begun)) s)"
    passed=$((passed + ok))
    failed=$((failed + no))
}

versions() {
    for version in 3.11 3.12 3.13 3.14 3.15; do
        found=
        for py in $PYTHONS; do
            case $("$py" -c 'import sys; print("%d.%d" % sys.version_info[:2])') in
            "$version") found=$py ;;
            esac
        done
        if [ -n "$found" ]; then
            echo "CPython $version: $found"
        else
            echo "CPython $version: not tested, none with headers was found"
        fi
    done
}

versions
suite includes 60 sh tests/check_includes.sh
suite docs 60 "$python" tests/check_docs.py
suite unit 300 sh tests/check_unit.sh
suite golden 300 "$python" tests/golden/run.py
suite graph 1800 "$python" tests/graph/run.py
suite roundtrip 900 "$python" tests/roundtrip/run.py
suite filters 900 "$python" tests/roundtrip/filters.py
suite counts 600 "$python" tests/roundtrip/counts.py
suite lines 900 "$python" tests/roundtrip/lines.py
suite once 600 "$python" tests/roundtrip/once.py
suite hidden 300 "$python" tests/roundtrip/hidden.py
suite foreign 300 "$python" tests/roundtrip/foreign.py
suite syntax 600 "$python" tests/syntax/run.py
suite coverage $((PT_TEST_ALL ? 7200 : 900)) "$python" tests/coverage/run.py
suite reports 600 "$python" tests/coverage/reports.py
suite conditions $((PT_TEST_ALL ? 3600 : 300)) "$python" tests/coverage/conditions.py
suite exact 1200 "$python" tests/exact/run.py
suite expressions 300 "$python" tests/values/expressions.py
suite tasks 600 "$python" tests/tasks/run.py
if [ -n "$("$python" tests/greenlet/run.py --which)" ]; then
    suite greenlet 600 "$python" tests/greenlet/run.py
else
    echo "greenlet: skipped, no interpreter has the package"
fi
suite tools 300 "$python" tests/tools/run.py
# All modules take hours.
suite cpython $((PT_TEST_ALL ? 14400 : 900)) "$python" tests/cpython/run.py
suite disassemble 300 "$python" tests/roundtrip/disassemble.py
suite agree $((PT_TEST_ALL ? 3600 : 600)) "$python" tests/coverage/agree.py
suite export 600 "$python" tests/export/run.py
suite debug 900 "$python" tests/debug/run.py
suite dap 600 "$python" tests/debug/dap.py
suite install 120 sh tests/check_install.sh
suite encoder 600 "$python" tests/values/run_encoder.py
suite hostile 600 "$python" tests/values/run_hostile.py
suite inside 600 sh tests/inside/run.sh
suite tsan 900 sh tests/tsan/run.sh
suite processes 900 "$python" tests/processes/run.py
suite fault 600 "$python" tests/fault/run.py
suite kills 600 "$python" tests/fault/kills.py
suite limits 600 "$python" tests/fault/limits.py
suite inject 900 "$python" tests/fault/inject.py
if command -v clang >/dev/null 2>&1; then
    suite fuzz 600 sh tests/fuzz/run.sh
else
    echo "fuzz: skipped, clang is not installed"
fi

[ -z "$bad" ] || echo "failed:$bad (logs: $logs)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
