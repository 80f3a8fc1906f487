#!/usr/bin/env bash
# What the end-to-end tests share; source it with the path of the engram command as $1. Everything
# happens in a directory of its own that is removed at the end.
set -euo pipefail

# shellcheck disable=SC2034 # for the scripts
engram=$(realpath "${1:?usage: ${0##*/} ENGRAM}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for those that start several ranks
mpirun=$here/../mpirun.sh
work=$(mktemp -d)
background=()
finish() {
    for pid in ${background[@]+"${background[@]}"}; do
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
cd "$work"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect CODE command…: runs it within a minute and checks its exit code; its output is in the files
# `out` and `err`.
expect() {
    local want=$1 code=0
    shift
    timeout 60 "$@" >out 2>err </dev/null || code=$?
    if [ "$code" != "$want" ]; then
        echo "--- standard output"
        head -50 out
        echo "--- standard error"
        head -50 err
        fail "exit code $code instead of $want: $*"
    fi
}

# refuses PART… -- command…: exit code 2, nothing on standard output, one line on standard error that
# starts with "engram: " and contains every PART.
refuses() {
    local parts=()
    while [ "$1" != -- ]; do
        parts+=("$1")
        shift
    done
    shift
    expect 2 "$@"
    [ ! -s out ] || fail "printed results although it refused: $*"
    if [ "$(wc -l <err)" != 1 ] || ! grep -q '^engram: ' err; then
        cat err
        fail "not exactly one error line: $*"
    fi
    for part in "${parts[@]}"; do
        has err "$part"
    done
}

has() {
    grep -qF -- "$2" "$1" || {
        head -50 "$1"
        fail "$1 does not contain \"$2\""
    }
}

lacks() {
    if grep -qF -- "$2" "$1"; then
        head -50 "$1"
        fail "$1 contains \"$2\""
    fi
}

same() {
    cmp "$1" "$2" || {
        diff "$1" "$2" | head -20
        fail "$1 and $2 differ"
    }
}

# sweep NAME: writes NAME.yaml, a sweep that takes a second: standard input, behind settings of a tiny
# network on made-up data.
sweep() {
    {
        echo "name: $1"
        echo "protocol: test"
        echo "base:"
        echo "  dataset: {synthetic: {examples: 400, test_examples: 100}}"
        echo "  stream.batch: 20"
        echo "  model.hidden: [24]"
        cat
    } >"$1.yaml"
}

# await_trial FILE: until some trial of a sweep that is running into FILE is finished.
await_trial() {
    local finished
    for _ in $(seq 600); do
        # There may be no file yet.
        finished=$({ "$engram" status "$1" --json 2>/dev/null || true; } |
            sed -n 's/^  "finished": \([0-9]*\),/\1/p')
        [ "${finished:-0}" = 0 ] || return 0
        sleep 0.1
    done
    fail "no trial in $1 finished within a minute"
}
