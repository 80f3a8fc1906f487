#!/usr/bin/env bash
# Plans of a million points, results of a hundred thousand trials, ten thousand workers.
set -euo pipefail
shopt -s inherit_errexit

usage() {
    cat <<'END'
Usage: tests/bench/scale.sh [--build FOLDER] [--rounds N] [PART …]

Builds a release and prints processor seconds (user, system) and the largest resident memory. Parts (default: all):
  plan     `engram plan` of 10^6 points: a grid with a zip and a when, and as many random draws
  results  `engram status` and `engram top` of 100,000 finished trials with curves (writes 0.25 GB, for the time of the measurement)
  rules    processor time of the stopping rule asha per result, for cohorts of 10, 100 and 1000
  workers  the scheduler against 100, 1,000 and 10,000 simulated workers (bench/sched_scale.c): messages and turns
           per result, processor time and memory of rank 0

Times of a machine with other work vary; processor time does so less than time by the clock. Needs /usr/bin/time.

  --rounds N      of plan and results (default 3)
  --build FOLDER  where to build (default: build/bench)
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
build=$root/build/bench
rounds=3
parts=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --build) build=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    plan | results | rules | workers) parts+=("$1") && shift ;;
    *) refuse "unknown part or option '$1'" ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(plan results rules workers)
build_release engram bench_many_results bench_rules bench_sched_scale
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# measure LABEL COMMAND …: what it takes, some times over.
measure() {
    local label=$1 i
    shift
    for ((i = 0; i < rounds; i++)); do
        /usr/bin/time -f "$label: %U s user, %S s system, %M kB" "$@" >/dev/null
    done
}

part_plan() {
    cat >grid.yaml <<'END'
name: grid
base: {dataset: mnist, stream: split, model.weight_norm: [centered]}
grid:
  model.activation:
    - hard_ash: {alpha: [1, 2, 3, 4, 5], z_k: [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6]}
    - relu
    - sigmoid
    - ash
    - swish
    - identity
  optimizer:
    - adagrad: {lr: {logspace: [1e-5, 1e-1, 10]}, initial: [0, 1e-8, 1e-6]}
    - sgd: {lr: {logspace: [1e-5, 1e-1, 20]}}
    - adam: {lr: {logspace: [1e-6, 1e-2, 25]}}
  optimizer.clip: {logspace: [1e-3, 1e-1, 10]}
  stream.batch: [16, 32, 64, 128, 256]
zip:
  size: {model.hidden: [[100], [200], [400], [800], [1600]], eval.every: [0, 10, 20, 50, 100]}
when:
  - if: {optimizer: adam}
    grid: {optimizer.beta1: [0.9, 0.95]}
END
    cat >sample.yaml <<'END'
name: sample
base: {dataset: mnist, stream: split, optimizer: sgd}
sample:
  count: 1000000
  seed: 3
  settings:
    optimizer.lr: {loguniform: [1e-5, 1e-1]}
    optimizer.clip: {loguniform: [1e-3, 1e-1]}
    stream.batch: {choice: [16, 32, 64, 128]}
    model.activation: {choice: [relu, sigmoid, {hard_ash: {alpha: [1, 2], z_k: [2.0, 2.3]}}]}
END
    measure "plan of 10^6 points, grid" "$build/engram" plan grid.yaml --no-timing
    measure "plan of 10^6 points, sample" "$build/engram" plan sample.yaml --no-timing
}

part_results() {
    "$build/tests/bench_many_results" many.h5 100000
    measure "status of 100,000 trials" "$build/engram" status many.h5
    measure "top of 100,000 trials" "$build/engram" top many.h5
}

part_rules() {
    "$build/tests/bench_rules"
}

part_workers() {
    "$build/tests/bench_sched_scale"
}

for part in "${parts[@]}"; do
    "part_$part"
done
