#!/usr/bin/env bash
# What the scripts that start sweeps share: finding engram, and running it on several ranks with
# signals and exit codes that can be relied on. To be sourced.
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case ${1-} in
-h | --help)
    if [ "${BASH_SOURCE[0]}" = "$0" ]; then
        echo "jobs/common.sh is a part of jobs/local.sh, hosts.sh, submit.sh and slurm/job.sh; it does nothing by itself"
        exit 0
    fi
    ;;
esac

fail() {
    echo "${0##*/}: $1" >&2
    exit 2
}

# json_value NAME: the value under that name in what `engram … --json` printed (standard input).
json_value() {
    sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},*\$/\1/p"
}

# Sets `engram`, and what every rank finds in its environment.
find_engram() {
    engram=${ENGRAM-}
    if [ -z "$engram" ]; then
        engram=$repository/build/release/engram
        if [ ! -x "$engram" ]; then
            engram=$(command -v engram) || fail "build engram first: cmake --workflow --preset user"
        fi
    fi
    command -v "$engram" >/dev/null || fail "ENGRAM=$engram is not a program"
    engram=$(realpath "$(command -v "$engram")")
    export ENGRAM_DATA="${ENGRAM_DATA:-$repository/data}"
    # One thread a rank: small networks gain nothing from more, and ranks already fill the cores.
    export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
}

# Sets `mpirun_options` to what every launch needs, wherever its ranks run.
find_mpirun() {
    command -v mpirun >/dev/null || fail "mpirun not found: jobs/install-dependencies.sh installs it"
    # Pinning gains nothing here, and two sweeps pinned by Open MPI would share the first cores.
    mpirun_options=(--bind-to none)
    # Containers forbid reading another process's memory, for which Open MPI would try anyway.
    mpirun_options+=(--mca btl_vader_single_copy_mechanism none)
    if [ "$(id -u)" = 0 ]; then
        mpirun_options+=(--allow-run-as-root)
    fi
    # With recovery the loss of a rank costs the trial it had, and the others go on. But then Open
    # MPI 4 returns 0 whatever the ranks return, and without it, it kills them all when the first one
    # returns anything else. See run_ranks for what to do about that.
    mpirun_options+=(--quiet --mca orte_enable_recovery 1)
}

# run_ranks LAUNCHER… -- COMMAND…: runs the command on all ranks. The first signal asks them to stop,
# the second one ends them. Sets `code` (rank 0's exit code; 4 if rank 0 was lost; 75 if a signal ended
# it first) and `signals` (the names of those received).
run_ranks() {
    local launcher=() before job
    while [ "$1" != -- ]; do
        launcher+=("$1")
        shift
    done
    shift
    # Rank 0's code comes through a file, and the launcher only ever sees 0. Rank 0 is on this host. engram
    # writes it as well, before it leaves MPI: there a launcher that is being ended kills it.
    scratch=$(mktemp -d)
    # shellcheck disable=SC2016 # expanded by the shell of each rank; $0 is the file
    local as_rank='trap : INT TERM HUP USR1 USR2
        code=0
        ENGRAM_EXIT_CODE_FILE="$0" "$@" || code=$?
        [ "${OMPI_COMM_WORLD_RANK-${PMIX_RANK-0}}" != 0 ] || echo "$code" >"$0"'

    signals=()
    reminder=
    trap 'pass_on INT' INT
    trap 'pass_on TERM' TERM
    trap 'pass_on HUP' HUP
    trap 'pass_on USR1' USR1
    # In a session of its own mpirun does not see Ctrl-C, on which it would kill the ranks a second
    # later; USR1 it forwards and goes on, and must not die of before it does.
    (trap '' USR1 && exec setsid "${launcher[@]}" sh -c "$as_rank" "$scratch/code" "$@" </dev/null) &
    launched=$!
    job=$launched
    end_launcher </dev/null >/dev/null 2>&1 &
    watcher=$!
    disown "$watcher"
    while true; do
        before=${#signals[@]}
        code=0
        wait "$job" 2>/dev/null || code=$?
        # A signal ends the wait, not the job.
        [ ${#signals[@]} = "$before" ] && break
    done
    trap - INT TERM HUP USR1
    kill -KILL "$watcher" ${reminder:+"$reminder"} 2>/dev/null || true

    local reported=
    if [ -s "$scratch/code" ]; then
        reported=$(<"$scratch/code")
        code=$reported
    elif [ "$code" = 0 ]; then
        code=4
    fi
    rm -rf "$scratch"
    if [ -n "$reported" ] && [ "$code" -le 128 ]; then
        return
    elif [ ${#signals[@]} -gt 0 ]; then
        code=75 # ended by us before it could say so itself
    else
        echo "${0##*/}: rank 0 was lost; what the journal has is safe, the same command continues" >&2
        code=4
    fi
}

# When rank 0 has ended, so have all others. But mpirun waits for ever for a host that is gone, and where
# Slurm signalled it, too, longer than Slurm itself would wait.
end_launcher() {
    trap '' INT TERM HUP USR1 # Slurm signals everything that a job has started
    while kill -0 "$launched"; do
        if [ -s "$scratch/code" ]; then
            sleep 3
            kill -KILL "$launched"
        fi
        sleep 1
    done
}

# Asks the ranks to stop, again and again: they may not have been there yet.
remind() {
    trap '' INT TERM HUP USR1
    while kill -USR1 "$launched"; do
        sleep 3
    done
}

# shellcheck disable=SC2317 # called by the traps
pass_on() {
    signals+=("$1")
    if [ ${#signals[@]} = 1 ]; then
        echo "${0##*/}: stopping; what is done is kept (again: at once)" >&2
        remind </dev/null >/dev/null 2>&1 &
        reminder=$!
        disown "$reminder"
    else
        kill -TERM "$launched" 2>/dev/null || true
    fi
}
