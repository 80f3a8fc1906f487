#!/usr/bin/env bash
# How a sweep is kept within bounds: limits of time and of failures, rules that stop trials on their way, seeds by purpose.
# No limit here is near what anything takes: it is over at once, or never.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

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
