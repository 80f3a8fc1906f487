#!/usr/bin/env bash
# What somebody at a terminal sees: under mpirun, too, a line that is drawn again and again and says how far
# the trials are that run; Ctrl-C ends the sweep cleanly. `status --watch` waits for a sweep.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
export ENGRAM=$engram LC_ALL=C.UTF-8
local_sh=$here/../../jobs/local.sh

sweep endless <<'END'
  stream.epochs: 100
grid:
  optimizer.lr: [0.003, 0.03]
END

drawn() {
    # The terminal shows the key itself, too.
    tr '\r' '\n' <screen | sed -n 's/\^C.*//; s/^\x1b\[K\(.*running.*\)/\1/p' >lines
    [ "$(grep -c 'running ([0-9]* %' lines)" -gt 1 ]
}

# watch RANKS: the sweep at a terminal of 60 columns until the progress of a trial is seen, then Ctrl-C.
watch() {
    local code=0
    rm -rf keys screen endless.*.* endless.h5
    mkfifo keys
    hooks endless "products 1"
    # bash starts background jobs deaf to Ctrl-C.
    local command="stty cols 60; exec '$local_sh' -n $1 endless.yaml seeds=1 -o endless.h5"
    "${hook[@]}" env --default-signal=INT script -qefc "$command" screen <keys \
        >/dev/null &
    background+=($!)
    exec 3>keys
    await "the line to be drawn twice" drawn
    printf '\003' >&3
    wait $! || code=$?
    exec 3>&-
    [ "$code" = 75 ] || fail "Ctrl-C with $1 ranks: exit code $code: $(tail -c 1000 screen | cat -v)"
    # Each line is drawn in the place of the last one and narrower than the terminal.
    drawn
    [ "$(wc -L <lines)" -lt 60 ] || fail "$1 ranks: wider than the terminal: $(cat -v lines)"
    has lines "0/2 finished · $1 running ("
    has screen "0 of 2 trials finished, stopped early"
}
watch 2
watch 1
# The terminal of mpirun itself, without anybody who watches over it.
rm -f keys screen
mkfifo keys
hooks plain "products 1"
"${hook[@]}" env --default-signal=INT script -qefc "'$mpirun' 2 '$engram' run endless.yaml seeds=1 -o plain.h5" \
    screen <keys >/dev/null &
background+=($!)
exec 3>keys
await "the line under mpirun to be drawn twice" drawn
printf '\003' >&3
wait $! || true # mpirun has a code of its own
exec 3>&-

# Nothing to watch yet: waits for the sweep, unless only asked how it is. Then shows it to its end.
refuses "later.h5 does not exist" -- "$engram" status later.h5
"$engram" status later.h5 --watch=1 --json >watched 2>waiting &
background+=($!)
await "its first words" grep -q "waiting for a sweep to begin in later.h5" waiting
expect 0 "$engram" run endless.yaml -o later.h5 stream.epochs=1 --quiet
code=0
wait $! || code=$?
[ "$code" = 0 ] || fail "watching ended with $code"
[[ $(tail -n 1 watched) == *'"finished":2'* ]] || fail "not the end of what it waited for: $(cat watched)"
# A signal ends the waiting.
env --default-signal=INT "$engram" status never.h5 --watch 2>never.err &
background+=($!)
await "its first words" grep -q "waiting for a sweep" never.err
kill -INT $!
code=0
wait $! || code=$?
[ "$code" = 75 ] || fail "waiting was ended by a signal with $code"
echo passed
