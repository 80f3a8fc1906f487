#!/usr/bin/env bash
# A worker is stopped for longer than it may be silent, and mostly continued. Its trial is done elsewhere, what it comes back with
# is dropped, and the sweep ends by itself even if it never comes back.
# shellcheck disable=SC2034 # for support.sh
about="SIGSTOP of a random worker past its time limit, then SIGCONT (3 of 4 times)."
short=1
full=20
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 9000 24
lost=0 back=0 never=0
for ((n = 1; n <= count; n++)); do
    begin hang
    launch 3 hang --worker-timeout 1
    pick 2
    rank=$((picked + 1))
    await_start hang
    victim=$(ranks | sed -n "$((rank + 1))p")
    pick $((duration / 20))
    nap "$picked"
    [ -z "$victim" ] || kill -STOP "$victim" 2>/dev/null || true
    if ((n % 4 != 0)); then
        pick 300
        nap $((2500 + picked))
        [ -z "$victim" ] || kill -CONT "$victim" 2>/dev/null || true
    else
        never=$((never + 1))
    fi
    settle
    [ "$code" = 0 ] || fail "sweep $n: exit code $code: $(cat hang.err)"
    if grep -q '^lost [1-9]' hang.out; then
        lost=$((lost + 1))
    fi
    if grep -q '^back: ' hang.err; then
        back=$((back + 1))
    fi
    check_whole hang
done
echo "$count sweeps complete and identical: $lost lost their worker, $back got it back, $never never continued it"
