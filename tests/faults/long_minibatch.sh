#!/usr/bin/env bash
# A minibatch that does not end: its worker is not taken for lost, it is said, and a stop does not wait for it. What continues
# afterwards has the results without faults.
# shellcheck disable=SC2034 # for support.sh
about="One minibatch takes as long as the test wants, at a random place of a rank, of rank 0 and of a single process."
short=1
full=10
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 6

# stall RANK: the next launch comes to a minibatch of RANK that does not end; the first product belongs to none (support.sh).
stall() {
    pick "$products"
    hooks long "products $((2 + picked))" ENGRAM_HOOK_STALL=1 "ENGRAM_HOOK_RANK=$1"
}

is_over() { [ -z "$(started)" ]; }

# stop SIGNAL RANKS: ends what was launched with a minibatch that never ends, and runs the rest.
stop() {
    kill -s "$1" "$job"
    settle
    [ "$code" = 75 ] || fail "SIG$1 to $2 ranks: exit code $code: $(cat long.err)"
    await "everything to end after SIG$1" is_over
    grep -q "the stop waits for a minibatch that has taken" long.err || fail "SIG$1: nothing said of the minibatch: $(cat long.err)"
    expect 0 "$engram" check "$work/long.h5"
    launch "$2" long
    settle
    [ "$code" = 0 ] || fail "exit code $code when continued: $(cat long.err)"
    check_whole long
}

for ((n = 0; n < count; n++)); do
    begin long
    stall 1
    launch 2 long --worker-timeout 1
    await_point long 1
    await "a word about the minibatch" grep -q "on rank 1 .*: no minibatch has ended for" long.err
    lacks long.err "lost:"
    rm "$work/long.hook/stall"
    go_on long
    settle
    [ "$code" = 0 ] || fail "a long minibatch: exit code $code: $(cat long.err)"
    lacks long.out "lost"
    check_whole long

    for rank in 1 0; do
        begin long
        stall $rank
        launch 2 long
        await_point long $rank
        stop TERM 2
    done

    begin long
    stall 0
    launch 1 long
    await_point long 0
    stop INT 1
done
echo "$count times a minibatch that does not end: nobody was lost, stops did not wait, results identical"
