#!/usr/bin/env bash
# tests/test_local.sh ENGRAM: jobs/local.sh and `engram launch` with a stand-in for the ranks: exit codes,
# arguments, lost ranks, signals, and that nothing is left behind.
set -euo pipefail
ENGRAM=$(realpath "${1:?usage: test_local.sh ENGRAM}")
export ENGRAM
local_sh=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/jobs/local.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >engram <<'END'
#!/usr/bin/env bash
# run WHAT [CODE]: what one rank does; rank 0 says how it was started, and its code as engram does.
rank=${OMPI_COMM_WORLD_RANK-0}
if [ "$rank" = 0 ]; then
    echo "$OPENBLAS_NUM_THREADS thread, ${OMPI_COMM_WORLD_SIZE-1} ranks: $*" >&2
fi
leave() {
    [ -n "${ENGRAM_EXIT_CODE_FILE-}" ] || exit "$1"
    [ "$rank" != 0 ] || echo "$1" >"$ENGRAM_EXIT_CODE_FILE"
    exit 0
}
# await_end RANK: until that rank's process is no more.
await_end() {
    until [ -s "pid$1" ]; do sleep 0.05; done
    while kill -0 "$(<"pid$1")" 2>/dev/null; do sleep 0.05; done
}
[ "$rank" != 0 ] || [ -z "${ENGRAM_EXIT_CODE_FILE-}" ] || : >"$ENGRAM_EXIT_CODE_FILE.started" # all are there
echo $$ >"pid$rank.new"
mv "pid$rank.new" "pid$rank"
case $2 in
code) [ "$rank" = 0 ] || await_end 0; leave "$3" ;;
lose)
    [ "$rank" != "$3" ] || kill -KILL $$
    await_end "$3"
    leave 3
    ;;
wait)
    # Closing takes until the test says so.
    trap 'touch "closing$rank"; until [ -e close ]; do sleep 0.05; done
        [ "$rank" != 0 ] || echo "closed" >&2; leave 75' USR1
    touch "ready$rank"
    while true; do sleep 0.05; done
    ;;
obey) # obey CODE
    trap 'leave "$3"' TERM
    touch "ready$rank"
    while true; do sleep 0.05; done
    ;;
esac
END
chmod +x engram
stand_in() {
    rm -f pid*
    "$local_sh" --program "$work/engram" "$@"
}

fail() {
    echo "FAILED: $*; it said:" >&2
    cat err >&2
    exit 1
}

# expect CODE WORDS ARGUMENT…
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$@" >out 2>err </dev/null || got=$?
    [ "$got" = "$code" ] || fail "$*: exit code $got, expected $code"
    grep -qF -- "$words" err || fail "$*: expected '$words'"
}

expect 2 "usage: engram launch" "$local_sh"
expect 2 "unknown option --dry" "$local_sh" --dry x.yaml
expect 2 "-n x: must be a whole number of at least 1" "$local_sh" -n x sweep.yaml
expect 2 "-n and --hosts exclude each other" "$ENGRAM" launch -n 2 --hosts a:2 sweep.yaml
expect 2 "nothing is not a program" "$ENGRAM" launch --program ./nothing sweep.yaml
expect 2 "is not a program" env ENGRAM="$work/nothing" "$local_sh" sweep.yaml
expect 2 "mpirun is not on PATH" env PATH=/nowhere "$ENGRAM" launch -n 2 sweep.yaml

for code in 0 2 3 75; do
    expect "$code" "1 thread, 2 ranks: run code $code" stand_in -n 2 code "$code"
done
# Open MPI's page about exit codes is not for our users.
[ "$(wc -l <err)" = 1 ] || fail "expected one line"
expect 3 "1 thread, 1 ranks: run code 3 a=b c -o x" stand_in -n 1 code 3 a=b c -o x
# More ranks than cores.
expect 3 "1 thread, 9 ranks" stand_in -n 9 code 3

expect 3 "3 ranks" stand_in -n 3 lose 1
expect 4 "rank 0 was lost" stand_in -n 3 lose 0

# An mpirun that cannot start its ranks and does not end either.
mkdir deaf
printf '#!/bin/sh\nexec tail -f /dev/null\n' >deaf/mpirun
chmod +x deaf/mpirun
expect 4 "mpirun has run no rank for 2 s and is ended" env PATH="$work/deaf:$PATH" ENGRAM_START_TIMEOUT=2 "$ENGRAM" launch -n 2 sweep.yaml

# await WHAT COMMAND…: until it succeeds. Five minutes end what would wait for ever.
await() {
    local what=$1 start=$SECONDS
    shift
    until "$@"; do
        [ $((SECONDS - start)) -lt 300 ] || fail "waited five minutes for $what: $(pgrep -af -- "$work/engram")"
        sleep 0.05
    done
}

# Everything that was started knows this directory.
is_gone() {
    ! pgrep -f -- "$work/engram" >/dev/null
}
nothing_left() {
    await "everything to end, $1" is_gone
}

both() { # both NAME: both ranks have made the file of that name
    [ -e "$1"0 ] && [ -e "$1"1 ]
}

# begin_waiting [WHAT …]: two ranks that wait for a signal, and both do; sets `job`.
begin_waiting() {
    rm -f pid* ready* closing* close
    # bash starts background jobs deaf to Ctrl-C.
    setsid env --default-signal=INT "$local_sh" --program "$work/engram" -n 2 "${@:-wait}" >out 2>err &
    job=$!
    await "the ranks to start" both ready
}

# interrupt TIMES: Ctrl-C, as a terminal sends it to the whole group. After the first one both ranks are about to close.
interrupt() {
    local times=$1 got=0
    begin_waiting
    kill -INT -- "-$job"
    await "the ranks to hear of it" both closing
    if [ "$times" = 2 ]; then
        sleep 0.5 # within a fifth of a second they are one request
        kill -INT -- "-$job"
    else
        sleep 3 # longer than Open MPI itself would leave them
        touch close
    fi
    wait "$job" || got=$?
    [ "$got" = 75 ] || fail "interrupted $times times: exit code $got, expected 75"
    nothing_left "interrupted $times times"
}
interrupt 1
grep -q closed err || fail "rank 0 had no time to close its files"
interrupt 2
! grep -q closed err || fail "the second interrupt did not end the ranks at once"

# mpirun is killed: its ranks are not left to themselves. Then the process that watches over it: mpirun ends
# them.
begin_waiting
kill -KILL "$(pgrep -P "$job" -x mpirun)"
got=0
wait "$job" || got=$?
[ "$got" = 4 ] || fail "mpirun was killed: exit code $got, expected 4"
nothing_left "mpirun was killed"
# Also if the ranks then do as they are told, or fail with words that nobody reads: nobody has asked for the end.
for own in 75 4; do
    begin_waiting obey $own
    kill -KILL "$(pgrep -P "$job" -x mpirun)"
    got=0
    wait "$job" || got=$?
    [ "$got" = 4 ] || fail "mpirun was killed and its ranks ended with $own: exit code $got, expected 4"
    grep -q "the launcher was lost" err || fail "mpirun was killed and its ranks ended with $own: not a word"
done
begin_waiting
kill -KILL "$job"
wait "$job" 2>/dev/null || true
nothing_left "launch was killed"
echo "all passed"
