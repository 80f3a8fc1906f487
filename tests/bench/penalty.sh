#!/usr/bin/env bash
# Compares the training step of regularising learners with that of the plain one, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/penalty.sh [--rounds N] [--core C] [--data FOLDER] [--build FOLDER]

Builds a release, then lets the plain learner and those with a penalty learn the same 48 minibatches of the
second task in turns, on one core, with the importances of the first task in force. Prints per setting and
learner the milliseconds of a training step (forward, backward, penalty, update) and what it takes more
than the plain one's in percent. Of every minibatch the least time over all turns counts: what else
the machine does is left out as far as it comes and goes. si also follows every update, which is how it
measures its importances; si-measure does only that, so its penalty costs the difference of the two.
Needs MNIST (jobs/fetch-data.sh mnist).

  --rounds N      turns of each learner (default 40)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
END
}

root=$(cd "$(dirname "$0")/../.." && pwd)
rounds=40
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
cmake --build "$build" --target bench_penalty >"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    exit 1
}

echo "core $core, $rounds rounds"
printf '%-34s %-10s %8s %9s\n' setting learner 'ms/step' 'added %'
taskset -c "$core" "$build/tests/bench_penalty" "$rounds" "$data"
