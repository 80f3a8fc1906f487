#!/usr/bin/env bash
# The same sweep alone and under 1, 2, 3 and 5 ranks gives the same bytes, rules and second stage
# included; bad input under mpirun is one message and one exit code; SIGTERM stops all ranks.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep ranks <<'END'
grid:
  optimizer.lr: [0.0001, 0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 4
stop: {early_cut: {after: 2, below: 0.3}}
select: {best: 2, seeds: 3}
END

tables() {
    for table in trials curves matrix; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

expect 0 "$engram" run ranks.yaml -o alone.h5
has out "skipped"
tables alone >alone.txt
for ranks in 1 2 3 5; do
    expect 0 "$mpirun" "$ranks" "$engram" run ranks.yaml -o "on$ranks.h5"
    [ "$(grep -c 'best points' out)" = 1 ] || fail "not exactly one summary on $ranks ranks"
    tables "on$ranks" >"on$ranks.txt"
    same alone.txt "on$ranks.txt"
done
expect 0 "$mpirun" 3 "$engram" run ranks.yaml -o dedicated.h5 --scheduler dedicated
tables dedicated >dedicated.txt
same alone.txt dedicated.txt
"$engram" export dedicated.h5 | cut -d, -f2- >dedicated.csv
lacks dedicated.csv ",0,$(hostname)," # rank 0 trained nothing

# Other verbs under mpirun: rank 0 answers, once.
expect 0 "$mpirun" 3 "$engram" top alone.h5 -n 1
[ "$(grep -c '^ *1 ' out)" = 1 ] || fail "not exactly one answer"

# Bad input: one message, the same code everywhere.
for words in "run missing.yaml" "run ranks.yaml optimizer.lr=fast" "run ranks.yaml --no-such" "frobnicate"; do
    # shellcheck disable=SC2086 # several words on purpose
    expect 2 "$mpirun" 3 "$engram" $words
    [ "$(grep -c '^engram: ' err)" = 1 ] || {
        cat err
        fail "not exactly one message: $words"
    }
done

# SIGTERM to mpirun reaches the ranks; the command goes on afterwards with another number of them.
sweep long <<'END'
  stream.epochs: 100
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 3
END
"$engram" run long.yaml -o whole.h5 --quiet
hooks long "results 2"
"${hook[@]}" "$mpirun" 2 "$engram" run long.yaml -o long.h5 >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point long
kill -USR1 "$pid" # mpirun passes it on at once and lets the ranks end by themselves
code=0
wait "$pid" || code=$?
[ "$code" = 75 ] || {
    cat running.err
    fail "exit code $code after SIGUSR1"
}
# Rank 0 trains, too: no trial ends before it has begun one.
hooks shared "products 1" ENGRAM_HOOK_RANK=0
"${hook[@]}" "$mpirun" 3 "$engram" run long.yaml -o long.h5 >running.out 2>running.err &
pid=$!
background+=("$pid")
await_point shared
rm shared.hook/slow
wait "$pid" || fail "exit code $? when continued: $(cat running.err)"
has running.err "of 12 trials were finished before"
same <(tables whole) <(tables long)
"$engram" export long.h5 | cut -d, -f2- >shared.csv
has shared.csv ",0,$(hostname),"
echo passed
