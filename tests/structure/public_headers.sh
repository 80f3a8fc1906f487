#!/usr/bin/env bash
# tests/structure/public_headers.sh COMPILER ROOT: every public header compiles on its own, in C17
# without any setting of this build.
set -euo pipefail
compiler=${1:?usage: public_headers.sh COMPILER ROOT}
root=${2:?usage: public_headers.sh COMPILER ROOT}
bad=0
found=0
for header in "$root"/include/engram/*.h; do
    [ -e "$header" ] || continue
    found=1
    # Included twice: the guard is tested too.
    if ! printf '#include "engram/%s"\n' "${header##*/}" "${header##*/}" |
        "$compiler" -std=c17 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I "$root/include" -x c -; then
        echo "$header: does not compile on its own"
        bad=1
    fi
done
if [ $found = 0 ]; then
    echo "no headers under $root"
    bad=1
fi
exit $bad
