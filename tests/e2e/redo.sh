#!/usr/bin/env bash
# --redo discards nothing: it is checked before anything is written, and earlier results are shown until new ones are there.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

sweep s <<'END'
  stream.epochs: 20
grid:
  optimizer.lr: [0.01, 0.03]
seeds: 10
select: {best: 1, seeds: 2}
END
expect 0 "$engram" run s.yaml -o s.h5 --quiet

tables() {
    local table
    for table in trials curves matrix; do
        "$engram" export "$1" --stable --table "$table"
    done
}
tables s.h5 >before

# A word that names nothing: nothing changes, whatever the others name.
cp s.journal kept.journal
cp s.h5 kept.h5
refuses "--redo id=fff" "no trial" -- "$engram" run s.yaml -o s.h5 --redo all,id=ffffffffffff
same s.journal kept.journal
same s.h5 kept.h5

# An id of the second stage, which is not in the sweep file's own plan, is known.
id=$("$engram" export s.h5 | tail -n 1 | cut -d, -f2)
expect 0 "$engram" run s.yaml -o s.h5 --quiet --redo "id=$id"
tables s.h5 >after
same before after

# Killed while it does everything again: every verb shows all results, the file is sound, and the run goes on.
hooks redo "results 5"
"${hook[@]}" "$engram" run s.yaml -o s.h5 --quiet --redo all 2>redo.err &
job=$!
background+=("$job")
await_point redo
expect 0 "$engram" check s.h5
has out "finished trials are to be run again"
kill -9 "$job"
wait "$job" 2>/dev/null || true
expect 0 "$engram" check s.h5
has out "finished trials are to be run again"
expect 0 "$engram" status s.h5
has out "22 of 22"
has out "to be run again"
tables s.h5 >after
same before after
expect 0 "$engram" collect s.h5
mkdir alone
cp s.h5 alone
tables alone/s.h5 >after
same before after
expect 0 "$engram" merge merged.h5 s.h5
tables merged.h5 >after
same before after
expect 0 "$engram" run s.yaml -o s.h5
has out "22 of 22"
tables s.h5 >after
same before after
expect 0 "$engram" check s.h5
lacks out "to be run again"

# A results file from before the redo is older, not damaged.
cp s.h5 older.h5
expect 0 "$engram" run s.yaml -o s.h5 --quiet --redo all
cp older.h5 s.h5
expect 0 "$engram" check s.h5
has out "older than the journal by 22 trials"
