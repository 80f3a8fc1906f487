#!/usr/bin/env bash
# Points from a tuner: the same suggestions on 1 and 2 ranks, interrupted or not; what a tuner can do wrong; Ctrl-C.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
python=${2:?usage: ask.sh ENGRAM PYTHON}
root=$here/../..

# The hooks are for engram, not for the tuner; and no shell is to say how it ended.
tuner() {
    echo "exec env -u LD_PRELOAD $python $here/../peer/fake_tuner.py $*"
}

tables() {
    for table in trials curves; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

sweep tuned <<'END'
sample:
  count: 10
  batch: 4
  seed: 7
  settings:
    optimizer.lr: {loguniform: [1e-4, 0.3]}
    model.activation: {choice: [relu, sigmoid]}
    stream.batch: {int: [10, 40]}
seeds: 2
END

# As without a tuner it is a random search, as which `plan` and --dry-run show it.
expect 0 "$engram" plan tuned.yaml --no-timing
has out "trials      20"
expect 0 "$engram" run tuned.yaml --ask "$(tuner none.log)" --dry-run
has out "a tuner suggests 10 points, 4 at a time, with 2 seeds each"
has out "optimizer.lr: numbers from 0.0001 to 0.3, on a logarithmic scale"
[ ! -e none.log ] || fail "a dry run asked the tuner"

# Ten points in batches of 4, 4 and 2.
expect 0 "$engram" run tuned.yaml -o one.h5 --ask "$(tuner one.log)"
has out "tuned: 20 of 20 trials finished"
has err "8 trials to run and 12 to come from the tuner"
[ "$(grep -c '"suggest":{"num_points":4}' one.log)" = 2 ] || fail "not two batches of 4"
[ "$(grep -c '"suggest":{"num_points":2}' one.log)" = 1 ] || fail "not one batch of 2"
[ "$(grep -c '^{"ingest"' one.log)" = 3 ] || fail "not three batches of results"
[ "$(tail -n 1 one.log)" = '{"finalize":{}}' ] || fail "no end"
has one.log '"optimizer.lr":{"type":"ContinuousVariable","domain":[0.0001,0.3],"dtype":"float","log":true}'
has one.log '"model.activation":{"type":"DiscreteVariable","values":["relu","sigmoid"]}'
has one.log '"objectives":{"final_accuracy":"MAXIMIZE"}'
tables one >one.txt
[ "$(wc -l <one.txt)" -gt 20 ] || fail "the points are not in the results"
expect 0 "$engram" top one.h5
has out "2/2"
expect 0 "$engram" check one.h5
expect 0 "$engram" status one.h5
lacks out "so far"
# What the tuner was told is what the results say: the mean over the seeds, and each of them.
"$engram" export one.h5 >one.csv
"$python" - <<'END'
import csv, json
told = [r for line in open("one.log") if line.startswith('{"ingest"') for r in json.loads(line)["ingest"]["results"]]
rows = list(csv.DictReader(open("one.csv")))
assert len(told) == 10 and len(rows) == 20
for r in told:
    own = [row for row in rows if float(row["optimizer.lr"]) == r["optimizer.lr"] and row["model.activation"] ==
           r["model.activation"] and int(row["stream.batch"]) == r["stream.batch"]]
    assert len(own) == 2 and r["status"] == "done", (r, own)
    values = {int(row["seed"]): float(row["objective"]) for row in own}
    assert values == {s["seed"]: s["final_accuracy"] for s in r["seeds"]}, (r, values)
    assert abs(r["final_accuracy"] - sum(values.values()) / 2) < 1e-15, (r, values)
END

# On two ranks, and killed twice on one and on two: the last tuner has heard and said what the first one has.
expect 0 "$mpirun" 2 "$engram" run tuned.yaml -o two.h5 --ask "$(tuner two.log)"
same one.log two.log
tables two >two.txt
same one.txt two.txt
for ranks in 1 2; do
    rm -rf killed.*
    for part in "results 3" "results 6"; do
        hooks killed "$part"
        if [ $ranks = 1 ]; then
            "${hook[@]}" "$engram" run tuned.yaml -o killed.h5 --ask "$(tuner killed.log)" >running.out 2>running.err &
        else
            "${hook[@]}" "$mpirun" 2 "$engram" run tuned.yaml -o killed.h5 --ask "$(tuner killed.log)" >running.out 2>running.err &
        fi
        pid=$!
        background+=("$pid")
        await_point killed
        writer=$(awk '{ print $2; exit }' killed.lock 2>/dev/null || echo "$pid")
        kill -9 "$pid" "$writer" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        await "the end of the writer" gone "$writer"
    done
    expect 0 "$engram" status killed.h5
    has out "incomplete"
    expect 0 "$mpirun" $ranks "$engram" run tuned.yaml -o killed.h5 --ask "$(tuner killed.log)"
    same one.log killed.log
    tables killed >killed.txt
    same one.txt killed.txt
done

# The same command again: there is nothing to ask.
expect 0 "$engram" run tuned.yaml -o one.h5 --ask "$(tuner none.log)"
has out "all 20 trials were finished before"
[ ! -e none.log ] || fail "a tuner was started for nothing"

# A larger count goes on; more seeds run more trials, and what was told stays.
sed -i 's/count: 10/count: 12/' tuned.yaml
expect 0 "$engram" run tuned.yaml -o one.h5 --ask "$(tuner more.log)"
has err "20 of 20 trials were finished before"
has out "24 of 24 trials finished"
same <(head -n -1 one.log) <(head -n $(($(wc -l <one.log) - 1)) more.log)
expect 0 "$engram" run tuned.yaml -o one.h5 --ask "$(tuner none.log)" seeds=3
has out "36 of 36 trials finished; 12 run now"
[ ! -e none.log ] || fail "a tuner was started for more seeds"
sed -i 's/count: 12/count: 10/' tuned.yaml

# The points belong to the tuner.
refuses "suggested by a tuner" "--ask COMMAND" -- "$engram" run tuned.yaml -o one.h5
expect 0 "$engram" run tuned.yaml -o drawn.h5
refuses "no tuner has suggested" -- "$engram" run tuned.yaml -o drawn.h5 --ask "$(tuner none.log)"
sed 's/0.3]/0.2]/' tuned.yaml >other.yaml
refuses "another \`sample\`" -- "$engram" run other.yaml -o one.h5 --ask "$(tuner none.log)"

# wrong FAULT WORDS [continued]: a tuner that does something wrong. Before any trial that is bad input and nothing is left;
# later, which is tried where `continued` stands, a failure that the same command mends.
wrong() {
    local fault=$1 words=$2
    rm -rf wrong.*
    refuses "the tuner" "$words" -- "$engram" run tuned.yaml -o wrong.h5 --ask "$(tuner wrong.log "$fault" 1)"
    if [ -e wrong.journal ] || [ -e wrong.h5 ]; then
        fail "$fault: a file is left"
    fi
    [ -n "${3-}" ] || return 0
    expect 4 "$engram" run tuned.yaml -o wrong.h5 --ask "$(tuner wrong.log "$fault" 2)"
    grep '^engram: ' err >error || true
    [ "$(wc -l <error)" = 1 ] || fail "$fault: not one error"
    has error "the tuner"
    has error "$words"
    has error "8 of 8 trials are finished and safe; the same command continues"
    expect 0 "$engram" status wrong.h5
    has out "the tuner has suggested 4 of 10 points so far"
    expect 0 "$engram" run tuned.yaml -o wrong.h5 --ask "$(tuner wrong.log)"
    has out "20 of 20 trials finished; 12 run now"
    same one.start <(head -n "$(wc -l <one.start)" wrong.log)
}
head -n -1 one.log >one.start
wrong dies "ended with exit code 3" continued
wrong killed "was ended by signal 9"
wrong closes "closed its standard output"
wrong chatter "answered what is not JSON"
wrong nan "not JSON"
wrong map "a list of points"
wrong gives-up "gives up: no idea"
wrong few "was asked for 4 points and answered with 3" continued
wrong unknown "no setting 'optimizer.lrx' in the space; the nearest is optimizer.lr"
wrong lacks "point 4 of 4: it lacks optimizer.lr"
wrong bounds "is not in 0.0001 … 0.3"
wrong type 'optimizer.lr must be a number, not "much"'
wrong number "must be an object of settings, not 3"
wrong huge "a line of more than 16777216 bytes"
wrong nul "a NUL byte"
expect 4 "$engram" run tuned.yaml -o twice.h5 --ask "$(tuner twice.log twice 1)"
has err "said what nobody asked for"
refuses "ended with exit code 127" -- "$engram" run tuned.yaml -o none.h5 --ask "no-such-tuner 2>/dev/null"
refuses "has not answered for 1 s (--ask-timeout)" -- "$engram" run tuned.yaml -o none.h5 --ask-timeout 1 \
    --ask "$(tuner hangs.log hangs 1)"

# Other answers than before.
expect 4 "$engram" run tuned.yaml -o forgets.h5 --ask "$(tuner forgets.log dies)"
refuses "does not suggest what it did before" -- "$engram" run tuned.yaml -o forgets.h5 --ask "$(tuner forgets.log forgets 1)"

# Ctrl-C while a tuner hangs, which it and its children do not survive.
for ranks in 1 2; do
    rm -rf stop.*
    if [ $ranks = 1 ]; then
        "$engram" run tuned.yaml -o stop.h5 --ask "$(tuner stop.log hangs)" >running.out 2>running.err &
    else
        "$engram" launch -n 2 tuned.yaml -o stop.h5 --ask "$(tuner stop.log hangs)" >running.out 2>running.err &
    fi
    pid=$!
    background+=("$pid")
    await "the second question" grep -qx hangs stop.log
    kill -INT "$pid"
    code=0
    wait "$pid" || code=$?
    [ $code = 75 ] || fail "exit code $code instead of 75 after Ctrl-C"
    ! pgrep -f "fake_tuner.py stop.log" >/dev/null || fail "the tuner is left"
    expect 0 "$engram" run tuned.yaml -o stop.h5 --ask "$(tuner stop.log)"
    same one.start <(head -n "$(wc -l <one.start)" stop.log)
done

# The same before the first answer: there is nothing to go on with.
"$engram" run tuned.yaml -o stop-first.h5 --ask "$(tuner first.log hangs 1)" >running.out 2>running.err &
pid=$!
background+=("$pid")
await "the first question" grep -qx hangs first.log
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ $code = 75 ] || fail "exit code $code instead of 75 after Ctrl-C"
[ ! -e stop-first.journal ] || fail "a journal is left"

# Suggested again is not run again; what a rule has cut stays cut when the plan grows; the second stage comes last.
sweep again <<'END'
sample: {count: 9, batch: 2, settings: {model.activation: {choice: [relu, sigmoid]}, optimizer.lr: {choice: [0.03, 1e-7]}}}
seeds: 3
stop: {early_cut: {after: 1, below: 0.2}}
select: {best: 1, seeds: 2}
END
expect 0 "$engram" run again.yaml -o again.h5 --ask "$(tuner again.log)"
points=$(grep -o '^\[{.*' again.log | grep -o '{"model[^_]*' | sort -u | wc -l)
has out "again: $((points * 3 + 2)) of $((points * 3 + 2)) trials finished"
has again.log '"status":"skipped"'
expect 0 "$engram" run again.yaml -o again.h5 --ask "$(tuner none.log)"
has out "all $((points * 3 + 2)) trials were finished before"
[ ! -e none.log ] || fail "a tuner was started for nothing"

# What has no place beside a tuner.
for key in 'grid: {model.hidden: [8, 16]}' 'exclude: {stream.batch: 20}' 'stop: {asha: {eta: 2}}'; do
    { cat tuned.yaml && echo "$key"; } >odd.yaml
    refuses "odd.yaml:" "--ask" -- "$engram" run odd.yaml -o odd.h5 --ask true
done
sed 's/{loguniform: .*/{normal: [0.1, 0.01]}/' tuned.yaml >odd.yaml
refuses "needs bounds" -- "$engram" run odd.yaml -o odd.h5 --ask true
sed '/^sample/,/^seeds/d' tuned.yaml >odd.yaml
refuses "no \`sample\`" -- "$engram" run odd.yaml -o odd.h5 --ask true
refuses "exclude each other" -- "$engram" run tuned.yaml --slice 1/2 --ask true

# The adapters; Optuna twice with the same suggestions, the second time from the middle on.
for adapter in random_tuner optuna_tuner; do
    expect 0 "$engram" run tuned.yaml -o $adapter.h5 --ask "$python $root/adapters/$adapter.py"
    has out "20 of 20 trials finished"
    tables $adapter >$adapter.txt
done
hooks optuna "results 9"
"${hook[@]}" "$engram" run tuned.yaml -o optuna.h5 --ask "env -u LD_PRELOAD $python $root/adapters/optuna_tuner.py" \
    >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point optuna
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
expect 0 "$mpirun" 2 "$engram" run tuned.yaml -o optuna.h5 --ask "$python $root/adapters/optuna_tuner.py"
tables optuna >optuna.txt
same optuna_tuner.txt optuna.txt
