#!/usr/bin/env bash
# Runs the tests that wait for something, again and again on a busy machine; see --help.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<'END'
Usage: tests/under_load.sh [--times N] [--all] [--loops N] [--preset NAME] [argument of ctest …]

Runs every test with the label `waits` N times in a row (default 10) while two busy loops per core run beside
it. No outcome may depend on that. Exits with ctest's code.

  --times N      how often each test must pass
  --all          the whole suite (label bench left out) instead, once unless --times says otherwise
  --loops N      busy loops in all (default: two per core)
  --preset NAME  what was built (default: release); it is built first

    tests/under_load.sh                              # all that wait, ten times each
    tests/under_load.sh --times 5 -R e2e_slurm       # one of them
    tests/under_load.sh --all
END
}

fail() {
    echo "under_load.sh: $1" >&2
    exit 2
}

times=
selection=(-L '^waits$')
loops=$((2 * $(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)))
preset=release
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --times | --loops | --preset)
        [ $# -gt 1 ] || fail "$1 needs a value"
        declare "${1#--}=$2"
        shift 2
        ;;
    --all)
        selection=(-LE '^bench$')
        times=${times:-1}
        shift
        ;;
    *) break ;;
    esac
done
times=${times:-10}
[[ $times =~ ^[1-9][0-9]*$ ]] || fail "--times needs a number, got '$times'"
[[ $loops =~ ^[0-9]+$ ]] || fail "--loops needs a number, got '$loops'"

cd "$repository"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
busy=()
trap '[ ${#busy[@]} = 0 ] || kill "${busy[@]}"' EXIT
for ((i = 0; i < loops; i++)); do
    (while :; do :; done) &
    busy+=($!)
done
echo "$loops busy loops, each test $times times"
ctest --preset "$preset" "${selection[@]}" --repeat "until-fail:$times" "$@"
