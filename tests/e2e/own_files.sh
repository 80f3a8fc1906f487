#!/usr/bin/env bash
# Files of others are neither changed nor removed, and one journal has one writer, whatever names lead to it.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

sweep s <<'END'
grid:
  optimizer.lr: [0.01, 0.03]
seeds: 2
END

# A file that happens to have the name of a lock, and links in place of locks.
echo 'content-hash = "0123"' >r.lock
cp r.lock foreign
refuses "r.lock is not a lock of engram" -- "$engram" run s.yaml -o r.h5
same r.lock foreign
[ ! -e r.journal ] || fail "a journal was begun beside somebody's r.lock"
rm r.lock
for target in foreign nothing; do
    ln -s $target r.lock
    refuses "r.lock is a symbolic link" -- "$engram" run s.yaml -o r.h5
    [[ -L r.lock && ! -e nothing ]] || fail "the link r.lock was followed or removed"
    rm r.lock
done
grep -q content-hash foreign || fail "the file behind the link was changed"
for name in r.h5 r.journal; do
    ln -s nothing $name
    refuses "$name is a symbolic link to nothing" -- "$engram" run s.yaml -o r.h5
    rm $name
done

# Names that temporary files would have: somebody's file, and a link to one.
echo mine >r.h5.tmp
ln -s "$PWD/foreign" r.h5.tmp.1
expect 0 "$engram" run s.yaml -o r.h5 --quiet
[ "$(cat r.h5.tmp)" = mine ] || fail "somebody's r.h5.tmp was changed"
[ -L r.h5.tmp.1 ] || fail "the link r.h5.tmp.1 was removed"
grep -q content-hash foreign || fail "the link r.h5.tmp.1 was followed"
rm r.h5.tmp*
# What an interrupted run of ours left there goes.
head -c 1000 r.h5 >r.h5.tmp
expect 0 "$engram" collect r.h5
expect 0 "$engram" run s.yaml -o r.h5 --quiet seeds=3
[ ! -e r.h5.tmp ] || fail "a temporary file is left"
echo mine >m.journal.tmp
expect 4 "$engram" merge m.h5 r.h5
has err "m.journal.tmp"
[ "$(cat m.journal.tmp)" = mine ] || fail "somebody's m.journal.tmp was changed"
rm m.*

# The results file keeps its mode, and stays behind the link that leads to it.
mkdir disk
chmod 640 r.h5
mv r.h5 disk
ln -s disk/r.h5 r.h5
expect 0 "$engram" run s.yaml -o r.h5 --quiet seeds=4
[ -L r.h5 ] || fail "the link to the results file was replaced"
[ "$(stat -c %a disk/r.h5)" = 640 ] || fail "the results file has mode $(stat -c %a disk/r.h5)"
expect 0 "$engram" check r.h5
has out "r.h5: 8 trials agree"
rm r.h5
mv disk/r.h5 .

# export does not write over results, whatever their name.
cp r.journal kept.journal
cp r.h5 kept.h5
ln r.journal table.csv
for out in r.h5 r.journal new.h5 new.journal table.csv; do
    refuses "$out" "choose" -- "$engram" export r.h5 -o $out
done
[ ! -e new.h5 ] || fail "a table with the name of results"
rm table.csv
same r.journal kept.journal
same r.h5 kept.h5
expect 0 "$engram" export r.h5 -o new.csv
expect 0 "$engram" export r.h5 -o new.csv

# A second writer is refused by every way to the journal.
sweep long <<'END'
  stream.epochs: 200000
grid:
  optimizer.lr: [0.01, 0.03]
END
"$engram" run long.yaml -o long.h5 --quiet 2>running &
job=$!
background+=("$job")
await "the results file of a running sweep" test -s long.h5
ln long.journal hard.journal
ln -s long.journal soft.journal
ln -s . around
mv long.lock gone
# Readers know it from the journal's own lock: what runs is not taken for dead.
for verb in status check; do
    expect 0 "$engram" $verb long.h5
    has out "$(hostname) $job"
done
expect 0 "$engram" plan long.yaml -o long.h5
has out "process $job is writing there"
expect 0 "$engram" merge copy.h5 long.h5
has err "is being written by $(hostname) $job"
rm copy.*
for file in hard.h5 soft.h5 around/long.h5 long.h5; do
    [ $file != hard.h5 ] || cp long.h5 hard.h5
    [ $file != soft.h5 ] || cp long.h5 soft.h5
    cp "${file%.h5}.journal" before
    refuses "is being written by another process" -- "$engram" run long.yaml -o $file
    same before "${file%.h5}.journal"
    [ ! -e "${file%.h5}.lock" ] || fail "the lock of a refused command is left"
done
# Its lock went and another one came: that is not its own, and stays.
echo "elsewhere 1 1" >long.lock
kill -USR1 "$job"
code=0
wait "$job" || code=$?
[ $code = 75 ] || fail "exit code $code: $(cat running)"
grep -q elsewhere long.lock || fail "the lock of another process was removed"
rm long.lock
expect 0 "$engram" check long.h5
has out "1 runs of the command"
