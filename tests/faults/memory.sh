#!/usr/bin/env bash
# Usage: memory.sh ENGRAM
# However little address space there is (ulimit -v), a command ends by itself: with its result, or with code 4 and words.
# And whatever a process is doing, the second signal ends it.
# shellcheck source-path=SCRIPTDIR source=../e2e/support.sh
source "$(dirname "$0")/../e2e/support.sh"

sweep s <<'END'
seeds: 1
END
refused=0
finished=0
# From what the program and its libraries take to what OpenBLAS's buffers for four threads do.
for ((limit = 120; limit <= 800; limit += 40)); do
    rm -f s.h5 s.journal
    code=0
    (ulimit -v $((limit * 1024)) && exec timeout -s KILL 60 "$engram" run s.yaml -o s.h5 -q) >out 2>err </dev/null || code=$?
    case $code in
    0) finished=$((finished + 1)) ;;
    4)
        has err "engram: "
        refused=$((refused + 1))
        ;;
    127) has err "shared" ;; # not even loaded
    *) cat err >&2 && fail "exit code $code with $limit MiB of address space" ;;
    esac
done
[ "$refused" -gt 0 ] || fail "no limit was too small"
[ "$finished" -gt 0 ] || fail "no limit was large enough"
echo "$refused refused, $finished finished"

# A trial of one long evaluation, which does not look at signals meanwhile.
"$engram" run s.yaml -o long.h5 -q stream.epochs=100000 &
pid=$!
background+=("$pid")
await "the journal of a running trial" test -s long.journal
kill -STOP "$pid"
kill -TERM "$pid"
kill -CONT "$pid"
# Signals that are not yet delivered, or come at once, count as one.
again() {
    sleep 0.5
    kill -TERM "$pid" 2>/dev/null || true
    gone "$pid"
}
await "the second signal to end it" again
echo passed
