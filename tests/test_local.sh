#!/usr/bin/env bash
# tests/test_local.sh: jobs/local.sh with a stand-in for engram: exit codes, arguments, lost ranks, signals.
set -euo pipefail
local_sh=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/jobs/local.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >engram <<'END'
#!/usr/bin/env bash
# run WHAT [CODE]: what one rank does; rank 0 says how it was started.
rank=${OMPI_COMM_WORLD_RANK-0}
if [ "$rank" = 0 ]; then
    echo "$OPENBLAS_NUM_THREADS thread, ${OMPI_COMM_WORLD_SIZE-1} ranks: $*" >&2
fi
case $2 in
code) [ "$rank" = 0 ] || sleep 1; exit "$3" ;;
lose) [ "$rank" != "$3" ] || kill -KILL $$; sleep 2; exit 3 ;;
wait)
    trap 'sleep 2; [ "$rank" != 0 ] || echo "closed" >&2; exit 75' USR1
    touch "ready$rank"
    for ((i = 0; i < 300; i++)); do sleep 0.1; done
    ;;
esac
END
chmod +x engram
export ENGRAM=$work/engram

fail() {
    echo "FAILED: $*; it said:" >&2
    cat err >&2
    exit 1
}

# expect CODE WORDS ARGUMENT…
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$local_sh" "$@" >out 2>err || got=$?
    [ "$got" = "$code" ] || fail "local.sh $*: exit code $got, expected $code"
    grep -qF -- "$words" err || fail "local.sh $*: expected '$words'"
}

expect 2 "Usage:"
expect 2 "unknown option '--dry'" --dry x.yaml
expect 2 "-n needs a number of ranks, got 'x'" -n x sweep.yaml
ENGRAM=$work/nothing expect 2 "is not a program" sweep.yaml

for code in 0 2 3 75; do
    expect "$code" "1 thread, 2 ranks: run code $code" -n 2 code "$code"
done
# Open MPI's page about exit codes is not for our users.
[ "$(wc -l <err)" = 1 ] || fail "expected one line"
expect 3 "1 thread, 1 ranks: run code 3 a=b c" -n 1 code 3 a=b c
# More ranks than cores.
expect 3 "1 thread, 9 ranks" -n 9 code 3

expect 3 "3 ranks" -n 3 lose 1
expect 4 "rank 0 was lost" -n 3 lose 0

# interrupt TIMES: Ctrl-C, as a terminal sends it to the whole group.
interrupt() {
    local times=$1 i got=0
    rm -f ready0 ready1
    # bash starts background jobs deaf to Ctrl-C.
    setsid env --default-signal=INT "$local_sh" -n 2 wait >out 2>err &
    local job=$!
    for ((i = 0; i < 100; i++)); do
        [ -e ready0 ] && [ -e ready1 ] && break
        sleep 0.1
    done
    for ((i = 0; i < times; i++)); do
        kill -INT -- "-$job"
        sleep 0.5
    done
    wait "$job" || got=$?
    [ "$got" = 75 ] || fail "interrupted $times times: exit code $got, expected 75"
}
interrupt 1
grep -q closed err || fail "rank 0 had no time to close its files"
interrupt 2
! grep -q closed err || fail "the second interrupt did not end the ranks at once"
echo "all passed"
