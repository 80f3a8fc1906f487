#!/usr/bin/env bash
# Sweeps in jobs of a real Slurm: one that finishes, one that hits its time limit, an array, and one on two
# nodes that is cancelled and submitted again. All must end with the results of the first. The cluster
# is this test's own (../slurm/cluster.sh); where the kernel permits it, its processes are in a
# namespace that ends with this script, however it ends.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
spaces=(--mount --pid --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || spaces+=(--user --map-root-user)
if [ -z "${CLUSTER_TEST_INSIDE-}" ] && unshare "${spaces[@]}" true 2>/dev/null; then
    CLUSTER_TEST_INSIDE=1 exec unshare "${spaces[@]}" "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$here/support.sh"
# shellcheck source-path=SCRIPTDIR source=../slurm/cluster.sh
source "$here/../slurm/cluster.sh"
submit=$here/../../jobs/submit.sh
for name in "${!SLURM_@}"; do
    unset "$name"
done

reason=$(why_no_cluster)
if [ -n "$reason" ]; then
    echo "SKIPPED, nothing about Slurm was tested: $reason"
    exit 77
fi
trap 'stop_cluster; finish' EXIT
# Two nodes on one machine: Open MPI must not look for shared memory under its name.
export OMPI_MCA_btl=self,tcp
export ENGRAM=$engram
started=$SECONDS
start_cluster

fact() { # fact JOB NAME: what Slurm knows of a job
    scontrol show job "$1" | grep -o "\b$2=[^ ]*" | head -n 1 | cut -d= -f2
}

# await_end JOB STATE: until the job is in that state; any other end is a failure.
await_end() {
    await "the end of job $1" has_ended "$1"
    [ "$state" = "$2" ] || {
        scontrol show job "$1" >&2
        tail -n 40 ./*.log >&2
        fail "job $1 is $state instead of $2"
    }
}

has_ended() {
    state=$(fact "$1" JobState)
    case $state in
    PENDING | CONFIGURING | RUNNING | SIGNALING | COMPLETING | REQUEUED) return 1 ;;
    esac
}

# submitted ARGUMENT…: submits, and sets `job` to the number (of an array: of the one that joins).
submitted() {
    expect 0 "$submit" --ntasks-per-node=1 "$@"
    job=$(grep -o 'job [0-9]*' out | tail -n 1 | cut -d' ' -f2)
}

tables() {
    for table in trials curves matrix; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

sweep work <<'END'
  stream.epochs: 100
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 3
END
# held NAME ARGUMENT…: submits work.yaml into NAME.h5; the job finishes two trials, and no more as long as NAME.hook/slow is
# there. Sets `job`.
held() {
    local name=$1
    shift
    hooks "$name" "results 2"
    (
        export "${hook[@]:1}"
        submitted "$@" work.yaml -o "$name.h5"
        echo "$job" >"$name.job"
    )
    job=$(<"$name.job")
}

# All of these at once: there are eight made-up cores. Slurm looks at time limits every half minute only, so that one is
# first.
held limit --time=60 --signal=B:USR1@300
limit=$job
held nodes --nodes 2
nodes=$job
held one
one=$job
submitted work.yaml -o plain.h5
plain=$job
submitted --array 2 work.yaml -o array.h5
array=$job

# Its time limit comes near when two trials are finished: it is warned, stops, and goes back into the queue. Slurm would kill
# it three minutes after the warning at the earliest.
was_requeued() {
    [ "$(fact "$limit" Restarts)" = 1 ]
}
await_point limit
elapsed=$(squeue --noheader --jobs "$limit" --format %M)
scontrol update "JobId=$limit" "TimeLimit=$((10#${elapsed%%:*} + 4))"

# Cancelled: what runs is saved, nothing is requeued, and the same command goes on.
nobody_runs() {
    "$engram" status "$1.h5" | grep -q "nobody is running it"
}
for name in one nodes; do
    await_point $name
    scancel "${!name}"
done
for name in one nodes; do
    await_end "${!name}" CANCELLED
    [ "$(fact "${!name}" Restarts)" = 0 ] || fail "a cancelled job was requeued"
    # Slurm says so before the ranks have ended, and the script after them.
    await "the ranks of $name to end" nobody_runs $name
    await "the script of $name to end" grep -q "cancelled; submit it again" "$name.${!name}.log"
    expect 0 "$engram" check $name.h5
done
submitted work.yaml -o one.h5
one=$job
submitted --nodes 2 work.yaml -o nodes.h5
nodes=$job

await "the job to be requeued at its time limit" was_requeued
rm limit.hook/slow
scontrol update "JobId=$limit" TimeLimit=60

for job in $plain $array $one $nodes $limit; do
    await_end "$job" COMPLETED
done
has "limit.$limit.log" "start 1 on 1 node(s)"
has "limit.$limit.log" "stopping; what is done is kept"
has "limit.$limit.log" "stops by itself at"
has "limit.$limit.log" "of 12 trials were finished before"
has "array.$array.log" "joining 2 of 2 slices"
has "array.$array.log" "all 12 trials were finished before"
has "nodes.$nodes.log" "on 2 node(s), n[1-2]"
has "nodes.$nodes.log" "continued at minibatch"
has "one.$one.log" "continued at minibatch"
tables plain >plain.txt
[ "$(wc -l <plain.txt)" -gt 12 ] || fail "no results"
for name in limit array one nodes; do
    tables "$name" >"$name.txt"
    same plain.txt "$name.txt"
done

# Nothing is left to submit; and with the other launcher a job ends the same way.
expect 0 "$submit" work.yaml -o plain.h5
has out "all 12 trials are finished"
if [[ $(srun --mpi=list 2>&1) == *pmix* ]]; then
    submitted --launcher srun --ntasks-per-node=2 work.yaml -o other.h5 stream.epochs=10
    await_end "$job" COMPLETED
    has "other.$job.log" "12 trials to run, 2 ranks on 1 host"
fi

stop_cluster
cluster_is_gone() {
    [ -z "$(cluster_processes)" ]
}
await "the end of the cluster's processes" cluster_is_gone
echo "passed in $((SECONDS - started)) s"
