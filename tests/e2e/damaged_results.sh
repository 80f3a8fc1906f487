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
    rm -f d.h5 d.journal d.journal.damaged NEW.h5 NEW.journal
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

# The first record of every type, and the last result; the very last record would be an incomplete end. Types 1 and 2
# are header and plan, 3 is the second stage, 4 the session, 6 and 7 are a trial that starts and its result.
kept=0 again=0
while read -r at type; do
    fresh
    overwrite d.journal $((at + 26))
    expect 2 "$engram" check d.h5
    has out "DAMAGED"
    has out "d.h5: damaged"
    cp out report
    refuses -- "$engram" run s.yaml -o d.h5
    # The results file has what the journal lost: nothing replaces it.
    if grep -q 'do not collect' report; then
        refuses "d.journal" "damaged" -- "$engram" collect d.h5
    fi
    same good.h5 d.h5
    cp report out
    if [ "$type" -gt 2 ]; then
        follow engram
        kept=$((kept + 1))
        ends_well NEW.h5
    else
        # Without the plan the results file alone says what there is.
        has out "d.h5 holds 6 finished trials"
        follow mv
        "$engram" export d.h5 --stable >now.csv
        same good.csv now.csv
        cp report out
        follow engram
        again=$((again + 1))
        ends_well NEW.h5
    fi
done < <(sort -n -s -u -k 2,2 <(head -n -1 offsets) && grep ' 7$' offsets | tail -n 1)
[ "$kept $again" = "5 2" ] || fail "$kept kept, $again again"

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
