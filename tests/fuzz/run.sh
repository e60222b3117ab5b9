#!/bin/sh
# run.sh BUILD SECONDS TARGET...: libFuzzer over the committed corpora; new inputs stay in BUILD.
# Fails, and keeps the input, as soon as a target crashes.
set -eu
build=$1 seconds=$2
shift 2
cc=${CC:-clang-14}
flags='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE'
make --no-print-directory -j"$(nproc)" B="$build" CC="$cc" OPT="$flags" fuzz-libs
for target in "$@"; do
    source=$(find tests/fuzz -name "$target.c")
    [ -n "$source" ] || { echo "no fuzz target $target" >&2; exit 2; }
    layer=$(basename "$(dirname "$source")")
    make --no-print-directory B="$build" CC="$cc" OPT="$flags" LINK_FUZZER=-fsanitize=fuzzer \
        "$build/libfuzzer/$layer/$target"
    mkdir -p "$build/found/$target"
    "$build/libfuzzer/$layer/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 -artifact_prefix="$build/crash-$target-" \
        "$build/found/$target" "tests/fuzz/corpus/$target"
    echo "fuzz $target: $seconds s without a finding"
done
