#!/usr/bin/env bash
# Journals and results files of format 1 (tests/data/format1): every verb reads them, and runs go on in them. Their
# checkpoints are refused with words: those trials begin anew.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

cp -r "$here/../data/format1/." .
gunzip ./*.gz

# shown FILE NAME: "NAME id status accuracy" per trial.
shown() {
    expect 0 "$engram" export "$1" --json
    { tr -d ' \n' <out | tr '{' '\n' && echo; } | sed -n 's/.*"trial_id":"\([0-9a-f]*\)".*"status":"\([a-z]*\)".*"final_accuracy":\([^,}]*\).*/'"$2"' \1 \2 \3/p'
}

# wanted NAME
wanted_of() {
    grep "^$1 " results
}

every_verb() {
    local file=$1 name=$2 table
    expect 0 "$engram" status "$file"
    expect 0 "$engram" top "$file"
    expect 0 "$engram" failures "$file"
    expect 0 "$engram" check "$file"
    for table in trials curves matrix; do
        expect 0 "$engram" export "$file" --table "$table"
        [ -s out ] || fail "$file: the table $table is empty"
    done
    shown "$file" "$name" >seen
    wanted_of "$name" >wanted
    same wanted seen
}

# From the HDF5 file alone.
for name in plain asha; do
    mkdir alone
    cp $name.h5 alone
    every_verb alone/$name.h5 $name
    rm -r alone
done

for journal in *.journal; do
    name=${journal%.journal}
    every_verb "$journal" "$name"
    expect 0 "$engram" collect "$name.h5"
    every_verb "$name.h5" "$name"
    expect 0 "$engram" merge again.h5 "$name.h5"
    every_verb again.h5 "$name"
    rm again.*
done
expect 0 "$engram" merge again.h5 merged.1of2.h5 merged.2of2.h5
every_verb again.h5 merged

# The same command goes on: what is finished stays as it is, byte for byte, and the rest is run.
for name in plain asha select redo merged redo_killed stopped paused losses; do
    cp $name.journal before
    saved=false
    [ ! -d $name.checkpoints ] || saved=true
    expect 0 "$engram" plan $name.yaml -o $name.h5
    expect 0 "$engram" run $name.yaml -o $name.h5
    mv err said
    cmp -n "$(stat -c %s before)" before $name.journal || fail "$name: the journal was changed"
    if $saved; then
        has said "format 1, expected 5"
    else
        lacks said "format"
    fi
    expect 0 "$engram" check $name.h5
    lacks out pending
    wanted_of $name | grep -E ' (done|stopped) ' >wanted || true
    shown $name.h5 $name >seen
    # A trial that a rule had stopped may go on where another one has fallen behind; nothing else changes.
    grep ' done ' wanted | while read -r line; do
        grep -qxF "$line" seen || fail "$name: the result \"$line\" is gone"
    done
done
# A trial whose checkpoint was refused leaves none when it is done.
[ ! -e stopped.checkpoints ] || fail "the checkpoint of a finished trial is left"
