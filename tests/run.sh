#!/usr/bin/env bash
# Installs what is missing, builds, and runs everything that can be checked; see --help.
# shellcheck disable=SC2317 # the functions are called by name
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

usage() {
    cat <<'END'
Usage: tests/run.sh [--quick] [--full] [--fresh]

Installs the packages that are missing, builds engram and runs the whole test suite, from any working
directory. A stage that fails does not stop the others. Ends with a table; the exit code is 0 if
every stage passed.

  --quick   debug build and unit tests only
  --full    the long versions of tests that else try a sample (tests/README.md)
  --fresh   runs the last stage also if nothing it depends on has changed since it passed here

Stages:
  packages        distribution packages (jobs/install-dependencies.sh lint; with --quick: unit)
  data            MNIST (jobs/fetch-data.sh); skipped if no source has it
  build, tests    release build, warnings are errors; unit, MPI and end-to-end tests
  sanitize-build, sanitize-tests
                  address and undefined-behaviour sanitizers; unit and MPI tests
  format          .clang-format, as version 14 of clang-format understands it
  tidy            .clang-tidy, and the warnings of the second compiler
  shell           shellcheck on every script
  fresh           the quickstart and --quick on a bare machine (tests/fresh_machine.sh); skipped if it has
                  passed with the same install sets, build files and jobs, and where it cannot run
END
}

quick=false
fresh=(--if-changed)
for argument in "$@"; do
    case $argument in
    --quick) quick=true ;;
    --full) export ENGRAM_FULL_TESTS=1 ;;
    --fresh) fresh=() ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        echo "run.sh: unknown argument '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done

cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
table=()
failed=0

# stage NAME COMMAND…: runs it, notes result and seconds; exit code 77 means skipped, `why` says why. The
# functions below run where bash does not stop at errors by itself: their steps are joined by &&.
stage() {
    local name=$1 begin=$SECONDS code=0 result=passed
    why=
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    "$@" || code=$?
    case $code in
    0) ;;
    77)
        result=skipped
        printf 'SKIPPED: %s\n' "$why"
        ;;
    *)
        result=FAILED
        failed=$((failed + 1))
        ;;
    esac
    table+=("$(printf '%-16s %-8s %5d s%s' "$name" "$result" $((SECONDS - begin)) "${why:+  $why}")")
    [ $code = 0 ]
}

build() {
    # The release preset leaves this off: a compiler of tomorrow may warn about more.
    cmake --preset "$1" -D ENGRAM_WERROR=ON && cmake --build --preset "$1" -j "$cores"
}

# Without any source the test on real images skips itself, and all others still count.
data() {
    jobs/fetch-data.sh mnist || { [ $? = 4 ] && why="no source gave MNIST, see above" && return 77; }
}

format() {
    local version
    version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
    if [ "$version" != 14 ]; then
        why="this is clang-format $version; others than 14 lay out some lines differently"
        return 77
    fi
    find include src tests -name '*.[ch]' -print0 | LC_ALL=C sort -z |
        xargs -0 clang-format --dry-run -Werror
}

tidy() {
    # Its front end gives the compiler's warnings, too: nothing has to be built but the one header that is made.
    cmake --preset clang -D ENGRAM_WERROR=ON && cmake --build --preset clang --target engram_build_info || return 1
    # By default the analyzer follows 225,000 states of every function, three quarters of the time for the
    # longest few. --full has them all.
    local budget=()
    if [ "${ENGRAM_FULL_TESTS-}" != 1 ]; then
        budget=(-extra-arg=-Xclang -extra-arg=-analyzer-config -extra-arg=-Xclang -extra-arg=max-nodes=40000)
    fi
    # Of its output only what is found and how it came to be.
    run-clang-tidy -quiet -j "$cores" ${budget[@]+"${budget[@]}"} -p build/clang "$repository/(src|tests)/.*\\.c\$" 2>&1 |
        { grep -vE '^clang-tidy|warnings? generated|warnings? treated|^Suppressed|^Use -header' || true; }
}

shell() {
    grep -rlE '^#!.*bash' jobs tests .ci | LC_ALL=C sort | xargs shellcheck --severity=warning
}

# Skipped where it has passed before, and where it cannot run: --check says which.
fresh() {
    why=$(tests/fresh_machine.sh --check ${fresh[@]+"${fresh[@]}"}) && tests/fresh_machine.sh
}

# checked PRESET LABELS…: builds and tests with a preset.
checked() {
    local preset=$1 prefix=$2
    shift 2
    if stage "${prefix}build" build "$preset"; then
        # Many tests wait for processes rather than compute: more at once than there are cores.
        stage "${prefix}tests" ctest --preset "$preset" -j $((2 * cores + 1)) "$@" || true
    else
        table+=("$(printf '%-16s %s' "${prefix}tests" "not run")")
    fi
}

if $quick; then
    stage packages jobs/install-dependencies.sh unit && checked dev "" -L unit
elif stage packages jobs/install-dependencies.sh lint; then
    stage data data || true
    checked release "" -LE bench
    checked sanitize sanitize- -L 'unit|mpi'
    stage format format || true
    stage tidy tidy || true
    stage shell shell || true
    stage fresh fresh || true
fi

result=passed
if [ "$failed" -gt 0 ]; then
    result=FAILED
fi
table+=("$(printf '%-16s %-8s %5d s' total "$result" "$SECONDS")")
printf '\n'
printf '%s\n' "${table[@]}"
exit $((failed > 0))
