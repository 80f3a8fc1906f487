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

# await JOB STATE: until the job is in that state; any other end is a failure.
await() {
    local state i
    for ((i = 0; i < 1500; i++)); do
        state=$(fact "$1" JobState)
        case $state in
        "$2") return ;;
        PENDING | CONFIGURING | RUNNING | SIGNALING | COMPLETING | REQUEUED) sleep 0.2 ;;
        *) break ;;
        esac
    done
    scontrol show job "$1" >&2
    tail -n 40 ./*.log >&2
    fail "job $1 is $state instead of $2"
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
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 3
END
# On any machine each of the 12 trials takes about 3.3 s of a core: even alone, a job outlives its warning.
TIMEFORMAT=%U
seconds=$({ time "$engram" run work.yaml -o probe.h5 --quiet seeds=1 optimizer.lr=0.003 stream.epochs=100; } 2>&1)
epochs=$(awk -v seconds="$seconds" 'BEGIN { printf "%d", 660 / (seconds + 0.01) }')

# cancel NAME [ARGUMENT …]: submits, and cancels in the middle; sets `job`.
cancel() {
    local name=$1
    shift
    submitted "$@" work.yaml -o "$name.h5" stream.epochs=$epochs
    for ((i = 0; i < 600; i++)); do
        ! grep -qs "12 trials to run" "$name.$job.log" || break
        sleep 0.1
    done
    has "$name.$job.log" "12 trials to run"
    scancel "$job"
}

# All of these at once: there are eight made-up cores.
cancel nodes --nodes 2
nodes=$job
cancel one
one=$job
submitted work.yaml -o plain.h5 stream.epochs=$epochs
plain=$job
submitted --array 2 work.yaml -o array.h5 stream.epochs=$epochs
array=$job

# Cancelled: what runs is saved, nothing is requeued, and the same command goes on.
for name in one nodes; do
    await "${!name}" CANCELLED
    [ "$(fact "${!name}" Restarts)" = 0 ] || fail "a cancelled job was requeued"
    for ((i = 0; i < 200; i++)); do # Slurm says so before the ranks have ended
        expect 0 "$engram" status $name.h5
        ! grep -q "nobody is running it" out || break
        sleep 0.1
    done
    has out "nobody is running it"
    expect 0 "$engram" check $name.h5
    log=$name.${!name}.log
    for ((i = 0; i < 300; i++)); do
        ! grep -q "submit it again" "$log" || break
        sleep 0.1
    done
    has "$log" "cancelled; submit it again"
done
submitted work.yaml -o one.h5 stream.epochs=$epochs
one=$job
submitted --nodes 2 work.yaml -o nodes.h5 stream.epochs=$epochs
nodes=$job

# The time limit: the controller looks every half minute after its start, and warns by then. On one rank the job takes
# longer than that.
while [ $(((SECONDS - started) % 30)) != 25 ]; do
    sleep 0.5
done
submitted --ntasks-per-node=1 --time=1 --signal=B:USR1@60 work.yaml -o limit.h5 stream.epochs=$epochs
limit=$job
# Once is enough: on a busy machine a minute is soon over.
for ((i = 0; i < 600; i++)); do
    [ "$(fact "$limit" Restarts)" = 0 ] || break
    sleep 0.2
done
[ "$(fact "$limit" Restarts)" = 1 ] || fail "the job was not requeued at its time limit: $(tail -n 5 "limit.$limit.log")"
scontrol update "JobId=$limit" TimeLimit=60

for job in $plain $array $one $nodes $limit; do
    await "$job" COMPLETED
done
has "limit.$limit.log" "start 1 on 1 node(s)"
has "limit.$limit.log" "stopping; what is done is kept"
has "limit.$limit.log" "stops by itself at"
has "limit.$limit.log" "trials were finished before"
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
expect 0 "$submit" work.yaml -o plain.h5 stream.epochs=$epochs
has out "all 12 trials are finished"
if [[ $(srun --mpi=list 2>&1) == *pmix* ]]; then
    submitted --launcher srun --ntasks-per-node=2 work.yaml -o other.h5 stream.epochs=10
    await "$job" COMPLETED
    has "other.$job.log" "12 trials to run, 2 ranks on 1 host"
fi

stop_cluster
[ -z "$(cluster_processes)" ] || fail "processes of the cluster are left: $(cluster_processes)"
echo "passed in $((SECONDS - started)) s"
