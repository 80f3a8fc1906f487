#!/usr/bin/env bash
# USR1, TERM, INT and HUP in turn, to the launch script, to mpirun or to a random rank, at random points: work stops with exit
# code 75, and the same command goes on to the results without faults.
# shellcheck disable=SC2034 # for support.sh
about="USR1, TERM, INT, HUP in turn at random points, to jobs/local.sh, to mpirun or to a rank."
short=4
full=80
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 8
names=(USR1 TERM INT HUP)
for ((n = 0; n < count; n++)); do
    name=${names[n % 4]}
    begin signal
    pick 4
    target=$picked
    # The point is rank 0's or 1's: where the signal goes to a rank, its own.
    rank=$((target % 2))
    hook_products signal $rank
    launch 2 signal
    await_point signal $rank
    case $target in
    2) target=$job ;;
    3) target=$(pgrep -P "$job" -x mpirun) ;;
    *) target=$(ranks | sed -n "$((rank + 1))p") ;;
    esac
    kill -s "$name" "$target" || fail "SIG$name: nobody to signal"
    settle
    [ "$code" = 75 ] || fail "SIG$name: exit code $code: $(cat signal.err)"
    launch 2 signal
    settle
    [ "$code" = 0 ] || fail "exit code $code when continued after SIG$name: $(cat signal.err)"
    check_whole signal
done
echo "$count signals: all stopped with 75 and continued, results identical"
