#!/usr/bin/env bash
# Compares the training step of regularising learners with that of the plain one, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/penalty.sh [--rounds N] [--core C] [--data FOLDER] [--build FOLDER]

Builds a release, then runs short trials of the plain learner, l2, ewc and si in turn on one core, and
prints per learner and setting the median of what it takes against the plain trial of its round, in
seconds of training per minibatch with a penalty. ewc measures its importances on one example, so that only
the penalty is compared; si has none to measure but follows every update. The first task has no penalty
(but l2's is towards the initial parameters), so of five tasks four count. Needs MNIST (jobs/fetch-data.sh
mnist).

  --rounds N      trials of each learner (default 9)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
END
}

root=$(cd "$(dirname "$0")/../.." && pwd)
rounds=9
core=$(($(nproc) - 1))
data=$root/data/mnist
build=$root/build/bench
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --core) core=$2 && shift 2 ;;
    --data) data=$2 && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    *) echo "penalty.sh: unknown argument '$1'" >&2 && exit 2 ;;
    esac
done

export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
mkdir -p "$build"
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DENGRAM_TESTS=ON >/dev/null
cmake --build "$build" --target engram >"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Seconds of training of one trial.
train() {
    taskset -c "$core" "$build/engram" train --json --quiet dataset.path="$data" protocol=test \
        eval.tasks=first_and_current "$@" |
        awk -F '[:,] *' '/"train_seconds":/ { print $2 }'
}

narrow=(optimizer.clip=0.01 optimizer.lr=2e-4)
plain_sgd=(model.activation=relu 'model.weight_norm=[]' model.bias=true model.init=uniform
    dataset.scale=unit optimizer=sgd optimizer.lr=0.05 optimizer.clip_norm=1 stream.batch=128)
# Too weak to change what is learned, so that all trials do the same arithmetic.
learners=(learner=plain
    "learner=l2 learner.towards=initial learner.lambda=1e-12"
    "learner=ewc learner.samples=1 learner.lambda=1e-12"
    "learner=si learner.lambda=1e-12")

echo "core $core, $rounds rounds"
printf '%-34s %-6s %10s %18s\n' setting learner seconds 'added per step'
for setting in "hard_ash, adagrad, batch 64" "relu, sgd, clip_norm, batch 128"; do
    if [ "${setting%%,*}" = hard_ash ]; then words=("${narrow[@]}"); else words=("${plain_sgd[@]}"); fi
    : >"$scratch/times"
    for ((round = 0; round < rounds; round++)); do
        for learner in "${learners[@]}"; do
            read -ra choice <<<"$learner"
            name=${choice[0]#learner=}
            echo "$round $name $(train "${words[@]}" "${choice[@]}" seed="$round")" >>"$scratch/times"
        done
    done
    awk -v setting="$setting" '
        function median(list, n, i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        { time[$2, $1] = $3; rounds = $1 + 1 }
        END {
            split("plain l2 ewc si", names, " ")
            for (k = 1; k <= 4; k++) {
                share = names[k] == "ewc" ? 0.8 : 1
                for (r = 0; r < rounds; r++) {
                    seconds[r + 1] = time[names[k], r]
                    added[r + 1] = (time[names[k], r] / time["plain", r] - 1) / share
                }
                printf "%-34s %-6s %10.3f %17.1f%%\n", setting, names[k], median(seconds, rounds),
                    100 * median(added, rounds)
            }
        }' "$scratch/times"
done
