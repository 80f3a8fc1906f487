#!/usr/bin/env bash
# Compares learning example by example with plain PyTorch, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/online.sh [--pairs N] [--core C] [--data FOLDER] [--build FOLDER] [case …]

Builds a release, then runs engram and tests/bench/peer_online.py alternately on the same core, one thread each. Prints per
case the median processor time of an example, everything included (stream, forward, backward, update, what is measured
online), the ratio of the medians with the smallest and largest ratio of a pair, and the mean loss (scr) or accuracy (opm)
before the updates; the peer learns fewer examples, the first ones. Of engram it is the difference between a long and a
short run, so that opening files and drawing weights do not count. Then what continual backpropagation takes beside the
plain learner, and the bytes that an example of the wide network moves against the speed of memory in the same run.
Needs MNIST (jobs/fetch-data.sh mnist), python3-torch and python3-numpy.

  --pairs N       runs of each program per case (default 5)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files, not compressed (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)

Cases: scr_bp scr_cbp opm_bp opm_l2 opm_snp opm_cbp opm_wide (default: all).
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --pairs 5 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(scr_bp scr_cbp opm_bp opm_l2 opm_snp opm_cbp opm_wide)
fi
build_release engram bench_bandwidth
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings), `theirs` (arguments of the peer) and how many examples each of them learns.
describe() {
    local method=${1#*_} hidden=100,100,100
    theirs=(--method "$method" --examples 2000)
    short=2000
    long=62000
    case $1 in
    scr_*)
        ours=(stream=bit_flipping "model.hidden=[5]" loss=squared_error optimizer.lr=0.01)
        objective=mean_online_loss
        theirs=(scr --hidden 5 --lr 0.01 "${theirs[@]}")
        short=100000
        long=1100000
        length=stream.examples
        ;;
    opm_*)
        if [ "$1" = opm_wide ]; then
            method=bp hidden=2000,2000,2000 short=20 long=620
            theirs=(--examples 100)
        fi
        ours=(stream=online_permuted stream.tasks=1 "model.hidden=[$hidden]" optimizer.lr=0.003 dataset=mnist
            dataset.path="$data" dataset.scale=unit)
        objective=mean_online_accuracy
        theirs=(opm --hidden "$hidden" --data "$data" --lr 0.003 "${theirs[@]}")
        length=stream.change_after
        ;;
    *) refuse "unknown case '$1'" ;;
    esac
    ours+=("objective=$objective" stream.batch=1 model.activation=relu "model.weight_norm=[]" model.bias=true
        model.init=kaiming optimizer=sgd)
    case $method in
    bp) ;;
    l2) ours+=(optimizer.weight_decay=1e-4) ;;
    snp) ours+=(optimizer.weight_decay=1e-4 learner=shrink_perturb learner.sigma=1e-5) ;;
    cbp) ours+=(learner=continual_backprop learner.replacement_rate=1e-4) ;;
    *) refuse "unknown case '$1'" ;;
    esac
}

# Processor seconds of one trial of so many examples; its result goes to the file `result`.
seconds_of() {
    processor_seconds "$build/engram" train --json --quiet seed="$2" "$length=$1" "${ours[@]}"
}

# One pair: "seconds result peer_seconds peer_result counts".
run_pair() {
    local first last result
    first=$(seconds_of "$short" "$1")
    last=$(seconds_of "$long" "$1")
    result=$(awk -F '[:,] *' -v name="$objective" 'index($1, "\"" name "\"") { print $2 }' "$scratch/out")
    echo "$(awk -v a="$first" -v b="$last" -v n=$((long - short)) 'BEGIN { print (b - a) / n }') $result" \
        "$(pinned /usr/bin/python3 "$root/tests/bench/peer_online.py" "${theirs[@]}" --seed "$1")"
}

echo "core $core, $times pairs; processor time of an example in microseconds"
printf '%-10s %9s %9s  %-22s %8s %8s\n' case engram peer 'ratio (min - max)' result peer
for name in "${cases[@]}"; do
    describe "$name"
    : >"$scratch/$name"
    for ((seed = 0; seed < times; seed++)); do
        run_pair "$seed" >>"$scratch/$name"
        [ "$name" != opm_wide ] || pinned "$build/tests/bench_bandwidth" >>"$scratch/bandwidth"
    done
    awk -v name="$name" -v bandwidth="$scratch/bandwidth" '
        function median(list, n, i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        { n++; ours[n] = $1; result += $2; peer[n] = $3; peer_result += $4; ratio[n] = $3 / $1; counts = $5 }
        END {
            m = median(ours, n); p = median(peer, n); median(ratio, n)
            printf "%-10s %9.2f %9.1f  %-22s %8.4f %8.4f\n", name, 1e6 * m, 1e6 * p,
                sprintf("%.0f (%.0f - %.0f)", p / m, ratio[1], ratio[n]), result / n, peer_result / n
            if (name == "opm_wide") {
                # Rows of active inputs: read forward, read and written backward.
                split(counts, active, ",")
                read = 4 * (2000 * (active[1] + active[2] + active[3]) + 16 * active[4])
                while ((getline line < bandwidth) > 0) {
                    split(line, rate, " ")
                    b++; reading[b] = rate[1]; changing[b] = rate[2]
                }
                r = median(reading, b); c = median(changing, b)
                floor = read / r + 2 * read / c
                printf "  %.1f MB an example: %.1f GB/s; memory: %.1f GB/s read, %.1f GB/s changed;" \
                    " %.2f of the time they take\n", 3 * read / 1e6, 3 * read / m / 1e9, r / 1e9, c / 1e9, m / floor
            }
        }' "$scratch/$name"
done
if [ -s "$scratch/opm_bp" ] && [ -s "$scratch/opm_cbp" ]; then
    paste -d ' ' "$scratch/opm_bp" "$scratch/opm_cbp" | awk '
        {
            n++
            more = 100 * ($6 / $1 - 1)
            low = n == 1 || more < low ? more : low
            high = n == 1 || more > high ? more : high
            sum += more
        }
        END { printf "continual backpropagation over the plain learner: %+.0f %% (%+.0f - %+.0f)\n", sum / n, low, high }'
fi
