#!/usr/bin/env bash
# Commands without standard streams, with little of what a system gives, and where nothing may be written: each ends in bounded
# time with its result or with words, and where it was to write results, the same command does so without the limit.
# shellcheck disable=SC2034,SC2317 # for support.sh; functions called by their names
about="Closed descriptors, resource limits and missing permissions, for every verb, at random values. --count: of each kind."
short=40
full=200
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

command -v prlimit >/dev/null || fail "no prlimit (util-linux)"
limit_seconds=180
prepare 4
"$engram" run whole.yaml -o whole.h5 --quiet
cp whole.yaml job.yaml

# Relative names: the command may be somebody else's who cannot come here by an absolute one.
verbs=("run job.yaml -o job.h5" "run job.yaml -o job.h5 -q" "launch -n 2 job.yaml -o job.h5" "plan job.yaml" "status whole.h5"
    "top whole.h5" "export whole.h5" "failures whole.h5" "check whole.h5" "merge job.h5 whole.h5" "list" "help" "describe adam"
    "train dataset=synthetic model.hidden=[4] stream=iid stream.epochs=1")

# one_verb: its words in `words`, on new results.
one_verb() {
    rm -rf job.h5 job.journal job.lock job.checkpoints job.rescued.journal
    pick ${#verbs[@]}
    read -r -a words <<<"${verbs[picked]}"
}

# goes_on KIND: what the last command wrote, if it did, is sound, and the same command without a limit completes it.
goes_on() {
    local kind=$1
    none_left 60 || {
        broke "$kind" "processes are left: $(started | tr '\n' ' ')" out err
        end_all
    }
    cmp -s whole.kept whole.journal || broke "$kind" "${words[*]} changed the journal it reads" whole.journal
    [ -e job.journal ] || [ "${words[0]}" = run ] || return 0
    bounded 600 "$engram" run job.yaml -o job.h5 --quiet
    [ "$code" = 0 ] || { broke "$kind" "then the same command: exit code $code: $(tail -n 1 err)" job.* err && return; }
    write_stable job >job.stable
    cmp -s whole.stable job.stable || broke "$kind" "then other results" job.* whole.stable
}
cp whole.journal whole.kept

# try KIND command…: the verdict of `words` behind that command. What a limit ends from outside is no answer and no fault.
try() {
    local kind=$1
    shift
    bounded $limit_seconds "$@" "$engram" "${words[@]}"
    echo "$* engram ${words[*]}" >words.txt
    verdict "$kind" words.txt out err
    goes_on "$kind"
}

# Descriptors: every combination with every verb.
for closed in 0 1 2 "0 1" "0 2" "1 2" "0 1 2"; do
    for verb in "${verbs[@]}"; do
        one_verb
        read -r -a words <<<"$verb"
        code=0
        (
            exec </dev/null >out 2>err
            for fd in $closed; do eval "exec $fd>&-"; done
            exec timeout -s KILL $limit_seconds "$engram" "${words[@]}"
        ) || code=$?
        kind="closed: $closed"
        echo "closed $closed: engram $verb" >words.txt
        case $code in
        0) note "$kind" accepted ;;
        # Without standard output nothing can be shown, and without standard error not said why.
        4) if [[ $closed = *[12]* ]]; then note "$kind" refused; else broke "$kind" "exit code 4" words.txt out err; fi ;;
        *) broke "$kind" "exit code $code of engram $verb" words.txt out err ;;
        esac
        goes_on "$kind"
    done
done

# value LEAST MOST: between them, in `value`; small ones more often.
value() {
    pick $(($2 - $1 + 1))
    value=$picked
    pick 2
    [ "$picked" = 0 ] || value=$((value / 16))
    value=$(($1 + value))
}

# below_the_program: with so little the program is not even loaded, or ended before it begins: nothing of ours.
below_the_program() {
    [ "$code" = 127 ] || grep -q 'error while loading shared\|cannot apply additional memory protection' err
}

try_limit() {
    local kind=$1 name=$2 unit=$3
    value "$4" "$5"
    one_verb
    bounded $limit_seconds prlimit "--$name=$((value * unit)):$((value * unit))" "$engram" "${words[@]}"
    echo "prlimit --$name=$((value * unit)) engram ${words[*]}" >words.txt
    if below_the_program; then
        note "$kind" not_loaded
    elif [ "$name" = cpu ] && [ "$code" = 137 ] || [ "$name" = stack ] && [ "$code" = 139 ] && [ $((value * unit)) -lt 262144 ]; then
        note "$kind" killed # by the system; what matters is that the same command goes on
    elif [ "$code" = 75 ]; then
        note "$kind" stopped
    elif [ "$name" = fsize ] && [ "$value" = 0 ] && [ "$code" = 4 ]; then
        note "$kind" refused # its words are in a file
    else
        verdict "$kind" words.txt out err
    fi
    goes_on "$kind"
}

for ((n = 0; n < count; n++)); do
    try_limit "open files" nofile 1 3 64
    try_limit "address space" as 1048576 30 1000
    try_limit "size of files" fsize 1024 0 256
    try_limit "stack" stack 1024 16 8192
done
# A signal a second before the end of the allowed time asks to stop, and the results so far are kept.
sed -i 's/stream.epochs: .*/stream.epochs: 20000/; s/eval.every: .*/eval.every: 20001/' job.yaml
for ((n = 0; n < 2; n++)); do
    rm -rf job.*[!l]
    kind="processor time, soft limit"
    bounded $limit_seconds prlimit --cpu=1:20 "$engram" run job.yaml -o job.h5 -q
    if [ "$code" = 75 ]; then note "$kind" stopped; else verdict "$kind" out err; fi
    kind="processor time, hard limit"
    bounded $limit_seconds prlimit --cpu=1:1 "$engram" run job.yaml -o job.h5 -q
    if [ "$code" = 137 ]; then note "$kind" killed; else verdict "$kind" out err; fi
    bounded 600 "$engram" check job.h5
    [ "$code" = 0 ] || broke "$kind" "check: exit code $code" job.* out err
done
rm -rf job.*
cp whole.yaml job.yaml

# As somebody who may not write here, and in places that are not there.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    cp "$engram" "$work/program"
    chmod 755 "$work"
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env "HOME=/" "TMPDIR=/tmp")
    as_nobody() {
        kind=$1
        shift
        bounded $limit_seconds "${nobody[@]}" "$work/program" "$@"
        echo "nobody: engram $*" >words.txt
        verdict "$kind" words.txt out err
    }
    for mode in 755 555 700; do
        mkdir "place$mode"
        for verb in "run job.yaml -o place$mode/job.h5 -q" "merge place$mode/m.h5 whole.h5" "export whole.h5 -o place$mode/t.csv" \
            "collect place$mode/whole.h5" "status place$mode/whole.h5" "check place$mode/whole.h5"; do
            cp whole.h5 whole.journal "place$mode"
            chmod "$mode" "place$mode"
            # shellcheck disable=SC2086 # several words
            as_nobody "directory of mode $mode" $verb
            cmp -s whole.journal "place$mode/whole.journal" || broke "$kind" "the journal was changed"
            [ "$(find "place$mode" -type f | wc -l)" = 2 ] || broke "$kind" "left: $(ls "place$mode")"
        done
    done
    for mode in 000 444; do
        mkdir "files$mode"
        chmod 777 "files$mode"
        for verb in "run job.yaml -o files$mode/whole.h5 -q" "run job.yaml -o files$mode/whole.h5 -q --redo all" \
            "merge files$mode/whole.h5 whole.h5" "collect files$mode/whole.h5" "status files$mode/whole.h5" "top files$mode/whole.h5"; do
            cp whole.h5 whole.journal "files$mode"
            chmod "$mode" "files$mode"/*
            # shellcheck disable=SC2086 # several words
            as_nobody "files of mode $mode" $verb
            cmp -s whole.journal "files$mode/whole.journal" || broke "$kind" "the journal was changed"
        done
    done
    # A limit on processes counts those of its user.
    mkdir own
    chmod 777 own
    for most in 1 2 3 4 6 8 12 20 40; do
        for verb in "run job.yaml -o own/job.h5 -q" "launch -n 2 job.yaml -o own/job.h5 -q" "status whole.h5"; do
            kind="processes"
            rm -rf own/*
            # shellcheck disable=SC2086 # several words
            bounded $limit_seconds "${nobody[@]}" prlimit --nproc=$most "$work/program" $verb
            echo "nobody, prlimit --nproc=$most: engram $verb" >words.txt
            verdict "$kind" words.txt out err
            none_left 60 || broke "$kind" "processes are left"
        done
    done
else
    echo "SKIPPED: what needs another user, who needs root and setpriv" >&2
fi
words=(run)
for place in nowhere/job.h5 job.yaml/job.h5 /proc/job.h5 /dev/null/job.h5 /dev/full/x.h5 "$(printf '%0300d' 0).h5"; do
    bounded $limit_seconds "$engram" run job.yaml -o "$place" -q
    verdict "no such place" job.yaml out err
done
conclude
