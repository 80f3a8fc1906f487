#!/usr/bin/env bash
# How a sweep is kept within bounds: limits of time and of failures, rules that stop trials on their way, seeds by purpose.
# No limit here is near what anything takes: it is over at once, or never.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# --- Seeds by purpose -----------------------------------------------------------------------------
sweep purposes <<'END'
seeds: {order: 3, init: 2}
END
expect 0 "$engram" run purposes.yaml
has out "6 of 6 trials finished"
expect 0 "$engram" export results/purposes.h5 --json
[ "$(grep -o '"order_seed":[0-2]\b' out | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')" = "2 2 2 " ] ||
    fail "not two trials of each order"
[ "$(grep -o '"init_seed":[01]\b' out | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')" = "3 3 " ] ||
    fail "not three trials of each initialisation"

# --- One parameter at a time ----------------------------------------------------------------------
sweep study <<'END'
around:
  at: {optimizer.lr: 0.05}
  vary: {optimizer.lr: [0.01, 0.1], stream.batch: [10, 40]}
END
expect 0 "$engram" plan study.yaml
has out "points      5"
expect 0 "$engram" run study.yaml
has out "5 of 5 trials finished"
