#!/usr/bin/env bash
# A random rank is killed at a random moment. Without a worker the sweep goes on, ends by itself with exit code 0 and says what
# was lost; without rank 0 it ends with 4, and the same command continues. Results are those without faults.
# shellcheck disable=SC2034 # for support.sh
about="SIGKILL of a random rank of 3 at a random time, one in each sweep."
short=2
full=100
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 3000 12
workers=0 first=0 missed=0
for ((n = 1; n <= count; n++)); do
    begin kill
    launch 3 kill
    pick 3
    rank=$picked
    await_start kill
    victim=$(ranks | sed -n "$((rank + 1))p")
    pick $((duration / 3))
    nap "$picked"
    killed=false
    if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then
        killed=true
    fi
    settle
    if ! $killed || { [ "$code" = 0 ] && ! grep -q '^lost 1 worker ' kill.out; }; then
        missed=$((missed + 1)) # before it began, or after its work was done
        [ "$code" = 0 ] || [ "$code" = 4 ] || fail "sweep $n: exit code $code; see $(cat kill.err)"
    elif [ "$code" = 4 ]; then
        first=$((first + 1))
    else
        [ "$code" = 0 ] || fail "sweep $n: exit code $code without rank $rank: $(cat kill.err)"
        workers=$((workers + 1))
    fi
    if [ "$code" = 4 ]; then
        launch 3 kill
        settle
        [ "$code" = 0 ] || fail "sweep $n: exit code $code when continued: $(cat kill.err)"
    fi
    check_whole kill
done
echo "$count sweeps complete and identical: $workers lost a worker, $first lost rank 0, $missed were killed too early or late to matter"
