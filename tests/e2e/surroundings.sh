#!/usr/bin/env bash
# Closed standard streams, and limits on what a process may write.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh" "$@"

sweep s <<'END'
grid:
  optimizer.lr: [0.01, 0.03]
seeds: 2
END

# whole NAME: the sweep is done and sound.
whole() {
    expect 0 "$engram" check "$1.h5"
    has out "4 trials (4 done)"
}

# Whichever standard streams are closed: the journal does not get their numbers. Without standard output the summary cannot
# be written, and the exit code says so.
for closed in 0 1 2 "0 1" "0 2" "1 2" "0 1 2"; do
    code=0 want=0
    case $closed in *1*) want=4 ;; esac
    (
        exec </dev/null >/dev/null 2>&1
        for fd in $closed; do eval "exec $fd>&-"; done
        timeout 60 "$engram" run s.yaml -o r.h5
    ) || code=$?
    [ "$code" = "$want" ] || fail "exit code $code without the streams $closed"
    whole r
    rm r.*
done

# A limit on the size of files is an error like a full disk, and the same command goes on without it. The journal of these
# trials is longer than its limit, the results file than its own.
for limit in 4 64; do
    (
        ulimit -f $limit # KiB
        expect 4 "$engram" run s.yaml -o r.h5 --quiet
    )
    has err "File too large"
    expect 0 "$engram" run s.yaml -o r.h5 --quiet
    whole r
    rm r.*
done

# The soft limit of processor time asks to stop, as other signals do; the trial would take much longer.
(
    ulimit -St 1
    expect 75 "$engram" run s.yaml -o r.h5 --quiet stream.epochs=1000000
)
expect 0 "$engram" check r.h5
has out "4 trials"
lacks out "running"

# Without a single thread more (which root may always have) a command that needs none works: OpenBLAS wants some.
if [ "$(id -u)" != 0 ] || command -v setpriv >/dev/null; then
    cp "$engram" program
    chmod 755 . program
    other=()
    [ "$(id -u)" != 0 ] || other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    # The leak check of the sanitizers needs a thread of its own.
    expect 0 env -u OPENBLAS_NUM_THREADS ASAN_OPTIONS=detect_leaks=0 "${other[@]}" bash -c 'ulimit -u 1 && exec ./program list'
    has out adagrad
fi
