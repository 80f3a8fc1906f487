#!/usr/bin/env bash
# A random process of a sweep is killed at a random moment, every other time within its first second; the sweep ends by
# itself, loses nothing that was acknowledged, and the same command again, until it is done, gives the results of a sweep
# that nothing happened to.
# shellcheck disable=SC2034 # for support.sh
about="SIGKILL of a random process (launcher, mpirun, rank 0, a worker, all) of sweeps on 1 to 4 ranks at random moments."
short=60
full=300
kills_per_sweep=5
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

end_seconds=180

# victim: the process to be killed in `pid` ("" if it is not there yet or no more) and its name in `who`.
victim() {
    local all=()
    pick 5
    case $picked in
    0) who=launcher pid=$job ;;
    1) who=mpirun pid=$(pgrep -P "$job" | head -1) || true ;;
    2) who="rank 0" pid=$(ranks | head -1) ;;
    3)
        mapfile -t all < <(ranks | tail -n +2)
        who=worker pid=
        if [ ${#all[@]} -gt 0 ]; then pick ${#all[@]} && pid=${all[picked]}; fi
        ;;
    *) who="every process" pid=all ;;
    esac
    if [ "$number" = 1 ] && [ "$pid" != all ]; then who="rank 0 alone" pid=$job; fi
}

# What must be there ever after: the finished trials with their times.
acknowledged() {
    finished_rows job >"$1"
}

# after_kill: the sweep has ended, nothing is left, nothing is lost.
after_kill() {
    local start=$SECONDS gone
    while ! has_ended 2>/dev/null; do
        if [ $((SECONDS - start)) -gt $end_seconds ]; then
            broke "$kind" "no end after $end_seconds s" job.err job.out
            end_all
            break
        fi
        sleep 0.05
    done
    code=0
    wait "$job" 2>/dev/null || code=$?
    none_left 60 || {
        broke "$kind" "processes are left: $(started | tr '\n' ' ')" job.err
        end_all
    }
    acknowledged after.rows
    gone=$(comm -23 before.rows after.rows)
    [ -z "$gone" ] || broke "$kind" "lost or run again: $gone" job.*
    [ "$code" != 4 ] || grep -q '^engram' job.err || broke "$kind" "exit code 4 without a message" job.err
    case $code in
    0 | 4 | 137) note "$kind" "exit_$code" ;;
    *) broke "$kind" "exit code $code" job.err ;;
    esac
}

# whole_or_broken: the sweep is done, sound and like the undisturbed one, and nothing lies about.
whole_or_broken() {
    local found
    bounded 600 "$engram" check "$work/job.h5"
    [ $code = 0 ] || broke "$kind" "check: exit code $code" job.* out err
    write_stable job >job.stable
    cmp -s whole.stable job.stable || broke "$kind" "other results" job.* whole.stable
    found=$(litter job)
    [ -z "$found" ] || broke "$kind" "left: $found" job.err
}

start=$(date +%s%N)
prepare 12 6000
longest=$((($(date +%s%N) - start) / 1000000)) # alone, in milliseconds: what several ranks on few cores take, about
for ((n = 0; n < count; )); do
    begin job
    : >before.rows
    for ((k = 0; k < kills_per_sweep && n < count; k++, n++)); do
        pick 4
        number=$((picked + 1))
        pick 1000
        moment=$picked # milliseconds
        [ $((n % 2)) = 0 ] || { pick $((longest / (k + 2))) && moment=$((1000 + picked)); } # less is left every time
        launch $number job --max-losses 1000
        sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
        acknowledged known.rows
        victim
        kind="$who, $([ "$moment" -lt 1000 ] && echo 'first second' || echo later)"
        if ! kill -0 "$job" 2>/dev/null; then
            kind="none, it was over"
        elif [ "$pid" = all ]; then
            end_all
        elif [ -n "$pid" ]; then
            kill -9 "$pid" 2>/dev/null || true
        else
            kind="$who was not there yet: launcher"
            kill -9 "$job" 2>/dev/null || true
        fi
        sort -u before.rows known.rows >both.rows
        mv both.rows before.rows
        after_kill
        mv after.rows before.rows
    done
    kind="the same command to the end"
    launch 3 job --max-losses 1000
    after_kill
    if [ "$code" = 0 ]; then whole_or_broken; else broke "$kind" "exit code $code" job.err; fi
    rm -rf "./job".*
done
conclude
