#!/usr/bin/env bash
# tests/structure/exported_symbols.sh LIBRARY…: every name the libraries export starts with eg_.
set -euo pipefail
if [ $# -eq 0 ]; then
    echo "usage: exported_symbols.sh LIBRARY…" >&2
    exit 2
fi
bad=0
for library in "$@"; do
    names=$(nm --extern-only --defined-only --format=posix "$library" | awk 'NF >= 3 { print $1 }')
    if [ -z "$names" ]; then
        echo "$library: exports nothing"
        bad=1
    fi
    # The address sanitizer adds a marker per variable.
    while read -r name; do
        echo "$library: exports $name, which does not start with eg_"
        bad=1
    done < <(grep -vE '^(eg_|__odr_asan)' <<<"$names" || true)
done
exit $bad
