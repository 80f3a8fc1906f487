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

# What was learned predicts what the trial recorded, in whatever layers and learners; weights of the end begin the next run.
for words in "" "model.hidden=[] model.weight_norm=[]" "model=sdmlp model.hidden=40 model.switch_count=300" \
    "learner=flymodel learner.ones=8 learner.active=0.1" "learner=si" "stream=permuted stream.tasks=3" "stream.joint=true" \
    "stream.active=seen" "stream.active=task"; do
    read -ra more <<<"$words"
    expect 0 "$engram" train "${data[@]}" model.hidden=24 optimizer.lr=0.01 "${more[@]}" seed=3 --save net.h5 --json
    sed -n 's/^    "final_accuracy": \(.*\),$/\1/p' out >recorded
    expect 0 "$engram" predict net.h5 --json
    sed -n 's/^    "accuracy": \(.*\),$/\1/p' out | head -1 >predicted
    [ -s recorded ] || fail "no accuracy was recorded: $words"
    same recorded predicted
done
expect 0 "$engram" predict net.h5
has out "all             100"
expect 0 "$engram" predict net.h5 -o scores.csv
[ "$(wc -l <scores.csv)" = 141 ] || fail "$(wc -l <scores.csv) lines of 100 test and 40 validation examples"
expect 0 "$engram" predict net.h5 dataset.test_examples=50
has err "note: these are not the data"

# Another seed, and the same run: initial weights and the path from the first. Anchors of learners go along.
for words in learner=plain "learner=l2 learner.towards=initial learner.lambda=1" learner=si "model=sdmlp model.hidden=24"; do
    read -ra more <<<"$words"
    expect 0 "$engram" train "${data[@]}" model.hidden=24 "${more[@]}" seed=1 --save-initial begin.h5 --trace path.csv \
        --save one.h5
    expect 0 "$engram" train "${data[@]}" model.hidden=24 "${more[@]}" seed=2 --load begin.h5 --trace again.csv \
        stream.order_file=path.csv --save other.h5
    same path.csv again.csv
    expect 0 "$engram" predict one.h5 -o one.csv
    expect 0 "$engram" predict other.h5 -o other.csv
    same one.csv other.csv
    rm one.csv other.csv
done
expect 0 "$engram" train "${data[@]}" model=sdmlp model.hidden=24 --load other.h5

# What does not fit is said in one line, before anything is learned.
weights=("${data[@]}" model.hidden=24)
expect 0 "$engram" train "${weights[@]}" --save net.h5
refuses "net.h5: network/layer1.weight is 24 x 64; expected 30 x 64" -- "$engram" train "${data[@]}" model.hidden=30 --load net.h5
refuses "net.h5: there is no network/layer1.bias, which is to be 24" -- "$engram" train "${weights[@]}" model.bias=true --load net.h5
refuses "net.h5: there is network/layer2.weight, which this learner does not have" -- \
    "$engram" train "${data[@]}" model.hidden=[] dataset.side=8 dataset.classes=24 stream.tasks=4 --load net.h5
refuses "net.h5: network/layer1.weight is 24 x 64; expected 24 x 81" -- "$engram" predict net.h5 dataset.side=9
refuses "net.h5: there is no flymodel/inputs" -- "$engram" predict net.h5 learner=flymodel
refuses "there is a file that is not one of weights; it stays" -- "$engram" train "${weights[@]}" --save path.csv
refuses "results/order.h5: it holds the results of a sweep, and no file of weights" -- "$engram" predict results/order.h5
refuses "the results of a sweep belong there" -- "$engram" train "${weights[@]}" --save results/order.h5
refuses "none is no directory" -- "$engram" train "${weights[@]}" --save none/net.h5
refuses "\"scores\": expected a setting" -- "$engram" predict net.h5 scores
refuses "did you mean" -- "$engram" predict net.h5 dataset.exampels=50
refuses "scores.csv: there is something that is no trace" -- "$engram" train "${weights[@]}" --trace scores.csv

# A trial that diverges has nothing to save, and an earlier file stays.
cp net.h5 kept.h5
expect 3 "$engram" train "${weights[@]}" optimizer=sgd optimizer.lr=1e38 model.activation=relu model.weight_norm=[] --save net.h5
has err "net.h5 was not written"
same net.h5 kept.h5

# Damage is refused, whatever it is.
head -c 3000 net.h5 >cut.h5
refuses "cut.h5" -- "$engram" predict cut.h5
printf x | dd of=net.h5 bs=1 seek=4000 conv=notrunc status=none
refuses "net.h5 is damaged: its checksum is wrong" -- "$engram" predict net.h5

# A sweep keeps the weights of every trial that is done, or those of the best point; they predict what was recorded. A killed
# one goes on, and nothing is missing.
sweep grid <<'END'
grid: {optimizer.lr: [0.01, 0.001, 0.1]}
seeds: 2
END
await_kill() {
    hooks grid "results 3"
    "${hook[@]}" "$engram" run grid.yaml -o grid.h5 --keep-weights all 2>grid.err &
    pid=$!
    background+=("$pid")
    await_point grid
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || true
}
await_kill
: >grid.weights/0123456789abcdef.h5.1.tmp
expect 0 "$mpirun" 2 "$engram" run grid.yaml -o grid.h5 --keep-weights all
has out "weights: $work/grid.weights: of 6 of 6 finished trials"
lacks out "such as trial"
ids=$("$engram" export grid.h5 | awk -F, 'NR > 1 { print $2 ".h5" }' | sort)
[ "$(ls grid.weights)" = "$ids" ] || fail "files of the trials: $(ls grid.weights)"
for id in $ids; do
    "$engram" predict "grid.weights/$id" --json >out
    sed -n 's/^    "accuracy": \(.*\),$/\1/p' out | head -1 >predicted
    "$engram" export grid.h5 --json | tr -d '\n' | sed 's/} *, *{/}\n{/g' | grep "${id%.h5}" |
        sed 's/.*"final_accuracy": *\([0-9.e-]*\).*/\1/' >recorded
    [ -s recorded ] || fail "no accuracy of $id"
    awk 'NR == FNR { a = $1; next } { exit (a - $1) ^ 2 > 1e-12 }' predicted recorded ||
        fail "$id predicts $(cat predicted), and the trial recorded $(cat recorded)"
done

# Of the best point alone, also of a sweep that is finished; what is missing is said.
expect 0 "$engram" run grid.yaml -o grid.h5 --keep-weights best
has out "grid.weights: of 2 of 2 finished trials of the best point"
best=$("$engram" top grid.h5 --json | sed -n 's/^ *"point": \([0-9]*\),*$/\1/p' | head -1)
ids=$("$engram" export grid.h5 | awk -F, -v best="$best" 'NR > 1 && $3 == best { print $2 ".h5" }' | sort)
[ "$(ls grid.weights)" = "$ids" ] || fail "files of point $best: $(ls grid.weights)"
expect 0 "$engram" run grid.yaml -o grid.h5 --keep-weights all
has out "grid.weights: of 2 of 6 finished trials"
has out "note: 4, such as trial"
cp -r grid.weights before.weights
expect 0 "$engram" run grid.yaml -o grid.h5 --keep-weights all --redo all
has out "grid.weights: of 6 of 6 finished trials"
for id in $ids; do
    same "before.weights/$id" "grid.weights/$id"
done

# What cannot be written is said, and costs no result; a stranger's file stays.
read -r first _ <<<"$ids"
echo mine >"grid.weights/$first"
expect 0 "$engram" run grid.yaml -o grid.h5 --keep-weights all --redo "id=${first%.h5}"
has err "its weights could not be kept"
has err "there is something that is not of engram; it stays"
[ "$(cat "grid.weights/$first")" = mine ] || fail "somebody's file was replaced"
refuses "--keep-weights some: must be one of best, all" -- "$engram" run grid.yaml --keep-weights some

# A stream that makes its examples itself has no numbers of them, and may have nothing to predict; an ensemble has its members.
regression=(stream=bit_flipping loss=squared_error objective=mean_online_loss stream.examples=200 model.hidden=5)
expect 0 "$engram" train "${regression[@]}" --save flips.h5 --trace flips.csv
[ "$(sed -n '2s/.*,//p' flips.csv)" = "" ] || fail "examples of a stream without dataset"
expect 0 "$engram" predict flips.h5
has out "the stream has no test examples"
refuses "stream.order_file" -- "$engram" train "${regression[@]}" stream.order_file=flips.csv
expect 0 "$engram" train "${data[@]}" model.hidden=8 learner=ensemble learner.members=2 --save pair.h5
expect 0 "$engram" train "${data[@]}" model.hidden=8 learner=ensemble learner.members=2 --load pair.h5
refuses "pair.h5: there is no network/layer1.weight" -- "$engram" train "${data[@]}" model.hidden=8 --load pair.h5
