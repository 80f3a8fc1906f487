#!/usr/bin/env bash
# Compares what importances of parameters take with what training takes, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/importance.sh [--rounds N] [--core C] [--data FOLDER] [--build FOLDER]

Builds a release and trains on Split-MNIST, one epoch per task, with learners that measure importances at the end of the
first four tasks on all of their 48,200 examples, in turns. Prints, per learner, the seconds of those passes, of all
training beside them, and their ratio. Of each the least over all rounds counts: what else the machine does is left
out as far as it comes and goes. The penalties are too weak to change what is learned.
Needs MNIST (jobs/fetch-data.sh mnist).

  --rounds N      turns of each learner (default 5)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --rounds 5 "$@"
refuse_cases
build_release engram

common=(dataset.path="$data" protocol=test model.activation=relu "model.weight_norm=[none]" dataset.scale=unit
    optimizer=sgd optimizer.lr=0.05)
declare -A settings=(
    [ewc, exact]="learner=ewc learner.samples=0 learner.lambda=1e-9"
    [ewc, argmax]="learner=ewc learner.samples=0 learner.lambda=1e-9 learner.fisher=argmax"
    [mas]="learner=mas learner.samples=0 learner.lambda=1e-9"
)

# The least of two numbers, the first of which may be missing.
least() {
    awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b < a ? b : a }'
}

echo "core $core, $times rounds, seconds"
declare -A importance=() training=()
for ((round = 0; round < times; round++)); do
    for name in "${!settings[@]}"; do
        read -ra words <<<"${settings[$name]}"
        profile=$(pinned "$build/engram" train -q --profile "${common[@]}" "${words[@]}")
        took=$(awk '$1 == "importance" { print $2 }' <<<"$profile")
        rest=$(awk '$1 ~ /^(data|forward|activation|backward|update)$/ { sum += $2 } END { print sum }' <<<"$profile")
        importance[$name]=$(least "${importance[$name]-}" "$took")
        training[$name]=$(least "${training[$name]-}" "$rest")
    done
done
printf '%-14s %10s %10s %8s\n' learner importance training ratio
for name in "${!settings[@]}"; do
    awk -v n="$name" -v i="${importance[$name]}" -v t="${training[$name]}" \
        'BEGIN { printf "%-14s %10.2f %10.2f %8.2f\n", n, i, t, i / t }'
done
