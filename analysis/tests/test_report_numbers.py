"""Every number of a report once more, from the arrays of the file with pandas and scipy."""

import itertools
import json
import subprocess
import unittest

import numpy as np
import pandas
import scipy.stats

from engram_results import program
from report_files import data_of, finished, key_of, raw, result_file, rows, trials_of, written

FILES = ("table3", "class-incremental-short", "opm-small-methods", "mnist-c")


def mean_and_half(values):
    """Mean and half of Student's interval, of what is there."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return values.mean(), half


class Numbers(unittest.TestCase):
    def close(self, value, wanted, what=""):
        self.assertEqual(value is None or value != value, wanted != wanted, what)
        if wanted == wanted:
            self.assertAlmostEqual(value, wanted, delta=1e-9 * max(1, abs(wanted)), msg=what)

    def each(self, view, files=FILES):
        """(name, data) of the files whose page has a view; there is one."""
        there = [(name, data_of(name)) for name in files if view in data_of(name)["views"]]
        self.assertTrue(there, view)
        return there


class Ranking(Numbers):
    def test_points_are_those_of_engram_top(self):
        for name, data in self.each("verdict"):
            told = json.loads(subprocess.run([program.find(), "top", result_file(name), "-n", "0", "--json"], check=True,
                                             capture_output=True, text=True).stdout)
            by_rank = {point["rank"]: point for point in told["points"]}
            every = rows(data, "parallel", "points")
            self.assertEqual([row["rank"] for row in every], sorted(rank for rank, point in by_rank.items() if point["reported"]["n"]))
            for row in rows(data, "verdict", "best"):
                point = by_rank[row["rank"]]
                for key, short in (("selected", "selected"), ("reported", "reported")):
                    self.close(row[short], point[key]["mean"])
                    self.close(row[f"{short}_ci"], np.nan if point[key]["interval"] is None else point[key]["interval"])
                self.assertEqual((row["selected_n"], row["n"], row["planned"]), (point["selected"]["n"], point["reported"]["n"], point["reported"]["planned"]))
                self.assertEqual(row["fresh"], "yes" if point["reported"]["fresh"] else "no")

    def test_selected_and_reported_are_means_with_students_interval(self):
        for name, data in self.each("verdict"):
            arrays, _ = raw(name)
            with_objective = arrays["objective"]
            for row in rows(data, "verdict", "best"):
                trials = finished(name, data["points"][row["point"]])
                mean, half = mean_and_half(with_objective[trials])
                self.close(row["selected"], mean)
                self.close(row["selected_ci"], half)
                mean, half = mean_and_half(arrays[data["views"]["verdict"]["options"]["variable"]][trials])
                self.close(row["reported"], mean)
                self.close(row["reported_ci"], half)

    def test_the_best_point_of_every_method_is_chosen(self):
        for name, data in self.each("verdict"):
            best = {}
            for row in rows(data, "provenance", "rows"):
                best.setdefault(row["method"], row["rank"])
            chosen = {}
            for point in data["points"]:
                chosen.setdefault(point["method"], point["rank"])
            self.assertTrue(set(chosen.items()) <= set(best.items()), name)
            self.assertEqual(len(chosen), min(len({m for m in best if best[m] <= len(rows(data, "parallel", "points"))}), 60))


class Curves(Numbers):
    def test_means_and_seeds(self):
        for name, data in self.each("curves"):
            arrays, _ = raw(name)
            place = {"online_accuracy": "online_examples", "online_loss": "online_examples"}
            for row in rows(data, "curves", "mean")[::7]:
                trials = finished(name, data["points"][row["point"]])
                mean, half = mean_and_half(arrays[row["variable"]][trials, row["position"]])
                self.close(row["mean"], mean)
                self.close(row["half"], half)
                self.close(row["examples"], np.nanmean(arrays[place.get(row["variable"], "examples_seen")][trials, row["position"]]))
            seeds = rows(data, "curves", "seeds")
            self.assertTrue(seeds)
            for row in seeds[::11]:
                trial = next(at for at in trials_of(name)[key_of(data["points"][row["point"]]["settings"])] if arrays["seed"][at] == row["seed"])
                axis = arrays[place.get(row["variable"], "examples_seen")][trial]
                at = [i for i in range(len(axis)) if axis[i] == row["examples"]]
                # As it is stored, bit for bit.
                self.assertIn(np.float32(row["value"]), arrays[row["variable"]][trial][at])
                step = arrays["step"][trial]
                last = arrays["steps"][trial]
                if row["variable"] not in place:
                    self.close(row["seconds"], step[at[0]] / last * arrays["wall_seconds"][trial])

    def test_plasticity(self):
        for name, data in self.each("plasticity"):
            arrays, _ = raw(name)
            for row in rows(data, "plasticity", "panels")[::5]:
                values = arrays[row["measure"]][finished(name, data["points"][row["point"]])][:, row["place"] - 1]
                mean, half = mean_and_half(values[:, row["layer"] - 1] if row["layer"] else values)
                self.close(row["mean"], mean)
                self.close(row["half"], half)


class Measures(Numbers):
    def test_matrices(self):
        for name, data in self.each("matrices"):
            arrays, _ = raw(name)
            for row in rows(data, "matrices", "cells")[::3]:
                cell = arrays["accuracy_matrix"][finished(name, data["points"][row["point"]]), row["after_task"] - 1, row["on_task"] - 1]
                cell = pandas.Series(cell.astype(float)).dropna()
                self.assertEqual(row["n"], len(cell))
                self.close(row["mean"], cell.mean())
                self.close(row["sd"], cell.std())

    def test_measures_from_the_matrix(self):
        name, data = "table3", data_of("table3")
        arrays, _ = raw(name)
        for row in rows(data, "measures", "measures"):
            found = []
            for trial in finished(name, data["points"][row["point"]]):
                matrix = arrays["accuracy_matrix"][trial].astype(float)
                last = len(matrix) - 1
                found.append({"ACC": matrix[last].mean(),
                              "forgetting": np.mean([matrix[:last, j].max() - matrix[last, j] for j in range(last)]),
                              "BWT": np.mean([matrix[last, j] - matrix[j, j] for j in range(last)])}[row["measure"]])
            # Stored in single precision by the trial, so the matrix agrees to that.
            mean, half = mean_and_half(found)
            self.assertAlmostEqual(row["mean"], mean, delta=1e-6)
            self.assertAlmostEqual(row["half"], half, delta=1e-5)
        names = {"ACC": "average_accuracy", "forgetting": "forgetting", "BWT": "backward_transfer"}
        for row in rows(data, "measures", "measures"):
            mean, half = mean_and_half(arrays[names[row["measure"]]][finished(name, data["points"][row["point"]])])
            self.close(row["mean"], mean)
            self.close(row["half"], half)

    def test_anytime(self):
        name, data = "mnist-c", data_of("mnist-c")
        arrays, _ = raw(name)
        sums = {"cer": arrays["anytime_error"][:, 1:].sum(axis=1), "compute": arrays["comp_train_flop"].sum(axis=1),
                "memory": arrays["anytime_parameters"].sum(axis=1)}
        points = [np.array([at for at in trials if arrays["status"][at] == 2]) for trials in trials_of(name).values()]
        wanted = sorted(tuple(round(float(sums[key][trials].mean()), 6) for key in sums) for trials in points if len(trials) > 1)
        table = rows(data, "anytime", "configurations")
        self.assertEqual(sorted(tuple(round(float(row[key]), 6) for key in sums) for row in table), wanted)
        spreads = sorted(round(float(sums["cer"][trials].std(ddof=1)), 9) for trials in points if len(trials) > 1)
        self.assertEqual(sorted(round(row["sd"], 9) for row in table), spreads)
        for budget, method, replay in itertools.product(("compute", "memory"), {row["method"] for row in table}, ("yes", "no")):
            there = [row for row in table if row["method"] == method and row["replay"] == replay]
            kept = {row["configuration"] for row in there
                    if not any(other["cer"] <= row["cer"] and other[budget] <= row[budget] and other is not row for other in there)}
            self.assertEqual({row["configuration"] for row in rows(data, "anytime", "frontiers") if row["configuration"] is not None
                              and (row["budget"], row["method"], row["replay"]) == (budget, method, replay)}, kept)
        for row in rows(data, "anytime", "error")[::5]:
            self.assertTrue(any(abs(arrays["anytime_error"][trials, row["mega_batch"]].mean() - row["mean"]) < 1e-9 for trials in points))

    def test_orders(self):
        name, data = "apd-cifar100-split-small", data_of("apd-cifar100-split-small")
        arrays, _ = raw(name)
        groups = {}
        for settings, trials in trials_of(name).items():
            rest = " ".join(word for word in settings.split(" ") if not word.startswith(("stream.order=", "stream.task_order=")))
            last = [self._by_identity(arrays, at) for at in trials if arrays["status"][at] == 2]
            if last:
                groups.setdefault(rest, []).append(np.mean(last, axis=0))
        wanted = []
        for orders in groups.values():
            if len(orders) > 1:
                spread = np.max(orders, axis=0) - np.min(orders, axis=0)
                wanted.append((round(np.mean(orders), 9), round(spread.mean(), 9), round(spread.max(), 9)))
        found = [(round(row["accuracy"], 9), round(row["aopd"], 9), round(row["mopd"], 9)) for row in rows(data, "orders", "groups")]
        self.assertEqual(sorted(found), sorted(wanted))

    @staticmethod
    def _by_identity(arrays, at):
        matrix = arrays["accuracy_matrix"][at].astype(float)
        last = matrix[np.isfinite(matrix).any(axis=1)][-1]
        last = last[np.isfinite(last)]
        out = np.empty(len(last))
        out[arrays["task_identity"][at][:len(last)].astype(int)] = last
        return out


class Settings(Numbers):
    def points(self, name):
        """A frame of points: settings as words, and the mean of the objective."""
        arrays, swept = raw(name)
        found = []
        for trials in trials_of(name).values():
            values = arrays["objective"][[at for at in trials if arrays["status"][at] in (2, 3)]]
            if np.isfinite(values).any():
                found.append({**{dotted: written(arrays[key][trials[0]]) for key, dotted in swept.items()}, "selected": np.nanmean(values)})
        return pandas.DataFrame(found)

    def part(self, frame, setting):
        """(the rows that a factor of the page is over, its setting)."""
        name, _, component = setting.partition(" | ")
        has = frame[~frame[name].isin(["nan", ""])]
        if component:
            owner = name
            while owner not in frame or owner == name:
                owner = owner.rsplit(".", 1)[0]
            has = has[has[owner] == component]
        return has, name

    def test_main_effects_and_pairs(self):
        for name, data in self.each("effects"):
            frame = self.points(name)
            maximise = data["views"]["effects"]["options"]["maximise"]
            for row in rows(data, "effects", "main"):
                has, setting = self.part(frame, row["setting"])
                values = has.loc[has[setting] == row["value"], "selected"]
                self.assertEqual(row["points"], len(values), row)
                self.close(row["mean"], values.mean())
                self.close(row["sd"], values.std())
                self.close(row["best"], values.max() if maximise else values.min())
            for row in rows(data, "effects", "pairs")[::13]:
                first, one = self.part(frame, row["first"])
                second, two = self.part(first, row["second"])
                values = second.loc[(second[one] == row["first_value"]) & (second[two] == row["second_value"]), "selected"]
                self.assertEqual(row["points"], len(values), row)
                self.close(row["mean"], values.mean())
                self.close(row["best"], values.max() if maximise else values.min())

    def test_edges(self):
        for name, data in self.each("effects"):
            frame = self.points(name)
            for row in rows(data, "effects", "edges"):
                has, setting = self.part(frame, row["setting"])
                grid = has[setting].astype(float)
                self.assertEqual((written(grid.min()), written(grid.max()), grid.nunique()),
                                 (written(float(row["lowest"])), written(float(row["highest"])), row["values"]))
                self.assertEqual(row["edge"], "lowest" if row["value"] == row["lowest"] else "highest" if row["value"] == row["highest"] else "inside")

    def test_importances_sum_to_one_and_the_first_factor_is_between_its_groups(self):
        for name, data in self.each("importance"):
            shares = [row["share"] for table in ("terms", "rest") for row in rows(data, "importance", table)]
            self.close(sum(shares), 1.0)
        arrays, _ = raw("table3")
        both = [at for at in range(len(arrays["seed"])) if arrays["seed"][at] < 2]
        frame = pandas.DataFrame({"optimizer": arrays["optimizer"][both], "seed": arrays["seed"][both], "y": arrays["objective"][both]})
        total = ((frame["y"] - frame["y"].mean()) ** 2).sum()

        def between(column):
            means = frame.groupby(column)["y"].transform("mean")
            return ((means - frame["y"].mean()) ** 2).sum() / total

        data = data_of("table3")
        terms = {(row["term"], row["within"]): row["share"] for row in rows(data, "importance", "terms")}
        self.close(terms["optimizer", ""], between("optimizer"))
        self.close({row["part"]: row["share"] for row in rows(data, "importance", "rest")}["seeds"], between("seed"))

    def test_tuning_curve_counts_all_draws(self):
        for name, data in self.each("tuning"):
            every = rows(data, "parallel", "points")
            methods = {row["rank"]: row["method"] for row in rows(data, "provenance", "rows")}
            maximise = data["views"]["parallel"]["options"]["maximise"]
            for row in rows(data, "tuning", "curve"):
                points = [point for point in every if methods[point["rank"]] == row["method"]]
                self.assertEqual(row["points"], len(points))
                if len(points) ** row["k"] > 30000:
                    continue
                sign = 1 if maximise else -1
                draws = [max(draw, key=lambda point: sign * point["selected"])["reported"] for draw in itertools.product(points, repeat=row["k"])]
                if len({point["selected"] for point in points}) == len(points):
                    self.close(row["expected"], np.mean(draws))


class Comparisons(Numbers):
    def runs(self, name, data, index):
        """{seed: value} of a chosen point."""
        arrays, _ = raw(name)
        values = arrays[data["views"]["verdict"]["options"]["variable"]]
        return {arrays["seed"][at]: float(values[at]) for at in finished(name, data["points"][index]) if np.isfinite(values[at])}

    def test_paired_differences(self):
        for name, data in self.each("paired"):
            best = self.runs(name, data, 0)
            table = rows(data, "paired", "differences")
            maximise = data["views"]["paired"]["options"]["maximise"]
            for row in table:
                other = self.runs(name, data, row["point"])
                seeds = sorted(set(best) & set(other))
                first, second = np.array([best[seed] for seed in seeds]), np.array([other[seed] for seed in seeds])
                difference = first - second
                mean, half = mean_and_half(difference)
                self.assertEqual(row["pairs"], len(seeds))
                self.close(row["difference"], mean)
                self.close(row["low"], mean - half)
                self.close(row["high"], mean + half)
                if len(seeds) > 1 and np.ptp(difference) > 0:
                    self.close(row["p_t"], scipy.stats.ttest_rel(first, second).pvalue)
                if len(set(np.abs(difference))) == len(difference) and (difference != 0).all():
                    self.close(row["p_wilcoxon"], scipy.stats.wilcoxon(difference, mode="exact").pvalue)
                sides = (first, second) if maximise else (second, first)
                self.close(row["improvement"], scipy.stats.mannwhitneyu(*sides).statistic / len(seeds) ** 2)
            for p, adjusted in (("p_wilcoxon", "p_wilcoxon_holm"), ("p_t", "p_t_holm")):
                known = sorted((row for row in table if row[p] == row[p]), key=lambda row: row[p])
                most = 0.0
                for at, row in enumerate(known):
                    most = max(most, min(1.0, (len(known) - at) * row[p]))
                    self.close(row[adjusted], most)

    def test_interquartile_means_and_profiles(self):
        for name, data in self.each("profiles"):
            maximise = data["views"]["parallel"]["options"]["maximise"]
            lines = pandas.DataFrame(rows(data, "profiles", "profiles"))
            for row in rows(data, "profiles", "aggregates"):
                runs = self.runs(name, data, row["point"])
                values = np.array([runs[seed] for seed in sorted(runs)])
                cut = len(values) // 4
                self.close(row["iqm"], np.sort(values)[cut:len(values) - cut].mean())
                self.close(row["median"], np.median(values))
                self.close(row["mean"], values.mean())
                told = scipy.stats.bootstrap((values,), lambda sample, axis: scipy.stats.trim_mean(sample, 0.25, axis=axis), n_resamples=2000,
                                             method="percentile", vectorized=True, random_state=np.random.default_rng(0)).confidence_interval
                self.close(row["low"], told.low)
                self.close(row["high"], told.high)
                part = lines[lines["point"] == row["point"]]
                for _, line in part.iterrows():
                    beyond = values > line["threshold"] if maximise else values < line["threshold"]
                    self.close(line["share"], beyond.mean())
                    self.assertTrue(line["low"] <= line["share"] + 1e-12 and line["share"] <= line["high"] + 1e-12)


class Trials(Numbers):
    def test_times_and_missing_trials(self):
        name, data = "table3", data_of("table3")
        arrays, _ = raw(name)
        frame = pandas.DataFrame({"method": arrays["model_activation"] + " " + arrays["optimizer"],
                                  "seed": arrays["seed"], "status": arrays["status"], "seconds": arrays["wall_seconds"]})
        ran = frame[frame["status"] == 2].groupby("method")["seconds"]
        for row in rows(data, "times", "times"):
            seconds = ran.get_group(row["method"])
            for key, wanted in (("total", seconds.sum()), ("mean", seconds.mean()), ("least", seconds.min()), ("most", seconds.max()),
                                ("quarter", seconds.quantile(0.25)), ("median", seconds.median()), ("three_quarters", seconds.quantile(0.75))):
                self.close(row[key], wanted, key)
        for row in rows(data, "missing", "coverage"):
            part = frame[(frame["method"] == row["method"]) & (frame["seed"] == row["seed"])]
            self.assertEqual((row["planned"], row["finished"], row["skipped"]), (len(part), (part["status"] == 2).sum(), (part["status"] == 6).sum()))
        self.assertEqual(len(rows(data, "missing", "trials")), 9715 - 6097)
