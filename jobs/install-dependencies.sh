#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages engram needs; says which, and skips what is there.
set -euo pipefail

usage() {
    cat <<'END'
Usage: jobs/install-dependencies.sh [--list] [run | unit | test | lint | bench | fresh]

Installs distribution packages with apt-get, as root or through sudo. Each of the first four sets
holds the ones before it:
  run   compile engram, run sweeps, draw the results (default)
  unit  run the unit tests (tests/run.sh --quick)
  test  run the test suite
  lint  a second compiler, formatting, static analysis, coverage
  bench run, and what engram is compared with: PyTorch
  fresh only what makes a bare machine for tests/fresh_machine.sh

  --list   print the package names of the set, one a line, and do nothing else
END
}

run_set=(gcc libc6-dev cmake ninja-build pkg-config
    openmpi-bin libopenmpi-dev libopenblas-dev libhdf5-dev libyaml-dev librandom123-dev zlib1g-dev
    libxxhash-dev libisal-dev libjansson-dev libsmartcols-dev libunistring-dev libgsl-dev
    python3 python3-h5py python3-numpy python3-scipy python3-pandas python3-matplotlib python3-xarray
    python3-h5netcdf python3-jinja2
    ca-certificates curl)
unit_set=(libcmocka-dev make dataset-fashion-mnist python3-netcdf4 python3-protobuf)
test_set=(hdf5-tools netcdf-bin chromium fonts-dejavu-core octave octave-netcdf r-base-core r-cran-ncdf4 groff-base zsh fish
    python3-optuna
    slurmctld slurmd slurm-client munge iproute2)
lint_set=(clang clang-tidy clang-format python3-yaml shellcheck gcovr valgrind spin)
bench_set=(python3-torch)
fresh_set=(mmdebstrap)

list_only=false
wanted=run
for argument in "$@"; do
    case $argument in
    -h | --help) usage && exit 0 ;;
    --list) list_only=true ;;
    run | unit | test | lint | bench | fresh) wanted=$argument ;;
    *)
        echo "install-dependencies.sh: unknown argument '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done

packages=("${run_set[@]}")
case $wanted in
unit) packages+=("${unit_set[@]}") ;;
test) packages+=("${unit_set[@]}" "${test_set[@]}") ;;
lint) packages+=("${unit_set[@]}" "${test_set[@]}" "${lint_set[@]}") ;;
bench) packages+=("${bench_set[@]}") ;;
fresh) packages=("${fresh_set[@]}") ;;
esac
if $list_only; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "install-dependencies.sh: this system has no apt-get. Please install the counterparts of" >&2
    echo "these Debian packages yourself: ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        missing+=("$package")
    fi
done

if [ ${#missing[@]} -eq 0 ]; then
    echo "packages: all ${#packages[@]} of set '$wanted' are installed"
else
    echo "packages: installing ${#missing[@]} of ${#packages[@]} of set '$wanted': ${missing[*]}"
    as_root=(env DEBIAN_FRONTEND=noninteractive)
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "install-dependencies.sh: not root and no sudo. As root, run:" >&2
            echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo "${as_root[@]}")
    fi
    apt=("${as_root[@]}" apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ "$wanted" = fresh ]; then
    exit 0
fi
# The presets need this version; older distributions have older packages.
have=$(cmake --version | sed -n '1s/[^0-9]*//p')
if [ "$(printf '%s\n' 3.25 "$have" | sort -V | head -n 1)" != 3.25 ]; then
    echo "install-dependencies.sh: CMake 3.25 or later is needed, this is $have (Debian 12 and" >&2
    echo "Ubuntu 23.04 or later have it; https://cmake.org/download has builds for older ones)" >&2
    exit 1
fi
