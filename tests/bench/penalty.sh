#!/usr/bin/env bash
# Compares the training step of regularising learners with that of the plain one, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/penalty.sh [--rounds N] [--core C] [--data FOLDER] [--build FOLDER]

Builds a release, then lets the plain learner and those with a penalty learn the same 48 minibatches of the
second task in turns, on one core, with the importances of the first task in force. Prints per setting and
learner the milliseconds of a training step (forward, backward, penalty, update) and what it takes more
than the plain one's in percent. Of every minibatch the least time over all turns counts: what else
the machine does is left out as far as it comes and goes. si also follows every update, which is how it
measures its importances; si-measure does only that, so its penalty costs the difference of the two.
Needs MNIST (jobs/fetch-data.sh mnist).

  --rounds N      turns of each learner (default 40)
  --core C        the core to run on (default: the last one)
  --data FOLDER   the folder of the IDX files (default: data/mnist)
  --build FOLDER  where to build (default: build/bench)
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --rounds 40 "$@"
refuse_cases
build_release bench_penalty

echo "core $core, $times rounds"
printf '%-34s %-10s %8s %9s\n' setting learner 'ms/step' 'added %'
pinned "$build/tests/bench_penalty" "$times" "$data"
