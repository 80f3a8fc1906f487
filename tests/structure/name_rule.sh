#!/usr/bin/env bash
# tests/structure/name_rule.sh ROOT: the first word of a function's name, eg_WORD_…, tells its room: no two rooms
# define functions with the same one. Nouns of two words count as one. Room cli stands below all others, and is
# linked into nothing: there a function is called after what it shows. Prints every breach, fails if any.
set -euo pipefail
root=${1:?usage: name_rule.sh ROOT}
cd "$root"

mapfile -t files < <(find src -name '*.c' ! -path 'src/cli/*' | LC_ALL=C sort)
if [ ${#files[@]} -eq 0 ]; then
    echo "no sources under $root" >&2
    exit 1
fi

awk '
BEGIN {
    split("fail_at mixture_costs penalty_term trial_status unit_reset weights_file", list, " ")
    for (i in list) {
        noun[list[i]] = 1
    }
}
# A definition begins at the start of a line; prototypes end with a semicolon and are not in .c files.
/^[A-Za-z_][A-Za-z_0-9 *]*[ *]eg_[a-z0-9_]+\(/ && !/^(static|typedef|extern|return)/ && !/;[ \t]*$/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    split(name, word, "_")
    first = word[2]
    if ((word[2] "_" word[3]) in noun) {
        first = word[2] "_" word[3]
    }
    split(FILENAME, path, "/")
    room = path[2]
    found++
    if (first in owner && owner[first] != room) {
        printf "%s:%d: %s is in room %s, but eg_%s_ tells room %s (%s)\n", FILENAME, FNR, name, room,
            first, owner[first], where[first]
        bad = 1
    } else if (!(first in owner)) {
        owner[first] = room
        where[first] = FILENAME
    }
}
END {
    if (!found) {
        print "no function found"
        bad = 1
    }
    exit bad
}
' "${files[@]}"
