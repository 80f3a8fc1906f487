#!/usr/bin/env bash
# Damage anywhere in a journal or a results file: check names the commands that lead out of it, and they do, to the
# results of a sweep that nothing happened to.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep s <<'END'
grid:
  optimizer.lr: [0.003, 0.03]
seeds: 2
select: {best: 1, seeds: 2}
END
expect 0 "$engram" run s.yaml -o good.h5
"$engram" export good.h5 --stable >good.csv

fresh() {
    rm -f d.* NEW.*
    cp good.h5 d.h5
    cp good.journal d.journal
}
# overwrite FILE AT: some other bytes there.
overwrite() { printf '\xf1\xf2\xf3\xf4' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
# follow [COMMAND-BEGINNING]: runs the commands in the advice of check that begin like that.
follow() {
    # shellcheck disable=SC2016 # backquotes of the report
    sed -n 's/^way out: //p' out | grep -o '`[^`]*`' | tr -d '`' | sed 's/SWEEP/s.yaml/' | grep "^${1-}" >commands ||
        fail "no command: $(cat out)"
    while read -r -a words; do
        [ "${words[0]}" != engram ] || words[0]=$engram
        expect 0 "${words[@]}"
    done <commands
}
# ends_well FILE: sound, complete and the same results.
ends_well() {
    expect 0 "$engram" check "$1"
    lacks out "way out"
    "$engram" export "$1" --stable >now.csv
    same good.csv now.csv
}

expect 0 "$engram" check good
lacks out "way out"

# Where the records of the journal begin.
python3 - good.journal >offsets <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
at = 0
while at < len(data):
    print(at, struct.unpack_from("<I", data, at + 4)[0])
    at += 24 + struct.unpack_from("<Q", data, at + 8)[0] + 4
END
records=$(wc -l <offsets)
[ "$records" -ge 16 ] || fail "only $records records"

# The first record of every type, and the last result; the very last record would be an incomplete end. Types 1 to 3 are
# header, plan and second stage, of which 11 and 12 are padding and copy: of these nothing is lost. 4 is the session, 6 and
# 7 are a trial that starts and its result.
kept=0 twice=0
while read -r at type; do
    fresh
    overwrite d.journal $((at + 26))
    expect 2 "$engram" check d.h5
    has out "DAMAGED"
    has out "d.h5: damaged"
    cp out report
    if [[ $type -le 3 || $type -ge 11 ]]; then
        for verb in status top failures export; do
            expect 0 "$engram" $verb d.h5
            cat out err >said
            has said "nothing is lost"
        done
        expect 0 "$engram" export d.h5 --stable
        same good.csv out
        if [ $((twice % 2)) = 0 ]; then
            expect 0 "$engram" run s.yaml -o d.h5
            has err "it was written anew, and the old one is"
        else
            cp report out
            follow engram
            has out "d.damaged.journal"
        fi
        twice=$((twice + 1))
        [ -e d.damaged.journal ] || fail "the damaged journal is gone"
        ends_well d.h5
        continue
    fi
    refuses -- "$engram" run s.yaml -o d.h5
    # The results file has what the journal lost: nothing replaces it.
    if grep -q 'do not collect' report; then
        refuses "d.journal" "damaged" -- "$engram" collect d.h5
    fi
    same good.h5 d.h5
    cp report out
    follow engram
    kept=$((kept + 1))
    ends_well NEW.h5
done < <(sort -n -s -u -k 2,2 <(head -n -1 offsets) && grep ' 7$' offsets | tail -n 1)
[ "$kept $twice" = "4 5" ] || fail "$kept kept, $twice repaired"

# lost N: the header (1), the plan (2) or the second stage (3) of d.journal, with its copy.
lost() {
    local at
    fresh
    at=$(awk -v type="$1" '$2 == type { print $1; exit }' offsets)
    overwrite d.journal $((at + 26))
    at=$(awk -v type="$1" '$2 == type { seen = 1 } seen && $2 == 12 { print $1; exit }' offsets)
    overwrite d.journal $((at + 40))
}
# Of both, the results file has what is needed, in the order in which the sweep came by it.
for type in 1 2; do
    lost $type
    refuses "the way out" -- "$engram" run s.yaml -o d.h5
    for verb in status top failures export; do
        expect 0 "$engram" $verb d.h5
        cat out err >said
        has said "shown is what d.h5 held"
    done
    expect 0 "$engram" export d.h5 --stable
    same good.csv out
    expect 0 "$engram" merge NEW.h5 d.h5
    has err "lost its header or plan"
    ends_well NEW.h5
    expect 2 "$engram" check d.h5
    follow engram
    ends_well d.h5
    # Who ran what, when and with which attempt: as it was.
    "$engram" export good.h5 >before
    "$engram" export d.h5 >now
    same before now
    expect 0 "$engram" run s.yaml -o d.h5
    lacks err "changed since its last run"
    ends_well d.h5
done

# Three runs, of which the first had another plan and the last ran what was finished again.
rm -f two.*
sed '/^select/d' s.yaml >second.yaml
sed -e 's/^seeds: 2/seeds: 1/' -e 's/\[0.003, 0.03\]/[0.003, 0.1]/' second.yaml >first.yaml
expect 0 "$engram" run first.yaml -o two.h5
cp two.h5 older.h5
expect 0 "$engram" run second.yaml -o two.h5
expect 0 "$engram" run second.yaml --redo all -o two.h5
"$engram" export two.h5 --stable >after
cp two.h5 d.h5
cp two.journal d.journal
expect 0 dd if=/dev/zero of=d.journal bs=4096 count=2 conv=notrunc status=none
expect 2 "$engram" check d.h5
follow engram
"$engram" export d.h5 --stable >now
same after now
expect 0 "$engram" check d.h5
"$engram" export two.h5 >before
"$engram" export d.h5 >now
same before now
expect 0 "$engram" run second.yaml -o d.h5
expect 0 "$engram" check d.h5

# The same where the results file is that of the first run: the second one's plan is in the journal.
"$engram" export two.h5 --stable | sed 1d | sort -t, -k 2 | cut -d, -f 2,4- >after
cp older.h5 d.h5
cp two.journal d.journal
expect 0 dd if=/dev/zero of=d.journal bs=4096 count=2 conv=notrunc status=none
expect 0 "$engram" collect d.h5
"$engram" export d.h5 --stable | sed 1d | sort -t, -k 2 | cut -d, -f 2,4- >now
same after now

# A journal that somebody emptied: nothing begins in it while the results are beside it.
fresh
: >d.journal
refuses "d.journal holds no sweep, but d.h5 has results of 6 trials" -- "$engram" run s.yaml -o d.h5
expect 2 "$engram" check d.h5
follow engram
ends_well d.h5

# The results file.
fresh
overwrite d.h5 1000
expect 2 "$engram" check d.h5
follow engram
ends_well d.h5

# Both, and the journal beyond use.
fresh
overwrite d.h5 1000
head -c 300 /dev/zero >d.journal
expect 2 "$engram" check d.h5
follow engram
ends_well NEW.h5
rm d.journal NEW.*
expect 2 "$engram" check d.h5
follow engram
ends_well NEW.h5
