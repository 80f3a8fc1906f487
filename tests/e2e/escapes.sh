#!/usr/bin/env bash
# Control characters in documentation, settings and file names never reach the terminal.
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
echo passed
