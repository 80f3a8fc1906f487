#!/usr/bin/env bash
# Looking at results: control characters of others never reach the terminal; one signal is enough to stop looking; what
# a killed collect leaves goes with the next one.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# quiet FILE: no control character but line breaks; what stood in its place is shown.
quiet() {
    if LC_ALL=C grep -q -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1"; then
        LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1" | cat -v | head -5
        fail "control characters in $1"
    fi
}

sweep $'\e[31mt' <<'END'
seeds: 2
doc: "clears \e[2J the screen, \x9b31m C1, \a rings, \x7f and says \r12 of 12 finished"
END
sed -i 's/^name: .*/name: t/' ./*.yaml
results=$'\e]0;title\a.h5'
for command in plan "plan --list" "run -o" "status" "top" "failures" "check" "collect"; do
    read -ra words <<<"$command"
    [[ $command != plan* && $command != run* ]] || words=("${words[0]}" $'\e[31mt.yaml' "${words[@]:1}")
    [[ $command == plan* ]] || words+=("$results")
    expect 0 "$engram" "${words[@]}"
    quiet out
    quiet err
    [[ $command != plan && $command != status ]] || has out '\x1b'
done
refuses '\x1b[31m.h5' -- "$engram" status $'\e[31m.h5'

# The same in texts of a file that somebody changed: a table is exact for a program, and harmless for a person.
host=$(hostname)
LC_ALL=C sed "s/$host/"$'\e'"${host:1}/g" "$results" | head -c -32 >foreign.h5
"$engram" export foreign.h5 >exact.csv
grep -q $'\e' exact.csv || fail "an export changed a text"
script -qec "'$engram' export foreign.h5" /dev/null </dev/null | tr -d '\r' >seen.csv
quiet seen.csv
has seen.csv "\\x1b${host:1}"

# Names of others in rankings, in the words around them, and in JSON, whose escapes say the same.
# Texts stand in heaps of their own; the names of variables in the file stay as they are.
python3 - "$results" >named.h5 <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read()[:-32])
at = data.find(b"GCOL")
while at >= 0:
    end = at + struct.unpack_from("<Q", data, at + 8)[0]
    data[at:end] = data[at:end].replace(b"accuracy", b"\x1b[2Jx\xc2\x9b\x7f"[:8])
    at = data.find(b"GCOL", end)
sys.stdout.buffer.write(data)
END
for command in top "top --json" status "status --json" failures check "export --json"; do
    read -ra words <<<"$command"
    "$engram" "${words[@]}" named.h5 >out 2>err || [ "$command" = check ] || fail "exit code $? of $command"
    quiet out
    quiet err
    [[ $command =~ ^(failures|check|export) ]] || has out '[2Jx'
done

# Nobody reads what it has to say, and one signal ends it.
mkfifo full
exec 3<>full
head -c 65536 /dev/zero >&3
"$engram" status "$results" >full 2>/dev/null &
pid=$!
background+=("$pid")
sleep 1
kill -TERM "$pid"
await "a status to end at the first signal" gone "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 143 ] || fail "exit code $code of a status that was terminated"
exec 3>&-

# One was killed long ago, one still runs; files that only look similar stay.
cp "$results" some.h5
cp "${results%.h5}.journal" some.journal
(exit 0) &
gone=$!
wait "$gone"
for name in "some.h5.$gone.tmp" some.h5.x.tmp "other.h5.$gone.tmp" "some.h5.$$.tmp"; do
    echo half >"$name"
    touch -d '1 hour ago' "$name"
done
expect 0 "$engram" collect some.h5
[ ! -e "some.h5.$gone.tmp" ] || fail "what a killed collect left is still there"
for name in some.h5.x.tmp "other.h5.$gone.tmp" "some.h5.$$.tmp"; do
    [ -e "$name" ] || fail "it removed $name, which is not its own"
done
echo passed
