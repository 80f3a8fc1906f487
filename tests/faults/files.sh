#!/usr/bin/env bash
# The n-th call that changes a results file fails, or kills the process there, for every n.
set -euo pipefail

usage() {
    cat <<'END'
usage: files.sh [--short] [--step N] [--from N] [--kinds LIST] ENGRAM LIBRARY

Runs a sweep of 40 short trials with LIBRARY (built from preload.c, which says what it counts) in front
of the system's calls, and once without for comparison:

  kill, tear, power   at every call the process dies: before it; after half of a write; or with the
                      loss of everything that was not forced to disk
  enospc, eio         from every third call on writing fails, for good or once
  short, eintr        at every third call, and at all calls from there on, writes stop after one byte
                      and calls are interrupted

Each time: what was forced to disk is still there byte by byte, `engram check` finds the files sound,
an error says which file and why and the exit code is 4, and the same command without faults ends
with the results of the sweep that nothing happened to.

  --short   a sample (the CI's): every 23rd call, and every 41st for errors
  --step N  every N-th call, and every 3 N-th for errors (default 1)
  --from N  begin with the N-th (default: 1; with --short one of the first 23 by chance, which is said)
  --kinds LIST  only these, separated by commas
END
}

step=1 from=1 short=no kinds=kill,tear,power,enospc,eio,short,eintr
while [ $# -gt 0 ]; do
    case $1 in
    --help)
        usage
        exit 0
        ;;
    --short)
        short=yes
        shift
        ;;
    --step | --from | --kinds)
        declare "${1#--}=${2:?}"
        shift 2
        ;;
    *) break ;;
    esac
done
if [ $# != 2 ]; then
    usage >&2
    exit 2
fi
engram=$(realpath "$1")
library=$(realpath "$2")
error_step=$((3 * step))
if [ "$short" = yes ]; then
    step=23 error_step=41
    [ "$from" != 1 ] || from=$((RANDOM % step + 1))
fi

work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >s.yaml <<'END'
name: s
protocol: test
base:
  dataset: {synthetic: {examples: 60, test_examples: 20}}
  stream.batch: 20
  model.hidden: [6]
grid:
  optimizer.lr: [0.01, 0.03]
  model.activation: [relu, hard_ash]
seeds: 10
END

fail() {
    echo "FAILED: $*" >&2
    echo "--- the faulty run's standard error" >&2
    cat err >&2
    exit 1
}

# tables FILE: all that does not depend on when and where it was computed.
tables() {
    local table
    for table in trials curves matrix; do
        "$engram" export "$1" --stable --table "$table"
    done
}

# faulty KIND AT CALLS: the sweep with a fault; sets code, calls, synced, rewritten and syncs.
faulty() {
    rm -rf r log
    mkdir r
    code=0
    # The shell's word on a killed child is not wanted.
    { ENGRAM_FAULT_FOLDER=$work/r ENGRAM_FAULT_KIND=$1 ENGRAM_FAULT_AT=$2 ENGRAM_FAULT_CALLS=$3 \
        ENGRAM_FAULT_LOG=$work/log LD_PRELOAD=$library \
        timeout -k 5 600 "$engram" run s.yaml -o r/s.h5 -q >out 2>err; } 2>/dev/null || code=$?
    read -r _ calls _ synced _ rewritten _ syncs <log || fail "$1 at call $2 left no log"
}

# sound WHAT: what a fault left behind is in order.
sound() {
    [ "$rewritten" = 0 ] || fail "$1: the journal was changed below what was safe"
    if [ -e r/s.journal ]; then
        [ "$(stat -c %s r/s.journal)" -ge "$synced" ] || fail "$1: the journal lost what was safe"
        # Before the plan is written there is nothing to look at.
        "$engram" check r/s.h5 >check.out 2>&1 || grep -q "holds no sweep yet" check.out ||
            fail "$1: $(cat check.out)"
    elif [ "$synced" -gt 0 ] && [ "$code" != 4 ]; then
        fail "$1: the journal is gone"
    fi
}

# goes_on WHAT: the same command ends with the results it would have had.
goes_on() {
    [ ! -e r/s.journal ] || head -c "$synced" r/s.journal >safe
    [ -e r/s.journal ] || : >safe
    timeout -k 5 600 "$engram" run s.yaml -o r/s.h5 -q >again.out 2>&1 ||
        fail "$1: the same command does not continue (exit code $?): $(cat again.out)"
    cmp -s -n "$(stat -c %s safe)" safe r/s.journal || fail "$1: what was safe was changed later"
    tables r/s.h5 | cmp -s want - || fail "$1: other results than without a fault"
    "$engram" check r/s.h5 >check.out || fail "$1: $(cat check.out)"
    [ "$(find r -type f | sort | tr '\n' ' ')" = "r/s.h5 r/s.journal " ] ||
        fail "$1: left behind: $(ls r)"
}

faulty none 0 0
[ "$code" = 0 ] || fail "exit code $code without a fault"
[ "$calls" -gt 80 ] || fail "only $calls calls were counted"
[ "$synced" = "$(stat -c %s r/s.journal)" ] || fail "a part of the journal was never forced to disk"
# Results that are ready together share a sync, but no worker waits for more than a few of its own.
[ "$syncs" -gt 4 ] || fail "the journal was forced to disk only $syncs times"
total=$calls
tables r/s.h5 >want
echo "$total calls; from $from in steps of $step, for errors of $error_step"

# wanted KIND: it is in the list.
wanted() {
    [[ ,$kinds, == *,$1,* ]]
}

for kind in kill tear power; do
    wanted "$kind" || continue
    died=0
    for ((at = from; at <= total; at += step)); do
        faulty "$kind" "$at" 1
        # How many results share a sync is not the same in every run: the last calls may not come.
        [ "$code" = 137 ] || [ "$code" = 0 ] || fail "$kind at call $at: exit code $code"
        [ "$code" = 0 ] || died=$((died + 1))
        sound "$kind at call $at"
        goes_on "$kind at call $at"
    done
    [ "$died" -gt 0 ] || fail "$kind: never happened"
    echo "$kind: died at $died calls, each time nothing was lost and the sweep went on to the same results"
done

for kind in enospc eio short eintr; do
    wanted "$kind" || continue
    for times in 1 0; do
        stopped=0 tried=0
        for ((at = from; at <= total; at += error_step)); do
            what="$kind from call $at, $([ "$times" = 0 ] && echo "for good" || echo once)"
            faulty "$kind" "$at" "$times"
            case $kind$code in
            *0) ;;
            enospc4 | eio4)
                grep -q '^engram: .*r/.*\(No space left on device\|Input/output error\)' err ||
                    fail "$what: the error does not say which file and why"
                stopped=$((stopped + 1))
                ;;
            *) fail "$what: exit code $code" ;;
            esac
            sound "$what"
            goes_on "$what"
            tried=$((tried + 1))
        done
        echo "$kind, $([ "$times" = 0 ] && echo "for good" || echo once): $tried calls, $stopped ended the sweep," \
            "each time nothing was lost and the sweep went on to the same results"
    done
done
echo passed
