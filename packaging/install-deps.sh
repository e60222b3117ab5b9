#!/bin/sh
# install-deps.sh GROUP...: install the Debian packages that building, testing or serving needs.
#
# Groups: build (compile the programs), demo (DuckDB's fetcher for the emulator), check (what
# `make check` runs), system (what `make check-system` adds), fuzz (compilers with libFuzzer).
# Names what it will install before it does; does nothing when all of it is there.  Needs root or
# sudo for the installation itself, and stops with the command to type where it has neither.
set -eu

build="build-essential autoconf pkgconf libevent-dev libcjson-dev libcurl4-openssl-dev libssl-dev
 libjwt-dev libyaml-dev zlib1g-dev"
demo="ca-certificates curl openssl"
check="libcmocka-dev shellcheck python3 python3-pytest python3-yaml python3-jsonschema python3-venv
 clang clang-format-14 clang-tidy-14 cppcheck procps jq iproute2"
system="valgrind wrk nginx-light"
fuzz="clang-14 libclang-rt-14-dev"

want=
for group in "$@"; do
    case $group in
    build) want="$want $build" ;;
    demo)
        want="$want $demo"
        command -v npm >/dev/null 2>&1 || want="$want npm"
        ;;
    check)
        want="$want $check"
        command -v npm >/dev/null 2>&1 || want="$want npm"
        ;;
    system) want="$want $system" ;;
    fuzz) want="$want $fuzz" ;;
    *) echo "install-deps: unknown group '$group' (build, demo, check, system, fuzz)" >&2; exit 2 ;;
    esac
done

command -v dpkg-query >/dev/null 2>&1 || {
    echo "install-deps: this is not a Debian system; install the equivalents of:$want" >&2
    exit 1
}
is_there() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
# libevent before 2.1.12-stable-8+deb12u1 lacks the fixes that the HTTP front end relies on.
libevent_is_fixed() {
    v=$(dpkg-query -W -f='${Version}' libevent-core-2.1-7 2>/dev/null) ||
        v=$(dpkg-query -W -f='${Version}' libevent-core-2.1-7t64 2>/dev/null) || return 1
    dpkg --compare-versions "$v" ge 2.1.12-stable-8+deb12u1
}

missing=
for package in $want; do
    is_there "$package" || missing="$missing $package"
done
case " $want " in
*" libevent-dev "*) libevent_is_fixed || missing="$missing libevent-dev" ;;
esac
missing=$(echo $missing | tr ' ' '\n' | sort -u | tr '\n' ' ')
[ -n "${missing# }" ] || exit 0

echo "install-deps: installing $missing"
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "install-deps: needs root; run as root: apt-get install $missing" >&2
        exit 1
    }
    sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=900"
$apt update || echo "install-deps: the package lists could not be refreshed; trying with the old ones" >&2
# shellcheck disable=SC2086
$apt install -y --no-install-recommends $missing || {
    echo "install-deps: could not install: $missing" >&2
    exit 1
}
