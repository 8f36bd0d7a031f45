#!/bin/sh
# The rooms' dependencies, checked by what the sources include and call:
#   include <- format <- replay <- analyze; record uses format's write half;
#   format <- syntax <- record, analyze;
#   Python.h only in record/; zstd, cbor and xxhash only in format/;
#   libraries neither print nor exit.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0

sources() { # folder...
    find "$@" -name '*.[ch]' 2>/dev/null
}

# Fails when the pattern is found in one of the files.
forbid() { # what it says, pattern, files...
    says=$1
    pattern=$2
    shift 2
    hits=$(grep -nE "$pattern" /dev/null "$@")
    if [ -n "$hits" ]; then
        echo "$says:"
        echo "$hits"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]'
word='(^|[^_[:alnum:]])'
exits="$word(_?exit|_Exit|abort|quick_exit)[[:space:]]*\\("
prints="$word(printf|fprintf|puts|fputs|putchar|perror|vfprintf)[[:space:]]*\\("
quiet=$(find analyze record -name '*.c' ! -path 'record/*/*' 2>/dev/null |
    grep -vE '/(main|ptana|ptrec|output|out|print|say)[^/]*\.c$')

# File names hold no blanks.
# shellcheck disable=SC2046,SC2086
{
    forbid "include/ includes only itself and C" \
        "$include(format|syntax|replay|analyze|record|\.\.)/" $(sources include)
    forbid "format/ must not know other rooms" \
        "$include(syntax|replay|analyze|record)/" $(sources format)
    forbid "syntax/ may include format/ and include/ only" \
        "$include(replay|analyze|record)/" $(sources syntax)
    forbid "replay/ may include format/ and include/ only" \
        "$include(syntax|analyze|record)/" $(sources replay)
    forbid "analyze/ must not include record/" \
        "${include}record/" $(sources analyze)
    forbid "record/ uses format's write half only" \
        "$include(replay/|analyze/|pt/reader\.h|format/(reader|recover))" \
        $(sources record)
    forbid "only record/ includes Python.h" \
        "$include(Python|frameobject|internal/)" \
        $(sources format syntax replay analyze include)
    forbid "the launcher and the collector do not include Python.h" \
        "${include}Python" $(find record -maxdepth 1 -name '*.[ch]')
    forbid "only format/ includes zstd, cbor and xxhash" \
        "$include(zstd|cbor|xxhash)" $(sources syntax replay analyze record include)
    forbid "only analyze/gzip.c includes zlib" "${include}zlib" \
        $(sources include format syntax replay analyze record | grep -v '/gzip\.c$')
    forbid "only analyze/dap includes cJSON" "${include}cjson" \
        $(sources include format syntax replay analyze record |
            grep -v '^analyze/dap/')
    forbid "only analyze/expression includes gmp" "${include}gmp" \
        $(sources include format syntax replay analyze record |
            grep -v '^analyze/expression/')
    forbid "libraries do not exit" "$exits" $(sources format replay)
    forbid "libraries do not print" "$prints" $(sources format syntax replay)
    forbid "only mains exit" "$word(_?exit|_Exit|quick_exit)[[:space:]]*\\(" \
        $(find analyze -name '*.c' | grep -vE '/(main|ptana)[^/]*\.c$')
    forbid "only mains and one output module print" \
        "$word(printf|puts|putchar|perror)[[:space:]]*\\(|fprintf[[:space:]]*\\((stdout|stderr)" \
        $quiet
    forbid "nothing is left to do" '(TODO|FIXME)' \
        $(sources include format syntax replay analyze record tests)
}

long=$(sources include format syntax replay analyze record tests | xargs -r wc -l |
    awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }')
if [ -n "$long" ]; then
    echo "files over 800 lines: $long"
    failed=$((failed + 1))
else
    passed=$((passed + 1))
fi

echo "includes: $passed passed, $failed failed"
[ "$failed" = 0 ]
