#!/usr/bin/env bash
# How a sweep is kept within bounds: limits of time and of failures, rules that stop trials on their way, seeds by purpose.
# No limit here is near what anything takes: it is over at once, or never.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# --- max_seconds ----------------------------------------------------------------------------------
sweep slow <<'END'
grid:
  optimizer.lr: [0.01, 0.02]
seeds: 2
END
expect 0 "$engram" run slow.yaml
"$engram" export results/slow.h5 --stable >unlimited.csv
# A limit that is not reached is no part of the results, nor of what trials are.
expect 0 "$engram" run slow.yaml max_seconds=1e9
has out "all 4 trials were finished before"
# One that is over at once: every trial ends with status timeout.
expect 3 "$engram" run slow.yaml max_seconds=1e-6 -o over.h5
has out "4 of 4 trials finished, 4 timeout"
has out "--redo timeout"
expect 0 "$engram" failures over.h5
has out "4 timeout: training took longer than max_seconds = 1e-06"
has out "--redo timeout"
expect 0 "$engram" status over.h5
has out "timeout   4"
expect 0 "$engram" check over.h5
expect 0 "$engram" top over.h5
"$engram" export over.h5 >over.csv
[ "$(grep -c ',timeout,' over.csv)" = 4 ] || fail "not four trials with status timeout"
# They stay so until somebody asks, and then say what they would have said without a limit.
expect 3 "$engram" run slow.yaml max_seconds=0 -o over.h5
has out "all 4 trials were finished before"
expect 0 "$engram" run slow.yaml --redo timeout -o over.h5
has out "4 of 4 trials finished; 4 run now"
"$engram" export over.h5 --stable >again.csv
same unlimited.csv again.csv
# The results file can be made from the journal, and the journal from the file.
expect 3 "$engram" run slow.yaml max_seconds=1e-6 -o part.h5
cp part.h5 kept.h5
expect 0 "$engram" collect part.h5
"$engram" export part.h5 --stable >collected.csv
"$engram" export kept.h5 --stable >kept.csv
same kept.csv collected.csv
# Of two files the one with the result counts.
expect 0 "$engram" merge both.h5 part.h5 results/slow.h5
"$engram" export both.h5 --stable >both.csv
[ "$(grep -c ',done,' both.csv)" = 4 ] || fail "merge preferred a timeout to a result"

# --- max_failures ---------------------------------------------------------------------------------
# Weights of 160 TB fit into no address space; see outcomes.sh.
layers=$(printf '1000000, %.0s' {1..40})
sweep failing <<END
grid:
  model.hidden: [[${layers%, }], [24]]
seeds: 6
max_failures: 2
END
expect 3 "$engram" run failing.yaml
has err "2 trials failed or timed out, as many as max_failures allows: nothing more is handed out"
has out "stopped early, 2 failed"
has out "with --redo failed,timeout or with a larger max_failures runs the other"
[ "$(grep -c 'max_failures allows' err)" = 1 ] || fail "said more than once"
"$engram" export results/failing.h5 >failing.csv
[ "$(grep -c ',failed,' failing.csv)" = 2 ] || fail "more failed than max_failures"
grep -q ',pending,' failing.csv || fail "everything ran although it should have stopped"
# The same command again stops at once; with more room it goes on to the end.
expect 3 "$engram" run failing.yaml --quiet
has err "as many as max_failures allows"
expect 3 "$engram" run failing.yaml max_failures=50%
has err "6 trials failed or timed out"
expect 3 "$engram" run failing.yaml max_failures=off
has out "12 of 12 trials finished, 6 failed"
lacks err "max_failures"
# The last failure of a sweep stops nothing.
expect 3 "$engram" run failing.yaml max_failures=6 'only={model.hidden: [['"${layers%, }"']]}' -o last.h5
has out "6 of 6 trials finished, 6 failed"
refuses "command line" "max_failures = none" -- "$engram" run failing.yaml max_failures=none
# Under two ranks it ends as well, and the rest runs afterwards.
expect 3 "$mpirun" 2 "$engram" run failing.yaml -o two.h5
has err "as many as max_failures allows"
expect 3 "$mpirun" 2 "$engram" run failing.yaml max_failures=off -o two.h5
has out "12 of 12 trials finished, 6 failed"

# --- Rules that stop trials on their way: the same ones whatever the ranks, and interrupted -------
for rule in '{median: {batch: 2}}' '{patience: {evaluations: 2}}'; do
    sweep rule <<END
  eval.every: 4
  stream.epochs: 2
grid:
  optimizer.lr: [0.1, 1e-6, 0.03, 1e-7, 0.2, 1e-5, 0.05, 1e-8]
seeds: 2
stop: $rule
END
    rm -rf rule.h5 rule.journal rule.checkpoints two.* cut.*
    expect 0 "$engram" run rule.yaml -o rule.h5
    has out "stopped"
    "$engram" export rule.h5 --stable >rule.csv
    grep -q ',done,' rule.csv || fail "$rule stopped everything"
    expect 0 "$mpirun" 2 "$engram" run rule.yaml -o two.h5
    "$engram" export two.h5 --stable >two.csv
    same rule.csv two.csv
    hooks rule "results 5"
    "${hook[@]}" "$engram" run rule.yaml -o cut.h5 >cut.log 2>&1 &
    background+=($!)
    await_point rule
    kill -INT $!
    code=0
    wait $! || code=$?
    [ "$code" = 75 ] || fail "interrupted with exit code $code instead of 75"
    expect 0 "$engram" run rule.yaml -o cut.h5
    "$engram" export cut.h5 --stable >cut.csv
    same rule.csv cut.csv
done

# --- Seeds by purpose -----------------------------------------------------------------------------
sweep purposes <<'END'
seeds: {order: 3, init: 2}
END
expect 0 "$engram" run purposes.yaml
has out "6 of 6 trials finished"
expect 0 "$engram" export results/purposes.h5 --json
[ "$(grep -o '"order_seed":[0-2]\b' out | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')" = "2 2 2 " ] ||
    fail "not two trials of each order"
[ "$(grep -o '"init_seed":[01]\b' out | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')" = "3 3 " ] ||
    fail "not three trials of each initialisation"

# --- One parameter at a time ----------------------------------------------------------------------
sweep study <<'END'
around:
  at: {optimizer.lr: 0.05}
  vary: {optimizer.lr: [0.01, 0.1], stream.batch: [10, 40]}
END
expect 0 "$engram" plan study.yaml
has out "points      5"
expect 0 "$engram" run study.yaml
has out "5 of 5 trials finished"

# --- Baselines ------------------------------------------------------------------------------------
sweep between <<'END'
grid:
  learner: [ewc: {lambda: 10}]
seeds: 2
baselines: auto
END
expect 0 "$engram" plan between.yaml
has out "points      4"
expect 0 "$engram" run between.yaml
has out "8 of 8 trials finished"
expect 0 "$engram" top results/between.h5
has out "baseline"
"$engram" export results/between.h5 >between.csv
for kind in finetune joint iid; do
    [ "$(grep -c ",$kind," between.csv)" = 2 ] || fail "not two trials called $kind"
done
