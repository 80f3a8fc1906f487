#!/usr/bin/env bash
# What the scripts that start sweeps of a checkout share: finding its program and its data. To be sourced.
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case ${1-} in
-h | --help)
    if [ "${BASH_SOURCE[0]}" = "$0" ]; then
        echo "jobs/common.sh is a part of jobs/local.sh, hosts.sh and submit.sh; it does nothing by itself"
        exit 0
    fi
    ;;
esac

fail() {
    echo "${0##*/}: $1" >&2
    exit 2
}

# Sets `engram`, and where it finds the data sets.
find_engram() {
    engram=${ENGRAM-}
    if [ -z "$engram" ]; then
        engram=$repository/build/release/engram
        if [ ! -x "$engram" ] && [ -x "$repository/../../bin/engram" ]; then
            engram=$repository/../../bin/engram # installed together: share/engram/jobs
        elif [ ! -x "$engram" ]; then
            engram=$(command -v engram) || fail "build engram first: cmake --workflow --preset release"
        fi
    fi
    command -v "$engram" >/dev/null || fail "ENGRAM=$engram is not a program"
    engram=$(realpath "$(command -v "$engram")")
    if [ -f "$repository/CMakeLists.txt" ]; then # a checkout has its own; else ./data, as for the command
        export ENGRAM_DATA="${ENGRAM_DATA:-$repository/data}"
    fi
}
