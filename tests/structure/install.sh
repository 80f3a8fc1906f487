#!/usr/bin/env bash
# tests/structure/install.sh BUILD COMPILER: what `cmake --install` gives is complete. The command
# runs from there, and a project of its own finds the package, builds and runs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: install.sh BUILD COMPILER}
compiler=${2:?usage: install.sh BUILD COMPILER}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Quiet unless something fails.
quietly() {
    if ! "$@" >"$work/log" 2>&1; then
        cat "$work/log"
        exit 1
    fi
}

quietly cmake --install "$build" --prefix "$work/prefix"
quietly "$work/prefix/bin/engram" --help
quietly cmake -S "$here/consumer" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
quietly cmake --build "$work/build"
said=$("$work/build/consumer")
if [ "$said" != $'optimizer.lr 0.5\ndone, 5 evaluations' ]; then
    echo "the consumer said '$said'"
    exit 1
fi
