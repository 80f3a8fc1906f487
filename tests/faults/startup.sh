#!/usr/bin/env bash
# A rank is killed, or suspended, before it is in MPI_Init or inside: the job ends with 4 and names it, also under a plain mpirun.
# Signals end a start that hangs with 75. Each time nothing is left, and nothing has begun.
# shellcheck disable=SC2034 # for support.sh
about="SIGKILL of a random rank of 3 while the job starts, in turn before main and inside MPI_Init; suspended ranks and launchers."
short=2
full=40
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep start <<'END'
seeds: 1
END
points=("main 1" "init 1")

is_over() { [ -z "$(started)" ]; }

# nothing_begun WHAT: all processes have ended, and no file says that there was a sweep.
nothing_begun() {
    await "everything to end, $1" is_over
    [ ! -e start.journal ] || fail "$1: a sweep has begun"
}

# at_start AT RANK SIGNAL: the next launch sends SIGNAL to RANK there.
at_start() {
    hooks start "$1" "ENGRAM_HOOK_RANK=$2" "ENGRAM_HOOK_SIGNAL=$(kill -l "$3")"
}

said() { grep -cE "^engram( launch)?: (the job|.* while the job started)" start.err || true; }

for ((n = 0; n < count; n++)); do
    pick 3
    at=${points[n % 2]}
    at_start "$at" "$picked" KILL
    launch 3 start
    settle
    [ "$code" = 4 ] || fail "rank $picked killed at $at: exit code $code: $(cat start.err)"
    grep -qE "rank $picked on host $(hostname) ended while the job started" start.err ||
        fail "rank $picked killed at $at: it said $(cat start.err)"
    nothing_begun "rank $picked killed at $at"
done

# The supervisor has a handle of each of three processes (Linux 5.3).
all_seen() { [ "$(cat "/proc/$job"/fdinfo/* | grep -c '^Pid:')" = 3 ]; }

# The others end at once, killed by somebody or by MPI's exit, before any of them has missed the first one.
for how in kill exit; do
    for at in "${points[@]}"; do
        pick 3
        at_start "$at" "$picked" KILL
        hook+=("ENGRAM_HOOK_FOLLOW=$how" ENGRAM_HOOK_STALL=1)
        launch 3 start
        await_point start "$picked"
        await "the supervisor to see all ranks" all_seen
        rm start.hook/stall
        settle
        what="rank $picked killed at $at, then the others ($how)"
        [ "$code" = 4 ] || fail "$what: exit code $code: $(cat start.err)"
        grep -qE "rank $picked on host $(hostname) ended while the job started" start.err || fail "$what: it said $(cat start.err)"
        [ "$(said)" = 1 ] || fail "$what: not said once: $(cat start.err)"
        nothing_begun "$what"
    done
done

export ENGRAM_START_TIMEOUT=3
for at in "${points[@]}"; do
    at_start "$at" 1 STOP
    launch 2 start
    settle
    [ "$code" = 4 ] || fail "suspended at $at: exit code $code: $(cat start.err)"
    # On a slow machine it may not even have come to that.
    grep -qE "has not started within 3 s; [a-zA-Z_ ]*: rank 1 on host $(hostname)" start.err ||
        fail "suspended at $at: it said $(cat start.err)"
    [ "$(said)" = 1 ] || fail "suspended at $at: not said once: $(cat start.err)"
    nothing_begun "suspended at $at"
done
export ENGRAM_START_TIMEOUT=soon
launch 2 start
settle
[ "$code" = 2 ] || fail "a limit that is no number: exit code $code"
has start.err "ENGRAM_START_TIMEOUT=soon: must be a number of seconds"
unset ENGRAM_START_TIMEOUT

# A rank that fails before MPI_Init says how the job ends, and nobody waits for the others.
cat >one_fails <<END
#!/usr/bin/env bash
[ "\$OMPI_COMM_WORLD_RANK" != 0 ] || export ENGRAM_START_TIMEOUT=soon
exec "$engram" "\$@"
END
chmod +x one_fails
expect 2 "$engram" launch -n 2 --program "$work/one_fails" start.yaml -o "$work/start.h5"
has err "ENGRAM_START_TIMEOUT=soon: must be a number of seconds"
nothing_begun "a rank that fails"

# Nobody watches over a plain mpirun, which goes on for ever with this option.
at_start "init 1" 1 KILL
expect 0 "${hook[@]}" "$mpirun" 3 --mca orte_enable_recovery 1 "$engram" run "$work/start.yaml" -o "$work/start.h5"
hook=()
cp err start.err
# A rank that is just connecting to the lost one is ended by MPI, which may be before anybody could say more.
mpi_ended_it() { grep -q "MPI_ERRORS_ARE_FATAL" start.err; }
mpi_ended_it || has start.err "engram: rank 1 on host $(hostname) ended while the job started"
mpi_ended_it || [ "$(said)" = 1 ] || fail "plain mpirun: not said once: $(cat start.err)"
nothing_begun "plain mpirun"
at_start "init 1" 1 KILL
expect 0 "${hook[@]}" ENGRAM_HOOK_FOLLOW=exit "$mpirun" 2 --mca orte_enable_recovery 1 "$engram" run "$work/start.yaml" -o "$work/start.h5"
hook=()
cp err start.err
has start.err "engram: rank 1 on host $(hostname) ended while the job started"
nothing_begun "plain mpirun and MPI's exit"

names=(TERM INT HUP USR1)
for ((n = 0; n < 2 * ((count + 1) / 2); n++)); do
    name=${names[n % 4]}
    at=${points[n % 2]}
    at_start "$at" 1 STOP
    launch 3 start
    await_point start 1
    kill -s "$name" "$job"
    settle
    [ "$code" = 75 ] || fail "SIG$name at $at: exit code $code: $(cat start.err)"
    nothing_begun "SIG$name at $at"
done

# A launcher that hears nothing: the supervisor ends it by force.
at_start "init 1" 1 STOP
launch 2 start
await_point start 1
kill -STOP "$(pgrep -P "$job" -x mpirun)"
kill -TERM "$job"
settle
[ "$code" = 75 ] || fail "suspended launcher: exit code $code: $(cat start.err)"
has start.err "ended by force"
nothing_begun "suspended launcher"

launch 2 start
settle
[ "$code" = 0 ] || fail "exit code $code when started again: $(cat start.err)"
echo "$count kills and every kind of signal while jobs started: all ended and said why"
