#!/usr/bin/env bash
# From a bare machine to a finished sweep: packages, build, data, sweep, ranking, report.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

usage() {
    cat <<'END'
Usage: jobs/quickstart.sh [name=value …]

On Debian or Ubuntu, as root or with sudo, from any working directory:
  1. installs the packages that are missing (jobs/install-dependencies.sh)
  2. builds build/release/engram
  3. fetches MNIST into data/ (jobs/fetch-data.sh); if no source gives it, Fashion-MNIST, and says so
  4. runs sweeps/quickstart.yaml on every core (jobs/local.sh); arguments change its settings
  5. prints the ranking and writes a page about the sweep, results/quickstart.html

What is done is not done again: a second run prints the ranking after a few seconds, and one that was
interrupted continues. Exit codes are those of engram: 0 all trials done, 3 some failed, 75 stopped.
END
}

for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    name=*)
        echo "quickstart.sh: the name stays 'quickstart'; run other sweeps with jobs/local.sh" >&2
        exit 2
        ;;
    *=*) ;;
    *)
        echo "quickstart.sh: unknown argument '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done

step() {
    printf '\n== %s\n' "$*"
}

step "packages"
jobs/install-dependencies.sh run

step "build"
# Without the tests, whose packages a user need not have.
cmake --preset user --log-level=WARNING
cmake --build --preset user --target engram

step "data"
export ENGRAM_DATA=$repository/data
dataset=$(jobs/fetch-data.sh --allow-fashion mnist)
name=quickstart
remark=
if [ "$dataset" != mnist ]; then
    # Results of another dataset are another sweep.
    name=quickstart-$dataset
    set -- "$@" "dataset=$dataset" "name=$name"
    remark="   (instead of mnist; step \"data\" above says why)"
fi

step "sweep"
code=0
jobs/local.sh sweeps/quickstart.yaml "$@" || code=$?
# With failed trials (3) there still is a ranking.
if [ $code != 0 ] && [ $code != 3 ]; then
    exit $code
fi

step "ranking"
build/release/engram top "results/$name.h5"

step "report"
MPLCONFIGDIR=${MPLCONFIGDIR:-$repository/build/matplotlib} \
    build/release/engram report "results/$name.h5" -o "results/$name.html" >/dev/null

cat <<END

Results  $repository/results/$name.h5   (engram top, status, export; xarray.open_dataset)
Journal  $repository/results/$name.journal   (every trial as it ended; the results are made from it)
Dataset  $dataset$remark
Next     jobs/local.sh sweeps/hard-ash/table3-smoke.yaml, then engram list
Report   $repository/results/$name.html   (open it in a browser; it needs no network)
END
exit $code
