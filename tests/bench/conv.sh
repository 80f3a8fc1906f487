#!/usr/bin/env bash
# Compares our convolutions with those of oneDNN, on one core.
set -euo pipefail

usage() {
    cat <<'END'
Usage: tests/bench/conv.sh [--rounds N] [--core C] [--build FOLDER]

Builds a release, then makes every convolution of the networks that papers use, forward and both gradients,
by our kernels and by oneDNN in turns, on one core. Prints the least processor time of each, GFLOP/s of both
and their ratio. Without libdnnl-dev there are only our own numbers.

  --rounds N      turns of each (default 20)
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)
END
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --rounds 20 "$@"
refuse_cases
build_release bench_conv

echo "core $core, $times rounds"
pinned "$build/tests/bench_conv" "$times"
