#!/usr/bin/env bash
# Writes a batch script for a sweep, submits it to Slurm, and says how to follow it.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'END_OF_HELP'
Usage: jobs/submit.sh [option …] SWEEP [-o FILE] [name=value …]

Submits `engram run SWEEP …` to Slurm: on one node, on several (--nodes), or as a job array (--array).
The job puts itself back into the queue before its time limit and goes on where it stopped, until
the sweep is finished. The script is kept beside the results.

  --nodes N          nodes, all in one MPI job (default: 1)
  --array N          N independent jobs, each a slice of the sweep, and one more that joins their
                     results and runs what they left
  --launcher NAME    mpirun (default: the sweep survives the loss of a rank) or srun (--mpi=pmix)
  --restarts N       how many times a job may go back into the queue (default: 50)
  -n, --dry-run      prints the script, or both of an array, and submits nothing
  --NAME=VALUE       any other option of sbatch, such as --time=1-00:00:00 (default: 4 hours),
                     --partition=… --account=… --mem-per-cpu=2G --ntasks-per-node=16 (default: the
                     cores of the partition's smallest node)

Environment: ENGRAM and ENGRAM_DATA as in jobs/local.sh; nodes must see both under the same path.
Exit codes: 0 submitted, or nothing left to run; 2 bad input; else that of sbatch.
END_OF_HELP
}

nodes=1
tasks=
dry_run=false
settings=()
declare -A directives=()
need_number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || fail "$1 needs a number, got '$2'"
}
while [ $# -gt 0 ]; do
    # --name=value is --name value for the options that are ours.
    case $1 in --nodes=* | --array=* | --launcher=* | --restarts=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    -n | --dry-run)
        dry_run=true
        shift
        ;;
    --nodes)
        need_number "$1" "${2-}"
        nodes=$2
        shift 2
        ;;
    --array)
        need_number "$1" "${2-}"
        tasks=$2
        shift 2
        ;;
    --restarts)
        [[ ${2-} =~ ^[0-9]+$ ]] || fail "$1 needs a number, got '${2-}'"
        settings+=("ENGRAM_RESTARTS=$2")
        shift 2
        ;;
    --launcher)
        [[ ${2-} =~ ^(mpirun|srun)$ ]] || fail "--launcher must be mpirun or srun, got '${2-}'"
        settings+=("ENGRAM_LAUNCHER=$2")
        shift 2
        ;;
    --*=*)
        directives[${1%%=*}]=${1#*=}
        shift
        ;;
    -*) fail "unknown option '$1' (those of sbatch are written --name=value; -o goes after SWEEP)" ;;
    *) break ;;
    esac
done
if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
sweep=("$@")
while [ $# -gt 1 ]; do
    case $2 in
    -o | --output) shift ;;
    -o?* | --output=*) ;;
    -*) fail "'$2': after the sweep file there may be -o FILE and name=value; a job that goes back into the queue would do anything else again" ;;
    esac
    shift
done

find_engram
# Also finds what is wrong with the sweep, before it waits in a queue.
plan=$("$engram" plan "${sweep[@]}" ${tasks:+--slice "$tasks/$tasks"} --json >/dev/null &&
    "$engram" plan "${sweep[@]}" --json) || exit
fact() {
    json_value "$1" <<<"$plan"
}
name=$(fact name)
results=$(fact results)
if [ "$(fact finished)" = "$(fact trials)" ] && [ "$(fact second_stage_points)" = 0 ]; then
    echo "$name: all $(fact trials) trials are finished, see $results"
    exit 0
fi

if ! $dry_run; then
    for command in sbatch scontrol squeue; do
        command -v $command >/dev/null ||
            fail "$command not found: this is no login node of a Slurm cluster (jobs/local.sh runs here, --dry-run prints the script)"
    done
fi

# The cores of the smallest node of a partition; hardware threads beyond them gain nothing here.
smallest_node() {
    local partition=${directives[--partition]-}
    if [ -z "$partition" ]; then
        partition=$(sinfo --noheader --format %P | sed -n 's/\*$//p')
    fi
    sinfo --noheader --Node ${partition:+--partition "$partition"} --format '%X %Y' |
        awk '{ cores = $1 * $2; if (least == 0 || cores < least) least = cores } END { print least + 0 }'
}
if [ -z "${directives[--ntasks-per-node]-}" ] && [ -z "${directives[--ntasks]-}" ] &&
    command -v sinfo >/dev/null; then
    cores=$(smallest_node) || fail "Slurm does not answer, see above; --ntasks-per-node=N goes without asking"
    [ "$cores" -gt 0 ] || fail "no node in partition '${directives[--partition]-}'; see sinfo"
    directives[--ntasks-per-node]=$cores
fi
directives[--job-name]=${directives[--job-name]-$name}
directives[--nodes]=$nodes

# write TEMPLATE ARGUMENT…: the template with our directives in it, for these arguments.
write() {
    local template=$1 line option key
    shift
    local -A left=()
    for option in "${!directives[@]}"; do
        left[$option]=${directives[$option]}
    done
    while IFS= read -r line; do
        key=${line#"#SBATCH "}
        key=${key%%=*}
        if [[ $line == "#SBATCH "* ]] && [ -n "${left[$key]-}" ]; then
            line="#SBATCH $key=${left[$key]}"
            unset "left[$key]"
        elif [[ $line == "set "* ]]; then
            for option in "${!left[@]}"; do
                echo "#SBATCH $option=${left[$option]}"
            done
            echo "$line"
            printf 'export %q\n' "ENGRAM=$engram" "ENGRAM_DATA=$ENGRAM_DATA" "ENGRAM_JOBS=$repository/jobs" \
                ${settings[@]+"${settings[@]}"}
            printf 'set --'
            printf ' %q' "$@"
            line=
        fi
        printf '%s\n' "$line"
    done <"$repository/jobs/slurm/$template.sbatch"
}

# submit FILE TEMPLATE ARGUMENT…: sets `job`.
submit() {
    local file=$1
    shift
    if $dry_run; then
        echo "# $file"
        write "$@"
        job=JOB
        return
    fi
    write "$@" >"$file"
    # `NUMBER` or `NUMBER;CLUSTER`
    job=$(sbatch --parsable "$file") || fail "sbatch refuses $file, see above"
    job=${job%%;*}
}

base=${results%.h5}
directory=$(dirname "$base")
if ! $dry_run; then
    # Slurm ends a job without a word when it cannot open its log.
    [ -d "$directory" ] || [ "$directory" != results ] || mkdir results
    [ -w "$directory" ] || fail "cannot write to the directory $directory, where the results go"
fi

body=one-node
[ "$nodes" = 1 ] || body=many-nodes
if [ -n "$tasks" ]; then
    directives[--array]=1-$tasks
    directives[--output]=$base.%A_%a.log
    submit "$base.array.sbatch" array "${sweep[@]}"
    array=$job
    unset 'directives[--array]'
    directives[--output]=$base.%j.log
    directives[--dependency]=afterany:$array
    submit "$base.merge.sbatch" $body --merge "$tasks" "${sweep[@]}"
else
    directives[--output]=$base.%j.log
    submit "$base.sbatch" $body "${sweep[@]}"
fi
$dry_run && exit 0

if [ -n "$tasks" ]; then
    cat <<END_OF_TEXT
submitted array $array ($tasks slices of $name), and job $job that joins them
  queue     squeue --jobs=$array,$job
  progress  engram status $base.1of$tasks.h5 --watch     (a file for each slice)
  log       tail -F $base.${array}_1.log $base.$job.log
  stop      scancel $array $job     (keeps what is done; the same command again continues)
END_OF_TEXT
else
    cat <<END_OF_TEXT
submitted job $job: $name on $nodes node(s)
  queue     squeue --jobs=$job
  progress  engram status $results --watch
  log       tail -F $base.$job.log
  stop      scancel $job     (keeps what is done; the same command again continues)
END_OF_TEXT
fi
