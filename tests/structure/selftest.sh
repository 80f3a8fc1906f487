#!/usr/bin/env bash
# tests/structure/selftest.sh COMPILER: shows that each check of this folder can fail. Every case
# takes a small sound tree, breaks one thing, and expects the check to fail with the words given.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compiler=${1:?usage: selftest.sh COMPILER}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

sound_tree() {
    rm -rf "${work:?}/tree"
    mkdir -p "$work/tree/include/engram" "$work/tree/tests"
    local room
    for room in base math data nn stream trial sched store run cli; do
        mkdir -p "$work/tree/src/$room"
    done
    cd "$work/tree"
    printf '/** Status. */\n#include <stddef.h>\nint eg_status_of(size_t x);\n' >include/engram/status.h
    printf '/** A room. */\n#include "engram/status.h"\n#include "nn/layer.h"\n' >src/nn/net.c
    printf '/** For the rooms below. */\n#include "base/shared/number.h"\nint eg_source_open(void)\n{\n}\nint eg_penalty_term_a(void)\n{\n}\nint eg_penalty_a(void)\n{\n}\n' >src/data/reader.c
    printf '/** Layers; printf("%%d") and exit(1) are words here. */\n' >src/nn/layer.h
    printf '/** The command. */\n#include <stdio.h>\nint main(void) { puts("hi"); }\n' >src/cli/main.c
}

expect_pass() {
    local output
    if ! output=$("$@" 2>&1); then
        echo "FAILED: ${1##*/} rejects what is sound: $output"
        failures=$((failures + 1))
    fi
}

# expect_fail WORDS COMMAND…
expect_fail() {
    local words=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "FAILED: ${1##*/} accepts a tree with the fault '$words'"
        failures=$((failures + 1))
    elif [[ $output != *"$words"* ]]; then
        echo "FAILED: ${1##*/} should say '$words' but says: $output"
        failures=$((failures + 1))
    fi
}

include_rule=("$here/include_rule.sh" "$work/tree")
name_rule=("$here/name_rule.sh" "$work/tree")
house_rules=("$here/house_rules.sh" "$work/tree")
public_headers=("$here/public_headers.sh" "$compiler" "$work/tree")

# One fault a line: check, words expected, file, line to append.
while IFS='|' read -r check words file line; do
    sound_tree
    printf '%s\n' "$line" >>"$file"
    declare -n command=$check
    expect_fail "$words" "${command[@]}"
done <<'END'
include_rule|src/base/low.c:1: room base includes "engram/net.h" of room nn|src/base/low.c|#include "engram/net.h"
include_rule|room data includes "nn/layer.h" of room nn|src/data/peer.c|#include "nn/layer.h"
include_rule|room store includes "engram/run.h" of room run|src/store/peer.c|#include "engram/run.h"
include_rule|room run includes "cli/cli.h" of room cli|src/run/peer.c|#include "cli/cli.h"
include_rule|room store includes "engram/sched.h" of room sched|src/store/peer.c|#include "engram/sched.h"
include_rule|room nn includes "trial/run.h" of room trial|src/nn/net.c|  #  include "trial/run.h"
include_rule|include/engram/status.h:4: room base includes "engram/trial.h"|include/engram/status.h|#include "engram/trial.h"
include_rule|a public header includes the private "nn/layer.h"|include/engram/trial.h|#include "nn/layer.h"
include_rule|room nn includes the private "base/low.h" of room base|src/nn/net.c|#include "base/low.h"
include_rule|room nn includes the private "base/part/low.h" of room base|src/nn/net.c|#include "base/part/low.h"
include_rule|room trial includes <mpi.h>, which belongs to sched alone|src/trial/run.c|#include <mpi.h>
include_rule|room sched includes <hdf5.h>|src/sched/file.c|#include <hdf5.h>
include_rule|room nn includes <cblas.h>|src/nn/net.c|#include <cblas.h>
include_rule|room cli includes <yaml.h>|src/cli/main.c|#include <yaml.h>
include_rule|is neither "engram/x.h" nor "room/x.h"|src/nn/net.c|#include "layer.h"
include_rule|is in no known room|src/odd.c|/** Odd. */
name_rule|src/nn/net.c:4: eg_source_close is in room nn, but eg_source_ tells room data|src/nn/net.c|void eg_source_close(int x)
name_rule|eg_penalty_term_b is in room nn, but eg_penalty_term_ tells room data|src/nn/net.c|int eg_penalty_term_b(void)
house_rules|src/nn/net.c:4: prints|src/nn/net.c|    printf("%d", 1);
house_rules|src/nn/net.c:4: prints|src/nn/net.c|    /* why */ fprintf(stderr, "x");
house_rules|src/nn/net.c:4: ends the process|src/nn/net.c|    if (bad) { exit(1); }
house_rules|src/nn/net.c:4: ends the process|src/nn/net.c|    abort();
house_rules|src/nn/bare.c:1: does not start with a comment|src/nn/bare.c|int x;
house_rules|tests/test_x.c:1: does not start with a comment|tests/test_x.c|int x;
house_rules|layer.h: the name is used by more than one file|src/data/layer.h|/** Another. */
house_rules|unfinished work|src/nn/net.c|/* TODO: later */
house_rules|unfinished work|tests/test_x.c|/** FIXME */
house_rules|wider than 100 characters|src/nn/wide.c|/** ………………………………………………………………………………………………………………………………………………………………………………………………………………………………………………………… */
public_headers|does not compile on its own|include/engram/lone.h|size_t eg_lone(void);
public_headers|does not compile on its own|include/engram/twice.h|struct eg_twice { int a; };
END

sound_tree
expect_pass "${include_rule[@]}"
expect_pass "${name_rule[@]}"
expect_pass "${house_rules[@]}"
expect_pass "${public_headers[@]}"
{
    echo '/** Long. */'
    printf '\n%.0s' {1..499}
} >src/nn/long.c
expect_pass "${house_rules[@]}"
echo >>src/nn/long.c
expect_fail "src/nn/long.c:501: is longer than 500 lines" "${house_rules[@]}"
rm -r include src && mkdir -p include/engram src
expect_fail "no sources" "${include_rule[@]}"
expect_fail "no sources" "${name_rule[@]}"
expect_fail "no sources" "${house_rules[@]}"
expect_fail "no headers" "${public_headers[@]}"

# library OUT FILE… archives the files of the current folder.
library() {
    local out=$1 file
    shift
    rm -f "$out"
    for file in "$@"; do
        "$compiler" -c "$file" -o "${file%.c}.c.o"
        ar rc "$out" "${file%.c}.c.o"
    done
}

mkdir "$work/lib" && cd "$work/lib"
echo 'int eg_good(void) { return 1; } static int helper; int *eg_at(void) { return &helper; }' >good.c
echo 'int helper(void) { return 1; }' >bad.c
library libgood.a good.c
library libbad.a good.c bad.c
echo 'typedef int x;' >empty.c
library libempty.a empty.c
expect_pass "$here/exported_symbols.sh" libgood.a
expect_fail "libbad.a: exports helper" "$here/exported_symbols.sh" libgood.a libbad.a
expect_fail "exports nothing" "$here/exported_symbols.sh" libempty.a

echo 'const int eg_shape_circle = 1;' >shape_circle.c
echo 'const int eg_shape_square = 2;' >square.c
echo 'const int eg_shape_line = 2, eg_shape_dot = 0;' >flat.c
echo 'int eg_shape_area(void) { return 3; }' >area.c
echo 'extern const int eg_shape_circle, eg_shape_square;
      const int *const eg_shape_family[] = {&eg_shape_circle, &eg_shape_square};' >shape_registry.c
library libshape.a shape_circle.c square.c area.c shape_registry.c
expect_pass "$here/registry_entries.sh" libshape.a
library libtwo.a shape_circle.c square.c flat.c shape_registry.c
expect_fail "flat.c: eg_shape_line is missing in shape_registry.c" "$here/registry_entries.sh" libtwo.a
expect_fail "flat.c: has more than one member of family shape" "$here/registry_entries.sh" libtwo.a
library libnone.a area.c shape_circle.c
expect_fail "no registry found" "$here/registry_entries.sh" libnone.a
library libbare.a area.c shape_registry.c
expect_fail "shape_registry.c: has no members" "$here/registry_entries.sh" libbare.a

if [ "$failures" -gt 0 ]; then
    echo "$failures cases failed"
    exit 1
fi
echo "every check accepts what is sound and finds every planted fault"
