#!/usr/bin/env bash
# Trials that were stopped, killed or whose checkpoint was damaged: the same command continues them, says
# so, and the results are the same bytes as without interruption.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep long <<'END'
  stream.epochs: 100
  model.activation: relu
seeds: 2
END

tables() {
    for table in trials curves matrix; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

# running NAME COUNT: whether the sweep says that so many trials are running.
running() {
    "$engram" status "$1.h5" --json >status.json && grep -q "\"running\": $2" status.json
}

# stopped PID: it must end with the exit code of a stop.
stopped() {
    local code=0
    wait "$1" || code=$?
    [ "$code" = 75 ] || {
        cat running.err
        fail "exit code $code after a signal"
    }
}

# checkpoints NAME COUNT: there are so many, and nothing else beside them.
checkpoints() {
    local found
    found=$(find "$1.checkpoints" -type f 2>/dev/null | wc -l)
    [ "$found" = "$2" ] || fail "$found checkpoints in $1.checkpoints instead of $2"
}

"$engram" run long.yaml -o whole.h5 --quiet
[ ! -e whole.checkpoints ] || fail "short trials left checkpoints"
tables whole >whole.txt

# SIGTERM to the command alone; then SIGUSR1 to a job of two ranks that continues it.
hooks first "products 500"
"${hook[@]}" "$engram" run long.yaml -o long.h5 >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point first
running long 1 || fail "no trial is running: $(cat status.json)"
kill -TERM "$pid"
stopped "$pid"
has running.out "1 from where it stopped"
checkpoints long 1
hooks second "products 20"
"${hook[@]}" "$mpirun" 2 "$engram" run long.yaml -o long.h5 --progress json >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point second 0
await_point second 1
await "a continued trial" grep -q '"continued at minibatch ' running.err
await "two running trials" running long 2
kill -USR1 "$pid"
stopped "$pid"
has running.out "2 from where they stopped"
checkpoints long 2

# One of the two is damaged, and there is a file that is nobody's: a warning, a trial that starts again,
# the same results, and only what is ours goes away.
damaged=$(find long.checkpoints -type f | sort | head -1)
printf 'X' | dd of="$damaged" bs=1 seek=3000 conv=notrunc status=none
echo mine >long.checkpoints/notes.txt
expect 0 "$mpirun" 2 "$engram" run long.yaml -o long.h5
has err "warning: trial ${damaged##*/} on rank"
has err "starts from the beginning, its checkpoint cannot be used: wrong checksum over"
[ "$(grep -c "continued at minibatch" err)" = 1 ] || fail "not exactly one trial was continued"
tables long >long.txt
same whole.txt long.txt
[ "$(ls long.checkpoints)" = notes.txt ] || fail "long.checkpoints holds more than what is not ours"

# What is left of finished trials, whole or half written, goes when the command runs again.
rm long.checkpoints/notes.txt
: >"$damaged"
: >"$damaged.1.tmp"
expect 0 "$engram" run long.yaml -o long.h5
[ ! -e long.checkpoints ] || fail "left over: $(ls long.checkpoints)"

# Killed without warning: it goes on from its last checkpoint.
one=(long.yaml seeds=1 --checkpoint-every 1)
"$engram" run "${one[@]}" -o whole-one.h5 --quiet
[ ! -e whole-one.checkpoints ] || fail "a checkpoint survived its trial"
hooks one "checkpoints 1" ENGRAM_HOOK_SIGNAL=9
touch one.hook/slow
expect 137 "${hook[@]}" "$engram" run "${one[@]}" -o one.h5 --quiet
checkpoints one 1
expect 0 "$engram" run "${one[@]}" -o one.h5
has err "continued at minibatch"
same <(tables whole-one) <(tables one)
[ ! -e one.checkpoints ] || fail "a checkpoint survived its trial"

# Another kind of processor (for OpenBLAS): its bits may differ, so the trial starts again, and says why.
kernel=$("$engram" --version | sed -n 's/^kernels  *//p')
hooks other "products 500" ENGRAM_HOOK_SIGNAL=2
expect 75 "${hook[@]}" "$engram" run long.yaml seeds=1 -o other.h5 --quiet
OPENBLAS_CORETYPE=Nehalem expect 0 "$engram" run long.yaml seeds=1 -o other.h5
if [ "$kernel" != Nehalem ]; then
    has err "starts from the beginning, its checkpoint cannot be used: made with BLAS kernel \"$kernel\""
fi

refuses "--checkpoint-every often" "whole number" -- "$engram" run long.yaml --checkpoint-every often
echo passed
