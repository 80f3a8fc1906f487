#!/usr/bin/env bash
# Runs every fault-injection test of this folder.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/faults/run.sh [--full] [--seed S] [--build FOLDER]

Builds a release and runs every test in tests/faults, each with the small number of faults that ctest
uses, or with its full number (--full: more than an hour on two cores). Prints what each of them found; the exit code
is 1 if any failed.

  --seed S         for all tests (default: by the clock; each test prints its own)
  --build FOLDER   where to build (default: build/faults)
END
}

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/faults
full=no
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --full) full=yes && arguments+=(--full) && shift ;;
    --seed) arguments+=(--seed "$2") && shift 2 ;;
    --build) build=$2 && shift 2 ;;
    *) usage >&2 && exit 2 ;;
    esac
done
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" --target engram engram_fault_preload >"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    exit 1
}

failed=0
for test in "$root"/tests/faults/*.sh; do
    given=("$build/engram" ${arguments[@]+"${arguments[@]}"})
    case ${test##*/} in
    run.sh | support.sh) continue ;;
    files.sh)
        given=("$build/engram" "$build/tests/libengram_fault_preload.so")
        [ $full = yes ] || given=(--short "${given[@]}")
        ;;
    esac
    echo "== ${test##*/}"
    code=0
    "$test" "${given[@]}" || code=$?
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then
        echo "${test##*/}: FAILED" >&2
        failed=1
    fi
done
exit "$failed"
