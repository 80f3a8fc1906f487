#!/usr/bin/env bash
# Compares anytime learning on MNIST with plain PyTorch, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/anytime.sh [--pairs N] [--core C] [--data FOLDER] [--build FOLDER] [case …]

Builds a release, then runs engram and tests/bench/peer_anytime.py alternately on the same core, one thread each: a
single model on the whole of sweeps/alma's stream, waiting for one mega-batch, 20 epochs each. Prints per case the median
processor time of a stage (20 epochs of training and of classifying the held-out images, keeping the best weights),
and of a stage with everything (evaluation on the test set, new optimizer; of engram also opening files), the medians
of the ratios with the smallest and largest of a pair, and the mean test error. Of engram a stage is the difference
between runs of 21 epochs and of 1. Needs MNIST (jobs/fetch-data.sh mnist), python3-torch and python3-numpy.

  --pairs N       runs of each program per case (default 5)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files, not compressed (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)

Cases: h8 h64 h4_500 (default: all). h8 and h64 have so many hidden units and 50 mega-batches, h4_500 has 4 and 500.
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --pairs 5 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(h8 h64 h4_500)
fi
build_release engram
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings), `theirs` (arguments of the peer) and how many stages there are.
describe() {
    stages=50
    case $1 in
    h8 | h64) hidden=${1#h} ;;
    h4_500) hidden=4 stages=500 ;;
    *) refuse "unknown case '$1'" ;;
    esac
    # sweeps/alma/mnist/base.yaml
    ours=(stream=mega_batches "stream.chunks=$stages" stream.batch=128 dataset=mnist dataset.path="$data"
        model=mlp "model.hidden=[$hidden, $hidden]" model.activation=relu "model.weight_norm=[]" model.bias=true
        model.init=uniform optimizer=adadelta optimizer.lr=1 optimizer.restart=phase learner=early_stopping
        learner.keep=improved learner.delta=0.001 learner.patience=100 "measures=[default, stages]")
    theirs=(--hidden "$hidden" --chunks "$stages" --stages "$stages" --data "$data")
}

# Processor seconds of one trial of so many epochs; its mean test error goes to the file `error`.
seconds_of() {
    processor_seconds "$build/engram" train --json --quiet seed="$2" stream.epochs="$1" "${ours[@]}"
    awk -F '[:,] *' '/"avg_err"/ { print $2 }' "$scratch/out" >"$scratch/error"
}

# One pair: "stage stage_with_everything error peer_stage peer_test peer_error", seconds.
run_pair() {
    local one more
    one=$(seconds_of 1 "$1")
    more=$(seconds_of 21 "$1")
    echo "$(awk -v a="$one" -v b="$more" -v n="$stages" 'BEGIN { print (b - a) / n, (b - (b - a) / 20) / n }')" \
        "$(<"$scratch/error") $(pinned /usr/bin/python3 "$root/tests/bench/peer_anytime.py" "${theirs[@]}" --seed "$1")"
}

echo "core $core, $times pairs; processor time of a stage in milliseconds"
printf '%-7s %8s %8s  %-18s %10s %8s  %-18s %7s %7s\n' case engram peer 'ratio (min - max)' everything peer \
    'ratio (min - max)' error peer
for name in "${cases[@]}"; do
    describe "$name"
    : >"$scratch/$name"
    for ((seed = 0; seed < times; seed++)); do
        run_pair "$seed" >>"$scratch/$name"
    done
    awk -v name="$name" '
        function median(list, n, i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        {
            n++
            stage[n] = $1; all[n] = $2; error += $3
            peer[n] = $4; peer_all[n] = $4 + $5; peer_error += $6
            ratio[n] = $4 / $1; ratio_all[n] = ($4 + $5) / $2
        }
        END {
            r = median(ratio, n); a = median(ratio_all, n)
            printf "%-7s %8.2f %8.2f  %-18s %10.2f %8.2f  %-18s %7.4f %7.4f\n", name,
                1e3 * median(stage, n), 1e3 * median(peer, n),
                sprintf("%.1f (%.1f - %.1f)", r, ratio[1], ratio[n]), 1e3 * median(all, n), 1e3 * median(peer_all, n),
                sprintf("%.1f (%.1f - %.1f)", a, ratio_all[1], ratio_all[n]), error / n, peer_error / n
        }' "$scratch/$name"
done
