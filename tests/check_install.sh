#!/bin/sh
# make install puts a tree that works where it lies: ptrec finds its recorders,
# a C program finds the library by pkg-config; make uninstall takes all away.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
passed=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
prefix=$work/usr

check() { # what, command...
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "install: $what FAILED"
        sed 's/^/    /' "$work/log" | tail -n 20
    fi
}

records() {
    "$prefix/bin/ptrec" run --quiet --python="$1" -o "$work/t.ptr" \
        -c 'print(sorted("ptrec"))' &&
        "$prefix/bin/ptana" profile --all "$work/t.ptr" | grep -q sorted &&
        "$prefix/bin/ptana" verify "$work/t.ptr" && rm "$work/t.ptr"
}

compiles() {
    cat >"$work/count.c" <<'C'
#include <pt/reader.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
    struct pt_error error;
    struct pt_trace *trace;
    if (argc != 2 || pt_trace_open(argv[1], &error, &trace) != PT_OK)
        return 3;
    printf("%zu chunks\n", pt_trace_chunk_count(trace));
    pt_trace_close(trace);
    return 0;
}
C
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046 # words
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -o "$work/count" "$work/count.c" \
        $(pkg-config --cflags --libs --static ptrec) &&
        "$prefix/bin/ptrec" run --quiet -o "$work/t.ptr" --python="$1" -c pass &&
        "$work/count" "$work/t.ptr" | grep -q 'chunks$'
}

staged() {
    make -s BUILD="$BUILD" PREFIX=/opt/pt DESTDIR="$work/stage" install &&
        [ -x "$work/stage/opt/pt/bin/ptrec" ] &&
        grep -q '^prefix=/opt/pt$' "$work/stage/opt/pt/lib/pkgconfig/ptrec.pc"
}

empty() {
    make -s BUILD="$BUILD" PREFIX="$prefix" uninstall &&
        [ -z "$(find "$prefix" ! -type d)" ]
}

python=$(echo "${PYTHONS:-$(sh record/pythons.sh)}" | tr ' ' '\n' | sed -n 1p)
check "make install" make -s BUILD="$BUILD" PREFIX="$prefix" install
for man in "$prefix"/share/man/man1/ptrec*.1 "$prefix"/share/man/man1/ptana.1; do
    check "$(basename "$man") is installed" test -s "$man"
done
for py in ${PYTHONS:-$(sh record/pythons.sh)}; do
    check "recording with $py" records "$py"
done
check "a C program by pkg-config" compiles "$python"
check "DESTDIR" staged
check "make uninstall" empty
echo "install: $passed passed, $failed failed"
[ "$failed" = 0 ]
