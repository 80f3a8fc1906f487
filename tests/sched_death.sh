#!/usr/bin/env bash
# tests/sched_death.sh PROGRAM: kills rank 0, then a worker, in the middle of a sweep under a launcher that lets
# the others go on. Workers must leave by themselves; rank 0 must end the sweep and say who was lost.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
export OMPI_MCA_orte_enable_recovery=1
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# The exit code of mpirun says nothing here: with recovery it is always 0.
run() { # run WHO: the output in $output
    local code=0
    timeout 60 "$here/mpirun.sh" 3 "$program" "$1" >"$output" 2>&1 || code=$?
    if [ "$code" = 124 ]; then
        echo "death of $1: the others did not end by themselves" >&2
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

run rank0
expect 'rank 1: code 4: rank 0 has not answered'
expect 'rank 2: code 4: rank 0 has not answered'
expect 'rank 1 leaves with 4'
expect 'rank 2 leaves with 4'

run worker
expect 'rank 0: code 3: rank [12] (process [0-9]* on host .*) has vanished; its trial had reached step'
expect 'started 2, interrupted 2'
expect 'rank 0 leaves with 4'
expect 'rank [12] leaves with 4'
