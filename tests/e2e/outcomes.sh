#!/usr/bin/env bash
# What can become of a trial: diverged, failed, skipped by a rule, chosen for a second stage; and what
# the verbs that look at results say of it.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# A diverging trial is a result; the sweep goes on and ends well.
sweep diverge <<'END'
  model.weight_norm: [none]
  model.activation: relu
  optimizer: sgd
grid:
  optimizer.lr: [0.01, 1e30]
seeds: 2
END
expect 0 "$engram" run diverge.yaml
has out "4 of 4 trials finished"
has out "2 diverged"
expect 0 "$engram" failures results/diverge.h5
has out "2 diverged: the loss was not finite"
expect 0 "$engram" failures results/diverge.h5 --json
has out '"count": 2'
expect 0 "$engram" status results/diverge.h5
has out "complete"
has out "diverged  2"
expect 0 "$engram" run diverge.yaml --redo diverged
has err "2 of 4 trials were finished before, 2 to run"

# A trial that fails does not stop the others: exit code 3, the reason at once and in `failures`. This
# network's weights (160 TB) fit into no address space, however generous the system is.
layers=$(printf '1000000, %.0s' {1..40})
sweep failing <<END
grid:
  model.hidden: [[${layers%, }], [24]]
seeds: 2
END
expect 3 "$engram" run failing.yaml
has err "failed on rank 0"
has out "4 of 4 trials finished, 2 failed; 4 run now"
has out "--redo failed"
expect 0 "$engram" failures results/failing.h5
has out "2 failed: out of memory"
expect 3 "$engram" run failing.yaml
has out "all 4 trials were finished before"
expect 3 "$engram" run failing.yaml --redo failed
has err "2 of 4 trials were finished before, 2 to run"

# Data that are not there: one error before anything starts, nothing written.
sweep nodata <<'END'
  model.activation: relu
seeds: 2
END
refuses "nowhere" -- "$engram" run nodata.yaml dataset=mnist dataset.path=nowhere -o nodata.h5
[ ! -e nodata.h5 ] || fail "a results file although the data are missing"
[ ! -e nodata.journal ] || fail "a journal although the data are missing"

# The early cut: after two replicates below the bound the others are skipped; good points run them all.
sweep cut <<'END'
grid:
  optimizer.lr: [2e-7, 0.11]
seeds: 5
stop: {early_cut: {after: 2, below: 0.3}}
END
expect 0 "$engram" run cut.yaml
has out "3 skipped"
"$engram" export results/cut.h5 >cut.csv
[ "$(grep ',skipped,' cut.csv | grep -c ',2e-07,')" = 3 ] || fail "not the last three replicates of the weak point"
[ "$(grep ',done,' cut.csv | grep -c ',0.11,')" = 5 ] || fail "the good point did not run all its replicates"
grep ',skipped,' cut.csv | cut -d, -f4 | sort | tr '\n' ' ' >replicates
has replicates "2 3 4"
expect 0 "$engram" run cut.yaml
has out "all 10 trials were finished before"
# A replicate that the rule has seen runs again: what was skipped because of it is open again, too.
id=$(grep ',2e-07,' cut.csv | head -1 | cut -d, -f2)
expect 0 "$engram" run cut.yaml --redo "id=$id"
has err "6 of 10 trials were finished before, 4 to run"
has out "3 skipped; 1 run now"
# Without the rule the skipped ones run after all.
expect 0 "$engram" run cut.yaml stop=off
has err "7 of 10 trials were finished before, 3 to run"
"$engram" export results/cut.h5 >uncut.csv
lacks uncut.csv ",skipped,"

# The second stage: the best point gets further seeds, and only it; resuming does not choose again.
sweep stage <<'END'
grid:
  optimizer.lr: [2e-7, 3e-4, 0.11]
seeds: 2
select: {best: 1, seeds: 3}
END
expect 0 "$engram" run stage.yaml
has out "9 of 9 trials finished"
"$engram" export results/stage.h5 >stage.csv
[ "$(grep ',done,' stage.csv | grep -c ',0.11,')" = 5 ] || fail "the best point did not get its further seeds"
expect 0 "$engram" run stage.yaml
has out "all 9 trials were finished before"
# Parameters that only some alternatives have share the column of their component; those with one
# value are shown on demand.
sweep alternatives <<'END'
grid:
  model.activation: [relu, {topk_subtract: {k: [4, 8]}}]
END
expect 0 "$engram" run alternatives.yaml seeds=1
has out "topk_subtract k=4"
expect 0 "$engram" top results/alternatives.h5
has out "topk_subtract k=8"
lacks out "model.activation.k"
lacks out "x_max"
expect 0 "$engram" top results/alternatives.h5 --all
has out "topk_subtract k=8 x_max=2"

# Settings that a learner does not look at are no settings of its trials, and of others they are.
sweep fly <<'END'
grid:
  learner: [flymodel: {units: 100}, plain]
END
expect 0 "$engram" run fly.yaml seeds=1
"$engram" export results/fly.h5 --json >fly.json
grep '"learner":"flymodel"' fly.json >fly
grep '"learner":"plain"' fly.json >plain
for name in model model.hidden model.activation loss optimizer optimizer.lr; do
    has fly "\"$name\":null"
    lacks plain "\"$name\":null"
done
has fly '"learner.units":100'
has fly '"stream.batch":20'
mkdir no_journal
cp results/fly.h5 no_journal
"$engram" export no_journal/fly.h5 --json >no_journal.json
same fly.json no_journal.json
expect 0 "$engram" run fly.yaml seeds=1
has out "all 2 trials were finished before"

# Export: RFC 4180 (CRLF), every table, both forms, the same numbers.
head -1 stage.csv | grep -q $'\r$' || fail "lines do not end in CRLF"
for table in trials curves matrix; do
    "$engram" export results/stage.h5 --table $table >table.csv
    "$engram" export results/stage.h5 --table $table --json >table.json
    [ "$(wc -l <table.json)" = $(($(wc -l <table.csv) + 1)) ] || fail "CSV and JSON have other rows: $table"
    header=$(head -1 table.csv | tr -d '\r')
    # The first object of the list; head would end the pipe early, which can end grep with an error.
    sed '/}/q' table.json | grep -o '"[a-z_.0-9]*":' | tr -d '":' | paste -sd, >names
    same names <(echo "$header")
done
# Lists are lists in JSON, numbers and words.
"$engram" export results/stage.h5 --json >trials.json
has trials.json '"model.hidden":[24]'
has trials.json '"model.weight_norm":["centered"]'
expect 0 "$engram" export results/stage.h5 --table curves -o curves.csv
[ ! -s out ] || fail "-o also printed"
has curves.csv "task_accuracy.4"
refuses "no/such" -- "$engram" export results/stage.h5 -o no/such/file.csv
refuses "exclude each other" -- "$engram" export results/stage.h5 --csv --json
# A reader that left is no error.
exec {pipe}> >(:)
wait $!
code=0
"$engram" export results/stage.h5 2>err 1>&"$pipe" || code=$?
exec {pipe}>&-
[ "$code" = 0 ] || fail "exit code $code although only its reader left"
[ ! -s err ] || fail "complained about a reader that left"

# Check and collect.
expect 0 "$engram" check results/stage.h5
has out "sound"
rm results/stage.h5
expect 0 "$engram" collect results/stage.h5
has out "9 of 9 trials finished"
"$engram" export results/stage.h5 >collected.csv
same stage.csv collected.csv
cp results/stage.journal damaged.journal
printf '\xff' | dd of=damaged.journal bs=1 seek=3000 conv=notrunc status=none
expect 2 "$engram" check damaged.h5
refuses "engram: " -- "$engram" status no-such-file.h5
for verb in top failures export check collect; do
    refuses "no-such-file" -- "$engram" $verb no-such-file.h5
done
echo passed
