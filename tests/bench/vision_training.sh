#!/usr/bin/env bash
# Compares what convolutional networks learn with plain PyTorch.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/vision_training.sh --data FOLDER [--seeds N] [--core C] [--build FOLDER] [case …]

Builds a release, trains every case with engram, and with tests/bench/peer_vision_training.py on the minibatches that
engram's run had (`--trace`), one thread each. Prints the means over seeds of the test accuracy of the phases and of the
loss in their last epoch, with 95 % intervals (Student), and whether each mean lies within the other's interval. Needs
python3-torch.

  --data FOLDER   CIFAR-100 or a part of it, in its official layout
  --seeds N       seeds (default 3)
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)

Cases: cin resnet18 (default: both). cin is the network of Continual ImageNet on ten pairs of classes, 60 epochs each;
resnet18 a residual net of width 16 on ten classes, ten epochs.
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --seeds 3 "$@"
# read_options has its own default, which is for other benchmarks.
[ "$data" != "$root/data/mnist" ] || refuse "--data FOLDER with CIFAR-100 is needed"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(cin resnet18)
fi
build_release engram
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings) and `theirs` (arguments of the peer).
describe() {
    case $1 in
    cin)
        ours=(stream=class_pairs stream.tasks=10 stream.epochs=60 stream.batch=100 dataset.scale=symmetric
            model=cin_net optimizer.lr=0.01)
        theirs=(cin_net --lr 0.01)
        ;;
    resnet18)
        ours=(stream=class_incremental stream.tasks=1 stream.classes=10 stream.epochs=10 stream.batch=50
            model=resnet18 model.width=16 optimizer.lr=0.05 optimizer.weight_decay=5e-4)
        theirs=(resnet18 --width 16 --lr 0.05 --decay 5e-4)
        ;;
    *) refuse "unknown case '$1'" ;;
    esac
    ours+=(dataset=cifar100 "dataset.path=$data" optimizer=sgdm optimizer.beta=0.9 protocol=test eval.tasks=current
        'measures=[learning, online]' objective=mean_learning_accuracy)
}

# Field of a JSON line: "name": number.
field() {
    awk -v name="\"$1\"" 'BEGIN { RS = "[,{}]" } index($0, name ":") { sub(/.*: */, ""); print; exit }' "$scratch/json"
}

# One seed: "accuracy loss peer_accuracy peer_loss". The loss is that of the trace's last epochs.
run_seed() {
    pinned "$build/engram" train --json --quiet --trace "$scratch/trace.csv" seed="$1" "${ours[@]}" >"$scratch/json"
    local loss
    loss=$(awk -F, 'NR > 1 { if ($3 > last) last = $3; sum[$3] += $4; n[$3]++ } END { print sum[last] / n[last] }' \
        "$scratch/trace.csv")
    echo "$(field mean_learning_accuracy) $loss" "$(PYTHONDONTWRITEBYTECODE=1 pinned /usr/bin/python3 \
        "$root/tests/bench/peer_vision_training.py" "${theirs[@]}" --data "$data" --trace "$scratch/trace.csv" \
        --seed "$1")"
}

printf '%-10s %-14s %-22s %-22s %s\n' case what engram peer 'each within the other'"'"'s interval'
for name in "${cases[@]}"; do
    describe "$name"
    : >"$scratch/$name"
    for ((seed = 0; seed < times; seed++)); do
        run_seed "$seed" >>"$scratch/$name"
    done
    awk -v name="$name" '
        # 97.5 % quantiles of the Student distribution, by degrees of freedom.
        BEGIN { split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262", quantile, " ") }
        { n++; for (i = 1; i <= 4; i++) { sum[i] += $i; squares[i] += $i * $i } }
        END {
            for (i = 1; i <= 4; i++) {
                mean[i] = sum[i] / n
                variance = n > 1 ? (squares[i] - n * mean[i] * mean[i]) / (n - 1) : 0
                half[i] = n > 1 && n <= 10 ? quantile[n - 1] * sqrt((variance > 0 ? variance : 0) / n) : 1e9
            }
            split("test accuracy,training loss", what, ",")
            for (i = 1; i <= 2; i++) {
                apart = mean[i] - mean[i + 2]; apart = apart < 0 ? -apart : apart
                printf "%-10s %-14s %-22s %-22s %s\n", name, what[i],
                    sprintf("%.4f ± %.4f", mean[i], half[i]), sprintf("%.4f ± %.4f", mean[i + 2], half[i + 2]),
                    apart <= half[i] && apart <= half[i + 2] ? "yes" : "no"
            }
        }' "$scratch/$name"
done
