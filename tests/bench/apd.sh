#!/usr/bin/env bash
# Measures a step of additive parameter decomposition beside plain PyTorch, and what it needs of memory, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/apd.sh [--rounds N] [--core C] [--build FOLDER] [case …]

Builds a release, then runs tests/bench/apd.c and tests/bench/peer_apd.py on the same core, one thread each: LeNet
20-50-800-500, minibatches of 100, objective (2), tasks of five classes. Prints the processor time in milliseconds of a
step at task 1, 10 and 20, and the ratio; the retroactive term of task 20 beside the time to read and write what it
needs at the bandwidth that is measured in turns with it; float arrays of the trunk per old task; and the end of task 20
with consolidation of all tasks beside an epoch of 20 steps. Of every piece the least time over all rounds counts: what
else the machine does is left out as far as it comes and goes. Needs 4 GB of memory and python3-torch.

  --rounds N      steps of each kind (default 10)
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)

Cases: plain local_response (default: both): without, and with the local response normalisation of the paper's network.
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --rounds 10 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(plain local_response)
fi
build_release bench_apd
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "core $core, $times rounds; processor time in milliseconds"
for name in "${cases[@]}"; do
    case $name in
    plain) response=false ;;
    local_response) response=true ;;
    *) refuse "unknown case '$name'" ;;
    esac
    pinned "$build/tests/bench_apd" "$times" "$response" >"$scratch/ours"
    pinned /usr/bin/python3 "$root/tests/bench/peer_apd.py" --steps "$times" --local-response "$response" >"$scratch/theirs"
    awk -v name="$name" '
        NR == FNR { ours[$1] = $2; next }
        { theirs[$1] = $2 }
        END {
            printf "%-16s %9s %9s %7s\n", name, "engram", "peer", "ratio"
            for (i = 1; i <= 3; i++) {
                step = "step" (i == 1 ? 1 : 10 * (i - 1))
                printf "  %-14s %9.1f %9.1f %7.2f\n", step, 1e3 * ours[step], 1e3 * theirs[step], theirs[step] / ours[step]
            }
            printf "  retroactive term at task 20: %.1f, %.2f times what reading and writing takes (%.1f)\n",
                1e3 * ours["retroactive"], ours["retroactive"] / ours["bandwidth"], 1e3 * ours["bandwidth"]
            printf "  arrays of the trunk per old task: %.2f while one learns, %.2f between tasks, %.2f with objective (1)\n",
                ours["learning"], ours["resting"], ours["resting_fixed"]
            printf "  consolidation of 20 tasks: %.0f, %.2f of an epoch (%.0f)\n", 1e3 * ours["consolidation"],
                ours["consolidation"] / ours["epoch"], 1e3 * ours["epoch"]
        }' "$scratch/ours" "$scratch/theirs"
done
