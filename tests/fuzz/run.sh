#!/usr/bin/env bash
# Builds the fuzz targets and lets libFuzzer work on them; see --help.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat <<'END'
Usage: tests/fuzz/run.sh [--minutes N] [--jobs N] [--grow] [TARGET …]

Builds the fuzz targets with clang, libFuzzer and the address and undefined-behaviour sanitizers, and runs each of
them (default: all, one after the other), starting from the inputs in tests/fuzz/corpus/TARGET. Inputs found on
the way are kept in build/fuzz/found/TARGET; one that breaks a promise is reported with its path, and the exit
code is 1.

  --minutes N   minutes per target (default 10)
  --jobs N      processes per target (default 1)
  --grow        afterwards adds to the corpus what is new and at most 2000 bytes long

A report is repeated with: build/fuzz/tests/fuzz_TARGET FILE
END
}

minutes=10
jobs=1
grow=false
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --minutes | --jobs)
        [ $# -ge 2 ] || { echo "run.sh: $1 needs a number" >&2 && exit 2; }
        [[ $2 =~ ^[1-9][0-9]*$ ]] || { echo "run.sh: $1 needs a number, not '$2'" >&2 && exit 2; }
        if [ "$1" = --minutes ]; then minutes=$2; else jobs=$2; fi
        shift
        ;;
    --grow) grow=true ;;
    -*) echo "run.sh: unknown option '$1'" >&2 && usage >&2 && exit 2 ;;
    *)
        [ -d "$repository/tests/fuzz/corpus/$1" ] || { echo "run.sh: no target '$1'" >&2 && exit 2; }
        targets+=("$1")
        ;;
    esac
    shift
done
cd "$repository"
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(cd tests/fuzz/corpus && printf '%s\n' *)
fi

# Files that targets write need no disk.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then
    export TMPDIR=/dev/shm
fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"

failed=0
for target in "${targets[@]}"; do
    found=$repository/build/fuzz/found/$target
    mkdir -p "$found"
    program=build/fuzz/tests/fuzz_$target
    options=(-max_total_time=$((60 * minutes)) -timeout=120 -rss_limit_mb=4096 -max_len=12000
        -artifact_prefix="$found-" -print_final_stats=1)
    if [ "$jobs" -gt 1 ]; then
        options+=(-fork="$jobs" -ignore_crashes=0)
    fi
    # HDF5 itself leaks while unsound files are made; what engram allocates is counted by the targets.
    leaks=1
    if [ "$target" = results ] || [ "$target" = journal ]; then
        leaks=0
    fi
    printf '\n=== %s: %d minutes\n' "$target" "$minutes"
    if ! ASAN_OPTIONS=detect_leaks=$leaks:${ASAN_OPTIONS-} "$program" "${options[@]}" \
        -detect_leaks=$leaks "$found" "tests/fuzz/corpus/$target" >"$found.log" 2>&1; then
        tail -n 40 "$found.log"
        failed=1
        continue
    fi
    grep -E 'DONE|stat::number_of_executed_units|stat::peak_rss_mb' "$found.log" || true
    if $grow; then
        "$program" -merge=1 -max_len=2000 "tests/fuzz/corpus/$target" "$found" >/dev/null 2>&1
    fi
done
exit $failed
