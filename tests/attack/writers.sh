#!/usr/bin/env bash
# While a sweep runs, other commands try to write to the same results by every other name there is for them: they are refused
# and change nothing, and commands that only read, or only make the results file anew, do no harm. Then several that write begin
# at the same moment. In the end the results are those of a sweep that nothing happened to, made by one writer at a time.
# shellcheck disable=SC2034 # for support.sh
about="Second writers by every kind of alias, beside a running sweep and at the same moment."
short=40
full=300
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

leave() {
    end_all
    umount -l "$work/bound" 2>/dev/null || true
    finish
}
trap leave EXIT

aliases=(same absolute dots slashes around symlinked_directory hard_link hard_link_elsewhere symlink symlink_of_results proc
    lock_removed lock_foreign lock_copied journal_name no_ending)
mkdir bound
if mount --bind "$work" "$work/bound" 2>/dev/null; then
    umount "$work/bound"
    aliases+=(bind_mount)
else
    echo "SKIPPED: bind mounts, which need root and the right to mount" >&2
fi

# Every way to the same results: sets `file`, the name to write to. job.* are the results that are being written.
as_same() { file=job.h5; }
as_absolute() { file=$work/job.h5; }
as_dots() { file=../$(basename "$work")/./job.h5; }
as_slashes() { file=$work///job.h5; }
as_around() { mkdir -p a/b && file=a/b/../../job.h5; }
as_symlinked_directory() { ln -sfn . here && file=here/job.h5; }
as_hard_link() { ln -f job.journal other.journal && file=other.h5; }
as_hard_link_elsewhere() { mkdir -p away && ln -f job.journal away/o.journal && file=away/o.h5; }
as_symlink() { ln -sf job.journal other.journal && file=other.h5; }
as_symlink_of_results() { ln -sf job.h5 other.h5 && ln -sf job.journal other.journal && file=other.h5; }
as_proc() { file=/proc/self/cwd/job.h5; }
as_lock_removed() { rm -f job.lock && file=job.h5; }
as_lock_foreign() { echo "elsewhere 1 1" >strange && mv strange job.lock && file=job.h5; }
as_lock_copied() { ln -f job.journal other.journal && cp job.lock other.lock 2>/dev/null && file=other.h5 || file=job.h5; }
as_journal_name() { file=job.journal; }
as_no_ending() { file=job; }
as_bind_mount() { mount --bind "$work" "$work/bound" && file=bound/job.h5; }

writes=("run job.yaml -q -o FILE" "run job.yaml -q -o FILE --redo all" "run job.yaml -q -o FILE seeds=1" "merge FILE whole.h5"
    "launch -n 2 job.yaml -q -o FILE")
reads=("collect FILE" "status FILE" "check FILE" "top FILE" "export FILE" "merge new.h5 FILE")

# an_attempt: a command that writes by some alias, in `words`.
an_attempt() {
    local chosen
    pick ${#aliases[@]}
    kind=${aliases[picked]}
    "as_$kind"
    pick ${#writes[@]}
    read -r -a words <<<"${writes[picked]//FILE/$file}"
}

# What was in the journal before the attempt is there as it was; the sweep that runs may have added to it.
is_longer() {
    cmp -s -n "$(stat -c %s before.journal)" before.journal job.journal
}

clean_up() {
    umount "$work/bound" 2>/dev/null || true
    rm -rf other.* away a here new.*
}

# sound: the sweep is complete, like the undisturbed one, and nothing lies about.
sound() {
    local found
    bounded 300 "$engram" check job.h5
    [ "$code" = 0 ] || broke "$kind" "check: exit code $code" job.* out err
    write_stable job >job.stable
    cmp -s whole.stable job.stable || broke "$kind" "other results" job.* whole.stable
    found=$(litter job)
    [ -z "$found" ] || broke "$kind" "left: $found" job.*
}

prepare 4 400
cp whole.yaml job.yaml
hooks job "products 1"
"${hook[@]}" "$engram" run "$work/job.yaml" -o "$work/job.h5" --quiet >running.out 2>running.err </dev/null &
job=$!
hook=()
await_point job
await "its results file" test -s job.h5
for ((n = 0; n < count; n++)); do
    an_attempt
    cp job.journal before.journal
    bounded 120 "$engram" "${words[@]}"
    if [ "$code" = 2 ] && grep -q 'is being written by\|is not a lock of engram\|to be merged into itself\|symbolic link' err; then
        note "$kind" refused
    else
        broke "$kind" "engram ${words[*]}: exit code $code: $(tail -n 1 err)" out err job.journal
    fi
    is_longer || broke "$kind" "engram ${words[*]} changed the journal" before.journal job.journal
    pick ${#reads[@]}
    read -r -a words <<<"${reads[picked]//FILE/$file}"
    rm -f new.*
    bounded 120 "$engram" "${words[@]}"
    case "$code ${words[0]}" in
    0\ * | "2 merge" | "2 check") note "$kind" read ;;
    *) broke "$kind" "engram ${words[*]}: exit code $code: $(tail -n 1 err)" out err job.journal ;;
    esac
    is_longer || broke "$kind" "engram ${words[*]} changed the journal" before.journal job.journal
    kill -0 "$job" 2>/dev/null || fail "the sweep that runs has ended: $(cat running.err)"
    clean_up
done
rm -f job.lock
kind="the sweep that ran meanwhile"
go_on job
settle
if [ "$code" = 0 ]; then note "$kind" accepted; else broke "$kind" "exit code $code" running.err job.journal; fi
sound
"$engram" check job.h5 | grep -q ' 1 runs of the command' || broke "$kind" "there were others" job.journal
rm -rf job.h5 job.journal job.hook

# At the same moment. Whoever comes too late is refused; whoever comes after the others ended, goes on.
for ((n = 0; n < count / 4; n++)); do
    kind="several at once"
    [ $((n % 2)) = 0 ] || bounded 300 "$engram" run job.yaml -o job.h5 --quiet
    pids=()
    rm -f gate
    for i in 1 2 3 4; do
        words=(collect job.h5)
        [ $i = 4 ] || read -r -a words <<<"${writes[RANDOM % 2 * (n % 2)]//FILE/job.h5}"
        (
            until [ -e gate ]; do :; done
            exec "$engram" "${words[@]}" >"out$i" 2>"err$i"
        ) &
        pids+=($!)
        background+=($!)
    done
    touch gate
    for i in 1 2 3 4; do
        code=0
        wait "${pids[i - 1]}" || code=$?
        if [ $code = 0 ]; then
            note "$kind" accepted
        elif [ $code = 2 ] && grep -q 'is being written by\|no journal\|holds no sweep yet\|does not exist\|no such file' "err$i"; then
            note "$kind" refused
        else
            broke "$kind" "exit code $code: $(cat "err$i")" job.*
        fi
    done
    bounded 300 "$engram" run job.yaml -o job.h5 --quiet
    sound
    rm -rf job.h5 job.journal
done
conclude
