#!/usr/bin/env bash
# A random rank is killed at a random point of its work. Without a worker the sweep goes on, ends by itself with exit code 0 and
# says what was lost; without rank 0 it ends with 4, and the same command continues. Results are those without faults.
# shellcheck disable=SC2034 # for support.sh
about="SIGKILL of a random rank of 3 at a random point, one in each sweep."
short=3
full=100
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 12
workers=0 first=0
for ((n = 1; n <= count; n++)); do
    begin kill
    # The second one is rank 0's, the third a worker's.
    pick 3
    rank=$((n == 2 ? 0 : n == 3 ? 1 + picked / 2 : picked))
    pick 2
    if [ "$rank$picked" = 00 ]; then
        hook_results kill
    else
        hook_products kill "$rank"
    fi
    launch 3 kill
    await_point kill "$rank"
    victim=$(ranks | sed -n "$((rank + 1))p")
    kill -9 "$victim" || fail "sweep $n: no rank $rank"
    go_on kill
    settle
    if [ "$rank" = 0 ]; then
        [ "$code" = 4 ] || fail "sweep $n: exit code $code without rank 0: $(cat kill.err)"
        first=$((first + 1))
        launch 3 kill
        settle
        [ "$code" = 0 ] || fail "sweep $n: exit code $code when continued: $(cat kill.err)"
    else
        [ "$code" = 0 ] || fail "sweep $n: exit code $code without rank $rank: $(cat kill.err)"
        grep -q '^lost 1 worker ' kill.out || fail "sweep $n: nothing said of rank $rank: $(cat kill.out)"
        workers=$((workers + 1))
    fi
    check_whole kill
done
echo "$count sweeps complete and identical: $workers lost a worker, $first lost rank 0"
