#!/usr/bin/env bash
# readme_example.sh COMPILER SOURCE_DIRECTORY CORE_F64_LIBRARY: the README's activation, taken from the
# README, compiles without warnings and passes the gradient check after its one registry entry.
set -euo pipefail
compiler=$1
source=$2
library=$3

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The first C block of the README, and the registry entry its text names.
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$source/README.md" >"$folder/example.c"
# shellcheck disable=SC2016 # backquotes of Markdown
entry=$(sed -n 's/.*`\(ENTRY([a-z_]*)\)`.*/\1/p' "$source/README.md" | head -n 1)
if [ ! -s "$folder/example.c" ] || [ -z "$entry" ]; then
    echo "README.md: no C block, or no registry entry ENTRY(name)"
    exit 1
fi
sed "s/^    ENTRY(ash) .*/    ENTRY(ash) $entry \\\\/" \
    "$source/src/nn/activation_registry.c" >"$folder/registry.c"

IFS=' ' read -r -a libraries <<<"$(pkg-config --libs cmocka openblas libxxhash libisal)"
"$compiler" -std=c17 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror \
    -D_POSIX_C_SOURCE=200809L -DEG_REAL_DOUBLE -I"$source/include" -I"$source/src" \
    -I"$source/tests/support" "$folder/example.c" "$folder/registry.c" \
    "$source/tests/test_activation_gradient.c" "$source/tests/support/testing.c" -D_XOPEN_SOURCE=700 \
    -o "$folder/gradient" "$library" "${libraries[@]}" -lz -lm -lpthread

name=${entry#ENTRY(}
name=${name%)}
"$folder/gradient" 2>&1 | tee "$folder/output"
if ! grep -q "$name" "$folder/output"; then
    echo "the gradient check did not run on $name"
    exit 1
fi
