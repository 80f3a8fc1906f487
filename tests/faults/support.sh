#!/usr/bin/env bash
# What the fault-injection tests share; to be sourced by one of them, which sets before:
#   about         one sentence for --help
#   short, full   how many faults it injects by default, and with --full
# Arguments: ENGRAM [--count N] [--full] [--seed S]. Every random choice follows from the seed, but not where in its
# work a process is when a signal reaches it.
set -euo pipefail

usage() {
    echo "Usage: ${0##*/} ENGRAM [--count N] [--full] [--seed S]"
    echo
    # shellcheck disable=SC2154 # set by the test
    echo "$about"
    # shellcheck disable=SC2154
    echo "--count: how many faults (default: $short; with --full: $full)."
}

program=
count=$short
seed=$(date +%N | sed 's/^0*//')
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --count) count=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --full) count=$full && shift ;;
    -*) usage >&2 && exit 2 ;;
    *) program=$1 && shift ;;
    esac
done
[ -n "$program" ] || { usage >&2 && exit 2; }
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
command -v mpirun >/dev/null || {
    echo "SKIPPED: no mpirun" >&2
    exit 77
}

# shellcheck source-path=SCRIPTDIR source=../e2e/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/support.sh" "$program"
# shellcheck disable=SC2154 # of the file just sourced
{
    launcher=$here/../../jobs/local.sh
    export ENGRAM=$engram
    everything=$work/
}
RANDOM=$((seed % 32768))
echo "${0##*/}: $count faults, seed $seed"

# Everything that this test has started knows its directory.
started() {
    pgrep -f -- "$everything" || true
}

# Repeated until nothing is left: a launcher may just be starting one, and what is killed takes a moment to be gone.
end_all() {
    local pids
    pids=$(started)
    while [ -n "$pids" ]; do
        # shellcheck disable=SC2086 # one word a process
        kill -9 $pids 2>/dev/null || true
        sleep 0.01
        pids=$(started)
    done
}
trap 'end_all; finish' EXIT

# pick N: a number from 0 to N-1 in `picked` (a command substitution would not advance RANDOM).
pick() {
    # shellcheck disable=SC2034 # for the tests
    picked=$(((RANDOM * 32768 + RANDOM) % $1))
}

# ranks: the processes that run engram, rank 0 first.
ranks() {
    local pid number
    for pid in $(started); do
        # The process that watches over them runs the same program.
        if [ "/proc/$pid/exe" -ef "$ENGRAM" ] && ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -x launch >/dev/null; then
            number=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" |
                sed -n 's/^OMPI_COMM_WORLD_RANK=//p') || true
            echo "${number:-0} $pid"
        fi
    done | sort -n | cut -d' ' -f2
}

# launch RANKS NAME option…: the sweep NAME in the background: its process in `job`, its output in NAME.out and NAME.err.
# What is in `hook` (see ../e2e/support.sh) goes in front; it is empty again afterwards.
hook=()
launch() {
    local number=$1 name=$2
    shift 2
    # bash starts background jobs deaf to SIGINT, nohup starts everything deaf to SIGHUP.
    ${hook[@]+"${hook[@]}"} env --default-signal=INT,HUP "$launcher" -n "$number" "$work/$name.yaml" -o "$work/$name.h5" "$@" \
        >"$name.out" 2>"$name.err" </dev/null &
    job=$!
    hook=()
}

# hook_results NAME: the next launch comes to a point that is picked among the first half of its results.
hook_results() {
    pick $((trials / 2))
    hooks "$1" "results $((1 + picked))"
}

# hook_products NAME [RANK]: … that is picked among what RANK computes of its first trial; without one, among what some
# rank of three computes in any case. The first product of a process belongs to no trial: it makes OpenBLAS ready.
hook_products() {
    local most=$((products * trials / 3))
    [ $# = 1 ] || most=$products
    pick "$most"
    hooks "$1" "products $((2 + picked))" ${2:+"ENGRAM_HOOK_RANK=$2"}
}

# await_point_or_end NAME: until some rank is at its point, or the sweep has ended without.
await_point_or_end() {
    await "the point of $1" at_point_or_end "$1.hook"
}

at_point_or_end() {
    compgen -G "$1/reached.*" || has_ended
}

# go_on NAME: it is slow no more.
go_on() {
    rm "$work/$1.hook/slow"
}

# settle: waits for `job`; its exit code in `code`. A sweep that does not end is a failure.
# shellcheck disable=SC2034 # code is for the tests
settle() {
    await "the end of the sweep" has_ended
    code=0
    wait "$job" || code=$?
}

has_ended() {
    ! kill -0 "$job"
}

# Writes what a sweep found, without what may differ: times, ranks, hosts, attempts.
write_stable() {
    local table
    for table in trials curves matrix; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# finished_rows NAME: rows of the finished trials, with their times and attempts: a trial that ran again would not have the
# same. Nothing as long as there is no result.
finished_rows() {
    if [ -s "$1.journal" ] && "$engram" export "$1.h5" >rows.csv 2>export.err; then
        grep -F ,done, rows.csv | sort || true
    elif [ -s "$1.journal" ]; then
        grep -q 'holds no sweep yet' export.err || fail "export: $(cat export.err)"
    fi
}

# prepare TRIALS [EPOCHS]: the sweep whole.yaml of so many trials, and its results without any fault in whole.stable. By chance
# its trials pause on their way: of two the better one goes on behind the sixth evaluation.
prepare() {
    trials=$1
    # An epoch is 20 minibatches of five products: a third of a trial, which none pauses before.
    local epochs=${2-20}
    # shellcheck disable=SC2034 # for the tests
    products=$((epochs * 100 / 3))
    sweep whole <<END
  stream.epochs: $epochs
  eval.every: $((epochs + 1))
grid:
  optimizer.lr: [0.003, 0.03]
seeds: $((trials / 2))
END
    pick 2
    if [ "$picked" = 0 ]; then
        echo "trials pause on their way"
        echo "stop: {asha: {eta: 2, first: 6}}" >>whole.yaml
    fi
    "$engram" run whole.yaml -o whole.h5 --quiet
    write_stable whole >whole.stable
}

# begin NAME: a new sweep like the whole one.
begin() {
    cp whole.yaml "$1.yaml"
}

# check_whole NAME: it is complete, sound and equal to the one without faults; removes it.
check_whole() {
    expect 0 "$engram" check "$work/$1.h5"
    write_stable "$1" >"$1.stable"
    same whole.stable "$1.stable"
    rm -rf "./$1".*
}
