#!/usr/bin/env bash
# tests/structure/readme_example.sh BUILD: the activation that README.md adds needs what README.md says and nothing
# else. A copy of the sources gets the C block as the file the text names, and the entry in the registry; there the
# tests that look at every component and the rules of the house pass, and the command knows it. Objects of sources that
# are the same come from BUILD, which must be up to date (make goes by times, so it compiles the two files only).
set -euo pipefail
build=$(realpath "${1:?usage: readme_example.sh BUILD}")
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if ! command -v make >/dev/null; then
    echo "SKIPPED: make is missing"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Quiet unless something fails.
quietly() {
    if ! "$@" >"$work/log" 2>&1; then
        cat "$work/log"
        exit 1
    fi
}

# What README.md says: the first C block, the file it is, the entry, and the registry. -----------------
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$source/README.md" >"$work/example.c"
# shellcheck disable=SC2016 # backquotes of Markdown
name=$(sed -n 's/.*`ENTRY(\([a-z_]*\))`.*/\1/p' "$source/README.md" | head -n 1)
file=src/nn/activation_$name.c
registry=src/nn/activation_registry.c
if [ ! -s "$work/example.c" ] || [ -z "$name" ] || ! grep -q "\`$file\`" "$source/README.md" ||
    ! grep -q "\`$registry\`" "$source/README.md"; then
    echo "README.md: no C block, no entry \`ENTRY(name)\`, or not the files src/nn/activation_name.c and $registry"
    exit 1
fi

# The copy, configured like BUILD. -----------------------------------------------------------------------
mkdir "$work/tree"
cp -r "$source"/{CMakeLists.txt,README.md,cmake,include,src,tests} "$work/tree"
cp "$work/example.c" "$work/tree/$file"
awk -v entry="$name" '
/^    ENTRY\(/ {
    split($0, part, /[()]/)
    if (!added && part[2] > entry) {
        printf "    ENTRY(%s) \\\n", entry
        added = 1
    }
}
{ print }' "$source/$registry" >"$work/tree/$registry"

mapfile -t settings < <(sed -nE 's/^((CMAKE_BUILD_TYPE|CMAKE_C_COMPILER|CMAKE_C_FLAGS[A-Z_]*|ENGRAM_[A-Z]+):.*)/-D\1/p' \
    "$build/CMakeCache.txt")
quietly cmake -S "$work/tree" -B "$work/build" -G "Unix Makefiles" "${settings[@]}"
(cd "$build" && find CMakeFiles tests -name '*.o' | tar -cf - -T -) | tar -xmf - -C "$work/build"
touch "$work/tree/$file" "$work/tree/$registry"

tests=(activation activation_gradient checkpoint model cli)
quietly make -C "$work/build" -j2 engram "${tests[@]/#/test_}"
compiled=$(grep -c 'Building C object' "$work/log" || true)
echo "compiled $compiled of $(find "$work/build" -name '*.o' | wc -l) objects"

# What it promises. -------------------------------------------------------------------------------------
pattern=$(IFS='|' && echo "${tests[*]}")
quietly ctest --test-dir "$work/build" --output-on-failure -j2 --no-tests=error -R \
    "^($pattern|structure_(include_rule|house_rules|public_headers|exported_symbols|registry_entries))\$"
grep -E 'tests passed' "$work/log"
if ! "$work/build/tests/test_activation_gradient" 2>&1 | grep -x "$name" >"$work/gradients"; then
    echo "the gradient check did not run on $name"
    exit 1
fi
cd "$work"
"$work/build/engram" describe "$name" >described
grep "$name" described
printf 'name: example\nprotocol: test\nseeds: 1\nbase: {%s, %s, model.activation: %s, %s}\n' \
    'dataset: {synthetic: {examples: 60, test_examples: 20}}' 'stream.batch: 20' "$name" 'model.hidden: [4]' >example.yaml
quietly "$work/build/engram" run example.yaml
