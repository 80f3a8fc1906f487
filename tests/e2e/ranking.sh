#!/usr/bin/env bash
# Numbers are what their heading says: what points are selected on and reported on, over which seeds, with
# which interval; diverged points, points that an edit removed, paired comparison.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# column NAME FILE.csv: its number.
column() {
    head -1 "$2" | tr -d '\r' | tr , '\n' | grep -nx "$1" | cut -d: -f1
}

# mean_of NAME STAGE VALUE FILE.csv: mean, half widths (Student for n = 2, 3; the paper's) and number of the
# values of a column, over the seeds of a stage at the points whose row contains VALUE.
mean_of() {
    grep -F ",$3," "$4" | awk -F, -v column="$(column "$1" "$4")" -v stage="$(column stage "$4")" -v wanted="$2" '
        $stage == wanted && $column != "" { x[++n] = $column; sum += $column }
        END {
            for (i = 1; i <= n; i++) squares += (x[i] - sum / n) ^ 2
            t = n == 2 ? 12.7062047 : 4.30265273
            printf "%.4f %.4f %.4f %d\n", sum / n, t * sqrt(squares / (n - 1) / n),
                1.96 * sqrt(squares / n) / sqrt(n), n
        }'
}

# value JQ-like PATH of numbers in the JSON that was printed last: the first after a line with KEY.
after() {
    awk -v key="\"$1\":" -v wanted="\"$2\":" '
        index($0, key) { inside = 1 }
        inside && index($0, wanted) { gsub(/[",]/, ""); print $2; exit }' out
}

# Selected on validation data, reported on test data: not the same numbers, and each is under its name.
sweep held <<'END'
grid:
  optimizer.lr: [3e-4, 0.03, 0.11]
seeds: 2
select: {best: 1, seeds: 3}
END
sed -i 's/^protocol: test/protocol: {validation: {fraction: 0.2}}/' held.yaml
expect 0 "$engram" run held.yaml
cp out summary
has out "best points, selected on final_accuracy of validation data, highest first"
has out "reported on final_accuracy of test data"
"$engram" export results/held.h5 >held.csv
expect 0 "$engram" top results/held.h5
cp out top
# The summary of the run is the same table.
same <(grep -E '^ +[1-9] ' summary) <(grep -E '^ +[1-9] ' top)
lacks out "optimistic"
lacks out "report it, too"
# The first row: rank, mean ± interval, n (of two columns), point, lr.
best=$(grep -E '^ +1 ' top | awk '{ print $NF }')
read -r selected half paper n < <(mean_of objective 1 "$best" held.csv)
read -r reported fresh_half fresh_paper fresh_n < <(mean_of final_accuracy 2 "$best" held.csv)
[ "$selected" != "$reported" ] || fail "nothing tells selected from reported in this sweep"
[ "$n $fresh_n" = "2 3" ] || fail "seeds: $n select, $fresh_n report"
grep -E '^ +1 ' top | sed 's/±/+\/-/g; s/+\/-//g' | awk '{ print $2, $3, $4, $5, $6, $7, $8 }' >shown
echo "$selected $half 2/2 $reported $fresh_half 3/3 fresh" >expected
same expected shown
expect 0 "$engram" top results/held.h5 --interval paper
grep -E '^ +1 ' out | sed 's/±/+\/-/g; s/+\/-//g' | awk '{ print $2, $3, $4, $5, $6, $7, $8 }' >shown
echo "$selected $paper 2/2 $reported $fresh_paper 3/3 fresh" >expected
same expected shown
has out "formula of the Hard ASH paper"
refuses "must be one of student, paper" -- "$engram" top results/held.h5 --interval normal
# The others, which nothing chose, are reported by all their seeds.
other=$(grep -E '^ +2 ' top | awk '{ print $NF }')
read -r reported half paper n < <(mean_of final_accuracy 1 "$other" held.csv)
grep -E '^ +2 ' top | grep -F "$reported" >/dev/null || fail "second row: $(grep -E '^ +2 ' top)"
expect 0 "$engram" status results/held.h5
has out "final_accuracy selected on validation $selected"
has out "reported on test"
expect 0 "$engram" status results/held.h5 --json
[ "$(after selected_on data) $(after reported_on data)" = "validation test" ] || fail "status --json: $(cat out)"
# The same cells for LaTeX, and the caption says what they are.
expect 0 "$engram" top results/held.h5 --latex
has out 'caption{held: selected on final\_accuracy of validation data, highest first; reported on final\_accuracy of test data'
same <(grep -E '^    [1-9]+ & ' out | sed 's/ *\\\\$//; s/ \$.pm\$ / ± /g; s/\\_/_/g; s/ & / /g; s/^ *//') \
    <(grep -E '^ +[1-9] ' top | sed 's/  */ /g; s/^ //; s/+\/-/±/g')
refuses "exclude each other" -- "$engram" top results/held.h5 --latex --json
expect 0 "$engram" top results/held.h5 --json
[ "$(after selected_on data) $(after reported_on data) $(after reported n)" = "validation test 3" ] ||
    fail "top --json: $(cat out)"
[ "$(grep -c '"rank": ' out)" = 3 ] || fail "not three points in JSON"
has out '"optimizer.lr": 0.11'
expect 0 "$engram" run held.yaml --quiet
# More fresh seeds: the same seeds choose, and all further ones report.
expect 0 "$engram" run held.yaml 'select={best: 1, seeds: 4}'
grep -qE '^ +1 .* 2/2 .* 4/4 fresh' out || fail "four fresh seeds: $(cat out)"

# Ranked by a recorded variable the test data select, and it says so; forgetting has the least first.
expect 0 "$engram" top results/held.h5 --by forgetting
has out "selected on forgetting of test data, lowest first"
has out "selected on test data: the best values are optimistic"
expect 0 "$engram" top results/held.h5 --by forgetting --highest
has out "of test data, highest first"
expect 0 "$engram" top results/held.h5 --by steps
lacks out "optimistic"
refuses "exclude each other" -- "$engram" top results/held.h5 --lowest --highest
refuses "forgeting" "did you mean forgetting" -- "$engram" top results/held.h5 --by forgeting
# The protocol test: one column, which says what it is.
expect 0 "$engram" run held.yaml protocol=test name=open
has out "selected on test data: the best values are optimistic"
sed '/^select/d; s/^protocol: .*/protocol: {first_tasks: {k: 2}}/; s/^name: .*/name: first/' held.yaml >first.yaml
expect 0 "$engram" run first.yaml -o first.h5
has out "selected (first 2 tasks)"
has out "selected on final_accuracy of validation data of the first 2 tasks"
# Without fresh seeds it is said that the best point was chosen by those that report it, of however many rows are shown.
has out "note: the seeds that chose the best point report it, too"
expect 0 "$engram" top first.h5 -n 1
has out "note: the seeds that chose the best point report it, too"
expect 0 "$engram" top first.h5 --json
has out '"the seeds that chose the best point report it, too'
expect 0 "$engram" top first.h5 --by steps
lacks out "report it, too"

# Diverged points: chance where the objective is an accuracy; without a value, and last, where it is not.
sweep diverged <<'END'
  model.weight_norm: [none]
  model.activation: relu
  optimizer: sgd
grid:
  optimizer.lr: [1e30, 0.001, 0.01]
seeds: 2
objective: {variable: forgetting, goal: minimise}
END
expect 0 "$engram" run diverged.yaml
tail -1 <(grep -E '^ +[0-9]+ ' out) >last
grep -qE '^ +3 +- +0/2 +2 +0 ' last || fail "the diverged point in the summary: $(cat out)"
expect 0 "$engram" top results/diverged.h5
grep -qE '^ +3 +- +0/2 +2 +0 ' out || fail "the diverged point: $(cat out)"
expect 0 "$engram" top results/diverged.h5 --by final_accuracy
grep -qE '^ +[0-9] +0\.1000 (±|\+/-) 0\.0000 +2/2 +2 +0 ' out || fail "chance: $(cat out)"
expect 0 "$engram" top results/diverged.h5 --by steps
grep -qE '^ +3 +- +0/2 +2 +0 ' out || fail "steps of a training that was broken off: $(cat out)"

# Points that an edit removed are marked, and best of nothing.
sweep edited <<'END'
grid:
  optimizer.lr: [3e-4, 0.11]
seeds: 2
END
expect 0 "$engram" run edited.yaml
sed -i 's/3e-4, 0.11/3e-4, 1e-3/' edited.yaml
expect 0 "$engram" run edited.yaml
lacks out "0.11"
expect 0 "$engram" top results/edited.h5
grep -E '^ +3 ' out | grep -E ' no +0\.11' >/dev/null || fail "the removed value: $(cat out)"
has out "2 finished trials of an earlier version of the sweep"
expect 0 "$engram" status results/edited.h5
has out "finished  4 of 4"
has out "2 finished trials of an earlier version of the sweep"
"$engram" export results/edited.h5 >edited.csv
[ "$(awk -F, -v stage="$(column stage edited.csv)" '$stage == 0' edited.csv | wc -l)" = 2 ] || fail "not marked in the export"
# Without its journal the file says the same.
"$engram" top results/edited.h5 >with
mv results/edited.journal .
"$engram" top results/edited.h5 >without
same with without
# Points picked with `only` are all of the sweep.
expect 0 "$engram" run edited.yaml -o pieces.h5 'only={optimizer.lr: 3e-4}'
expect 0 "$engram" run edited.yaml -o pieces.h5 'only={optimizer.lr: 1e-3}'
expect 0 "$engram" top pieces.h5
lacks out "in the sweep"

# Paired comparison with the best point, by seed: the mean difference is the difference of the means.
expect 0 "$engram" top results/open.h5 --compare
has out "p (Holm)"
has out "not corrected"
expect 0 "$engram" top first.h5 --by final_accuracy --compare
first=$(grep -E '^ +1 ' out | awk '{ print $2 }')
grep -E '^ +2 ' out | sed 's/±//g; s/+\/-//g' | awk -v first="$first" '
    { d = $2 - first - $5; bad = d > 1.1e-4 || d < -1.1e-4 || $7 != 2 } END { exit bad }' ||
    fail "the difference to the best: $(cat out)"

# The same for trials that a program gives: one rule. What cannot be used is refused.
rank() {
    echo "$1" >request
    "$engram" rank <request
}
rank '{"goal": "minimise", "variable": "forgetting", "interval": "paper", "trials": {"point": [0, 0, 1, 2],
    "status": ["done", "diverged", "done", "stopped"], "stage": [1, 1, 1, 1], "selected": [0.1, 0.3, 0.2, null],
    "reported": [0.5, 0.3, 0.25, null]}}' >out
[ "$(grep -o '"point": [0-9]' out | tr -dc '0-9')" = 102 ] || fail "rank: $(cat out)"
[ "$(after selected mean) $(after reported mean) $(after reported n)" = "0.2 0.25 1" ] || fail "rank: $(cat out)"
for request in '[' '{}' '{"trials": {"point": [0]}}' \
    '{"trials": {"point": [1], "status": ["done"], "stage": [1], "selected": [1], "reported": [1]}}' \
    '{"trials": {"point": [0], "status": ["well"], "stage": [1], "selected": [1], "reported": [1]}}' \
    '{"trials": {"point": [0], "status": ["done"], "stage": [3], "selected": [1], "reported": [1]}}' \
    '{"trials": {"point": [0], "status": ["done", "done"], "stage": [1], "selected": [1], "reported": [1]}}'; do
    code=0
    rank "$request" >out 2>err || code=$?
    if [ $code != 2 ] || [ -s out ]; then
        fail "rank of $request: exit code $code"
    fi
    has err "standard input"
done
echo passed
