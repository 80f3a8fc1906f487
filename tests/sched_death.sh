#!/usr/bin/env bash
# tests/sched_death.sh PROGRAM: kills rank 0, then workers, in the middle of a sweep under a launcher that lets
# the others go on. Without rank 0 workers must leave by themselves; without a worker its work goes to others, unless
# that work has killed too many; with too few workers left the sweep must stop.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
export OMPI_MCA_orte_enable_recovery=1
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# The exit code of mpirun says nothing here: with recovery it is always 0.
run() { # run CASE RANKS: the output in $output
    local code=0
    timeout 300 "$here/mpirun.sh" "$2" "$program" "$1" >"$output" 2>&1 || code=$?
    if [ "$code" = 124 ]; then
        echo "$1: the others did not end by themselves" >&2
        cat "$output" >&2
        exit 1
    fi
}

expect() { # expect PATTERN
    if ! grep -q "$1" "$output"; then
        echo "expected '$1' in:" >&2
        cat "$output" >&2
        exit 1
    fi
}

run rank0 3
expect 'rank 1: code 4: rank 0 is gone'
expect 'rank 2: code 4: rank 0 is gone'
expect 'rank 1 leaves with 4'
expect 'rank 2 leaves with 4'

# The work that kills takes two workers with it and is given up; the third does the rest.
run workers 4
expect 'rank 0: code 0: '
expect 'started 11, finished 10, lost 1, interrupted 0, workers lost 2, wrong 0'
expect 'rank 0 leaves with 0'
expect 'rank [123] leaves with 0'

run few 3
expect 'rank 0: code 3: too few workers are left: 1, at least 2 are wanted; .* (its process has ended)'
expect 'lost 1, interrupted [01], workers lost 1, wrong 0'
expect 'rank 0 leaves with 4'
expect 'rank [12] leaves with 4'
