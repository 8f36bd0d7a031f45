#!/bin/sh
# build-hooks.sh PYTHON BUILD "COMPILER AND FLAGS": builds the recorder for one
# interpreter as BUILD/lib/ptrec/hooks.SOABI.so, when its sources are newer.
set -e
py=$1 build=$2 cc=$3
eval "$("$py" -I -S -c '
import sysconfig
print("soabi=%s include=%s" % (sysconfig.get_config_var("SOABI"), sysconfig.get_path("include")))')"
out=$build/lib/ptrec/hooks.$soabi.so
work=$build/hooks/$soabi
shared="format/choice.c format/linetable.c"
# shellcheck disable=SC2086
if [ -f "$out" ] && [ -z "$(find record/inside record/proto.h record/build-hooks.sh \
    include/pt $shared format/linetable.h -newer "$out" -type f)" ]; then
    exit 0
fi
mkdir -p "$work" "$build/lib/ptrec"
"$py" -I -S record/inside/gen_opcodes.py > "$work/opcodes.h"
"$py" -I -S record/inside/gen_calibration.py > "$work/calibration.h"
echo "hooks for $soabi"
# One translation unit at a time, linked with nothing but the C library: the
# interpreter's own symbols are found in the process it is loaded into.
objects=
for c in record/inside/*.c $shared; do
    o=$work/$(basename "$c" .c).o
    $cc -I"$include" -idirafter "$(dirname "$include")" -I"$work" -DPT_SOABI="\"$soabi\"" -c -o "$o" "$c"
    objects="$objects $o"
done
# shellcheck disable=SC2086
$cc -shared -Wl,-z,now -o "$out.new" $objects
mv "$out.new" "$out"
