#!/usr/bin/env bash
# --notify: one command, told how the sweep ended, whatever the ranks; what it does changes nothing. usage: notify.sh ENGRAM
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# The quotes are for the command's shell.
# shellcheck disable=SC2016
tell='echo "$ENGRAM_EXIT $ENGRAM_FINISHED/$ENGRAM_TRIALS $ENGRAM_FAILED $ENGRAM_DIVERGED $ENGRAM_RESULTS $ENGRAM_NAME: $ENGRAM_MESSAGE" >>told'
# told EXPECTED: just this was said, and is forgotten.
told() {
    [ "$(cat told)" = "$1" ] || fail "it was told: $(cat told)"
    rm told
}
sweep tiny <<'END'
grid: {optimizer.lr: [0.01, 0.1]}
seeds: 2
END
expect 0 "$engram" run tiny.yaml --notify "$tell"
told "0 4/4 0 0 results/tiny.h5 tiny: tiny: 4 of 4 trials, finished"
# There was nothing left to run: it has ended all the same.
expect 0 "$engram" run tiny.yaml -q --notify "$tell"
told "0 4/4 0 0 results/tiny.h5 tiny: tiny: 4 of 4 trials, finished"
expect 0 "$here/../mpirun.sh" 3 "$engram" run tiny.yaml -o ranks.h5 --notify "$tell"
told "0 4/4 0 0 ranks.h5 tiny: tiny: 4 of 4 trials, finished"
expect 0 "$engram" launch -n 2 tiny.yaml -o launched.h5 --notify "$tell"
told "0 4/4 0 0 launched.h5 tiny: tiny: 4 of 4 trials, finished"

# A command that fails, or is none, is a warning.
expect 0 "$engram" run tiny.yaml -o failing.h5 --notify 'exit 9'
has err "warning: --notify: the command ended with exit code 9"
expect 0 "$engram" run tiny.yaml -o none.h5 --notify no-such-command
has err "warning: --notify: the command ended with exit code 127"

# Stopped before it began: --until lies in the past.
expect 75 "$engram" run tiny.yaml -o stopped.h5 --until 1 --notify "$tell"
told "75 0/4 0 0 stopped.h5 tiny: tiny: 0 of 4 trials, stopped early; the same command goes on"

# Bad input: nothing was begun.
refuses "optimizer.lrr" -- "$engram" run tiny.yaml optimizer.lrr=1 -o bad.h5 --notify "$tell"
[ ! -e told ] || fail "it was told of nothing: $(cat told)"
