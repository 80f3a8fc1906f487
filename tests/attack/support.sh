#!/usr/bin/env bash
# What the attacks share, on top of ../faults/support.sh: they count what they tried and go on when something breaks, print a
# table at the end, and fail then if anything broke. To be sourced by one of them, which sets `about`, `short` and `full`
# before. What broke is kept in ENGRAM_ATTACK_KEEP (default: attack-kept in the directory the attack was started from).
kept=${ENGRAM_ATTACK_KEEP:-$PWD/attack-kept}
# shellcheck source-path=SCRIPTDIR source=../faults/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/../faults/support.sh"
# Whatever a program leaves in the directory for temporary files is to be seen.
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

# No sanitizer's report has the exit code of an answer.
export ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0:fast_unwind_on_malloc=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export UBSAN_OPTIONS=halt_on_error=1:exitcode=99:print_stacktrace=1
LSAN_OPTIONS=exitcode=98:print_suppressions=0:suppressions=$(realpath "$here/../sanitize/lsan.supp")
export LSAN_OPTIONS

declare -A tally=()
kinds=()
outcomes=()
broken=0

# note KIND OUTCOME: one more in the table.
note() {
    [ -n "${tally[$1]-}" ] || kinds+=("$1")
    [[ " ${outcomes[*]-} " = *" $2 "* ]] || outcomes+=("$2")
    tally[$1]=$((${tally[$1]-0} + 1))
    tally[$1/$2]=$((${tally[$1/$2]-0} + 1))
}

# broke KIND WORDS [FILE…]: says so, counts it, and keeps the files.
broke() {
    local folder
    note "$1" BROKE
    broken=$((broken + 1))
    folder=$kept/${0##*/}.$seed.$broken
    mkdir -p "$folder"
    echo "$2" >"$folder/words"
    cp -r "${@:3}" "$folder" 2>/dev/null || true
    echo "BROKE ($1): $2; see $folder" >&2
}

# The table, and the end of the attack.
conclude() {
    local kind outcome cell all=0
    printf '\n%-34s %7s' "${0##*/}, seed $seed" tried
    for outcome in "${outcomes[@]}"; do printf ' %*s' $((${#outcome} > 6 ? ${#outcome} : 6)) "$outcome"; done
    echo
    for kind in "${kinds[@]}"; do
        printf '%-34s %7d' "$kind" "${tally[$kind]}"
        for outcome in "${outcomes[@]}"; do
            cell=${tally[$kind/$outcome]-0}
            printf ' %*d' $((${#outcome} > 6 ? ${#outcome} : 6)) "$cell"
        done
        echo
        all=$((all + ${tally[$kind]}))
    done
    echo "$all tried, $broken broke"
    [ "$broken" = 0 ] || exit 1
    exit 0
}

# bounded SECONDS command…: runs it to its end; its exit code in `code`, its output in `out` and `err`. 137: it was killed when
# the time was up.
bounded() {
    local seconds=$1
    shift
    code=0
    timeout -s KILL "$seconds" "$@" >out 2>err </dev/null || code=$?
}

# verdict KIND INPUT…: of the last `bounded`: an answer or a refusal with words is fine, anything else broke. INPUT: what to keep
# then, besides `out` and `err`.
verdict() {
    local kind=$1
    shift
    case $code in
    0) note "$kind" accepted ;;
    2 | 3 | 4)
        if [ -s err ] || [ -s out ]; then note "$kind" refused; else broke "$kind" "code $code without a word" "$@" err; fi
        ;;
    137) broke "$kind" "no end" "$@" out err ;;
    98 | 99) broke "$kind" "a sanitizer's report: $(grep -m 1 -E 'ERROR|runtime error' err)" "$@" out err ;;
    *) broke "$kind" "exit code $code: $(tail -n 1 err)" "$@" out err ;;
    esac
}

# none_left SECONDS: false if processes of this attack are left after so long.
none_left() {
    local start=$SECONDS
    while [ -n "$(started)" ]; do
        [ $((SECONDS - start)) -lt "$1" ] || return 1
        sleep 0.05
    done
}

# litter NAME: what lies about beside the results of NAME when nothing runs: locks, temporary files, checkpoints.
litter() {
    find "$work" -maxdepth 1 \( -name "$1.*lock" -o -name "$1.*tmp*" -o -name "$1.checkpoints" \)
}
