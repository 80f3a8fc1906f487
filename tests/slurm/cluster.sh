#!/usr/bin/env bash
# A Slurm cluster of its own: a controller and two nodes of four made-up cores, all on this machine's
# loopback, in the folder $work. To be sourced; `start_cluster` sets SLURM_CONF, so that sbatch and
# its kin talk to it, and `stop_cluster` leaves nothing behind. Needs no root; has a munged of its own,
# so that nobody else can submit anything to it. Needs `await` and `fail` of ../e2e/support.sh.

# Says why there can be no cluster here; silent if there can.
why_no_cluster() {
    local program
    for program in munged slurmctld slurmd sbatch srun squeue scontrol scancel sinfo; do
        command -v $program >/dev/null || {
            echo "$program is not installed (Debian: slurmctld slurmd slurm-client munge)"
            return
        }
    done
    [[ $(slurmd --help 2>&1) == *"-N node"* ]] || echo "this slurmd cannot pretend to be several nodes"
}

# The first of four neighbouring ports on which nobody listens.
free_ports() {
    local port i
    for ((i = 0; i < 100; i++)); do
        port=$((20000 + RANDOM % 10000))
        ss --listening --tcp --numeric --no-header 2>/dev/null | awk '{ print $4 }' |
            grep -qE ":($port|$((port + 1))|$((port + 2)))\$" || break
    done
    echo "$port"
}

daemons=()
# shellcheck disable=SC2154 # whoever sources this has set `work`
start_cluster() {
    local port host user i
    port=$(free_ports)
    host=$(hostname -s)
    user=$(id -un)
    mkdir -p "$work/slurm/state" "$work/slurm/n1" "$work/slurm/n2"
    export SLURM_CONF=$work/slurm/slurm.conf
    cat >"$SLURM_CONF" <<END_OF_CONF
ClusterName=engram
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
# The other number is how long a requeued job waits before its next start.
AuthInfo=socket=$work/slurm/munge.socket,cred_expire=5
StateSaveLocation=$work/slurm/state
SlurmdSpoolDir=$work/slurm/%n
SlurmctldPidFile=$work/slurm/slurmctld.pid
SlurmdPidFile=$work/slurm/%n/slurmd.pid
SlurmctldLogFile=$work/slurm/slurmctld.log
SlurmdLogFile=$work/slurm/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
ReturnToService=2
KillWait=600
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4
PartitionName=test Nodes=n1,n2 Default=YES
END_OF_CONF
    (umask 077 && dd if=/dev/urandom of="$work/slurm/munge.key" bs=128 count=1 status=none)
    # It would rather have a socket that everybody can reach.
    munged --foreground --force --key-file="$work/slurm/munge.key" --socket="$work/slurm/munge.socket" \
        --pid-file="$work/slurm/munged.pid" --log-file="$work/slurm/munged.log" \
        --seed-file="$work/slurm/munged.seed" >"$work/slurm/munged.out" 2>&1 &
    daemons+=($!)
    await "munged" test -S "$work/slurm/munge.socket"
    slurmctld -D >"$work/slurm/slurmctld.out" 2>&1 &
    daemons+=($!)
    for i in 1 2; do
        slurmd -D -N "n$i" >"$work/slurm/n$i.out" 2>&1 &
        daemons+=($!)
    done
    await "two idle nodes" nodes_are_idle
}

nodes_are_idle() {
    [ "$(sinfo --noheader --format %T:%D)" = idle:2 ]
}

# Processes that were started by this cluster: they all know its configuration.
cluster_processes() {
    local pid
    for pid in $(grep -lszF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ | cut -d/ -f3); do
        # The search has found itself, too.
        [ ! -e "/proc/$pid" ] || echo "$pid"
    done
}

stop_cluster() {
    [ ${#daemons[@]} -gt 0 ] || return 0
    local pid i
    timeout 20 scancel --quiet --user "$(id -un)" 2>/dev/null || true
    for pid in "${daemons[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for ((i = 0; i < 50; i++)); do
        [ -n "$(jobs -rp)" ] || break
        sleep 0.1
    done
    # Jobs are no children of ours.
    for pid in $(cluster_processes); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    daemons=()
}
