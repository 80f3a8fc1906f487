#!/usr/bin/env bash
# tests/structure/include_rule.sh ROOT: a room includes only rooms above it; of another room only what is in
# include/engram or in its folder `shared`; and a library is included only by the rooms that own it. Prints every breach as file:line: what, fails if any.
set -euo pipefail
root=${1:?usage: include_rule.sh ROOT}
cd "$root"

mapfile -t files < <(find include/engram src -name '*.[ch]' | LC_ALL=C sort)
if [ ${#files[@]} -eq 0 ]; then
    echo "no sources under $root" >&2
    exit 1
fi

awk '
BEGIN {
    # Rooms from the top; those on one line do not include each other.
    level = 0
    split("base|math|data nn optim|stream|learner|metric|trial|plugin|sweep|sched store|run|cli", floors, "|")
    for (i = 1; i in floors; i++) {
        count = split(floors[i], rooms, " ")
        for (j = 1; j <= count; j++) {
            floor[rooms[j]] = i
        }
    }
    # Whose contract a public header is; those not listed here are called after their room.
    place("base", "clock file memory pack params profile random real record settings status")
    place("math", "blas column_magnitudes composed gradient_consumer initial parameter_table penalty shape sparse statistics ufloat16")
    place("data", "dataset")
    place("nn", "activation expert_tree graph layer loss mixture model net units")
    place("optim", "optimizer optimizer_rule")
    place("stream", "batch")
    place("metric", "measure")
    place("learner", "weights")
    place("trial", "attempt predictor")
    place("store", "weights_file")
    place("run", "build")
    place("sweep", "ranking disparity space")
    # Which rooms may include a library of which only they know.
    own("mpi.h", "sched")
    own("hdf5.h", "data store")
    own("hdf5_hl.h", "store")
    own("cblas.h", "math")
    own("lapacke.h", "math")
    own("immintrin.h", "math")
    own("yaml.h", "sweep")
    own("gsl/gsl_cdf.h", "math")
    own("gsl/gsl_errno.h", "sweep")
    own("gsl/gsl_qrng.h", "sweep")
    own("jansson.h", "run cli")
    own("libsmartcols/libsmartcols.h", "cli")
    own("dlfcn.h", "plugin")
    own("zlib.h", "data")
    own("xxhash.h", "base")
    own("isa-l.h", "base")
    own("Random123/philox.h", "base")
}
function place(room, names, list, n, i) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++) {
        header_room[list[i]] = room
    }
}
function own(header, rooms) {
    owner[header] = rooms
}
function fail(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    bad = 1
}
# The room of "engram/x.h", "room/x.h" or "room/part/x.h", "" for anything else.
function room_of(path, parts, n) {
    n = split(path, parts, "/")
    if (n < 2 || n > 3) {
        return ""
    }
    if (parts[1] != "engram") {
        return parts[1]
    }
    sub(/\.h$/, "", parts[2])
    return parts[2] in header_room ? header_room[parts[2]] : parts[2]
}
FNR == 1 {
    from = FILENAME
    sub(/^include\//, "", from)
    sub(/^src\//, "", from)
    from = room_of(from)
    if (!(from in floor)) {
        fail("is in no known room (rooms and public headers are listed in include_rule.sh)")
    }
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    header = $0
    sub(/^[^<]*</, "", header)
    sub(/>.*/, "", header)
    if (header in owner && index(" " owner[header] " ", " " from " ") == 0) {
        fail("room " from " includes <" header ">, which belongs to " owner[header] " alone")
    }
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    header = $0
    sub(/^[^"]*"/, "", header)
    sub(/".*/, "", header)
    to = room_of(header)
    if (!(to in floor)) {
        fail("\"" header "\" is neither \"engram/x.h\" nor \"room/x.h\" nor \"room/part/x.h\"")
    } else if (to != from && floor[to] >= floor[from]) {
        fail("room " from " includes \"" header "\" of room " to ", which is not above it")
    } else if (to != from && FILENAME ~ /^include\// && header !~ /^engram\//) {
        fail("a public header includes the private \"" header "\"")
    } else if (to != from && header !~ /^engram\// && index(header, to "/shared/") != 1) {
        fail("room " from " includes the private \"" header "\" of room " to)
    }
}
END { exit bad }
' "${files[@]}"
