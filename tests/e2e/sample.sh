#!/usr/bin/env bash
# engram train --sample: a network that was trained on a text writes one.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

for _ in $(seq 200); do
    printf 'abc abd '
done >letters.txt
text=(dataset=text dataset.file="$PWD/letters.txt" dataset.block=104 dataset.sequence=16 dataset.vocabulary=8
    stream=text_mega_batches stream.steps=60 stream.batch=4 model=switch_transformer model.width=16 model.heads=2
    model.experts=1 optimizer=adam optimizer.lr=0.005 optimizer.clip_norm=1 protocol=test)

# At temperature 0 it goes on as the text does, whose every sequence is this one.
expect 0 "$engram" train "${text[@]}" --quiet --sample 6 --temperature 0 --prompt "abc abd a"
[ "$(tail -1 out)" = "abc abd abc abd" ] || fail "it wrote: $(tail -1 out)"
expect 0 "$engram" train "${text[@]}" --quiet --json --sample 6 --temperature=0 --prompt "abc abd a"
has out '"sample": "abc abd abc abd"'
# By default the text's first symbol is the prompt; the seed says what is drawn.
expect 0 "$engram" train "${text[@]}" --quiet --sample 40 --temperature 3 seed=1
tail -1 out >first
[ "$(wc -m <first)" = 42 ] || fail "not a prompt of 1 and 40 characters: $(cat first)"
grep -q '^a' first || fail "another prompt: $(cat first)"
expect 0 "$engram" train "${text[@]}" --quiet --sample 40 --temperature 3 seed=1
same <(tail -1 out) first
# Byte pairs: N symbols, each of them some bytes.
expect 0 "$engram" train "${text[@]}" dataset.unit=byte_pair dataset.vocabulary=258 --quiet --sample 5 --temperature 0 \
    --prompt "abc abd "
grep -qE '^abc abd [abcd ]{5,}' out || fail "it wrote: $(tail -1 out)"

refuses "stream = split, dataset = synthetic" "--sample" "several positions and a vocabulary" -- \
    "$engram" train dataset=synthetic --sample 5
refuses "--sample=0" "whole number from 1" -- "$engram" train "${text[@]}" --sample 0
refuses "--sample=x" "whole number from 1" -- "$engram" train "${text[@]}" --sample x
refuses "--temperature=-1" "number from 0" -- "$engram" train "${text[@]}" --sample 5 --temperature=-1
refuses "--temperature=hot" "number from 0" -- "$engram" train "${text[@]}" --sample 5 --temperature hot
refuses "--prompt is said of a sample" "--sample N" -- "$engram" train "${text[@]}" --prompt abc
refuses "--prompt: must not be empty" -- "$engram" train "${text[@]}" --sample 5 --prompt=
refuses "--prompt: line 1: byte 0" "not UTF-8" -- "$engram" train "${text[@]}" --sample 5 --prompt $'\xff'
echo passed
