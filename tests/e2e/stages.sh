#!/usr/bin/env bash
# Decisions on results: successive halving and the second stage run the same trials on any number of ranks, wherever they
# were interrupted, and the second stage also after slices were merged.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

tables() {
    for table in trials curves; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# continued NAME BYTES SWEEP: a journal that ends after so many bytes of NAME's, as if the power had gone then,
# continued: the results are the same.
continued() {
    rm -f cut.*
    head -c "$2" "$1.journal" >cut.journal
    expect 0 "$engram" run "$3" -o cut.h5
    tables cut >cut.txt
    same "$1.txt" cut.txt
}

# Twelve points in two cohorts. Of each six 6 run 1 seed, 3 run 2, 2 run 4 and 1 runs 6: 6 + 3 + 2 * 2 + 2 trials.
sweep halving <<'END'
grid:
  optimizer.lr: [1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]
  model.activation: [relu, hard_ash]
seeds: 6
stop: {halving_seeds: {eta: 2, cohort: 6}}
END
expect 0 "$engram" plan halving.yaml --no-timing
has out "halving_seeds eta=2 first=1 cohort=6"
has out "trials      72, of which rules leave 30"
expect 0 "$engram" run halving.yaml -o halving.h5
has out "72 of 72 trials finished"
has out "42 skipped"
tables halving >halving.txt
for ranks in 1 2 3; do
    expect 0 "$mpirun" "$ranks" "$engram" run halving.yaml -o "on$ranks.h5"
    tables "on$ranks" >"on$ranks.txt"
    same halving.txt "on$ranks.txt"
done
size=$(wc -c <halving.journal)
for percent in 30 45 60 75 90; do
    continued halving $((size * percent / 100)) halving.yaml
done
# More seeds: everybody still in goes on from where they are, and nobody else.
expect 0 "$engram" run halving.yaml -o halving.h5 seeds=9
has out "72 skipped; 6 run now"
refuses "slice 1/2" "compares points" -- "$engram" run halving.yaml -o slice.h5 --slice 1/2

# 10 seeds for all, 20 more for the best.
sweep stages <<'END'
grid:
  optimizer.lr: [2e-7, 3e-4, 0.11]
seeds: 10
select: {best: 1, seeds: 20}
END
expect 0 "$engram" run stages.yaml -o stages.h5
has out "50 of 50 trials finished"
tables stages >stages.txt
"$engram" export stages.h5 >stages.csv
[ "$(grep -c ',0.11,' stages.csv)" = 30 ] || fail "the best point did not get its further seeds"
# The frame that begins the second stage: everything before it is a sweep killed between the stages.
extend=$(LC_ALL=C grep -obUaP '\x89EGJ\x03\x00\x00\x00' stages.journal | cut -d: -f1)
[[ $extend =~ ^[0-9]+$ ]] || fail "not exactly one beginning of a second stage: $extend"
continued stages "$extend" stages.yaml
has err "30 of 50 trials were finished before"
size=$(wc -c <stages.journal)
continued stages $((extend + (size - extend) / 2)) stages.yaml
has err "of 50 trials were finished before"
continued stages $((extend * 2 / 3)) stages.yaml
expect 0 "$mpirun" 2 "$engram" run stages.yaml -o ranks.h5
same stages.txt <(tables ranks)

# In slices: the second stage begins in the merged file.
for slice in 1 2 3; do
    expect 0 "$engram" run stages.yaml -o "part$slice.h5" --slice "$slice/3"
done
expect 0 "$engram" merge merged.h5 part1.h5 part2.h5 part3.h5
expect 0 "$engram" run stages.yaml -o merged.h5
has out "50 of 50 trials finished; 20 run now"
same stages.txt <(tables merged)
expect 0 "$engram" run stages.yaml -o merged.h5
has out "all 50 trials were finished before"
echo passed
