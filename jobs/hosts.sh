#!/usr/bin/env bash
# Runs a sweep on several machines without a batch system: `engram launch --hosts`, of this checkout and with
# its data.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'END'
Usage: jobs/hosts.sh HOST[:RANKS],HOST[:RANKS]… SWEEP [argument …]

`engram launch --hosts HOST[:RANKS],HOST[:RANKS]… SWEEP argument …`: runs the sweep with mpirun on RANKS
(default: 1) cores of every HOST, the first of which is this machine. `engram launch --help` says what
the machines must have in common and what happens when one is lost.

Environment: ENGRAM and ENGRAM_DATA as in jobs/local.sh; others see `engram launch --help`.
END
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
-*) fail "unknown option '$1' (options of engram go after the sweep file)" ;;
esac
if [ $# -lt 2 ]; then
    usage >&2
    exit 2
fi
find_engram
exec "$engram" launch --hosts "$@"
