#!/usr/bin/env bash
# A worker is stopped for longer than it may be silent, and mostly continued. Its trial is done elsewhere, what it comes back with
# is dropped, and the sweep ends by itself even if it never comes back.
# shellcheck disable=SC2034 # for support.sh
about="SIGSTOP of a random worker past its time limit, then SIGCONT (3 of 4 times)."
short=1
full=20
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 12
back=0 never=0
for ((n = 1; n <= count; n++)); do
    begin hang
    pick 2
    rank=$((picked + 1))
    hook_products hang "$rank"
    launch 3 hang --worker-timeout 1
    await_point hang "$rank"
    victim=$(ranks | sed -n "$((rank + 1))p")
    kill -STOP "$victim" || fail "sweep $n: no rank $rank"
    await "the loss of rank $rank" grep -q "^lost: rank $rank " hang.err
    if ((n % 4 != 0)); then
        kill -CONT "$victim"
        await "the return of rank $rank" grep -q "^back: rank $rank " hang.err
        back=$((back + 1))
    else
        never=$((never + 1))
    fi
    go_on hang
    settle
    [ "$code" = 0 ] || fail "sweep $n: exit code $code: $(cat hang.err)"
    grep -q '^lost [1-9]' hang.out || fail "sweep $n: nothing said of rank $rank: $(cat hang.out)"
    check_whole hang
done
echo "$count sweeps complete and identical: $back got their worker back, $never never continued it"
