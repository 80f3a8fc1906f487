#!/usr/bin/env bash
# A text from any file: swept, with its vocabulary in the results; the same whatever the number of ranks; weights that
# predict; and what a text needs said in one line. Sequences of one symbol, so that any network will do.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# 6000 characters in blocks of 200.
for i in {1..400}; do
    printf 'the sea %d\nà' $((i * 7919 % 1000))
done | head -c 6000 >own.txt
iconv -c -f UTF-8 -t UTF-8 own.txt >text.txt

cat >s.yaml <<END
name: s
base:
  dataset: text
  dataset.file: $work/text.txt
  dataset.block: 200
  dataset.sequence: 1
  model: {mlp: {hidden: [16], activation: relu, weight_norm: [none]}}
  optimizer: {adam: {lr: 0.003}}
  stream.batch: 32
  stream.steps: 20
  measures: [default, nll, perplexity]
grid:
  dataset: [text: {vocabulary: 12}, text: {unit: byte_pair, vocabulary: 260}]
  stream: [text_mega_batches, text_iid]
objective: {variable: avg_ppl, goal: minimise}
seeds: 1
END
expect 0 "$engram" run s.yaml -o one.h5
expect 0 "$engram" export one.h5 --stable >/dev/null
for file in one.h5 one.journal; do
    [ ! -e "$file" ] || grep -aq 'vocabulary.text .*={"unit":"character","symbols":\["�","' "$file" ||
        fail "no vocabulary of characters in $file"
    [ ! -e "$file" ] || grep -aq 'vocabulary.text .*={"unit":"byte_pair","pairs":\[\[' "$file" ||
        fail "no pairs in $file"
done
"$engram" export one.h5 --stable >one.csv
[ "$(wc -l <one.csv)" = 5 ] || fail "not four trials"
"$engram" export one.h5 --table series >series.csv
has series.csv perplexity,mega_batch,4,

expect 0 "$mpirun" 2 "$engram" run s.yaml -o two.h5
"$engram" export two.h5 --stable >two.csv
same one.csv two.csv

# Other text behind the same name is noticed.
sed -i 's/sea/tea/' text.txt
refuses "the data have changed since its results were made" -- "$engram" run s.yaml -o one.h5 --redo status=done

# Weights.
settings=(dataset=text "dataset.file=$work/text.txt" dataset.block=200 dataset.sequence=1 stream=text_mega_batches
    stream.steps=5 'model.weight_norm=[none]')
expect 0 "$engram" train "${settings[@]}" --save net.h5
grep -aq '{"unit":"character","symbols":\["�","' net.h5 || fail "no vocabulary in net.h5"
expect 0 "$engram" predict net.h5 -o scores.csv
has scores.csv subset,task,example,label,prediction,score.0

refuses "stream = split is one of labelled examples, and dataset = text is a text" -- \
    "$engram" train dataset=text stream=split
refuses "model = mlp makes 128 outputs of an example" "64 positions with 128 outputs each" -- \
    "$engram" train dataset=text stream=text_iid
refuses "did you mean" text_mega_batches -- "$engram" train dataset=text stream=text_megabatches
printf 'a\n\377' >bad.txt
refuses "bad.txt: line 2: byte 2 of the file (0xff) is not UTF-8" -- \
    "$engram" train "${settings[@]}" "dataset.file=$work/bad.txt"
echo "text: ok"
