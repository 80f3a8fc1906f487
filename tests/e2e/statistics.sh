#!/usr/bin/env bash
# usage: statistics.sh ENGRAM PYTHON
# One definition of each statistic: what `top`, `status` and `compare` say is what SciPy and the package
# engram_results.statistics compute from the trials of the file; which points `compare` takes, and refuses.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
python=$2
"$python" -c "import h5py, numpy, pandas, scipy" 2>/dev/null || {
    echo "skipped: $python lacks h5py, NumPy, pandas or SciPy"
    exit 77
}
analysis=$here/../../analysis

sweep chosen <<'END'
  optimizer: sgd
grid:
  optimizer.lr: [0.01, 0.03, 0.1]
  model.activation: [relu, tanh]
seeds: 7
select: {best: 2, seeds: 5}
END
sed -i 's/^protocol: test/protocol: {validation: {fraction: 0.2}}/' chosen.yaml
expect 0 "$engram" run chosen.yaml --quiet
sed 's/^name: chosen/name: plain/; /^select/d' chosen.yaml >plain.yaml
expect 0 "$engram" run plain.yaml --quiet

# --- The numbers -------------------------------------------------------------------------------------------
for name in chosen plain; do
    "$engram" top "results/$name.h5" -n 0 --compare --json >"$name.top.json"
    "$engram" top "results/$name.h5" -n 0 --interval paper --json >"$name.paper.json"
    "$engram" status "results/$name.h5" --json >"$name.status.json"
    "$engram" compare "results/$name.h5" best 2 --json >"$name.best.json"
    "$engram" compare "results/$name.h5" 0 5 --by forgetting --json >"$name.by.json"
    "$engram" compare "results/$name.h5" model.activation=relu model.activation=tanh --json >"$name.words.json"
    "$engram" compare "results/$name.h5" model.activation=relu model.activation=tanh --csv >"$name.words.csv"
done
PYTHONPATH=$analysis "$python" -B -W error - chosen plain <<'END' || fail "the numbers are not those of SciPy"
import json, pathlib, sys
import h5py, numpy as np, pandas, scipy.stats
from engram_results import statistics as st

def near(a, b, what):
    a, b = (np.nan if x is None else x for x in (a, b))
    assert np.isclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True), (what, a, b)

def rows(frame, point, fresh):
    return frame[(frame["point"] == point) & (frame["stage"] == (2 if fresh else 1))].set_index("seed")

def check_mean(said, values, what):
    n = len(values)
    near(said["mean"], np.mean(values), what)
    near(said["interval"], scipy.stats.t.ppf(0.975, n - 1) * scipy.stats.sem(values), what)
    ours = st.student(values)
    near(said["mean"], ours.estimate, what)
    near(said["interval"], ours.half, what)

def check_pair(said, frame, variable, maximise):
    both = [rows(frame, said[side]["point"], said["fresh"])[variable].dropna() for side in "ab"]
    a, b = pandas.concat(both, axis=1, join="inner").to_numpy().T
    assert said["n"] == len(a) == len(said["pairs"]) > 0
    assert [pair["a"] for pair in said["pairs"]] == a.tolist()
    check_mean(said["a"], a, "a")
    check_mean(said["b"], b, "b")
    check_mean(said["difference"], a - b, "difference")
    near(said["p_student"], scipy.stats.ttest_rel(a, b).pvalue if np.ptp(a - b) else np.nan, "t")
    d = (a - b)[a != b]
    if len(set(abs(d))) == len(d):  # SciPy is exact without ties
        near(said["p_wilcoxon"], scipy.stats.wilcoxon(d, mode="exact").pvalue, "Wilcoxon")
    u = scipy.stats.mannwhitneyu(a, b).statistic / len(a) ** 2
    near(said["improvement"], u if maximise else 1 - u, "improvement")
    ours = st.compare(a, b, maximise)
    near(said["p_wilcoxon"], ours.wilcoxon, "our Wilcoxon")
    near(said["p_student"], ours.student, "our t")
    near(said["improvement"], ours.improvement, "our improvement")
    assert (said["wins"], said["ties"], said["losses"]) == (ours.wins, ours.ties, ours.losses)
    return said

for name in sys.argv[1:]:
    with h5py.File(f"results/{name}.h5") as file:
        frame = pandas.DataFrame({key: file[key][:].astype(float) for key in (
            "point", "seed", "stage", "objective", "final_accuracy", "forgetting")})
    load = lambda what: json.loads(pathlib.Path(f"{name}.{what}.json").read_text())
    top, paper, status = load("top"), load("paper"), load("status")
    assert len(top["points"]) == 6
    best, p = top["points"][0], []
    for point, other in zip(top["points"], paper["points"]):
        chosen = rows(frame, point["point"], False)
        reported = rows(frame, point["point"], point["reported"]["fresh"])
        check_mean(point["selected"], chosen["objective"], "selected")
        check_mean(point["reported"], reported["final_accuracy"], "reported")
        near(other["reported"]["interval"], st.paper(reported["final_accuracy"]).half, "paper")
        near(other["reported"]["interval"],
             1.96 * np.std(reported["final_accuracy"]) / np.sqrt(len(reported)), "paper by hand")
        if point is not best:
            fresh = point["reported"]["fresh"] and best["reported"]["fresh"]
            one, its = (rows(frame, q["point"], fresh)["final_accuracy"] for q in (point, best))
            check_mean(point["to_best"], one - its, "to the best")
            near(point["to_best"]["p"], scipy.stats.ttest_rel(one, its).pvalue, "p")
        p.append(point["to_best"]["p"])
    near(0, np.nanmax(abs(st.holm([np.nan if x is None else x for x in p]) -
                          [np.nan if q["to_best"]["p_holm"] is None else q["to_best"]["p_holm"]
                           for q in top["points"]])), "Holm")
    assert status["best_point"] == best["point"]
    near(status["best"], best["selected"]["mean"], "status")
    assert status["best_values"]["selected"] == best["selected"]
    assert status["best_values"]["reported"] == best["reported"]

    words = check_pair(load("words"), frame, "final_accuracy", True)
    assert words["a"]["settings"]["model.activation"] == "relu" and words["a"]["best_of"] == 3
    check_pair(load("by"), frame, "forgetting", False)
    named = check_pair(load("best"), frame, "final_accuracy", True)
    assert named["a"]["point"] == best["point"] and named["b"]["best_of"] == 0
    row = pandas.read_csv(name + ".words.csv").iloc[0]
    for key in ("n", "improvement", "p_wilcoxon", "p_student", "wins", "ties", "losses"):
        near(row[key], words[key], key)
    near(row["difference"], words["difference"]["mean"], "csv")
    near(row["interval"], words["difference"]["interval"], "csv")
END

# --- Which points ------------------------------------------------------------------------------------------
# Both finalists have fresh seeds, and these are compared; where a point has none, the seeds that chose.
mapfile -t finalists < <("$engram" top results/chosen.h5 -n 2 --json | sed -n 's/.*"point": \([0-9]*\).*/\1/p')
expect 0 "$engram" compare results/chosen.h5 "${finalists[0]}" "${finalists[1]}"
has out "over the 5 fresh seeds that both have"
has out "with 5 pairs Wilcoxon's p cannot be below 0.0625"
lacks out "chosen by the seeds"
expect 0 "$engram" compare results/plain.h5 best optimizer.lr=1e-2,model.activation=tanh
has out "over the 7 seeds that both have"
has out "A is the best of 6 points, chosen by the seeds that report it"
has out "probability of improvement"
lacks out "B is the best"
lacks out "cannot be below"
refuses "no point 9" "from 0 to 5" -- "$engram" compare results/plain.h5 0 9
refuses "A and B are both point 3" -- "$engram" compare results/plain.h5 3 3
refuses "learning" "NAME=VALUE" -- "$engram" compare results/plain.h5 0 learning
refuses "no setting 'optimizer.rl'" "did you mean optimizer.lr" -- "$engram" compare results/plain.h5 0 optimizer.rl=1
refuses "no point has optimizer.lr=0.2" "0.01, 0.03, 0.1" -- "$engram" compare results/plain.h5 0 optimizer.lr=0.2
refuses "exclude each other" -- "$engram" compare results/plain.h5 0 1 --json --csv
refuses "did you mean forgetting" -- "$engram" compare results/plain.h5 0 1 --by forgeting
refuses "two points" -- "$engram" compare results/plain.h5 0

# Different problems, and no common seed.
cat >problems.yaml <<'END'
name: problems
protocol: test
base: {stream.batch: 20, model.hidden: [24]}
blocks:
  small: {base: {dataset: {synthetic: {examples: 400, test_examples: 100}}}}
  large: {base: {dataset: {synthetic: {examples: 420, test_examples: 100}}}}
seeds: 1
END
expect 0 "$engram" run problems.yaml --quiet
refuses "not about the same problem" "dataset.examples is 400 and 420" -- "$engram" compare results/problems.h5 0 1
sweep lost <<'END'
  model.weight_norm: [none]
  model.activation: relu
  optimizer: sgd
grid:
  optimizer.lr: [1e30, 0.01]
seeds: 1
END
expect 0 "$engram" run lost.yaml --quiet
refuses "points 0 and 1 have no seed at which both have a value of forgetting" "(seeds 0 and 0)" -- \
    "$engram" compare results/lost.h5 0 1 --by forgetting
# A diverged trial has the accuracy of guessing. With one pair there is a difference and no interval.
expect 0 "$engram" compare results/lost.h5 0 1
has out "over the 1 seed that both have"
echo "the numbers of top, status and compare are those of SciPy"
