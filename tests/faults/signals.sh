#!/usr/bin/env bash
# USR1, TERM, INT and HUP in turn, to the launch script, to mpirun or to a random rank, at random moments: work stops soon with exit code 75, and
# the same command goes on to the results without faults. A second INT ends at once.
# shellcheck disable=SC2034 # for support.sh
about="USR1, TERM, INT, HUP in turn at random times, to jobs/local.sh, to mpirun or to a rank."
short=4
full=80
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 3000 8
names=(USR1 TERM INT HUP)
stopped=0 late=0 longest=0
for ((n = 0; n < count; n++)); do
    name=${names[n % 4]}
    begin signal
    launch 2 signal
    await_start signal
    pick 4
    case $picked in
    2) target=$job ;;
    3) target=$(pgrep -P "$job" -x mpirun) ;;
    *) target=$(ranks | sed -n "$((picked + 1))p") ;;
    esac
    pick $((duration / 3))
    nap "$picked"
    start=$(date +%s%N)
    [ -z "$target" ] || kill -s "$name" "$target" 2>/dev/null || true
    settle
    took=$((($(date +%s%N) - start) / 1000000))
    if [ "$code" = 0 ]; then
        late=$((late + 1))
    else
        [ "$code" = 75 ] || fail "SIG$name: exit code $code: $(cat signal.err)"
        stopped=$((stopped + 1))
        longest=$((took > longest ? took : longest))
        launch 2 signal
        settle
        [ "$code" = 0 ] || fail "exit code $code when continued after SIG$name: $(cat signal.err)"
    fi
    check_whole signal
done
echo "$count signals: $stopped stopped with 75, the slowest within $longest ms; $late came when the sweep was done; all continued, results identical"
