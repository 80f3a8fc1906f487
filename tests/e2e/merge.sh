#!/usr/bin/env bash
# A sweep in slices, merged, is the sweep run in one go; the merged file goes on like any other.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep s <<'END'
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
  stream.epochs: [1, 2]
seeds: 2
END

# equal A B: all stable content is the same.
equal() {
    local table
    for table in trials curves matrix; do
        same <("$engram" export "$1" --stable --table "$table") \
            <("$engram" export "$2" --stable --table "$table")
    done
}

expect 0 "$engram" run s.yaml -o whole.h5 -q
for i in 1 2 3; do
    expect 0 "$engram" run s.yaml --slice "$i/3"
    has out "engram merge"
    [ -s "results/s.${i}of3.h5" ] || fail "slice $i has no file of its own"
    expect 0 "$engram" check "results/s.${i}of3.h5"
done
expect 0 "$engram" merge merged.h5 results/s.?of3.h5
has out "merged.h5: 16 of 16 trials finished, from 3 files"
expect 0 "$engram" merge other.h5 results/s.{3,1,2}of3.h5
cmp merged.journal other.journal || fail "the order of the files matters to the journal"
cmp merged.h5 other.h5 || fail "the order of the files matters to the results file"
expect 0 "$engram" check merged.h5
equal merged.h5 whole.h5
expect 0 "$engram" run s.yaml -o merged.h5
has out "all 16 trials were finished before"

# Bit by bit, then the rest is run where the parts were joined; then more seeds.
expect 0 "$engram" merge grown.h5 results/s.2of3.h5
expect 0 "$engram" merge grown.h5 results/s.1of3.h5
cp grown.journal before.journal
expect 0 "$engram" merge grown.h5 results/s.1of3.h5 results/s.2of3.h5
cmp grown.journal before.journal || fail "merging what is there already changed the journal"
expect 0 "$engram" run s.yaml -o grown.h5 -q
equal grown.h5 whole.h5
expect 0 "$engram" run s.yaml -o grown.h5 seeds=3 -q
expect 0 "$engram" merge both.h5 whole.h5 grown.h5
has out "24 of 24 trials"
equal both.h5 grown.h5

# The sessions of all of them are kept.
[ "$("$engram" check both.h5 | grep -o '[0-9]* runs of the command')" = "5 runs of the command" ] ||
    fail "sessions are missing: $("$engram" check both.h5)"

# What cannot be merged.
refuses "s.2of3" "another slice" -- "$engram" run s.yaml --slice 1/3 -o results/s.2of3.h5
sed 's/batch: 20/batch: 25/' s.yaml >t.yaml
expect 0 "$engram" run t.yaml -o t.h5 -q
refuses "another sweep" "stream.batch is" -- "$engram" merge no.h5 whole.h5 t.h5
refuses "no.journal" -- "$engram" merge no.h5 no.h5 whole.h5
refuses "nothing.journal does not exist" -- "$engram" merge no.h5 nothing.h5 whole.h5
refuses "I/N" -- "$engram" run s.yaml --slice 4
refuses "must be 1 to 3" -- "$engram" run s.yaml --slice 4/3
if compgen -G "no.*" >/dev/null; then
    fail "a refused merge left files behind"
fi
echo passed
