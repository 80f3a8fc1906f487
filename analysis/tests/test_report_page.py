"""The page of a report as a whole: in a browser, without one, and what it is made of."""

import hashlib
import json
import pathlib
import re
import subprocess
import unittest

import numpy as np
import scipy.stats

import browser
from case import ResultsCase
from engram_results.report import page
from report_files import data_in, data_of, page_of, result_file, rows
from synthetic import trial

VENDOR = pathlib.Path(page.__file__).resolve().parent / "vendor"
FILES = ("table3", "class-incremental-short", "opm-small-methods", "mnist-c", "apd-cifar100-split-small")
# What a drawing of a view is made of, at least.
MARKS = """(() => Object.fromEntries([...document.querySelectorAll("main section")].filter(part => part.querySelector(".chart")).map(part =>
  [part.id, part.querySelectorAll("svg circle, svg path[d], svg rect, svg line, pre.command").length])))()"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CONTRAST = """(() => {
  const light = words => { const [r, g, b] = words.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = words => { const other = light(words); return (Math.max(ground, other) + 0.05) / (Math.min(ground, other) + 0.05); };
  return Object.fromEntries(["body", ".shown", ".notes", "a[href]", ".legend legend", "svg text"].map(at => document.querySelector(`main ${at}`) ?? document.querySelector(at))
    .filter(Boolean).map(at => [at.tagName + at.className, ratio(getComputedStyle(at).color)]));
})()"""
# Drawn texts that stand on each other, in one drawing.
COLLISIONS = """(() => [...document.querySelectorAll("section:not(#parallel) .chart svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("g[aria-label='y-axis tick label'] text, g[aria-label='x-axis tick label'] text")].filter(text => text.textContent.trim()
    && !/rotate/.test(text.getAttribute("transform"))).map(text => ({text: text.textContent, box: text.getBoundingClientRect()}));
  return boxes.flatMap((one, i) => boxes.slice(i + 1).filter(({box}) => one.box.left < box.right - 1 && box.left < one.box.right - 1 && one.box.top < box.bottom - 3
    && box.top < one.box.bottom - 3).map(other => `${svg.getAttribute("aria-label")}: ${one.text} / ${other.text}`));
}))()"""


@unittest.skipUnless(browser.find(), "no chromium: the page is not opened in a browser")
class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()

    def open(self, name, width, dark=False):
        self.browser.open(page_of(name), width, dark)
        self.assertEqual(self.browser.run("document.documentElement.dataset.drawn"), "yes", name)

    def test_every_view_has_its_marks_and_nothing_complains(self):
        for name in FILES:
            for width, dark in ((1600, False), (400, True)):
                with self.subTest(name=name, width=width):
                    self.open(name, width, dark)
                    self.assertEqual(self.browser.complaints(), [])
                    self.assertIsNone(self.browser.run("document.documentElement.dataset.errors ?? null"))
                    marks = self.browser.run(MARKS)
                    self.assertEqual(set(marks), set(data_of(name)["views"]))
                    self.assertEqual([view for view, count in marks.items() if count < (1 if view == "provenance" else 3)], [])
                    self.assertLessEqual(self.browser.run(OVERFLOW), 0)
                    self.assertEqual(self.browser.run(COLLISIONS), [])
                    self.assertEqual({at: ratio for at, ratio in self.browser.run(CONTRAST).items() if ratio < 4.5}, {})

    def test_all_views_are_drawn_for_some_file(self):
        there = set().union(*(data_of(name)["views"] for name in FILES))
        # The others need several streams, and failures: see Synthetic.
        self.assertEqual(set(page.VIEWS) - there, {"ranks", "failures"})

    def test_a_fault_is_counted(self):
        self.open("mnist-c", 800)
        self.browser.run("setTimeout(() => { throw new Error('planted'); }), new Promise(done => setTimeout(done))")
        self.assertTrue(self.browser.complaints())
        self.assertIn("planted", self.browser.run("document.documentElement.dataset.errors"))

    def test_the_keyboard_reaches_everything(self):
        self.open("mnist-c", 1600)
        self.browser.key("Tab")
        self.assertEqual(self.browser.run("document.activeElement.className"), "skip")
        want = self.browser.run("document.querySelectorAll('a[href], select, input, button, summary, [tabindex=\"0\"]').length")
        reached = set()
        for _ in range(want + 5):
            reached.add(self.browser.run("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
            self.browser.key("Tab")
        hidden = self.browser.run("[...document.querySelectorAll('details:not([open]) > :not(summary)')].flatMap(at => [...at.querySelectorAll('[tabindex=\"0\"]')]).length")
        self.assertGreaterEqual(len(reached), want - hidden)

    def test_a_handle_of_an_axis_keeps_fewer_points(self):
        self.open("class-incremental-short", 1600)
        told = "document.querySelector('#parallel [role=status]').textContent"
        before = self.browser.run(told)
        self.browser.run("[...document.querySelectorAll('#parallel .handle-key')].at(-1).focus()")
        for _ in range(12):
            self.browser.key("ArrowUp")
        after = self.browser.run(told)
        self.assertLess(int(after.split()[0]), int(before.split()[0]))
        self.browser.key("Escape")
        self.assertEqual(self.browser.run(told), before)

    def test_a_checkbox_keeps_the_focus_and_changes_the_drawing(self):
        self.open("opm-small-methods", 1600)
        count = "document.querySelectorAll('#curves svg g[aria-label=line] path').length"
        before = self.browser.run(count)
        self.browser.run("document.querySelector('#curves .legend input').focus()")
        self.browser.key(" ")
        self.browser.run("document.querySelector('#curves .legend input').checked || document.activeElement.click")
        self.assertEqual(self.browser.run("document.activeElement === document.querySelector('#curves .legend input')"), True)
        self.browser.run("document.activeElement.click()")
        self.assertNotEqual((self.browser.run(count), self.browser.run("document.querySelector('#curves .legend input').checked")), (before, None))

    def test_a_table_has_all_digits_when_it_is_copied(self):
        self.open("mnist-c", 1600)
        self.browser.run("document.querySelector('#verdict summary').click(), new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        first = rows(data_of("mnist-c"), "verdict", "best")[0]
        self.assertIn(f"{first['selected']:.5g}", self.browser.run("document.querySelector('#verdict table tbody').textContent"))
        self.browser.run("""(() => { const create = URL.createObjectURL; window.saved = []; URL.createObjectURL = blob => { window.saved.push(blob.text()); return "#"; };
            HTMLAnchorElement.prototype.click = () => {}; URL.revokeObjectURL = () => {}; [...document.querySelectorAll('#verdict button')].find(b => b.textContent === 'Save CSV').click(); })()""")
        self.assertIn(repr(first["selected"]), self.browser.run("window.saved[0]"))


class Contents(unittest.TestCase):
    def test_drawing_libraries_are_those_that_were_vendored(self):
        lines = (VENDOR / "SHA256").read_text(encoding="utf-8").splitlines()
        wanted = {name: digest for digest, name in (line.split() for line in lines)}
        self.assertEqual(set(wanted), {path.name for path in VENDOR.iterdir()} - {"SHA256"})
        for name, digest in wanted.items():
            self.assertEqual(hashlib.sha256((VENDOR / name).read_bytes()).hexdigest(), digest, name)

    def test_it_needs_nothing_from_elsewhere_and_can_be_mailed(self):
        for name in FILES:
            text = page_of(name).read_text(encoding="utf-8")
            self.assertLess(len(text.encode()), 5_000_000, name)
            markup = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
            self.assertEqual(re.findall(r"<(?:link|script|img|iframe|use)[^>]*(?:href|src)=\"(?!data:|#)[^\"]*\"", markup), [], name)
            self.assertIn("Permission to use, copy, modify", markup)

    def test_readers_without_scripts_get_a_drawing(self):
        text = page_of("table3").read_text(encoding="utf-8")
        without = re.search(r"<noscript>(.*?)</noscript>", text, re.DOTALL).group(1)
        self.assertIn("<svg", without)
        self.assertIn("hard_ash alpha=3", without)

    def test_the_page_is_the_same_every_time(self):
        self.assertEqual(page.build([result_file("mnist-c")]), page_of("mnist-c").read_text(encoding="utf-8"))

    def test_views_without_data_say_why(self):
        text = page_of("table3").read_text(encoding="utf-8")
        self.assertIn("<strong>Plasticity</strong>: no trial has recorded units", text)
        self.assertNotIn('<section id="plasticity"', text)


class Synthetic(ResultsCase):
    """Files made for one view."""

    def data(self, *paths):
        return data_in(page.build(list(paths)))

    def test_failures_are_grouped_as_engram_failures_does(self):
        trials = [trial("relu", "sgd", 0.5, optimizer_lr=lr, message="") for lr in (0.1, 0.2)]
        trials += [trial("ash", "sgd", float("nan"), "failed", optimizer_lr=0.1, message="killed worker"),
                   trial("ash", "sgd", 0.1, "diverged", optimizer_lr=0.2, message="diverged at minibatch 12"),
                   trial("ash", "sgd", 0.1, "diverged", optimizer_lr=0.3, message="diverged at minibatch 7")]
        data = self.data(self.path(trials))
        self.assertEqual([(row["status"], row["reason"], row["trials"], row["points"]) for row in rows(data, "failures", "reasons")],
                         [("diverged", "diverged at minibatch 12", 2, 2), ("failed", "killed worker", 1, 1)])
        shares = {(row["setting"], row["value"]): (row["ran"], row["share"]) for row in rows(data, "failures", "map")}
        self.assertEqual(shares["model.activation", "ash"], (3, 1.0))
        self.assertEqual(shares["optimizer.lr", "0.1"], (2, 0.5))
        self._draws("failures", trials)

    def test_ranks_over_streams(self):
        values = {"ash": (0.9, 0.8, 0.7), "relu": (0.8, 0.7, 0.75), "swish": (0.1, 0.2, 0.3)}
        trials = [trial(name, "sgd", value + shift, stream=f"stream{at}") for name, those in values.items()
                  for at, value in enumerate(those) for shift in (-0.01, 0.01)]
        data = self.data(self.path(trials))
        ranks = {row["method"]: row["rank"] for row in rows(data, "ranks", "ranks")}
        self.assertEqual({name: round(rank, 9) for name, rank in ranks.items()}, {"ash": round(4 / 3, 9), "relu": round(5 / 3, 9), "swish": 3.0})
        options = data["views"]["ranks"]["options"]
        self.assertAlmostEqual(options["critical"], 2.343 * np.sqrt(3 * 4 / (6 * 3)), delta=1e-3)   # q of Demšar's table
        self.assertAlmostEqual(options["friedman"], scipy.stats.friedmanchisquare(*values.values()).pvalue, places=12)
        self._draws("ranks", trials)

    def test_stopped_trials_are_drawn_and_in_no_mean(self):
        trials = [trial("ash", "sgd", 0.8), trial("ash", "sgd", 0.6), trial("ash", "sgd", 0.4, "stopped"), trial("relu", "sgd", 0.3, "stopped")]
        data = self.data(self.path([{**one, "seed": at} for at, one in enumerate(trials)]))
        last = [row for row in rows(data, "curves", "mean") if row["variable"] == "accuracy"][-1]
        self.assertEqual((last["n"], round(last["mean"], 6)), (2, 0.7))
        self.assertEqual({row["status"] for row in rows(data, "curves", "seeds")}, {"done", "stopped"})
        self.assertEqual(len(rows(data, "curves", "stopped")), 2)

    def test_texts_of_a_file_cannot_leave_their_place(self):
        trials = [trial("</script><script>window.bad=1</script>", "sgd", 0.5), trial("relu", "sgd", 0.4)]
        text = page.build([self.path(trials, attributes={"title": "<b onmouseover=x>"})])
        self.assertNotIn("<script>window.bad", text)
        self.assertNotIn("<b onmouseover", text)
        self.assertEqual(data_in(text)["points"][0]["method"], "</script><script>window.bad=1</script>")

    def test_the_command(self):
        path = self.path([trial("ash", "sgd", 0.5), trial("relu", "sgd", 0.4)])
        code, out, err = self.command("report", path)
        self.assertEqual((code, out.strip(), err), (0, str(path.with_suffix(".html")), ""))
        code, _, err = self.command("report", path, "-o", self.folder / "nowhere" / "x.html")
        self.assertEqual(code, 2)
        self.assertIn("cannot be written", err)
        self.assertEqual(self.command("report", self.folder / "none.h5")[0], 2)
        # Nothing has finished: a page that says so.
        code, _, err = self.command("report", self.path([trial("ash", "sgd", float("nan"), "pending")], "pending.h5"))
        self.assertEqual((code, err), (0, ""))
        self.assertIn("no trial has finished yet", (self.folder / "pending.html").read_text(encoding="utf-8"))

    def _draws(self, view, trials):
        """In a browser the view has marks and nothing complains."""
        if browser.find():
            path = self.folder / "drawn.html"
            page.write([self.path(trials, "drawn.h5")], path)
            with browser.Browser() as window:
                window.open(path, 400)
                self.assertEqual(window.complaints(), [])
                self.assertGreater(window.run(MARKS)[view], 3)
                self.assertLessEqual(window.run(OVERFLOW), 0)


class Rows(ResultsCase):
    def test_the_command_of_a_row_trains_the_same_trial(self):
        sweep = self.folder / "tiny.yaml"
        sweep.write_text("name: tiny\nbase: {dataset: synthetic, stream: split, stream.tasks: 2, model.hidden: [16]}\n"
                         "grid: {optimizer.lr: [0.003, 0.1], model.activation: [relu, {hard_ash: {alpha: [2.5]}}]}\nseeds: 2\n", encoding="utf-8")
        from engram_results import program
        subprocess.run([program.find(), "run", str(sweep)], cwd=self.folder, check=True, capture_output=True)
        data = data_in(page.build([self.folder / "results" / "tiny.h5"]))
        command = data["views"]["provenance"]["options"]["command"]
        values = {row["rank"]: row for row in rows(data, "curves", "seeds") and rows(data, "provenance", "rows")}
        for index, point in enumerate(data["points"]):
            row = values[point["rank"]]
            seed = row["seeds"].split()[1]
            words = f"{command} {row['arguments']} seed={seed} --json".removeprefix("engram ")
            done = subprocess.run(f"'{program.find()}' {words}", shell=True, check=True, capture_output=True, text=True, cwd=self.folder)
            last = [one for one in rows(data, "curves", "seeds") if (one["variable"], one["point"], one["seed"]) == ("accuracy", index, int(seed))][-1]
            self.assertEqual(np.float32(self._find(json.loads(done.stdout), "final_accuracy")), np.float32(last["value"]))

    def _find(self, tree, name):
        """A number by its name, wherever it stands."""
        if isinstance(tree, dict):
            return tree[name] if name in tree else next((found for part in tree.values() if (found := self._find(part, name)) is not None), None)
        return None


if __name__ == "__main__":
    unittest.main()
