#!/usr/bin/env bash
# Methods against the loss of plasticity on a hundred tasks, killed ten times without warning and continued from
# checkpoints: the same bytes as when left alone.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

cat >tasks.yaml <<'END'
name: tasks
protocol: test
base:
  dataset: {synthetic: {examples: 400, test_examples: 100}}
  dataset.scale: unit
  stream: {online_permuted: {tasks: 100, change_after: 300}}
  stream.batch: 1
  model.hidden: [24, 24]
  model.activation: relu
  model.weight_norm: []
  model.bias: true
  model.init: kaiming
  optimizer: sgd
  optimizer.lr: 0.01
  measures: [default, online, rank, replacements, units, weights]
objective: mean_online_accuracy
blocks:
  cbp:
    base: {optimizer: adam, optimizer.lr: 0.001, learner: {continual_backprop: {replacement_rate: 1e-3, maturity: 20}}}
  snp: {base: {optimizer.weight_decay: 1e-4, learner: {shrink_perturb: {sigma: 1e-4}}}}
  redo: {base: {learner: {redo: {tau: 0.1, period: 70}}}}
  snr: {base: {learner: snr, model.norm: online}}
  upgd: {base: {optimizer: upgd, optimizer.weight_decay: 0.01, optimizer.decay: decoupled}}
END

tables() {
    for table in trials curves series; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

"$engram" run tasks.yaml -o whole.h5 --quiet

# Measures make 12 matrix products before each task: the first attempt stops after 50 tasks. In the next ones, which are
# slow, a task takes long enough for a checkpoint after two.
kills=0
for method in "learner: continual_backprop" "learner: shrink_perturb" "learner: redo" "learner: snr" "optimizer: upgd"; do
    one=(tasks.yaml -o tasks.h5 "only={$method}")
    hooks stopped "products 600" ENGRAM_HOOK_SIGNAL=15
    expect 75 "${hook[@]}" "$engram" run "${one[@]}"
    for _ in first second; do
        hooks killed "checkpoints 1" ENGRAM_HOOK_SIGNAL=9
        touch killed.hook/slow
        expect 137 "${hook[@]}" "$engram" run "${one[@]}" --checkpoint-every 1
        has err "continued at minibatch"
        kills=$((kills + 1))
    done
done
[ "$kills" = 10 ] || fail "killed $kills times"
expect 0 "$engram" run tasks.yaml -o tasks.h5
[ "$(grep -c "continued at minibatch" err)" = 5 ] || fail "not every trial was continued"
same <(tables whole) <(tables tasks)
[ ! -e tasks.checkpoints ] || fail "a checkpoint survived its trial"
echo passed
