#!/usr/bin/env bash
# tests/structure/house_rules.sh ROOT: rules a compiler does not know. Only room cli prints or ends
# the process; files start with a head comment, have at most 500 lines of at most 100 characters (tests:
# as clang-format leaves them), names of their own, and no notes about unfinished work. Prints every breach as file:line: what, fails if any.
set -euo pipefail
root=${1:?usage: house_rules.sh ROOT}
cd "$root"

mapfile -t sources < <(find include src -name '*.[ch]' | LC_ALL=C sort)
mapfile -t tests < <(find tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
if [ ${#sources[@]} -eq 0 ]; then
    echo "no sources under $root" >&2
    exit 1
fi
bad=0

awk '
function fail(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    bad = 1
}
# The line without comments and literals; `inside` remembers an open comment.
function code_of(line, out, c, pair, i, quote) {
    out = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        pair = substr(line, i, 2)
        if (inside) {
            if (pair == "*/") {
                inside = 0
                i++
            }
        } else if (quote != "") {
            if (c == "\\") {
                i++
            } else if (c == quote) {
                quote = ""
            }
        } else if (pair == "/*") {
            inside = 1
            i++
        } else if (pair == "//") {
            break
        } else if (c == "\"" || c == "\047") {
            quote = c
        } else {
            out = out c
        }
    }
    return out
}
FNR == 1 {
    inside = 0
    if ($0 !~ /^\/\*/) {
        fail("does not start with a comment that says what the file is")
    }
}
FNR == 501 {
    fail("is longer than 500 lines")
}
/(^|[^A-Za-z])(TO[D]O|FIX[M]E|XX[X])([^A-Za-z]|$)/ {
    fail("has a note about unfinished work")
}
FILENAME ~ /^src\// && FILENAME !~ /^src\/cli\// {
    code = code_of($0)
    if (code ~ /(^|[^A-Za-z0-9_])(printf|vprintf|puts|putchar|perror|stdout|stderr)([^A-Za-z0-9_]|$)/) {
        # A word in an attribute is not a call.
        if (code !~ /format *\( *printf/) {
            fail("prints, which only room cli may")
        }
    }
    if (code ~ /(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort) *\(/ &&
        !((FILENAME == "src/sched/world.c" || FILENAME == "src/base/child.c" || FILENAME == "src/base/coprocess.c") &&
          code ~ /_exit *\(/)) {
        # world.c: MPI that waits for a rank which is gone can only be left this way.
        fail("ends the process, which only room cli may")
    }
}
END { exit bad }
' "${sources[@]}" ${tests[@]+"${tests[@]}"} || bad=1

# Characters, which awk does not count everywhere.
wide=$(LC_ALL=C.UTF-8 grep -nHE '^.{101,}' "${sources[@]}" | cut -d : -f 1-2 || true)
for place in $wide; do
    echo "$place: is wider than 100 characters"
    bad=1
done

duplicates=$(printf '%s\n' "${sources[@]##*/}" ${tests[@]+"${tests[@]##*/}"} | LC_ALL=C sort | uniq -d)
for name in $duplicates; do
    echo "$name: the name is used by more than one file"
    bad=1
done
exit $bad
