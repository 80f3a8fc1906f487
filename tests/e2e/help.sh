#!/usr/bin/env bash
# Help, version, list and describe: every verb, every component, every setting; and one trial by hand.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# No words: short usage, exit code 2. --help and --version answer on standard output.
expect 2 "$engram"
has err "usage: engram VERB"
[ ! -s out ] || fail "usage went to standard output"
expect 0 "$engram" --version
has out "engram "
has out "compiler"
has out "BLAS"
expect 0 "$engram" --help
mapfile -t verbs < <(sed -n '/^VERBS/,/^OPTIONS/s/^  \([a-z-]*\) .*/\1/p' out)
[ "${#verbs[@]}" = 21 ] || fail "--help lists ${#verbs[@]} verbs"
for verb in run launch slurm plan train predict status failures top compare report export list describe merge check collect man completion; do
    has out "  $verb "
done

for verb in "${verbs[@]}"; do
    expect 0 "$engram" "$verb" --help
    for heading in SYNOPSIS DESCRIPTION OPTIONS EXAMPLES "EXIT CODES"; do
        has out "$heading"
    done
    has out "engram $verb"
    [ ! -s err ] || fail "help of $verb printed an error"
    awk -v verb="$verb" 'length($0) > 100 { print verb ": line too long: " $0; exit 1 }' out
    cp out page
    expect 0 "$engram" help "$verb"
    same page out
    refuses "unknown option --nonsense" -- "$engram" "$verb" --nonsense
done
refuses "tpo" "did you mean top" -- "$engram" tpo
refuses "zzzzzz" -- "$engram" zzzzzz
refuses "tpo" -- "$engram" help tpo

# Every component that is listed can be described, with all its parameters.
expect 0 "$engram" list
cp out listed
kind=
count=0
while IFS= read -r line; do
    if [[ $line =~ ^\ \ ([a-z_]+)\  ]]; then
        kind=${BASH_REMATCH[1]}
        expect 0 "$engram" list "$kind"
        expect 0 "$engram" describe "$kind"
        has out "members"
    elif [[ $line =~ ^\ \ \ \ ([a-z_0-9]+)\  ]]; then
        name=${BASH_REMATCH[1]}
        expect 0 "$engram" describe "$kind:$name"
        head -1 out >heading
        has heading "$kind:$name"
        grep -qE 'parameters' out || fail "$kind:$name says nothing about parameters"
        count=$((count + 1))
    fi
done <listed
[ "$count" -ge 30 ] || fail "only $count components were described"
refuses "activatoin" "activation" -- "$engram" list activatoin
refuses "hard_ahs" "hard_ash" -- "$engram" describe hard_ahs

# Every setting of a trial can be described.
expect 0 "$engram" train dataset=synthetic --json --quiet
has out '"status": "done"'
sed -n '/^  "settings"/,/^  }/s/^    "\([a-z_.]*\)": .*/\1/p' out >settings
[ "$(wc -l <settings)" -ge 20 ] || fail "few settings"
while IFS= read -r name; do
    expect 0 "$engram" describe "$name"
    has out "setting of"
    has out "${name##*.}"
done <settings
expect 0 "$engram" describe final_accuracy
has out "recorded by trials"

# A trial by hand: the curve, one line per evaluation, and the same numbers for the same seed.
expect 0 "$engram" train dataset=synthetic stream.tasks=2 eval.every=4 seed=7
has out "accuracy"
has out "task 1"
has out "seed 7"
grep -v 'seconds\|peak_rss\|seed 7' out >first
expect 0 "$engram" train dataset=synthetic stream.tasks=2 eval.every=4 seed=7
grep -v 'seconds\|peak_rss\|seed 7' out >second
same first second
expect 0 "$engram" train dataset=synthetic stream.tasks=2 eval.every=4 seed=8
grep -v 'seconds\|peak_rss\|seed 8' out >third
! cmp -s first third || fail "another seed gives the same numbers"

# It is the trial that a sweep would run.
sweep one <<'END'
seeds: [7]
END
"$engram" run one.yaml --quiet
expect 0 "$engram" export results/one.h5 --json
for name in final_accuracy forgetting objective flops; do
    grep -o "\"$name\":[0-9.e+-]*" out | cut -d: -f2
done >in_sweep
expect 0 "$engram" train protocol=test dataset=synthetic dataset.examples=400 \
    dataset.test_examples=100 stream.batch=20 model.hidden='[24]' seed=7 --json --quiet
for name in final_accuracy forgetting objective flops; do
    grep "^    \"$name\": " out | tr -d ' ,' | cut -d: -f2
done >alone
awk 'NR == FNR { a[FNR] = $1; next }
     { n++; d = $1 - a[FNR]; if (d < 0) d = -d; if (d > 1e-6 * $1) { print $1 " is not " a[FNR]; exit 1 } }
     END { exit n != 4 }' in_sweep alone || fail "train and run give other numbers"

# Plan: what would run, without running or writing anything.
sweep plan <<'END'
grid: {optimizer.lr: [0.1, 0.2], model.activation: [relu, swish]}
exclude:
  - {optimizer.lr: 0.2, model.activation: swish}
seeds: 3
END
expect 0 "$engram" plan plan.yaml
for words in "points      3" "1 excluded" "trials      9" "optimizer.lr" "0.1, 0.2" "core-hours" \
    "final_accuracy, maximise, chosen by protocol test" "minibatches and evaluations tried out"; do
    has out "$words"
done
expect 0 "$engram" plan plan.yaml --list
[ "$(wc -l <out)" = 10 ] || fail "plan --list did not list 9 trials"
expect 0 "$engram" plan plan.yaml --json --no-timing
has out '"trials": 9'
has out '"optimizer.lr": 2'
has out '"kinds": 2'
expect 0 "$engram" run plan.yaml --dry-run
has out "trials      9"
[ ! -e results/plan.h5 ] || fail "planning wrote a results file"
[ ! -e results/plan.journal ] || fail "planning wrote a journal"
# Nothing is tried out if that is not wanted, or there are no data.
expect 0 "$engram" plan plan.yaml --no-timing
has out "time        not estimated"
lacks out "tried out for"
expect 0 "$engram" plan plan.yaml dataset=mnist dataset.path=nowhere
has out "data        dataset mnist"
has out "time        not estimated"
refuses "nowhere" -- "$engram" run plan.yaml dataset=mnist dataset.path=nowhere
expect 0 "$engram" plan plan.yaml dataset=mnist dataset.path=nowhere --json
has out '"core_seconds_left": null'
# What rules leave, in trials and in time.
expect 0 "$engram" plan plan.yaml --no-timing seeds=10 stop='{early_cut: {after: 2, below: 0.5}}'
has out "trials      30, of which rules leave 6 to 30"
expect 0 "$engram" plan plan.yaml seeds=10 stop='{early_cut: {after: 2, below: 0.5}}' --json
sed -n 's/.*"core_seconds_\(left\|least\)": \([0-9.e+-]*\),\{0,1\}$/\2/p' out | paste -sd' ' >both_times
awk '{ exit !($2 > 0 && $2 < $1) }' both_times || fail "no range of times: $(cat both_times)"

# Every check of run, before it.
same_refusal() {
    refuses "$1" -- "$engram" plan "${@:2}"
    mv err by_plan
    refuses "$1" -- "$engram" run "${@:2}"
    same by_plan err
    refuses "$1" -- "$engram" run --dry-run "${@:2}"
    same by_plan err
}
same_refusal "only 5 tasks" plan.yaml protocol='{first_tasks: {k: 6}}'
expect 0 "$engram" run one.yaml -o taken.h5
same_refusal "belongs to another sweep" plan.yaml -o taken.h5
echo words >words.h5
same_refusal "not a results file" plan.yaml -o words.h5
same_refusal "nowhere" plan.yaml -o nowhere/x.h5
mkdir closed
chmod 555 closed
nobody=()
[ "$(id -u)" != 0 ] || nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod 755 .
refuses "results cannot be written here" -- ${nobody[@]+"${nobody[@]}"} "$engram" plan plan.yaml -o closed/x.h5
mv err by_plan
refuses "cannot be written here" -- ${nobody[@]+"${nobody[@]}"} "$engram" run plan.yaml -o closed/x.h5
# Somebody is writing: that is said, and the plan is shown.
sweep long <<'END'
  stream.epochs: 1000000
END
"$engram" run long.yaml -o long.h5 --quiet 2>/dev/null &
background+=($!)
for _ in $(seq 600); do
    [ ! -s long.lock ] || break
    sleep 0.1
done
expect 0 "$engram" plan long.yaml -o long.h5 --no-timing
has out "process $! is writing there"
refuses "is being written by process $!" -- "$engram" run long.yaml -o long.h5
kill -9 "$!"
wait "$!" 2>/dev/null || true
echo passed
