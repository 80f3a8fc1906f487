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

# expect CODE command…: runs it and checks its exit code; its output is in the files `out` and `err`. Ten minutes are
# only for what hangs.
expect() {
    local want=$1 code=0
    shift
    timeout 600 "$@" >out 2>err </dev/null || code=$?
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

# hooks NAME AT [NAME=VALUE …]: sets `hook`, in front of a command that comes to the point AT of its work ("results 2",
# "products 50"; see ../support/hooks.c) and is then slow, so that it cannot end by itself. The files that say so are in
# the folder NAME.hook, which is new.
hooks() {
    local library
    library=$(dirname "$engram")/tests/libengram_test_hooks.so
    [ -e "$library" ] || fail "$library is not built"
    rm -rf "$work/$1.hook"
    mkdir "$work/$1.hook"
    # shellcheck disable=SC2034 # for the scripts
    hook=(env "LD_PRELOAD=$library" "ENGRAM_HOOK_FOLDER=$work/$1.hook" "ENGRAM_HOOK_AT=$2" "${@:3}")
}

# await WHAT COMMAND…: until the command succeeds. The limit is no part of any test: it ends one that would wait for ever.
await() {
    local what=$1 start=$SECONDS
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $((SECONDS - start)) -gt 300 ]; then
            tail -n 5 ./*.err ./*.log >&2 2>/dev/null || true
            fail "waited five minutes for $what"
        fi
        sleep 0.02
    done
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

# await_point NAME [RANK]: until a command behind `hooks NAME` has come to its point.
await_point() {
    await "the point of $1 at rank ${2-0}" test -e "$work/$1.hook/reached.${2-0}"
}
