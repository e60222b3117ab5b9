#!/bin/sh
# get-duckdb.sh DIR: put a matching duckdb.h and libduckdb.so into DIR, for the emulator.
#
# Both come from published npm packages, pinned by version and SHA-512; nothing in them is run.
# The header is that of the last package which carried one; the library exports all of it.
set -eu
[ $# = 1 ] || { echo "usage: get-duckdb.sh DIR" >&2; exit 2; }
dir=$1
if [ -f "$dir/duckdb.h" ] && [ -f "$dir/libduckdb.so" ]; then
    exit 0
fi
case $(uname -m) in
x86_64) ;;
*)  echo "get-duckdb: no pinned library for $(uname -m); build DuckDB 1.4 and use --with-duckdb=DIR" >&2
    exit 1 ;;
esac
command -v npm >/dev/null 2>&1 || { echo "get-duckdb: needs npm to fetch the packages" >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$dir"

# get PACKAGE ARCHIVE SHA512 MEMBER FILE: fetch, check the digest, take one file out of it.
get() {
    echo "get-duckdb: fetching $1"
    (cd "$tmp" && npm pack --silent "$1" >/dev/null) || {
        echo "get-duckdb: could not fetch $1" >&2
        exit 1
    }
    digest=sha512-$(openssl dgst -sha512 -binary "$tmp/$2" | base64 -w0)
    [ "$digest" = "$3" ] || {
        echo "get-duckdb: $1 has digest $digest, expected $3" >&2
        exit 1
    }
    tar -xzOf "$tmp/$2" "$4" >"$dir/$5.part"
    mv "$dir/$5.part" "$dir/$5"
}

get duckdb@1.4.4 duckdb-1.4.4.tgz \
    sha512-hEJJ5hyVF0VLj3dmOLpsWrQR0b3d4Ykqtygm6iUXjHJDDnSqg/USKxcb5qvNrOhFYPgktayU6dXCtgPqcmmpog== \
    package/src/duckdb/src/include/duckdb.h duckdb.h
get @duckdb/node-bindings-linux-x64@1.4.4-r.4 duckdb-node-bindings-linux-x64-1.4.4-r.4.tgz \
    sha512-jBTL/WvfwxLToFa/pVHfT6elMtltJGnc3wSuxZD9OfMltit9YUdVFS37vBFQzXMT1Z8OWjtSjMh+zPKxOwHLHA== \
    package/libduckdb.so libduckdb.so
chmod 755 "$dir/libduckdb.so"
