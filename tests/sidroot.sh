#!/bin/sh
# sidroot.sh: CPython 3.13 to 3.15 of Debian sid, with headers and their own
# tests, in build/sid.  Needs neither root nor a chroot: packages are fetched
# with an apt that keeps its lists and files there, from the mirror that this
# machine's apt uses, and unpacked; each interpreter is made to use the loader
# and the C library of that folder, so that it runs where it lies, as any
# other.  What is there already is left alone.
#
# Exit status 0: build/sid holds what a mirror of sid can give.  1: it cannot
# be made, and a sentence says why.
set -u
cd "$(dirname "$0")/.." || exit 1
VERSIONS="3.13 3.14 3.15"
root=$PWD/build/sid
work=$PWD/build/sid.new
log=$PWD/build/sid.log

give_up() {
    echo "sidroot: $*" >&2
    rm -rf "$work"
    exit 1
}

quietly() { # command...: its output is kept in the log
    "$@" >>"$log" 2>&1
}

# The interpreters know their folder by its absolute name.
stamp="$root $VERSIONS"
[ "$(cat "$root/complete" 2>/dev/null)" != "$stamp" ] || exit 0

for tool in apt-get dpkg-deb patchelf; do
    command -v $tool >/dev/null || give_up "$tool is not installed"
done
mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 2>/dev/null |
    awk '$2 == "Debian" && !/security/ { print $1; exit }')
[ -n "$mirror" ] || give_up "this machine's apt knows no mirror of Debian"

rm -rf "$work" "$root"
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/apt/etc"
: >"$log"
: >"$work/apt/status"
cat >"$work/apt/etc/sid.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
# A mirror can be a snapshot of some day: its signature counts, its date not.
cat >"$work/apt/conf" <<CONF
Dir::State::Lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt";
Dir::Etc::sourcelist "$work/apt/etc/sid.sources";
Dir::Etc::sourceparts "$work/apt/etc";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Check-Valid-Until "false";
APT::Sandbox::User "root";
CONF
export APT_CONFIG="$work/apt/conf"

quietly timeout 300 apt-get -q update ||
    give_up "apt cannot read the lists of sid (build/sid.log)"
packages=
headers=
for v in $VERSIONS; do
    if [ -n "$(apt-cache search --names-only "^python$v\$" 2>>"$log")" ]; then
        packages="$packages python$v libpython$v-testsuite"
        headers="$headers libpython$v-dev"
    fi
done
[ -n "$packages" ] || give_up "sid has none of CPython $VERSIONS"
# shellcheck disable=SC2086 # lists of words
quietly timeout 600 apt-get -q -y --no-install-recommends --download-only \
    install $packages || give_up "apt cannot fetch$packages (build/sid.log)"
for deb in "$work"/apt/archives/*.deb; do
    quietly dpkg-deb -x "$deb" "$work" || give_up "$deb cannot be unpacked"
done
cd "$work/apt" || exit 1
for package in $headers; do # without the compiler it depends on
    quietly timeout 600 apt-get -q download "$package" ||
        give_up "apt cannot fetch $package (build/sid.log)"
    dpkg-deb --fsys-tarfile "$package"_*.deb |
        quietly tar -x -C "$work" --wildcards './usr/include/*' ||
        give_up "$package cannot be unpacked"
done
cd ../../.. || exit 1

# sitecustomize.py is a link into the /etc of a machine that sid is installed on.
find "$work/usr/lib" -xtype l -delete

loader=$(cd "$work" && find usr/lib -name 'ld-linux-*.so.*' | head -n 1)
[ -n "$loader" ] || give_up "sid's libc6 has no loader"
for python in "$work"/usr/bin/python3.??; do
    # rpath, not runpath: it has to hold for the libraries' own libraries
    quietly patchelf --set-interpreter "$root/$loader" --force-rpath \
        --set-rpath "$root/$(dirname "$loader")" "$python" ||
        give_up "patchelf fails on $python (build/sid.log)"
done
rm -rf "$work/apt"
mv "$work" "$root" || give_up "$work cannot be renamed"
for python in "$root"/usr/bin/python3.??; do
    version=$("$python" -I -S -c \
        'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>>"$log") ||
        give_up "$python does not run (build/sid.log)"
    echo "sidroot: CPython $version"
done
echo "$stamp" >"$root/complete"
