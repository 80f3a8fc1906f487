#!/usr/bin/env bash
# A sweep file from standard input, alone and under mpirun; results named without their ending.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

echo 'base: {optimizer: sgd}' >common.yaml
sweep piped <<'END'
include: common.yaml
grid:
  optimizer.lr: [0.003, 0.03]
seeds: 2
END
# from_input FILE COMMAND…
from_input() { local file=$1 && shift && "$@" <"$file"; }
# `timeout` of expect needs a program.
export -f from_input
piped() { expect "$1" bash -c 'from_input "$@"' - piped.yaml "${@:2}"; }

expect 0 "$engram" run piped.yaml -o file.h5
"$engram" export file.h5 --stable >file.csv

# Named by `name`; includes are relative to the working directory; it says where it comes from.
piped 0 "$engram" plan -
has out "piped (standard input)"
has out "results/piped.h5 does not exist yet"
piped 0 "$engram" run -
"$engram" export results/piped.h5 --stable >alone.csv
same file.csv alone.csv

# Under mpirun rank 0 reads it, and again when the sweep goes on; `-o two` is two.h5, for every verb.
piped 0 "$mpirun" 2 "$engram" run - seeds=1 -o two
has out "results: two.h5"
piped 0 "$mpirun" 2 "$engram" run - -o two
has err "2 of 4 trials were finished before, 2 to run"
expect 0 "$engram" run piped.yaml -o two.h5
has out "all 4 trials were finished before"
"$engram" export two --stable >two.csv
same file.csv two.csv
expect 0 "$engram" status two
expect 0 "$engram" check two
has out "two.journal: "
expect 0 "$engram" merge all file two
has out "from 2 files"
[ -s all.h5 ] || fail "no merged file"
expect 0 "$engram" plan piped.yaml -o two
has out "two.h5: 4 of 4 trials finished"
# The launcher hands it on.
piped 0 "$engram" launch -n 2 - -o launched
"$engram" export launched --stable >launched.csv
same file.csv launched.csv
# A name with a dot has an ending, and it must be the right one; nothing was made for it.
refuses "two.hdf5: the name of a results file ends in .h5" -- "$engram" run piped.yaml -o two.hdf5
[ "$(find . -name 'two.*' | sort | tr '\n' ' ')" = "./two.csv ./two.h5 ./two.journal " ] || fail "other files: $(ls)"
