#!/usr/bin/env bash
# Orders of tasks: what top and export say of them, worked out anew from the matrices.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep orders <<'END'
  stream.active: task
  optimizer.lr: 0.02
grid:
  learner: [plain, {l2: {lambda: 0.1}}, stl]
  stream.task_order: [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]]
seeds: 2
END
expect 0 "$engram" run orders.yaml
"$engram" export results/orders.h5 --table matrix >matrix.csv
"$engram" export results/orders.h5 --table series >series.csv

# From the last row of every matrix: mean over runs, by identity, then over orders.
python3 - <<'END' >expected
import csv, statistics
identity, cells = {}, {}
for row in csv.DictReader(open("series.csv")):
    if row["variable"] == "task_identity":
        identity[row["trial"], row["index"]] = int(float(row["value"]))
for row in csv.DictReader(open("matrix.csv")):
    if row["train_task"] == "4":
        key = row["learner"], identity[row["trial"], row["eval_task"]], row["stream.task_order"]
        cells.setdefault(key, []).append(float(row["accuracy_matrix"]))
for learner in ("plain", "l2", "stl"):
    opd = []
    for task in range(5):
        means = [statistics.fmean(runs) for key, runs in cells.items() if key[:2] == (learner, task)]
        assert len(means) == 3
        opd.append(max(means) - min(means))
    mean = statistics.fmean(statistics.fmean(runs) for key, runs in cells.items() if key[0] == learner)
    print(learner, *(f"{100 * x:.2f}" for x in (mean, statistics.fmean(opd), max(opd))))
END
expect 0 "$engram" top results/orders.h5 --orders
grep -E '^ +[123] ' out | awk '{ print $10, $2, $3, $4 }' >shown
same <(sort expected) <(sort shown)
grep -E '^ +[123] ' out | awk '{ print $5, $6, $7, $8 }' | sort -u >beside
awk '$1 == "stl" { print $3, $4, 3, 2 }' expected >stl
same stl beside
lacks out "task_order"

# JSON and the table of export have the same numbers, as shares.
expect 0 "$engram" top results/orders.h5 --orders --json
python3 - <<'END' >json
import json
groups = json.load(open("out"))["groups"]
numbers = {group["settings"]["learner"]: [group[key] for key in ("accuracy", "aopd", "mopd")] for group in groups}
for group in groups:
    learner = group["settings"]["learner"]
    assert [len(group[key]) for key in ("orders", "tasks")] == [3, 5]
    assert "stream.task_order" not in group["settings"]
    assert group["mopd"] == max(task["opd"] for task in group["tasks"])
    assert list(group["stl"].values()) == numbers["stl"]
    print(learner, *(f"{100 * number:.2f}" for number in numbers[learner]))
END
same <(sort expected) <(sort json)
"$engram" export results/orders.h5 --table orders >orders.csv
python3 - <<'END' >exported
import csv
rows = list(csv.DictReader(open("orders.csv")))
assert [row["task"] for row in rows] == 3 * list("01234")
for row in rows[::5]:
    print(row["learner"], *(f"{100 * float(row[key]):.2f}" for key in ("accuracy", "aopd", "mopd")))
END
same <(sort expected) <(sort exported)

refuses "--orders and --by exclude each other" -- "$engram" top results/orders.h5 --orders --by forgetting
sweep alone <<'END'
seeds: 1
END
expect 0 "$engram" run alone.yaml
refuses "no points differ in the order of tasks alone" -- "$engram" top results/alone.h5 --orders
refuses "no points differ in the order of tasks alone" -- "$engram" export results/alone.h5 --table orders
