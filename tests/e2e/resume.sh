#!/usr/bin/env bash
# The same command again: nothing to do, more seeds, other settings, and after an interruption.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep small <<'END'
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 2
END

# First run: the default path, a summary on standard output, progress on standard error.
expect 0 "$engram" run small.yaml
has out "small: 8 of 8 trials finished"
has out "results: results/small.h5"
has out "best points"
has err "8 trials to run"
[ -s results/small.h5 ] || fail "no results file"
[ -s results/small.journal ] || fail "no journal"
"$engram" export results/small.h5 >first.csv
[ "$(wc -l <first.csv)" = 9 ] || fail "not a row per trial"

# Second run: nothing runs, nothing changes.
expect 0 "$engram" run small.yaml
has out "all 8 trials were finished before"
"$engram" export results/small.h5 >second.csv
same first.csv second.csv

expect 0 "$engram" plan small.yaml
has out "8 of 8 trials finished"
has out "nothing is left to run"

# More seeds: only the new ones run, the old rows stay as they are.
expect 0 "$engram" plan small.yaml seeds=3
has out "8 of 12 trials finished"
has out "from 8 finished trials"
expect 0 "$engram" run small.yaml seeds=3
has err "8 of 12 trials were finished before, 4 to run"
has out "12 of 12 trials finished; 4 run now"
"$engram" export results/small.h5 --stable >grown.csv
[ "$(wc -l <grown.csv)" = 13 ] || fail "not a row per trial after growing"
"$engram" export results/small.h5 >grown-full.csv
cut -d, -f2 first.csv | tail -n +2 | while read -r id; do
    same <(grep -F "$id" first.csv | cut -d, -f2-) <(grep -F "$id" grown-full.csv | cut -d, -f2-)
done

# An override gives other trials, and the file remembers which sweep it belongs to.
expect 0 "$engram" run small.yaml -o other.h5 optimizer.lr=0.01 seeds=1 --quiet
[ ! -s out ] || fail "--quiet printed results"
[ ! -s err ] || fail "--quiet printed progress"
"$engram" export other.h5 >other.csv
[ "$(wc -l <other.csv)" = 3 ] || fail "the override did not replace the grid's values"
has other.csv "0.01"

# --redo: by id, by status, all.
id=$(cut -d, -f2 first.csv | sed -n 2p)
expect 0 "$engram" run small.yaml seeds=3 --redo "id=$id"
has err "11 of 12 trials were finished before, 1 to run"
"$engram" export results/small.h5 --stable >redone.csv
same grown.csv redone.csv
expect 0 "$engram" run small.yaml seeds=3 --redo failed,diverged
has out "all 12 trials were finished before"
refuses "--redo id=0000" "no trial" -- "$engram" run small.yaml seeds=3 --redo id=0000000000000000
refuses "--redo sometimes" -- "$engram" run small.yaml --redo sometimes

# What it can do while a sweep runs: status from outside, a second writer is refused, SIGINT stops.
sweep long <<'END'
  stream.epochs: 50
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 4
END
"$engram" run long.yaml -o whole.h5 --quiet
"$engram" export whole.h5 --stable >whole.csv
hooks long "results 2"
"${hook[@]}" "$engram" run long.yaml -o long.h5 --progress json >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point long
"$engram" status long.h5 --json >status.json
has status.json '"complete": false'
lacks status.json '"writer": null'
has status.json '"schema": 2'
has status.json '"rank": 0'
refuses "long" "$pid" -- "$engram" run long.yaml -o long.h5
"$engram" status long.h5 --watch=1 >watch.out 2>watch.err &
watcher=$!
background+=("$watcher")
await "the first words of --watch" test -s watch.out
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 75 ] || fail "exit code $code after SIGINT"
# Watching ends by itself when nobody writes any more.
wait "$watcher" || fail "watching ended with exit code $?"
has watch.out "running by"
has watch.out "worker    rank 0 on"
has watch.out "incomplete, nobody is running it"
has running.out "stopped early"
has running.out "the same command again"
expect 0 "$engram" status long.h5
has out "incomplete, nobody is running it"
expect 0 "$engram" check long.h5
expect 0 "$engram" run long.yaml -o long.h5
has err "of 16 trials were finished before"
"$engram" export long.h5 --stable >resumed.csv
same whole.csv resumed.csv
for table in curves matrix; do
    same <("$engram" export whole.h5 --stable --table $table) \
        <("$engram" export long.h5 --stable --table $table)
done

# Its time is up, as it was told or as the batch job says: stops by itself.
hooks timed "products 1"
expect 75 "${hook[@]}" "$engram" run long.yaml -o timed.h5 --until +0.3s
has err "stops by itself at"
has err "the time is up: stopping"
has out "stopped early"
expect 75 "${hook[@]}" SLURM_JOB_END_TIME="$(date +%s)" "$engram" run long.yaml -o timed.h5
has err "the time is up: stopping"
refuses "SLURM_JOB_END_TIME=never" "--until off" -- env SLURM_JOB_END_TIME=never "$engram" run long.yaml -o timed.h5
refuses "--until soon" "+30m" -- "$engram" run long.yaml -o timed.h5 --until soon
expect 0 env SLURM_JOB_END_TIME=never "$engram" run long.yaml -o timed.h5 --until off
lacks err "stops by itself"
same whole.csv <("$engram" export timed.h5 --stable)

# Killed without warning: what was finished is there, the rest runs again.
hooks killed "results 3" ENGRAM_HOOK_SIGNAL=9
expect 137 "${hook[@]}" "$engram" run long.yaml -o killed.h5 --quiet
expect 0 "$engram" collect killed.h5
expect 0 "$engram" run long.yaml -o killed.h5
has err "3 of 16 trials were finished before"
same whole.csv <("$engram" export killed.h5 --stable)
echo passed
