#!/bin/sh
# Runs the Criterion tests and says the result as every suite does.
set -u
BUILD=${BUILD:-build}
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"$BUILD/tests/unit" -j2 >"$out" 2>&1
cat "$out"
sed 's/\x1b\[[0-9;]*m//g' "$out" | awk '
/Synthesis:/ {
    gsub(/[|:]/, " ")
    for (i = 1; i < NF; i++) {
        if ($i == "Tested") tested = $(i + 1)
        if ($i == "Passing") passing = $(i + 1)
    }
}
END { printf "unit: %d passed, %d failed\n", passing, tested - passing
      exit tested != passing || tested == 0 }'
