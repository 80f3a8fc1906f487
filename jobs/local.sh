#!/usr/bin/env bash
# Runs a sweep on the cores of this machine: `engram launch`, of this checkout and with its data.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in
-h | --help)
    cat <<'END'
Usage: jobs/local.sh [-n RANKS] SWEEP [argument …]

`engram launch [-n RANKS] SWEEP argument …`: runs the sweep with mpirun on every core this process may
use, or on RANKS of them. The same command again continues where the last one stopped. `engram launch
--help` says what signals do.

Environment:
  ENGRAM       the program (default: build/release/engram of this checkout, else engram on PATH)
  ENGRAM_DATA  where the data sets are (default: data/ of this checkout)
END
    exit 0
    ;;
esac
find_engram
exec "$engram" launch "$@"
