#!/usr/bin/env bash
# Builds every fuzz target into $OUT, each with its seeds (TARGET_seed_corpus.zip) and its options (TARGET.options), as
# ClusterFuzzLite and OSS-Fuzz want them. Runs in their container, which sets OUT and SANITIZER, and anywhere else with
# OUT set; .ci/fuzz runs it so. About three minutes on two cores.
set -euo pipefail
: "${OUT:?say where to write, with OUT}"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
cd "$(dirname "$(readlink -f "$0")")"
# In the container this script is copied out of its folder, and the work folder is the project's.
[ -f ../fuzz/Cargo.toml ] && cd .. || cd "${SRC:?}/bohr"

# The container has a nightly toolchain as its default; elsewhere it has to be asked for.
toolchain=()
rustc --version | grep -q nightly || toolchain=(+nightly)

# Coverage builds set their own flags.
case "${SANITIZER:-none}" in
    address | memory | thread) sanitizer=$SANITIZER ;;
    *) sanitizer=none ;;
esac
cargo "${toolchain[@]}" fuzz build -O -s "$sanitizer"

# No target of its own: `aim` takes what it fuzzes from the environment, which no service sets.
targets=$(cargo "${toolchain[@]}" fuzz list | grep -vx aim)
triple=$(rustc -vV | sed -n 's/^host: //p')
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
# Built as it is used elsewhere, without the fuzzer's flags.
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS cargo run --release --locked -q -- seeds --out "$seeds" >/dev/null

for target in $targets; do
    cp "fuzz/target/$triple/release/$target" "$OUT/"
    rm -f "$OUT/${target}_seed_corpus.zip"
    # A target without seeds of its own starts from the empty input.
    mkdir -p "$seeds/$target"
    [ -n "$(ls -A "$seeds/$target")" ] || printf '\0' >"$seeds/$target/nothing"
    (cd "$seeds/$target" && find . -type f | sort | zip -q -X "$OUT/${target}_seed_corpus.zip" -@)
    {
        echo "[libfuzzer]"
        # What fits into a few bytes is no program worth comparing, and libFuzzer begins with a few bytes.
        [ "$target" != engines_agree ] || echo "len_control = 0"
        echo "timeout = 60"
        # The default of the targets themselves, for services that set the sanitizer's options: fuzz/src/asan.rs says why.
        echo "[asan]"
        echo "detect_stack_use_after_return = 0"
    } >"$OUT/$target.options"
done
