#!/usr/bin/env bash
# All methods against the loss of plasticity, cut down and on made-up data: the same bytes on 1, 2, 3 and 5 ranks.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# Long enough for methods that act rarely: redo does after every 1000 updates.
methods=("$here/../../sweeps/loss-of-plasticity/methods.yaml" seeds=1 stream.tasks=2 stream.change_after=1200
    "dataset={synthetic: {examples: 400, test_examples: 100, side: 12}}")

tables() {
    for table in trials curves series; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# replaced LEARNER: how many units it replaced. Columns are counted from the end: settings have commas.
replaced() {
    "$engram" export alone.h5 --table curves | awk -F, -v learner="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^replaced_units/) from_end[++n] = NF - i }
        index($0, "," learner ",") { for (i = 1; i <= n; i++) sum += $(NF - from_end[i]) }
        END { print sum + 0 }'
}

expect 0 "$engram" run "${methods[@]}" -o alone.h5
has out "19 of 19 trials finished"
tables alone >alone.txt
for learner in continual_backprop redo; do
    [ "$(replaced $learner)" -gt 0 ] || fail "$learner replaced no unit"
done
for ranks in 1 2 3 5; do
    expect 0 "$mpirun" "$ranks" "$engram" run "${methods[@]}" -o "on$ranks.h5"
    tables "on$ranks" >"on$ranks.txt"
    same alone.txt "on$ranks.txt"
done
echo passed
