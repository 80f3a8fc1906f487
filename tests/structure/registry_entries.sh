#!/usr/bin/env bash
# tests/structure/registry_entries.sh LIBRARY: every member of a family is in its registry. A row
# without a member is a link error; a member without a row, which this finds, would just not exist.
# A member is a variable eg_FAMILY_NAME; FAMILY_registry.c is the registry; one member a file.
set -euo pipefail
library=${1:?usage: registry_entries.sh LIBRARY}

nm --format=posix --print-file-name "$library" | awk '
# "libx.a[file.c.o]: name type …"
{
    object = $1
    sub(/^[^[]*\[/, "", object)
    sub(/\.c?\.?o\]:$/, "", object)
    sub(/\.o\]:$/, "", object)
    if (object ~ /_registry$/) {
        family = object
        sub(/_registry$/, "", family)
        families[family] = 1
        if ($3 == "U") {
            listed[family, $2] = 1
        }
    } else if ($3 ~ /^[RDBC]$/ && $2 ~ /^eg_/) {
        defined[$2] = object
    }
}
END {
    for (name in defined) {
        for (family in families) {
            if (index(name, "eg_" family "_") != 1) {
                continue
            }
            if (!((family, name) in listed)) {
                print defined[name] ".c: " name " is missing in " family "_registry.c"
                bad = 1
            }
            if (name !~ /_common$/) {
                members[family]++
                if ((family, defined[name]) in taken) {
                    print defined[name] ".c: has more than one member of family " family
                    bad = 1
                }
                taken[family, defined[name]] = 1
            }
        }
    }
    for (family in families) {
        found = 1
        if (!(family in members)) {
            print family "_registry.c: has no members"
            bad = 1
        }
    }
    if (!found) {
        print "no registry found"
        bad = 1
    }
    exit bad
}'
