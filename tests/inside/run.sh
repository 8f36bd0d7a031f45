#!/bin/sh
# The recorder inside the interpreter, under AddressSanitizer with UBSan and,
# where valgrind is there, under memcheck.  Only what has one of our own
# frames in it counts: CPython's own findings are CPython's.
#
#   tests/inside/run.sh [PYTHON ...]      default: all of record/pythons.sh
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- $(sh record/pythons.sh)
BUILD=${BUILD:-build}
build=$BUILD/asan work=$BUILD/tests/inside
mkdir -p "$work"
passed=0 failed=0

note() { # note RESULT NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "inside: FAILED $2"
    fi
}

make -s BUILD=$build PYTHONS="$*" $build/bin/ptrec $build/lib/ptrec/shim.so hooks \
    HOOKS_CFLAGS="-fsanitize=address,undefined -fno-omit-frame-pointer" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log"; echo "inside: 0 passed, 1 failed"; exit 1; }
asan=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)

for py in "$@"; do
    name=$(basename "$py")
    for preset in flow calls lines instructions flow,calls flow,locals; do
        # PRESET or PRESET,VALUES, which not every version has
        values=${preset#*,} program=tests/inside/program.py
        case $preset,$("$py" -c 'import sys; print(sys.version_info[1])') in
        *,*,12 | *,*,13) program=tests/values/hostile.py ;;
        *,*,*) continue ;;
        *) values=none ;;
        esac
        # a comma in a file's name would end ASan's option
        run=$name.$(echo "$preset" | tr , -)
        trace=$work/$run.ptr log=$work/$run.asan
        rm -f "$trace" "$log"*
        LD_PRELOAD="$asan" PYTHONMALLOC=malloc UBSAN_OPTIONS="log_path=$log" \
        ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0:log_path=$log" \
            $build/bin/ptrec run --quiet -o "$trace" --preset=${preset%,*} \
            --values="$values" --python="$py" "$program" >"$work/out" 2>"$work/err"
        [ $? = 0 ] && grep -q '^done 1$' "$work/out" && [ -s "$trace" ] &&
            ! cat "$log"* 2>/dev/null | grep -q 'hooks\.cpython\|record/'
        note $? "asan $name $preset (see $log*)"
    done
done

if command -v valgrind >/dev/null 2>&1; then
    for py in "$@"; do
        name=$(basename "$py") log=$work/$(basename "$py").memcheck
        # it needs to know the loader, and not every C library's has symbols
        if ! valgrind -q "$py" -I -S -c pass >/dev/null 2>&1; then
            echo "skipped: valgrind does not run $py, memcheck not run"
            continue
        fi
        rm -f "$log" "$work/valgrind.ptr"
        printf '#!/bin/sh\nexec valgrind -q --leak-check=full --show-leak-kinds=definite --num-callers=24 --fullpath-after= --log-file=%s %s "$@"\n' \
            "$log" "$py" >"$work/valgrind-$name"
        chmod +x "$work/valgrind-$name"
        PYTHONMALLOC=malloc "$BUILD/bin/ptrec" run --quiet -o "$work/valgrind.ptr" --preset=lines \
            --python="$work/valgrind-$name" tests/inside/program.py >"$work/out" 2>"$work/err"
        # A report is a paragraph; keep those that pass through our library, but
        # for what CPython itself does where our function stands for its own.
        [ $? = 0 ] && grep -q '^done 1$' "$work/out" &&
            ! awk -v RS='\n==[0-9]+== \n' '
                { gsub(/[^\n]*: exec_(dynamic|builtin) \([^\n]*record\/inside\/imports.c[^\n]*/, "") }
                /hooks\.cpython|record\/inside/' "$log" | grep -q .
        note $? "memcheck $name (see $log)"
    done
else
    echo "inside: valgrind is not installed, memcheck not run"
fi
echo "inside: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
