#!/usr/bin/env bash
# Runs a sweep on several machines without a batch system; the exit code is engram's own.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'END_OF_HELP'
Usage: jobs/hosts.sh HOST[:RANKS],HOST[:RANKS]… SWEEP [argument …]

Runs `engram run SWEEP argument …` with mpirun on RANKS (default: 1) cores of every HOST. The first
one is this machine. ssh must reach the others without asking, and they must see the program, the data
and this folder under the same paths. The same command again continues where the last one stopped.

When a machine is lost, the sweep goes on with the others and repeats there what was lost. If this
machine is lost, the others leave; what the journal has is safe.

  First Ctrl-C (or TERM, HUP, USR1): hands out no more trials, keeps every result, exits with 75.
  Second one: ends the ranks within two seconds; what the journal has is kept.

Environment:
  ENGRAM, ENGRAM_DATA  as in jobs/local.sh
  ENGRAM_RSH           what to call instead of `ssh -o BatchMode=yes -o ServerAliveInterval=15`
  OMPI_MCA_btl_tcp_if_include
                       the network to use where machines have several, such as 10.1.0.0/16
END_OF_HELP
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
-*) fail "unknown option '$1' (options of engram go after the sweep file)" ;;
esac
if [ $# -lt 2 ]; then
    usage >&2
    exit 2
fi
IFS=, read -ra hosts <<<"$1"
shift
read -ra rsh <<<"${ENGRAM_RSH:-ssh -o BatchMode=yes -o ServerAliveInterval=15}"

ranks=0
slots=()
for host in "${hosts[@]}"; do
    [[ $host == *:* ]] || host=$host:1
    [[ $host =~ ^[^:,\ -][^:,\ ]*:[1-9][0-9]*$ ]] || fail "'$host' is not HOST or HOST:RANKS"
    ranks=$((ranks + ${host#*:}))
    slots+=("$host")
done
hosts=("${slots[@]%:*}")

# Rank 0 has to be where its exit code is waited for.
if [ "${hosts[0]}" != "$(hostname)" ] &&
    ! grep -qwFf <(hostname -I | tr ' ' '\n' | grep .; echo 127.0.0.1; echo ::1) \
        <(getent ahosts "${hosts[0]}" | awk '{ print $1 }'); then
    fail "the first host must be this machine, $(hostname); '${hosts[0]}' is not"
fi
find_engram
find_mpirun
for host in "${hosts[@]:1}"; do
    "${rsh[@]}" "$host" true </dev/null || fail "cannot start anything on host '$host' with '${rsh[*]}'"
done

mpirun_options+=(--host "$(IFS=, && echo "${slots[*]}")" -np "$ranks")
# Started in a tree, mpirun's daemons hold on to their ssh, and mpirun ends everything when one of them fails
# because its machine is lost. Otherwise it does not notice, and the ranks do.
mpirun_options+=(--mca plm rsh --mca plm_rsh_agent "${rsh[*]}" --mca plm_rsh_no_tree_spawn 1)
mpirun_options+=(-x ENGRAM_DATA -x OPENBLAS_NUM_THREADS -x OMP_NUM_THREADS)

run_ranks mpirun "${mpirun_options[@]}" -- "$engram" run "$@"
exit "$code"
