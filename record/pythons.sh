#!/bin/sh
# Prints one interpreter per supported CPython ABI that has headers here:
# those of $PATH, of pyenv and under build/sid, newest patch release last seen.
root=$(cd "$(dirname "$0")/.." && pwd)
for dir in $(printf '%s' "$PATH" | tr ':' ' ') \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin "$root/build/sid/usr/bin"; do
    for v in 3.11 3.12 3.13 3.14 3.15; do
        [ -x "$dir/python$v" ] && printf '%s\n' "$dir/python$v"
    done
done | while read -r py; do
    "$py" -I -S - 2>/dev/null <<'PY'
import os, sys, sysconfig
if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    if os.path.exists(sysconfig.get_path("include") + "/Python.h"):
        print(sysconfig.get_config_var("SOABI"), sys.executable)
PY
done | awk '!seen[$1]++ { print $2 }'
