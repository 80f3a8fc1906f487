#!/usr/bin/env bash
# The whole job (launcher and all ranks) is killed at random points of its work and continued until it is done. Nothing that was finished is
# lost or run again, and the results are those without faults.
# shellcheck disable=SC2034 # for support.sh
about="SIGKILL of the whole job of 1 to 3 ranks at random points, four kills a sweep."
short=4
full=100
kills_per_sweep=4
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

prepare 12
sweeps=0 kept=0
for ((n = 0; n < count; )); do
    begin job
    : >before.rows
    for ((k = 0; k < kills_per_sweep && n < count; k++, n++)); do
        # One of four may come before anything is written.
        pick 4
        early=$((picked == 0))
        pick 2
        if [ "$picked" = 0 ]; then hook_results job; else hook_products job; fi
        pick 3
        launch $((picked + 1)) job
        [ $early = 1 ] || await_point_or_end job
        end_all
        wait "$job" 2>/dev/null || true
        finished_rows job >after.rows
        gone=$(comm -23 before.rows after.rows)
        [ -z "$gone" ] || fail "kill $((n + 1)): lost or run again: $gone"
        mv after.rows before.rows
    done
    kept=$((kept + $(wc -l <before.rows)))
    launch 2 job
    settle
    [ "$code" = 0 ] || fail "exit code $code after the last kill: $(cat job.err)"
    finished_rows job >after.rows
    gone=$(comm -23 before.rows after.rows)
    [ -z "$gone" ] || fail "lost or run again in the end: $gone"
    sweeps=$((sweeps + 1))
    check_whole job
done
echo "$count kills in $sweeps sweeps: $kept trials finished before the last kill of their sweep, none lost or repeated; results identical"
