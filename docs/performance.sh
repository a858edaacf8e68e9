#!/usr/bin/env bash
# Measures everything that docs/PERFORMANCE.md tells, and writes it. SHUTTLE is the most schedules a seed for plain shuttle on
# the two kernels; with the full 10,000 these take an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=target/performance
mkdir -p "$folder"
rm -rf target/criterion
cargo bench -p bohr-explore --bench engines -- --quick
cargo bench -p bohr-cli --bench scenarios -- --quick
rm -rf "$folder/criterion"
cp -r target/criterion "$folder/criterion"
cargo run --release -p bohr-cli --example exhaust > "$folder/exhaust.jsonl"
cargo run --release -p bohr-cli --example hardest > "$folder/hardest.jsonl"
cargo run --release -p bohr-explore --example first_failure 20 10000 "${SHUTTLE:-10000}" \
  > "$folder/first_failure.jsonl" 2> "$folder/first_failure.log"
cargo run --release -p bohr-cli --example performance "$folder" > docs/PERFORMANCE.md
