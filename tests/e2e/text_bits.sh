#!/usr/bin/env bash
# Trials on a text, with growth: the same bytes on 1 and 2 ranks, and when they are killed without warning and continued from
# checkpoints, before and after networks grew.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# 6000 characters: words in an order that is drawn.
awk 'BEGIN {
    split("the sea and sand then sees ash. in, of", word, " ")
    for (draw = 1; length(text) < 6000;) {
        draw = (draw * 16807) % 2147483647
        text = text word[1 + draw % 9] (draw % 7 == 0 ? "\n" : " ")
    }
    printf "%s", substr(text, 1, 6000)
}' >words.txt

# The optimizer's rate tells points apart for the rule that pauses trials.
cat >text.yaml <<END
name: text
base:
  dataset: {text: {file: $work/words.txt, block: 200, sequence: 16, vocabulary: 40}}
  stream: text_mega_batches
  stream.steps: 12
  stream.batch: 4
  model: {switch_transformer: {width: 16, depth: 2, heads: 2, experts: 2, dropout: 0.1}}
  optimizer: adam
  optimizer.clip_norm: 1
  optimizer.restart: phase
  optimizer.schedule: {linear_warmup: {period: 5}}
grid:
  optimizer.lr: [1e-3, 1e-2]
  learner:
    - plain
    - growing_experts: {add: 1}
    - ensemble: {members: 2, of: plain}
    - growing_ensemble: {of: plain}
protocol: {validation: {fraction: 0.1}}
objective: {variable: final_accuracy, goal: maximise}
seeds: 1
END

tables() {
    for table in trials curves series; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# evaluations NAME: every evaluation that was made, without what depends on which other trials there are.
evaluations() {
    "$engram" export "$1.h5" --stable --table curves | tr -d '\r' | awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        NR > 1 { print $column["trial_id"], $column["step"], $column["loss"], $column["nll"], $column["validation_nll"] }' | sort
}

expect 0 "$engram" run text.yaml -o on1.h5
has out "8 of 8 trials finished"
expect 0 "$mpirun" 2 "$engram" run text.yaml -o on2.h5
same <(tables on1) <(tables on2)

# Two points, which pause at their first evaluation, or at their second, when networks have grown; one of them goes on.
for learner in plain growing_experts ensemble growing_ensemble; do
    for first in 1 2; do
        one=(text.yaml "only={learner: $learner}" "stop={asha: {eta: 2, cohort: 2, first: $first}}")
        expect 0 "$engram" run "${one[@]}" -o whole.h5
        for kill in first second; do
            hooks $kill "checkpoints 1" ENGRAM_HOOK_SIGNAL=9
            expect 137 "${hook[@]}" "$engram" run "${one[@]}" -o killed.h5
        done
        expect 0 "$engram" run "${one[@]}" -o killed.h5 --progress json
        has err "continued at minibatch $((12 * first)) of 48"
        same <(tables whole) <(tables killed)
        # What the rule leaves is what all of them do without it.
        evaluations on1 >all.txt
        evaluations killed >part.txt
        [ "$(wc -l <part.txt)" = $((4 + first)) ] || fail "$(wc -l <part.txt) evaluations of $learner"
        [ -z "$(comm -13 all.txt part.txt)" ] || fail "$learner: evaluations that are not made without the rule"
        rm -f whole.* killed.*
    done
done
echo passed
