#!/usr/bin/env bash
# Successive halving over evaluations: who stops where is the same on any number of ranks, wherever the sweep was
# interrupted, with its checkpoints or without; and what is saved is not computed.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

tables() {
    for table in trials curves; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# evaluations NAME: every evaluation that was made, without the status of its trial.
evaluations() {
    "$engram" export "$1.h5" --stable --table curves | tail -n +2 | cut -d, -f1-5,7- | sort
}

# starts NAME: how often a trial was handed out.
starts() {
    LC_ALL=C grep -oaP '\x89EGJ\x06\x00\x00\x00' "$1.journal" | wc -l
}

# Twelve points in two cohorts, two seeds, eight evaluations (two in a task, one at its end). Of each six 6 have
# 1, then 2 have 3, then 1 has all: 2 * 2 * (4 + 3 + 8) evaluations instead of 24 * 8.
sweep asha <<'END'
  eval.every: 10
  stream.epochs: 2
grid:
  optimizer.lr: [1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]
  model.activation: [relu, hard_ash]
seeds: 2
stop: {asha: {eta: 3, cohort: 6}}
END
expect 0 "$engram" plan asha.yaml --no-timing
has out "asha eta=3 first=1 cohort=6"
refuses "slice 1/2" "compares points" -- "$engram" run asha.yaml -o slice.h5 --slice 1/2
expect 0 "$engram" run asha.yaml -o asha.h5
has out "24 of 24 trials finished, 20 stopped; 24 run now"
lacks err "continued"
lacks err "starts from the beginning"
expect 0 "$engram" run asha.yaml -o json.h5 --progress json
has err "continued at minibatch 8 of 40"
[ ! -e asha.checkpoints ] || fail "checkpoints were left behind"
tables asha >asha.txt
[ "$(grep -c ',stopped by a rule after 1 evaluation' asha.txt)" = 16 ] || fail "not 16 stopped at the first rung"
[ "$(grep -c ',stopped by a rule after 3 evaluations' asha.txt)" = 4 ] || fail "not 4 stopped at the second rung"
expect 0 "$engram" status asha.h5
has out "stopped   16 after evaluation 1"
has out "stopped   4 after evaluation 3"
lacks out "retried"
expect 0 "$engram" status asha.h5 --json
has out '"1": 16'
expect 0 "$engram" check asha.h5
# A pause is no retry, not even to somebody who has the results file only.
expect 0 "$engram" failures asha.h5
has out "no trial failed, timed out, diverged or was retried"
mkdir alone
cp asha.h5 alone
expect 0 "$engram" failures alone/asha.h5
has out "no trial failed, timed out, diverged or was retried"
# What was made is part of what is made without the rule.
expect 0 "$engram" run asha.yaml -o full.h5 stop=off
evaluations full >full.txt
evaluations asha >part.txt
[ "$(wc -l <full.txt)" = 192 ] || fail "not all evaluations without the rule"
[ "$(wc -l <part.txt)" = 60 ] || fail "$(wc -l <part.txt) evaluations instead of 60"
[ -z "$(comm -13 full.txt part.txt)" ] || fail "evaluations that are not made without the rule"
[ "$(starts asha)" = $((24 + 8 + 4)) ] || fail "$(starts asha) pieces of work"

for ranks in 2 3 5; do
    expect 0 "$mpirun" "$ranks" "$engram" run asha.yaml -o "on$ranks.h5"
    tables "on$ranks" >"on$ranks.txt"
    same asha.txt "on$ranks.txt"
done

# Beside another rule: what one cuts is news for the other. A seed that was stopped has no result.
both='[{asha: {eta: 2, cohort: 6}}, {halving_seeds: {eta: 2, cohort: 4}}]'
expect 0 "$engram" run asha.yaml -o both1.h5 seeds=4 stop="$both"
has out "skipped"
has out "stopped"
tables both1 >both1.txt
expect 0 "$mpirun" 3 "$engram" run asha.yaml -o both3.h5 seeds=4 stop="$both"
tables both3 >both3.txt
same both1.txt both3.txt

# A journal that ends early, as if the power had gone then; the checkpoints are gone, too.
size=$(wc -c <asha.journal)
for percent in 25 35 45 55 65 75 85 95; do
    rm -rf cut.*
    head -c $((size * percent / 100)) asha.journal >cut.journal
    expect 0 "$engram" run asha.yaml -o cut.h5
    tables cut >cut.txt
    same asha.txt cut.txt
    expect 0 "$engram" check cut.h5
done
# Somewhere there a trial had paused, or was on its way from there.
rm -rf cut.*
head -c $((size * 45 / 100)) asha.journal >cut.journal
expect 0 "$engram" status cut.h5
has out "paused"
expect 0 "$engram" run asha.yaml -o cut.h5
has err "starts from the beginning, its checkpoint cannot be used"

# Stopped in the middle of trials and continued from checkpoints, again and again. The sweep makes 2000 matrix products: it
# cannot end before one of three ranks has made so many, and some are left then.
sweep slow <<'END'
  eval.every: 20
  stream.epochs: 4
grid:
  optimizer.lr: [1e-7, 1e-5, 1e-3, 1e-2, 0.1]
seeds: 2
stop: {asha: {eta: 2}}
END
expect 0 "$engram" run slow.yaml -o slow.h5
tables slow >slow.txt
saved=0
for ranks in 1 3; do
    for point in 60 90 120; do
        hooks often "products $point" ENGRAM_HOOK_SIGNAL=10
        expect 75 "${hook[@]}" "$mpirun" "$ranks" "$engram" run slow.yaml -o "often$ranks.h5"
        saved=$((saved + $(grep -c "from where" out || true)))
    done
    expect 0 "$mpirun" "$ranks" "$engram" run slow.yaml -o "often$ranks.h5"
    tables "often$ranks" >often.txt
    same slow.txt often.txt
done
[ "$saved" -gt 0 ] || fail "no stop came in the middle of a trial"

# A trial that runs again opens what was decided because of it, and all comes out as it was.
expect 0 "$engram" run asha.yaml -o asha.h5 --redo status=done
tables asha >redone.txt
same asha.txt redone.txt
# Without the rule those that were stopped go on; with another one some.
expect 0 "$engram" run asha.yaml -o asha.h5 stop='{asha: {eta: 2, cohort: 6}}'
has out "24 of 24 trials finished"
lacks out "20 stopped"
expect 0 "$engram" run asha.yaml -o asha.h5 stop=off
evaluations asha >part.txt
same full.txt part.txt
echo passed
