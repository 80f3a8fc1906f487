#!/usr/bin/env bash
# Submits a sweep to Slurm: `engram slurm`, of this checkout and with its data.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in
-h | --help)
    cat <<'END'
Usage: jobs/submit.sh [option …] SWEEP [-o FILE] [name=value …]

`engram slurm option … SWEEP …`: submits the sweep to Slurm, on one node, on several (--nodes N), or as a
job array (--array N). `engram slurm --help` has the options, jobs/slurm/README.md the details.

Environment: ENGRAM and ENGRAM_DATA as in jobs/local.sh; nodes must see both under the same path.
END
    exit 0
    ;;
esac
find_engram
exec "$engram" slurm "$@"
