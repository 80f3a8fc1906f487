#!/usr/bin/env bash
# tests/structure/install.sh BUILD COMPILER: what `cmake --install` gives is complete. The command
# runs from there, and a project of its own finds the package, builds and runs, and runs a sweep
# as the command does.
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
share=$work/prefix/share
for file in man/man1/engram.1 man/man1/engram-run.1 bash-completion/completions/engram zsh/site-functions/_engram \
    fish/vendor_completions.d/engram.fish engram/sweeps/quickstart.yaml engram/docs/weights.md engram/jobs/fetch-data.sh \
    engram/analysis/engram_results/__main__.py; do
    if [ ! -s "$share/$file" ]; then
        echo "share/$file is not installed"
        exit 1
    fi
done
# Its sweeps and scripts work from there, with the program beside them.
(cd "$work" && quietly env -u ENGRAM PATH=/usr/bin:/bin "$share/engram/jobs/local.sh" -n 1 "$share/engram/sweeps/quickstart.yaml" \
    -o installed.h5 dataset=synthetic 'only={model.activation: relu}' seeds=1 stream.epochs=1)
if [ ! -s "$work/installed.h5" ]; then
    echo "the installed script wrote no results"
    exit 1
fi
quietly cmake -S "$here/consumer" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
quietly cmake --build "$work/build"
said=$("$work/build/consumer")
if [ "$said" != $'optimizer.lr 0.5\ndone, 5 evaluations' ]; then
    echo "the consumer said '$said'"
    exit 1
fi

# The library runs a sweep without the command, alone (stopped and continued) and on two ranks, to the same results.
cd "$work"
cat >sweep.yaml <<'SWEEP'
name: library
base: {dataset: synthetic, dataset.examples: 120, dataset.test_examples: 40, model.hidden: [8], measures: [default, online]}
grid: {optimizer.lr: [0.05, 0.1], learner: [plain, ewc]}
stop: {halving_seeds: {eta: 2, first: 1, cohort: 2}}
select: {best: 1, seeds: 2}
seeds: 2
SWEEP
tables() {
    local table
    for table in trials curves matrix; do
        "$work/prefix/bin/engram" export "$1" --stable --table "$table"
    done
}
quietly "$work/prefix/bin/engram" run sweep.yaml -o command.h5 -q
tables command.h5 >command.txt
"$work/build/sweep" sweep.yaml alone.h5 >said
if ! grep -q "1 of them now, .* left, stopped" said || ! grep -q " 0 left$" said || ! grep -q ", 0 failed" said; then
    echo "the program that runs a sweep said:" && cat said
    exit 1
fi
quietly "$here/../mpirun.sh" 2 "$work/build/sweep" sweep.yaml ranks.h5
for file in alone ranks; do
    tables "$file.h5" >"$file.txt"
    if ! cmp command.txt "$file.txt"; then
        echo "the library's results ($file) are not the command's"
        exit 1
    fi
done
