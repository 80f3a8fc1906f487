#!/usr/bin/env bash
# Runs a sweep on the cores of this machine; the exit code is engram's own.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

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

fail() {
    echo "local.sh: $1" >&2
    exit 2
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

engram=${ENGRAM-}
if [ -z "$engram" ]; then
    engram=$repository/build/release/engram
    if [ ! -x "$engram" ]; then
        engram=$(command -v engram) || fail "build engram first: cmake --workflow --preset release"
    fi
fi
command -v "$engram" >/dev/null || fail "ENGRAM=$engram is not a program"
export ENGRAM_DATA="${ENGRAM_DATA:-$repository/data}"
# One thread a rank: small networks gain nothing from more, and ranks already fill the cores.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

if [ "$ranks" = 1 ]; then
    exec "$engram" run "$@"
fi
command -v mpirun >/dev/null || fail "mpirun not found: jobs/install-dependencies.sh installs it"

# Pinning gains nothing here, and two sweeps pinned by Open MPI would share the first cores.
options=(--bind-to none -np "$ranks")
# Containers forbid reading another process's memory, for which Open MPI would try anyway.
options+=(--mca btl_vader_single_copy_mechanism none)
if [ "$(id -u)" = 0 ]; then
    options+=(--allow-run-as-root)
fi
# Open MPI counts physical cores, or none at all in some containers: ask it.
if ! mpirun "${options[@]}" true >/dev/null 2>&1; then
    options+=(--oversubscribe)
    mpirun "${options[@]}" true || fail "mpirun cannot start $ranks ranks here, see above"
fi

# With recovery the loss of a rank costs the trial it had, and the others go on. But then Open MPI 4
# returns 0 whatever the ranks return, and without it, it kills them all when the first one returns
# anything else. So rank 0's code comes through a file, and mpirun only ever sees 0.
options+=(--quiet --mca orte_enable_recovery 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC2016 # expanded by the shell of each rank; $0 is the file
as_rank='trap : INT TERM HUP USR1 USR2
    code=0
    "$@" || code=$?
    [ "$OMPI_COMM_WORLD_RANK" != 0 ] || echo "$code" >"$0"'

# In a session of its own mpirun does not see Ctrl-C, on which it would kill the ranks a second
# later; USR1 it forwards and goes on.
setsid mpirun "${options[@]}" sh -c "$as_rank" "$scratch/code" "$engram" run "$@" </dev/null &
job=$!
signals=0
# shellcheck disable=SC2317 # called by the trap
pass_on() {
    signals=$((signals + 1))
    if [ "$signals" = 1 ]; then
        echo "local.sh: stopping; what is done is kept (again: at once)" >&2
        kill -USR1 "$job" 2>/dev/null || true
    else
        kill -TERM "$job" 2>/dev/null || true
    fi
}
trap pass_on INT TERM HUP USR1

while true; do
    before=$signals
    code=0
    wait "$job" || code=$?
    # A signal ends the wait, not the job.
    [ "$signals" = "$before" ] && break
done
if [ -s "$scratch/code" ]; then
    code=$(<"$scratch/code")
elif [ "$code" = 0 ]; then
    code=4
fi
if [ "$signals" -gt 1 ] || { [ "$signals" = 1 ] && [ "$code" -gt 128 ]; }; then
    code=75 # ended by us before it could say so itself
elif [ "$code" -gt 128 ] || [ ! -s "$scratch/code" ]; then
    echo "local.sh: rank 0 was lost; what the journal has is safe, the same command continues" >&2
    code=4
fi
exit "$code"
