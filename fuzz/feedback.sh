#!/usr/bin/env bash
# Measures what feeding back the features of schedules is worth: libFuzzer's executions to the first failure, with them
# and with the compiler's coverage alone, and puts the table into docs/FUZZING.md. A few minutes on two cores.
# SEEDS and CAP change the number of seeds and the most executions of each; VARIANTS what is looked for.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${SEEDS:-20} cap=${CAP:-20000}
# The hardest of docs/PERFORMANCE.md, by what any driver but the greybox needs.
variants=${VARIANTS:-"kata-deploy-config/cleanup_unlinks_first/delete kata-deploy-config/backup_in_place/power_loss
    kata-deploy-config/backup_outside_lock/two_installs"}

cargo +nightly fuzz build -O -s none aim >&2
aim=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release/aim
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The executions to the first failure, or nothing if there was none.
executions() {
    local corpus="$scratch/$1-$2-$$-$RANDOM" log
    mkdir -p "$corpus"
    log=$(BOHR_AIM=$3 BOHR_FEEDBACK=$2 "$aim" -seed="$1" -runs="$cap" -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$corpus/" "$corpus" 2>&1) && return 0
    grep -q "bohr replay" <<<"$log" || { echo "$log" >&2; exit 1; }
    sed -n 's/^stat::number_of_executed_units: *//p' <<<"$log"
}
export -f executions
export aim cap scratch

# Mean over the seeds that found one; in brackets how many did, if not all.
cell() {
    seq "$seeds" | xargs -P "$(nproc)" -I{} bash -c 'executions "$@"' _ {} "$1" "$2" |
        awk -v seeds="$seeds" '{ sum += $1; n++ }
            END { if (!n) print "none"; else printf "%.0f%s\n", sum / n, n < seeds ? " (" n ")" : "" }'
}

{
    echo "| variant | with features | without |"
    echo "| --- | ---: | ---: |"
    for variant in $variants; do
        echo "| $variant | $(cell 1 "$variant") | $(cell 0 "$variant") |"
    done
} | tee "$scratch/table" >&2

if [ -z "${VARIANTS:-}${SEEDS:-}${CAP:-}" ]; then
    awk -v table="$scratch/table" '
        /<!-- feedback -->/ { print; print ""; while ((getline line < table) > 0) print line; print ""; skip = 1 }
        /<!-- end -->/ { skip = 0 }
        !skip { print }' docs/FUZZING.md >"$scratch/page"
    cp "$scratch/page" docs/FUZZING.md
fi
