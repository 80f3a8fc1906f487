#!/usr/bin/env bash
# tests/cases/run.sh ENGRAM: malformed input of every kind. Every folder KIND/CASE holds `input`, the lines of bash that make
# the input and give it to the command, and `expected`: the exit code, and what standard error then says (* stands for
# anything). Nothing may be on standard output. Prints what differs; fails if any does, or if there are too few cases.
# shellcheck disable=SC2317 # functions for the inputs
set -euo pipefail

program=$(realpath "${1:?usage: run.sh ENGRAM}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ulimit -v 8000000 # KiB: nothing that is refused may cost much

# What the inputs may use ------------------------------------------------------------------------------

engram() { timeout 120 "$program" "$@"; }

# bytes HEX…: these bytes; word N: four bytes, most significant first.
bytes() { printf '%b' "$(printf '\\x%s' "$@")"; }
# shellcheck disable=SC2046 # four words
word() { bytes $(printf '%08x' "$1" | sed 's/../& /g'); }
# images COUNT ROWS COLUMNS and labels COUNT: IDX files, all zeros.
images() { word 2051 && word "$1" && word "$2" && word "$3" && head -c $(($1 * $2 * $3)) /dev/zero; }
labels() { word 2049 && word "$1" && head -c "$1" /dev/zero; }
# patch FILE AT HEX…: other bytes at a place.
patch() { bytes "${@:3}" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
# nested N OPEN CLOSE
nested() { printf "%0.s$2" $(seq "$1") && printf "%0.s$3" $(seq "$1"); }
train() { engram train dataset=mnist dataset.path=data "$@"; }

# What each kind of case finds in its directory -----------------------------------------------------------

prepare_data() {
    mkdir data
    images 20 28 28 >data/train-images-idx3-ubyte
    labels 20 >data/train-labels-idx1-ubyte
    images 10 28 28 >data/t10k-images-idx3-ubyte
    labels 10 >data/t10k-labels-idx1-ubyte
}

small() {
    printf 'name: small\nprotocol: test\nbase:\n  dataset: {synthetic: {examples: 60, test_examples: 20}}\n'
    printf '  stream.batch: 20\n  model.hidden: [4]\nseeds: 1\n'
}
prepare_commands() { small >small.yaml; }
prepare_sweeps() { :; }
prepare_results() {
    small >small.yaml
    engram run small.yaml -o small.h5 --quiet
}

# -----------------------------------------------------------------------------------------------------------

# pattern FILE: its text as a bash pattern in which only * is special.
pattern() { sed 's/[][\\?(){}|+@!"`$]/\\&/g' "$1"; }

count=0
wrong=0
for kind in sweeps data commands results; do
    template=$work/$kind
    mkdir "$template"
    (cd "$template" && "prepare_$kind")
    for folder in "$here/$kind"/*/; do
        name=$(basename "$folder")
        rm -rf "$work/case"
        cp -r "$template" "$work/case"
        code=0
        (cd "$work/case" && source "$folder/input") >"$work/out" 2>"$work/err" </dev/null || code=$?
        { echo "$code" && cat "$work/err"; } >"$work/said"
        count=$((count + 1))
        # shellcheck disable=SC2053 # a pattern
        if [[ $(<"$work/said") != $(pattern "$folder/expected") ]] || [ -s "$work/out" ]; then
            wrong=$((wrong + 1))
            printf '%s\n' "--- $kind/$name: expected" "$(<"$folder/expected")" "--- instead" \
                "$(head -c 2000 "$work/said")" "$(head -c 500 "$work/out")"
        fi
    done
done
echo "$count cases, $wrong wrong"
[ "$wrong" = 0 ] && [ "$count" -ge 100 ]
