#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154 # what is set is for who sources it, and who sources it sets `scratch`
# What the benchmarks have in common: options, a release build, one thread, one core. Sourced by scripts that define
# usage(). Sets `root` and `cores`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# nproc heeds what is exported next.
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

# read_options OPTION DEFAULT ARGUMENT …: sets `core`, `data`, `build`, `cases`, and `times` from OPTION N.
read_options() {
    local option=$1
    times=$2
    core=$((cores - 1))
    data=$root/data/mnist
    build=$root/build/bench
    cases=()
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) usage && exit 0 ;;
        "$option") times=$2 && shift 2 ;;
        --core) core=$2 && shift 2 ;;
        --data) data=$2 && shift 2 ;;
        --build) build=$2 && shift 2 ;;
        -*) refuse "unknown option '$1'" ;;
        *) cases+=("$1") && shift ;;
        esac
    done
}

# For benchmarks without cases.
refuse_cases() {
    [ ${#cases[@]} -eq 0 ] || refuse "unknown argument '${cases[0]}'"
}

refuse() {
    echo "${0##*/}: $1" >&2
    exit 2
}

# build_release TARGET …: in `build`; what the compiler says is shown if it fails.
build_release() {
    mkdir -p "$build"
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DENGRAM_TESTS=ON >/dev/null
    cmake --build "$build" --target "$@" >"$build/build.log" 2>&1 || {
        cat "$build/build.log" >&2
        exit 1
    }
}

pinned() {
    taskset -c "$core" "$@"
}

# processor_seconds COMMAND…: pinned; prints its processor seconds, what it prints goes to $scratch/out. One that fails
# ends the benchmark with its words.
processor_seconds() {
    local TIMEFORMAT='%U %S'
    { time pinned "$@" >"$scratch/out" 2>"$scratch/err"; } 2>"$scratch/time" || {
        cat "$scratch/err" >&2
        exit 1
    }
    awk '{ print $1 + $2 }' "$scratch/time"
}
