#!/usr/bin/env bash
# What goes into a trial and comes out of it besides its results: the examples of every minibatch, and the loss of each.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

data=(dataset=synthetic dataset.examples=400 dataset.test_examples=100 stream.batch=30 stream.epochs=2)
small=("${data[@]}" model.hidden=[24,8] model.bias=true)

# A path: a line per minibatch, 80 training examples of each of 5 tasks less the tenth held out. A run along its own path
# is the same run, and writes the same lines.
expect 0 "$engram" train "${small[@]}" --json --trace path.csv
grep -v '_seconds\|peak_rss\|order_file' out >free.json
[ "$(wc -l <path.csv)" = 31 ] || fail "$(wc -l <path.csv) lines of a trace"
[ "$(head -1 path.csv)" = step,phase,epoch,loss,examples ] || fail "the columns of a trace"
[ "$(tail -1 path.csv | cut -d, -f1-3)" = 30,4,1 ] || fail "the last line of a trace"
expect 0 "$engram" train "${small[@]}" stream.order_file=path.csv stream.batch=7 --json --trace again.csv
same path.csv again.csv
grep -v '_seconds\|peak_rss\|order_file' out | sed 's/"stream.batch": 7/"stream.batch": 30/' >along.json
same free.json along.json
# Another seed has other weights, and the same path; so has another protocol's name, which holds nothing out.
expect 0 "$engram" train "${small[@]}" stream.order_file=path.csv seed=5 protocol=test --trace again.csv
same <(cut -d, -f1-3,5 path.csv) <(cut -d, -f1-3,5 again.csv)
! cmp -s path.csv again.csv || fail "another seed has the same losses"

# Held-out examples are not learned, and a file goes over an earlier trace only; what is left of a killed one goes.
refuses "again.csv:" "or the protocol holds it out for validation" -- "$engram" train "${small[@]}" seed=5 \
    protocol.fraction=0.3 stream.order_file=again.csv
echo 'step,phase,epoch,loss,examples' >again.csv.tmp
expect 0 "$engram" train "${small[@]}" --trace again.csv
same path.csv again.csv
[ ! -e again.csv.tmp ] || fail "a temporary file is left"
expect 2 "$engram" train "${small[@]}" stream.tasks=2 stream.order_file=path.csv --trace again.csv
same path.csv again.csv
[ ! -e again.csv.tmp ] || fail "a temporary file is left by a failure"

# In a sweep the file's contents, not its name, make the trials what they are: the same again finds them done.
sweep order <<'END'
seeds: 2
END
cp path.csv moved.csv
expect 0 "$engram" run order.yaml stream.epochs=2 protocol=validation stream.order_file=path.csv --quiet
expect 0 "$engram" run order.yaml stream.epochs=2 protocol=validation stream.order_file=moved.csv
has out "all 2 trials were finished before, nothing to run"
