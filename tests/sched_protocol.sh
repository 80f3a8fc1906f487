#!/usr/bin/env bash
# tests/sched_protocol.sh [MODEL]: has spin go through every course that src/sched/protocol.pml can take; then plants each
# of the model's faults, which must be found.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
model=${1:-$root/src/sched/protocol.pml}
if ! command -v spin >/dev/null; then
    echo "SKIPPED: spin is not installed (jobs/install-dependencies.sh lint); the protocol's model was not checked" >&2
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# verify [-DNAME]…: the verifier's report in `report`. An assertion, or an end with somebody still waiting.
verify() {
    spin -a "$@" "$model" >spin.out 2>&1 || {
        cat spin.out >&2
        exit 1
    }
    cc -O0 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c
    ./pan -m100000 -w20 >report
    # A search that was cut short proves nothing.
    if grep -q -e 'max search depth too small' -e 'out of memory' report; then
        cat report >&2
        exit 1
    fi
}

must_pass() {
    if ! grep -q 'errors: 0' report; then
        cat report >&2
        spin -t -p "$model" 2>/dev/null | tail -60 >&2 || true
        echo "FAILED: $1, see above" >&2
        exit 1
    fi
}

# No state of the model is marked as progress, so that any course without an end is found.
spin -a "$model" >spin.out
cc -O0 -w -DNP -DNOFAIR -DVECTORSZ=2048 -o pan pan.c
./pan -l -m100000 -w20 >report
must_pass "the model may go on for ever"
verify
must_pass "the model goes wrong"
echo "$(awk '/states, stored/ { print $1 }' report) states, no error"
for bug in LATE EARLY FORGET NO_LIMIT WAIT PAUSE RESET; do
    verify "-DBUG_$bug"
    if grep -q 'errors: 0' report; then
        echo "FAILED: BUG_$bug was not found" >&2
        exit 1
    fi
    echo "BUG_$bug: $(grep -m 1 '^pan:1:' report | cut -d' ' -f2-)"
done
