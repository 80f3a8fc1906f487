#!/usr/bin/env bash
# tests/mpirun.sh RANKS COMMAND … : runs a command under MPI as tests need it: more ranks than cores,
# root where the machine has no other user, no leftover processes.
set -euo pipefail
ranks=$1
shift
options=(--oversubscribe --bind-to none -np "$ranks")
# Containers forbid reading another process's memory, for which Open MPI would try anyway.
options+=(--mca btl_vader_single_copy_mechanism none)
if [ "$(id -u)" = 0 ]; then
    options+=(--allow-run-as-root)
fi
exec mpirun "${options[@]}" "$@"
