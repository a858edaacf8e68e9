#!/usr/bin/env bash
# What the inputs of a corpus run of the source, as HTML: fuzz/coverage.sh TARGET [CORPUS]
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-}
if [ ! -f "fuzz/fuzz_targets/$target.rs" ]; then
    echo "usage: fuzz/coverage.sh TARGET [CORPUS]; targets: $(cd fuzz/fuzz_targets && ls -- *.rs | sed 's/\.rs$//' | tr '\n' ' ')" >&2
    exit 2
fi
corpus=${2:-fuzz/corpus/$target}
if [ ! -d "$corpus" ] || [ -z "$(ls -A "$corpus")" ]; then
    echo "there is no input in $corpus: fuzz for a while, or write seeds with: cargo run --release -- seeds" >&2
    exit 2
fi
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
tools=$(rustc +nightly --print sysroot)/lib/rustlib/$host/bin
for tool in llvm-profdata llvm-cov; do
    if [ ! -x "$tools/$tool" ]; then
        echo "$tool of the nightly toolchain is missing: rustup component add llvm-tools --toolchain nightly" >&2
        exit 2
    fi
done
corpus=$(realpath "$corpus")
built=fuzz/target/coverage
cargo +nightly fuzz coverage -s none --target-dir "$built" "$target" "$corpus"
page=fuzz/coverage/$target/html
rm -rf "$page"
"$tools/llvm-cov" show "$built/$host/release/$target" --format=html --output-dir="$page" \
    --instr-profile="fuzz/coverage/$target/coverage.profdata" --show-instantiations=false \
    --ignore-filename-regex='/(rustc|\.cargo|\.rustup)/'
echo "open $page/index.html"
