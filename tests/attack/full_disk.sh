#!/usr/bin/env bash
# The results lie on a small file system of their own that is full at some point: from the beginning, after so many results,
# while a checkpoint is written, or it has no more files, or can only be read. The sweep ends with words and loses nothing that
# was acknowledged; with room again the same command gives the results of a sweep that nothing happened to.
# shellcheck disable=SC2034 # for support.sh
about="Sweeps on small tmpfs and ext4 file systems that fill up at random points. Needs root, to mount them."
short=24
full=200
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

disk=$work/disk
mkdir "$disk"
leave() {
    end_all
    umount -l "$disk" 2>/dev/null || true
    finish
}
trap leave EXIT
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=1m tmpfs "$disk" 2>/dev/null; then
    echo "SKIPPED: this needs root and the right to mount" >&2
    exit 77
fi
umount "$disk"
systems=(tmpfs)
if command -v mkfs.ext4 >/dev/null && truncate -s 8M image && mkfs.ext4 -q image && mount -o loop image "$disk" 2>/dev/null; then
    umount "$disk"
    systems+=(ext4)
else
    echo "SKIPPED: ext4, which needs mkfs.ext4 and loop devices" >&2
fi

# make_disk KIND FILES: an empty file system in `disk`, FILES: how many files it may have (0: enough).
make_disk() {
    case $1 in
    tmpfs) mount -t tmpfs -o "size=2m,nr_inodes=$([ "$2" = 0 ] && echo 1000 || echo "$2")" tmpfs "$disk" ;;
    ext4)
        rm -f image
        truncate -s 6M image
        # shellcheck disable=SC2046 # two words or none
        mkfs.ext4 -q -m 0 -O ^has_journal $([ "$2" = 0 ] || echo -N $((16 * (1 + $2 / 16)))) image
        mount -o loop image "$disk"
        ;;
    esac
}

# fill BYTES: leaves so many.
fill() {
    local left
    cat /dev/zero >"$disk/filler" 2>/dev/null || true
    left=$(stat -c %s "$disk/filler")
    truncate -s $((left > $1 ? left - $1 : 0)) "$disk/filler"
}

# The sweep on that disk; its exit code in `code`.
run_there() {
    bounded 300 ${hook[@]+"${hook[@]}"} "$engram" launch -n $number "$work/job.yaml" -o "$disk/job.h5" --checkpoint-every 1
    hook=()
}

# answered: it ended with its results or with words, and nothing that was known before is gone.
answered() {
    verdict "$kind" out err "$disk/job.journal"
    none_left 60 || {
        broke "$kind" "processes are left" err
        end_all
    }
    finished_rows "$disk/job" >after.rows || true
    [ -z "$(comm -23 before.rows after.rows)" ] || broke "$kind" "lost or run again" before.rows after.rows "$disk/job.journal"
    mv after.rows before.rows
}

# complete: with room again.
complete() {
    local left
    number=2
    run_there
    [ "$code" = 0 ] || broke "$kind" "with room again: exit code $code: $(tail -n 1 err)" out err "$disk/job.journal"
    finished_rows "$disk/job" >after.rows
    [ -z "$(comm -23 before.rows after.rows)" ] || broke "$kind" "run again" before.rows after.rows
    write_stable "$disk/job" >job.stable
    cmp -s whole.stable job.stable || broke "$kind" "other results" "$disk/job.h5" "$disk/job.journal" whole.stable
    bounded 300 "$engram" check "$disk/job.h5"
    [ "$code" = 0 ] || broke "$kind" "check: exit code $code" out err "$disk/job.h5" "$disk/job.journal"
    left=$(cd "$disk" && echo *)
    [[ $left =~ ^(filler )?job.h5\ job.journal(\ lost\+found)?$ ]] || broke "$kind" "left: $left"
}

prepare 12
cp whole.yaml job.yaml
for ((n = 0; n < count; n++)); do
    system=${systems[n % ${#systems[@]}]}
    pick 2
    number=$((picked + 1))
    : >before.rows
    pick 5
    case $picked in
    0 | 1) # full from the beginning but for a little
        kind="$system, a little room"
        make_disk "$system" 0
        pick 200000
        fill "$picked"
        run_there
        ;;
    2) # full after so many results, while trials run
        kind="$system, full on the way"
        make_disk "$system" 0
        pick $((trials / 2))
        hooks job "results $((1 + picked))"
        "${hook[@]}" "$engram" launch -n $number "$work/job.yaml" -o "$disk/job.h5" --checkpoint-every 1 >out 2>err </dev/null &
        job=$!
        hook=()
        await_point_or_end job
        finished_rows "$disk/job" >before.rows
        pick 20000
        fill "$picked"
        go_on job
        settle
        ;;
    3)
        kind="$system, no more files"
        pick 6
        make_disk "$system" $((2 + picked))
        while touch "$disk/many.$RANDOM" 2>/dev/null; do
            [ "$system" = tmpfs ] && break
        done
        run_there
        rm -f "$disk"/many.*
        ;;
    4) # it can only be read from some point on
        kind="$system, read-only on the way"
        make_disk "$system" 0
        pick $((trials / 2))
        hooks job "results $((1 + picked))"
        "${hook[@]}" "$engram" launch -n $number "$work/job.yaml" -o "$disk/job.h5" >out 2>err </dev/null &
        job=$!
        hook=()
        await_point_or_end job
        finished_rows "$disk/job" >before.rows
        if mount -o remount,ro "$disk" 2>/dev/null; then kind+=" (remounted)"; else fill 0; fi
        go_on job
        settle
        mount -o remount,rw "$disk"
        ;;
    esac
    answered
    if [ "$kind" = "tmpfs, no more files" ]; then mount -o remount,nr_inodes=1000 "$disk"; fi
    rm -f "$disk/filler"
    complete
    umount "$disk"
done
conclude
