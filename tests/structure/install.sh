#!/usr/bin/env bash
# tests/structure/install.sh BUILD COMPILER: what `cmake --install` gives is complete. The command
# runs from there, and a project of its own finds the package, builds and runs, and runs a sweep
# as the command does; a plug-in is built against it, and swept.
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

# A plug-in outside the tree needs the installed headers only. Alone and on two ranks a sweep with it gives the same.
quietly cmake -S "$here/../../examples/plugin" -B "$work/example" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
quietly cmake --build "$work/example"
if readelf --dynamic "$work/example/example.so" | grep -i engram; then
    echo "the plug-in links a library of engram"
    exit 1
fi
quietly "$work/prefix/bin/engram" check "$work/example/example.so"
cp "$here/../../examples/plugin/sweep.yaml" plugin.yaml
quietly "$work/prefix/bin/engram" run plugin.yaml plugins="$work/example/example.so" -o plugin.h5 -q
quietly "$here/../mpirun.sh" 2 "$work/prefix/bin/engram" run plugin.yaml plugins="$work/example/example.so" -o plugin2.h5 -q
tables plugin.h5 >plugin.txt
tables plugin2.h5 >plugin2.txt
if [ "$(grep -c 'softsign.*lion\|lion.*softsign' plugin.txt)" -lt 2 ] || ! cmp plugin.txt plugin2.txt; then
    echo "a sweep with a plug-in is not the same on two ranks, or has no trial with it"
    exit 1
fi
# Without CMake; and with a double for a float the same source is checked as such, and not used.
quietly "$compiler" -std=c17 -shared -fPIC -ffp-contract=off -DEG_REAL_DOUBLE -I "$work/prefix/include" \
    "$here"/../../examples/plugin/*.c -o double.so
quietly "$work/prefix/bin/engram" check double.so
if "$work/prefix/bin/engram" run plugin.yaml plugins=double.so -o double.h5 -q 2>said; then
    echo "a plug-in of doubles was used"
    exit 1
fi
if ! grep -q "expected float, found double" said; then
    echo "a plug-in of doubles:" && cat said
    exit 1
fi
