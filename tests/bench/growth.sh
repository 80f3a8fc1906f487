#!/usr/bin/env bash
# Measures what growing a network costs beside a stage of anytime learning, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/growth.sh [--rounds N] [--core C] [--data FOLDER] [--build FOLDER]

Builds a release, then lets growing_mixture and firefly grow once as in sweeps/alma, on one core. Prints the processor
time in milliseconds of the growth, of its passes over data alone, of the rest, and of a stage (the minibatches of a
phase before growth), and the rest in percent of a stage. Of every piece the least time over all rounds counts: what
else the machine does is left out as far as it comes and goes. Needs MNIST (jobs/fetch-data.sh mnist).

  --rounds N      growths of each learner (default 5)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --rounds 5 "$@"
refuse_cases
build_release bench_growth

echo "core $core, $times rounds"
printf '%-32s %9s %9s %9s %9s %8s\n' growth total passes rest stage 'rest %'
pinned "$build/tests/bench_growth" "$times" "$data"
