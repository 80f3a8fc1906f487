#!/usr/bin/env bash
# What a sweep costs beyond its trials: start, scheduling, sharing cores, memory.
set -euo pipefail
shopt -s inherit_errexit # a run that fails must not become a rate

usage() {
    cat <<'END'
Usage: tests/bench/sweep.sh [--workers N] [--rounds N] [--data FOLDER] [--build FOLDER]

Builds a release and prints:
  start        seconds of a whole `engram run` of one minibatch of MNIST: more than what passes
               until the first trained step
  scheduler    trials per second when a trial is next to nothing, rows in the result file included
  efficiency   trials per second of N workers on N cores, over N times that of one process on one of them:
               the median of some rounds, in which the one process takes the cores in turn; and the same
               for N processes at once that know nothing of each other (apart), which is what the machine
               allows, and the share of that which the sweep reaches
  memory       proportional set size that each further worker adds, and the resident set of one

Rates come from the difference of a longer and a shorter sweep, so the start does not count.
Needs MNIST (jobs/fetch-data.sh mnist) and mpirun.

  --workers N     ranks (default: the number of cores)
  --rounds N      of the efficiency (default 5)
  --data FOLDER   the folder of the IDX files, not compressed (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
workers=$cores
rounds=5
data=$root/data/mnist
build=$root/build/bench
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --workers) workers=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --data) data=$2 && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    *) refuse "unknown option '$1'" ;;
    esac
done
build_release engram
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/tiny.yaml" <<'END'
name: tiny
base: {dataset: synthetic, dataset.examples: 2, dataset.test_examples: 2, dataset.classes: 2,
       dataset.side: 1, stream: iid, stream.batch: 2, model.hidden: [1], model.activation: relu,
       protocol: test, optimizer: sgd}
END
cat >"$scratch/mnist.yaml" <<END
name: mnist
base: {dataset.path: "$data", dataset.limit: 12000, protocol: test, optimizer.clip: 0.01}
END

now() {
    date +%s.%N
}

# seconds RANKS SWEEP seeds=N … : wall time of a run with fresh results.
seconds() {
    local ranks=$1 sweep=$2 start
    shift 2
    rm -rf "$scratch/results"
    mkdir "$scratch/results"
    start=$(now)
    if [ "$ranks" = 1 ]; then
        taskset -c "$core" "$build/engram" run "$scratch/$sweep.yaml" -o "$scratch/results/out.h5" \
            --quiet "$@" >/dev/null
    else
        "$root/tests/mpirun.sh" "$ranks" "$build/engram" run "$scratch/$sweep.yaml" \
            -o "$scratch/results/out.h5" --quiet "$@" >/dev/null
    fi
    awk -v start="$start" -v end="$(now)" 'BEGIN { print end - start }'
}

# seconds_apart SWEEP seeds=N …: wall time of one run on each of as many cores as there are workers.
seconds_apart() {
    local sweep=$1 start i runs=()
    shift
    rm -rf "$scratch/results"
    mkdir "$scratch/results"
    start=$(now)
    for ((i = 0; i < workers; i++)); do
        taskset -c "$i" "$build/engram" run "$scratch/$sweep.yaml" -o "$scratch/results/$i.h5" \
            --quiet "$@" >/dev/null &
        runs+=($!)
    done
    for i in "${runs[@]}"; do
        wait "$i"
    done
    awk -v start="$start" -v end="$(now)" 'BEGIN { print end - start }'
}

# rate RANKS SWEEP FEW MANY: trials per second, from the difference of two runs. RANKS apart: N times FEW and MANY
# trials in processes of their own.
rate() {
    local few many
    if [ "$1" = apart ]; then
        few=$(seconds_apart "$2" seeds="$3")
        many=$(seconds_apart "$2" seeds="$4")
        awk -v few="$few" -v many="$many" -v trials=$((workers * ($4 - $3))) \
            'BEGIN { print trials / (many - few) }'
        return
    fi
    few=$(seconds "$1" "$2" seeds="$3")
    many=$(seconds "$1" "$2" seeds="$4")
    awk -v few="$few" -v many="$many" -v trials=$(($4 - $3)) 'BEGIN { print trials / (many - few) }'
}

# The kB that field FIELD of smaps_rollup has over all processes of this build.
resident() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/exe" 2>/dev/null)" = "$build/engram" ]; then
            cat "$process/smaps_rollup" 2>/dev/null || true
        fi
    done | awk -v field="$1:" '$1 == field { sum += $2 } END { print sum + 0 }'
}

# peak RANKS FIELD: the largest sum seen while a sweep runs.
peak() {
    local largest=0 size run
    seconds "$1" mnist seeds=$(($1 * 2)) dataset.limit=0 >/dev/null &
    run=$!
    while kill -0 "$run" 2>/dev/null; do
        size=$(resident "$2")
        largest=$((size > largest ? size : largest))
        sleep 0.05
    done
    wait "$run"
    echo "$largest"
}

build=$(cd "$build" && pwd -P)
core=0
start=$(seconds 1 mnist seeds=1 dataset.limit=64)
printf 'start        %.3f s\n' "$start"
alone=$(rate 1 tiny 1000 5000)
together=$(rate "$workers" tiny 1000 5000)
printf 'scheduler    %.0f trials/s, 1 rank; %.0f trials/s, %d ranks\n' "$alone" "$together" "$workers"
for ((round = 0; round < rounds; round++)); do
    core=$((round % cores))
    one=$(rate 1 mnist 4 28)
    all=$(rate "$workers" mnist $((4 * workers)) $((28 * workers)))
    apart=$(rate apart mnist 4 28)
    echo "$one $all $apart"
done | awk -v n="$workers" '
    function sorted(list, count, i, j, t) {
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
            }
    }
    function line(label, list) {
        sorted(list, NR)
        printf "%s %.3f (%.3f - %.3f)\n", label, list[int((NR + 1) / 2)], list[1], list[NR]
    }
    { all[NR] = $2 / $1 / n; apart[NR] = $3 / $1 / n; share[NR] = $2 / $3 }
    END {
        line("efficiency  ", all)
        line("  apart     ", apart)
        line("  share     ", share)
    }'
core=0
single=$(peak 1 Pss)
many=$(peak "$workers" Pss)
rss=$(peak 1 Rss)
awk -v one="$single" -v all="$many" -v rss="$rss" -v n="$workers" 'BEGIN {
    printf "memory       %.1f MB more per worker; %.1f MB resident alone\n",
        (all - one) / (n > 1 ? n - 1 : 1) / 1000, rss / 1000 }'
