#!/usr/bin/env bash
# Runs a sweep on the cores of this machine; the exit code is engram's own.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'END'
Usage: jobs/local.sh [-n RANKS] SWEEP [argument …]

Runs `engram run SWEEP argument …` with mpirun on every core this process may use, or on RANKS of
them. The same command again continues where the last one stopped.

  First Ctrl-C (or TERM, HUP, USR1): hands out no more trials, keeps every result, exits with 75.
  Second one: ends the ranks within two seconds; what the journal has is kept.

Environment:
  ENGRAM       the program (default: build/release/engram of this checkout, else engram on PATH)
  ENGRAM_DATA  where the data sets are (default: data/ of this checkout)
END
}

# A container may be allowed fewer cores' worth of time than it can see.
allowed_cores() {
    local cores quota period
    # nproc would take these two as its answer.
    cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
        quota=$(((quota + period - 1) / period))
        cores=$((quota < cores ? quota : cores))
    fi
    echo "$cores"
}

ranks=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    -n)
        ranks=${2-}
        [[ $ranks =~ ^[1-9][0-9]*$ ]] || fail "-n needs a number of ranks, got '$ranks'"
        shift 2
        ;;
    -*) fail "unknown option '$1' (options of engram go after the sweep file)" ;;
    *) break ;;
    esac
done
if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
if [ -z "$ranks" ]; then
    ranks=$(allowed_cores)
fi

find_engram
if [ "$ranks" = 1 ]; then
    exec "$engram" run "$@"
fi
find_mpirun
mpirun_options+=(-np "$ranks")
# Open MPI counts physical cores, or none at all in some containers: ask it.
if ! mpirun "${mpirun_options[@]}" true >/dev/null 2>&1; then
    mpirun_options+=(--oversubscribe)
    mpirun "${mpirun_options[@]}" true || fail "mpirun cannot start $ranks ranks here, see above"
fi

run_ranks mpirun "${mpirun_options[@]}" -- "$engram" run "$@"
exit "$code"
