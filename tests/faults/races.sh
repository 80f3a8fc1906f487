#!/usr/bin/env bash
# Several commands begin to write one results file at the same moment: exactly one does, the others say who.
about="Starts three \`engram run\` on one file at once, every other time with the lock of a process that was killed in the way."
short=4
full=20
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

sweep s <<'END'
  stream.epochs: 100
grid:
  optimizer.lr: [0.003, 0.03]
seeds: 2
END

one_is_left() {
    local pid
    writers=0
    for pid in "${pids[@]}"; do
        if kill -0 "$pid"; then writers=$((writers + 1)); fi
    done
    [ "$writers" -le 1 ]
}

runners=3
for ((race = 1; race <= count; race++)); do
    rm -f s.journal s.h5 s.lock gate waits*
    # A lock like one that a process left which was killed: nobody holds it, and its pid is of nobody.
    [ $((race % 2)) = 1 ] || echo "$(hostname) 4194303 1" >s.lock
    # The one that writes cannot end before the others have.
    hooks s "products 1"
    pids=()
    for ((i = 0; i < runners; i++)); do
        (
            touch "waits$i"
            until [ -e gate ]; do :; done
            exec "${hook[@]}" "$engram" run s.yaml -o s.h5 -q >"out$i" 2>"err$i"
        ) &
        pids+=($!)
        background+=($!)
        await "runner $i" test -e "waits$i"
    done
    touch gate
    await "all but one to leave" one_is_left
    [ "$writers" = 1 ] || fail "race $race: nobody writes"
    await_point s
    stopped=0 refused=0
    for ((i = 0; i < runners; i++)); do
        kill -INT "${pids[i]}" 2>/dev/null || true
        code=0
        wait "${pids[i]}" || code=$?
        case $code in
        75) stopped=$((stopped + 1)) ;;
        2)
            grep -q "s.h5 is being written by" "err$i" || fail "race $race: $(cat "err$i")"
            refused=$((refused + 1))
            ;;
        *) fail "race $race: exit code $code: $(cat "err$i")" ;;
        esac
    done
    [ "$stopped$refused" = "1$((runners - 1))" ] ||
        fail "race $race: $stopped wrote, $refused were refused"
    expect 0 "$engram" check s.h5
    has out "1 runs of the command"
    [ ! -e s.lock ] || fail "race $race: the lock is left"
done
echo "$count races of $runners commands: each time one wrote, the others were refused and named it (seed $seed)"
