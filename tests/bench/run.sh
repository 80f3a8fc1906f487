#!/usr/bin/env bash
# Compares engram with plain PyTorch and with what the machine allows, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/run.sh [--pairs N] [--core C] [--data FOLDER] [--build FOLDER] [case …]

Builds a release, then runs engram and tests/bench/peer_torch.py alternately on the same core, one
thread each, and prints per case the median seconds of a trial (learning and evaluation; reading the
data is not counted), the ratio of the medians with the smallest and largest ratio of a pair, both
mean accuracies, and the time against the dense matrix products of the trial at the rate OpenBLAS
reaches in the same run. Needs MNIST (jobs/fetch-data.sh mnist), python3-torch and python3-numpy.

  --pairs N       runs of each program per case (default 5)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files, not compressed (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)

Cases: hard_ash_adagrad relu_adagrad topk_subtract_rmsprop ash_adam permuted (default: all).
The evaluations alone are compared under the first case.
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --pairs 5 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(hard_ash_adagrad relu_adagrad topk_subtract_rmsprop ash_adam permuted)
fi
build_release engram bench_roofline
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings) and `theirs` (options of the peer), `steps` and `evaluated` of a case.
describe() {
    ours=(dataset.path="$data" protocol=test optimizer.clip=0.01)
    steps=940
    evaluated=50000
    case $1 in
    hard_ash_adagrad)
        ours+=(model.activation.alpha=3 model.activation.z_k=2.3 optimizer.lr=2e-4)
        theirs=(--lr 2e-4)
        ;;
    relu_adagrad)
        ours+=(model.activation=relu optimizer.lr=2e-4)
        theirs=(--activation relu --lr 2e-4)
        ;;
    topk_subtract_rmsprop)
        ours+=(model.activation=topk_subtract model.activation.k=64 optimizer=rmsprop optimizer.lr=2e-5)
        theirs=(--activation topk_subtract --optimizer rmsprop --lr 2e-5)
        ;;
    ash_adam)
        ours+=(model.activation=ash model.activation.alpha=3 model.activation.z_k=2.3
            optimizer=adam optimizer.lr=2e-5)
        theirs=(--activation ash --optimizer adam --lr 2e-5)
        ;;
    permuted)
        ours+=(stream=permuted stream.tasks=5 model.activation.alpha=3 model.activation.z_k=2.3
            optimizer.lr=2e-4)
        theirs=(--stream permuted --lr 2e-4)
        steps=4690
        evaluated=250000
        ;;
    *) refuse "unknown case '$1'" ;;
    esac
}

# One trial of engram: "train_seconds evaluation_seconds final_accuracy".
run_engram() {
    pinned "$build/engram" train --json --quiet seed="$1" "${ours[@]}" | awk -F '[:,] *' '
        /"(train_seconds|evaluation_seconds|final_accuracy)":/ {
            gsub(/[ "]/, "", $1)
            value[$1] = $2
        }
        END { print value["train_seconds"], value["evaluation_seconds"], value["final_accuracy"] }'
}

kernels=$("$build/tests/bench_roofline" | awk '{ print $5 }')
chosen=${OPENBLAS_CORETYPE:+, asked for by OPENBLAS_CORETYPE}
echo "core $core, $times pairs; OpenBLAS has kernels for $kernels$chosen"
printf '%-24s %9s %9s  %-22s %9s %9s %9s %7s\n' case engram peer 'ratio (min - max)' acc 'acc peer' \
    roofline GFLOP/s
for name in "${cases[@]}"; do
    describe "$name"
    : >"$scratch/$name"
    for ((seed = 0; seed < times; seed++)); do
        mine=$(run_engram "$seed")
        peer=$(pinned /usr/bin/python3 "$root/tests/bench/peer_torch.py" "$data" "${theirs[@]}" \
            --seed "$seed")
        floor=$(pinned "$build/tests/bench_roofline")
        echo "$mine $peer $floor" >>"$scratch/$name"
    done
    awk -v name="$name" -v steps="$steps" -v evaluated="$evaluated" '
        function sorted(list, n, i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
        }
        function median(list, n) {
            sorted(list, n)
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        function line(label, floor_median) {
            m = median(ours, n); p = median(peer, n); median(ratio, n)
            printf "%-24s %9.3f %9.3f  %-22s %9.4f %9.4f %9.3f %7.1f\n", label, m, p,
                sprintf("%.2f (%.2f - %.2f)", p / m, ratio[1], ratio[n]), accuracy / n,
                peer_accuracy / n, m / floor_median, median(rate, n)
        }
        {
            n++
            train[n] = $1; evaluation[n] = $2; accuracy += $3
            peer_train[n] = $4; peer_evaluation[n] = $5; peer_accuracy += $6
            floor[n] = steps * $7 + evaluated * $8; evaluation_floor[n] = evaluated * $8
            memory[n] = steps * $9; rate[n] = $10
        }
        END {
            for (i = 1; i <= n; i++) {
                ours[i] = train[i] + evaluation[i]
                peer[i] = peer_train[i] + peer_evaluation[i]
                ratio[i] = peer[i] / ours[i]
            }
            line(name, median(floor, n))
            if (name == "hard_ash_adagrad") {
                for (i = 1; i <= n; i++) {
                    ours[i] = evaluation[i]; peer[i] = peer_evaluation[i]
                    ratio[i] = peer[i] / ours[i]
                }
                line("  evaluation only", median(evaluation_floor, n))
                printf "  floor of the updates at the speed of memory: %.3f s\n", median(memory, n)
            }
        }' "$scratch/$name"
done
