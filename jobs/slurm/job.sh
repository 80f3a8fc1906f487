#!/usr/bin/env bash
# What a batch job of Slurm does: runs a sweep on the ranks of the job, and puts the job back into the
# queue when its time is up.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=../common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

usage() {
    cat <<'END_OF_HELP'
Usage: jobs/slurm/job.sh [--merge N] SWEEP [-o FILE] [name=value …]

The body of the batch scripts beside it; it runs inside a job of Slurm (sbatch, salloc). It runs
`engram run SWEEP …` on the tasks of the job; in task I of an array of N tasks, --slice I/N of it.

  --merge N  first joins the results of the N slices, then runs what they left: trials that were
             interrupted, and the second stage (select)

When engram stops early (exit code 75: the warning signal before the time limit, or the end of the job
is near) or the system failed (4: ranks lost, disk full), the job is requeued and goes on where it
stopped, under the same number. Not if nothing was achieved since the last start, nor after
ENGRAM_RESTARTS restarts, nor if somebody cancelled the job: then the exit code is engram's, and
submitting it again continues.

Environment:
  ENGRAM, ENGRAM_DATA  as in jobs/local.sh
  ENGRAM_LAUNCHER      mpirun (default) or srun, see jobs/slurm/README.md
  ENGRAM_RESTARTS      how many times the job may be requeued (default: 50)
END_OF_HELP
}

slices=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    --merge)
        slices=${2-}
        [[ $slices =~ ^[1-9][0-9]*$ ]] || fail "--merge needs a number of slices, got '$slices'"
        shift 2
        ;;
    -*) fail "unknown option '$1' (see --help)" ;;
    *) break ;;
    esac
done
if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
if [ -z "${SLURM_JOB_ID-}" ]; then
    fail "this is no job of Slurm; jobs/submit.sh submits one, jobs/local.sh runs here"
fi
restarts=${SLURM_RESTART_COUNT:-0}
restarts_max=${ENGRAM_RESTARTS:-50}
[[ $restarts_max =~ ^[0-9]+$ ]] || fail "ENGRAM_RESTARTS=$restarts_max is not a number"

say() {
    echo "job $SLURM_JOB_ID, $(date '+%F %T'): $*"
}

# The words that say which sweep, and its results file if it has a name of its own.
words=()
output=
while [ $# -gt 0 ]; do
    case $1 in
    -o | --output)
        [ $# -gt 1 ] || fail "$1 needs a file"
        output=$2
        shift
        ;;
    -o*) output=${1#-o} ;;
    --output=*) output=${1#*=} ;;
    -*) fail "'$1': after the sweep file there may be -o FILE and name=value" ;;
    *) words+=("$1") ;;
    esac
    shift
done

# arguments [I N]: sets `arguments` to those of `engram run` for the whole sweep, or for slice I of N.
arguments() {
    arguments=("${words[@]}")
    if [ $# -gt 0 ]; then
        arguments+=(--slice "$1/$2")
        [ -z "$output" ] || arguments+=(-o "${output%.h5}.$1of$2.h5")
    elif [ -n "$output" ]; then
        arguments+=(-o "$output")
    fi
}

# fact NAME: what `engram plan` says of it under that name.
fact() {
    "$engram" plan "${arguments[@]}" --json | json_value "$1"
}

# Ranks see when the job ends; older Slurm tells it to nobody unasked.
tell_end() {
    local end
    if [ -z "${SLURM_JOB_END_TIME-}" ] && end=$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %e); then
        end=$(date --date "$end" +%s 2>/dev/null) || return 0 # a job without end
        export SLURM_JOB_END_TIME=$end
    fi
}

find_engram
tell_end
# A parallel file system without locks is no reason not to read a result file.
export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING-BEST_EFFORT}

if [ -n "$slices" ]; then
    parts=()
    for ((i = 1; i <= slices; i++)); do
        arguments "$i" "$slices"
        part=$(fact results)
        [ ! -e "${part%.h5}.journal" ] || parts+=("$part")
    done
    arguments
    results=$(fact results)
    [ ${#parts[@]} -gt 0 ] || fail "none of the $slices slices has left results beside $results"
    say "joining ${#parts[@]} of $slices slices"
    "$engram" merge "$results" "${parts[@]}"
elif [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
    arguments "$SLURM_ARRAY_TASK_ID" "$SLURM_ARRAY_TASK_COUNT"
else
    arguments
fi

case ${ENGRAM_LAUNCHER:-mpirun} in
mpirun)
    find_mpirun
    # After scancel ranks get TERM from Slurm itself; mpirun would repeat it after one second, and that
    # means at once. Slurm kills what is left after KillWait, 30 s by default.
    launcher=(mpirun "${mpirun_options[@]}" --mca odls_base_sigkill_timeout 25)
    ;;
srun) launcher=(srun --mpi=pmix) ;;
*) fail "ENGRAM_LAUNCHER=$ENGRAM_LAUNCHER: must be mpirun or srun" ;;
esac

results=$(fact results)
[ -n "$results" ] || exit 2 # engram has said why
base=${results%.h5}

# engram never takes over the lock of another host. When Slurm starts this job again elsewhere because its node
# is gone, the lock that its last start has left there is nobody's.
reclaim() {
    local job host holder
    if [ "$restarts" -gt 0 ] && read -r job host 2>/dev/null <"$base.slurm" &&
        read -r holder _ 2>/dev/null <"$base.lock" &&
        [ "$job" = "$SLURM_JOB_ID" ] && [ "$host" = "$holder" ] && [ "$host" != "$(hostname)" ]; then
        rm -f "$base.lock"
        say "the lock of its last start, on host $host, is removed"
    fi
    echo "$SLURM_JOB_ID $(hostname)" >"$base.slurm"
}

# What changes when anything is achieved: results, or a checkpoint of a running trial.
achieved() {
    fact finished
    if [ -d "$base.checkpoints" ]; then
        find "$base.checkpoints" -type f -printf '%f %T@\n' | LC_ALL=C sort
    fi
}
before=$(achieved)
say "start $((restarts + 1)) on ${SLURM_JOB_NUM_NODES:-1} node(s), ${SLURM_JOB_NODELIST-$(hostname)}"
reclaim
run_ranks "${launcher[@]}" -- "$engram" run "${arguments[@]}"
rm -f "$base.slurm"

if [ "$code" != 75 ] && [ "$code" != 4 ]; then
    exit "$code"
fi
# Being cancelled and being preempted look alike; Slurm itself requeues what it preempts.
case " ${signals[*]-} " in *" TERM "*)
    say "cancelled; submit it again to continue"
    exit "$code"
    ;;
esac
if [ "$(achieved)" = "$before" ]; then
    say "nothing was achieved since the start: not requeued; give it more time (--time)"
elif [ "$restarts" -ge "$restarts_max" ]; then
    say "restarted $restarts times: not requeued; submit it again to continue"
elif scontrol requeue "$SLURM_JOB_ID"; then
    say "requeued"
else
    say "Slurm does not requeue it; submit it again to continue"
fi
exit "$code"
