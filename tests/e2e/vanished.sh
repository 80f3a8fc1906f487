#!/usr/bin/env bash
# A journal that is taken away while a sweep runs: the sweep ends with 4, says so, and what it held is beside it.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

sweep s <<'END'
  stream.epochs: 40
grid:
  optimizer.lr: [0.01, 0.03]
seeds: 1000
END

# begin: the sweep in d/s.h5, after its third result, and slow until `ends` lets it go on.
begin() {
    mkdir d
    hooks begun "results 3"
    "${hook[@]}" "$engram" run s.yaml -o d/s.h5 --quiet 2>running &
    job=$!
    background+=("$job")
    await_point begun
}

# ends WORDS: it ends with 4 and says so, and nothing that is not true.
ends() {
    local code=0
    rm "$work/begun.hook/slow"
    { wait "$job" || code=$?; } 2>/dev/null
    [ $code = 4 ] || fail "exit code $code: $(cat running)"
    has running "$1"
    lacks running "the journal has everything"
    lacks running "the same command continues"
}

# rescued DIRECTORY: the copy there is whole and can be continued.
rescued() {
    has running "$1/s.rescued.journal"
    expect 0 "$engram" check "$1/s.rescued.h5"
    grep -qE '\(([0-9]+ [a-z]+, )*[0-9]+ done' out || fail "nothing is done in the copy: $(cat out)"
    expect 0 "$engram" collect "$1/s.rescued.h5"
    expect 0 "$engram" plan s.yaml -o "$1/s.rescued.h5"
    rm -rf d moved s.rescued.*
}

begin
rm d/s.journal
ends "d/s.journal was removed or moved while the sweep ran"
rescued d

begin
mv d moved
ends "was removed or moved"
rescued moved

begin
kill -STOP "$job" # it must not put anything there meanwhile
rm -r d
kill -CONT "$job"
ends "was removed or moved"
rescued "$work"

begin
cp d/s.journal older
mv older d/s.journal
ends "was replaced by another file"
rescued d

# What was cut off is nowhere; the results file keeps what it had.
begin
"$engram" collect d/s.h5 >/dev/null
cp d/s.h5 kept.h5
: >d/s.journal
ends "was cut from"
[ ! -e d/s.rescued.journal ] || fail "a copy of nothing"
mkdir alone
cp d/s.h5 alone
expect 0 "$engram" status alone/s.h5
