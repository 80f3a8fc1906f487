#!/usr/bin/env bash
# Compares training steps of convolutional networks with plain PyTorch, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/vision.sh [--pairs N] [--core C] [--build FOLDER] [case …]

Builds a release, then runs engram and tests/bench/peer_vision.py alternately on the same core, one thread each. Prints
per case the median processor time of a training step (forward, backward, update), the ratio of the medians with the
smallest and largest ratio of a pair, the same against PyTorch in channels-last order, and the largest resident memory
of each. Of engram the time is the difference between a long and a short run, so that
making images, drawing weights and evaluating do not count. Then what continual backpropagation takes beside the plain
learner. Images are made up: the time of a step does not depend on what they show. Needs python3-torch.

  --pairs N       runs of each program per case (default 3)
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)

Cases: cin cin_cbp resnet18 resnet18_small vgg8 vgg16 (default: all). cin is the network of Continual ImageNet,
minibatches of 100; resnet18 that of class-incremental CIFAR-100, minibatches of 90, and of width 16; vgg8 and vgg16 the
VGG of anytime learning (sweeps/alma/cifar), of width 8 and 16, minibatches of 128.
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --pairs 3 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(cin cin_cbp resnet18 resnet18_small vgg8 vgg16)
fi
build_release engram
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings), `theirs` (arguments of the peer), the minibatch and the steps of an epoch, and how many more
# epochs the long run has than the short one of 1.
describe() {
    local outputs=2
    batch=100 steps=4 more=10
    case $1 in
    cin | cin_cbp)
        ours=(model=cin_net optimizer.lr=0.01)
        theirs=(cin_net --steps 40)
        ;;
    resnet18 | resnet18_small)
        local width=64
        batch=90 steps=1 more=3 outputs=100
        [ "$1" = resnet18 ] || width=16 more=20
        ours=(model=resnet18 "model.width=$width" optimizer.lr=0.1 optimizer.weight_decay=5e-4)
        theirs=(resnet18 --width "$width" --decay 5e-4 --steps "$more")
        ;;
    vgg8 | vgg16)
        local width=${1#vgg}
        batch=128 steps=4 more=10 outputs=10
        ours=(model=vgg "model.width=$width" model.activation=relu model.init=uniform optimizer.lr=0.01
            optimizer.weight_decay=1e-4)
        theirs=(vgg --width "$width" --decay 1e-4 --steps 40)
        ;;
    *) refuse "unknown case '$1'" ;;
    esac
    [ "$1" != cin_cbp ] || ours+=(learner=continual_backprop learner.replacement_rate=1e-4)
    theirs+=(--outputs "$outputs" --batch "$batch")
    ours+=(stream=iid "stream.batch=$batch" optimizer=sgdm optimizer.beta=0.9 protocol=test
        dataset=synthetic dataset.side=32 dataset.channels=3 "dataset.classes=$outputs"
        "dataset.examples=$((batch * steps))" dataset.test_examples="$outputs")
}

# Processor seconds of one trial of so many epochs; its largest resident memory goes to the file `memory`.
seconds_of() {
    processor_seconds "$build/engram" train --json --quiet seed="$2" stream.epochs="$1" "${ours[@]}"
    awk -F '[:,] *' '/"peak_rss"/ { print $2 / 1e6 }' "$scratch/out" >"$scratch/memory"
}

# One pair: "seconds megabytes peer_seconds peer_megabytes peer_seconds_of_channels_last".
run_pair() {
    local first last
    first=$(seconds_of 1 "$1")
    last=$(seconds_of $((1 + more)) "$1")
    echo "$(awk -v a="$first" -v b="$last" -v n=$((more * steps)) 'BEGIN { print (b - a) / n }') $(<"$scratch/memory")" \
        "$(pinned /usr/bin/python3 "$root/tests/bench/peer_vision.py" "${theirs[@]}" --seed "$1")" \
        "$(pinned /usr/bin/python3 "$root/tests/bench/peer_vision.py" "${theirs[@]}" --seed "$1" --channels-last)"
}

echo "core $core, $times pairs; processor time of a training step in milliseconds, memory in MB"
printf '%-15s %9s %9s  %-22s %-22s %8s %8s\n' case engram peer 'ratio (min - max)' 'to channels-last' memory peer
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
            ours[n] = $1; memory[n] = $2; peer[n] = $3; peer_memory[n] = $4
            ratio[n] = $3 / $1; last[n] = $5 / $1
        }
        END {
            r = median(ratio, n); l = median(last, n)
            printf "%-15s %9.2f %9.2f  %-22s %-22s %8.0f %8.0f\n", name, 1e3 * median(ours, n), 1e3 * median(peer, n),
                sprintf("%.2f (%.2f - %.2f)", r, ratio[1], ratio[n]), sprintf("%.2f (%.2f - %.2f)", l, last[1], last[n]),
                median(memory, n), median(peer_memory, n)
        }' "$scratch/$name"
done
if [ -s "$scratch/cin" ] && [ -s "$scratch/cin_cbp" ]; then
    paste -d ' ' "$scratch/cin" "$scratch/cin_cbp" | awk '
        {
            n++
            more = 100 * ($7 / $1 - 1)
            low = n == 1 || more < low ? more : low
            high = n == 1 || more > high ? more : high
            sum += more
        }
        END { printf "continual backpropagation over the plain learner: %+.1f %% (%+.1f - %+.1f)\n", sum / n, low, high }'
fi
