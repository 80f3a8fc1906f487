#!/usr/bin/env python3
"""Additive parameter decomposition in NumPy, written from the formulas alone, along a given path.

    apd_trajectory.py > tests/data/apd_trajectory.txt
    apd_trajectory.py tests/data/apd_trajectory.txt

writes the path (initial parameters, minibatches) and where every variant gets to: lines
"NAME COUNT NUMBERS...", which tests/test_apd_trajectory.c compares with the learner in double; or
checks that a file has the same, to rounding. Without NumPy the exit code is 77: skipped.
Four tasks of two classes; 9 inputs, hidden layers of 5 and 4 tanh units, two outputs per task.
"""

import sys

try:
    import numpy as np
except ImportError:
    print("skipped: there is no NumPy")
    sys.exit(77)

INPUTS, HIDDEN, TASKS, CLASSES = 9, (5, 4), 4, 2
STEPS, BATCH, RATE = 6, 5, 0.02
LAYERS = ("layer1", "layer2")

VARIANTS = {
    "fixed": dict(retroactive=False, lambda2=3.0),
    "retroactive": dict(),
    "hierarchical": dict(every=2, centroids=1, beta=0.08),
    "mean": dict(every=2, centroids=1, beta=0.08, centre="mean", mask_l1=0.01),
    "still_masks": dict(retro_masks=False, tau_start="zero"),
    "plain_first": dict(first_task="plain", every=2, centroids=1, beta=0.08),
    "no_masks": dict(masks=False, every=2, centroids=1, beta=0.08),
    "proximal": dict(l1="proximal", every=2, centroids=1, beta=0.08),
    "fixed_groups": dict(retroactive=False, lambda2=3.0, every=2, centroids=1, beta=0.08),
}

# The task that the second cluster of each layer begins at, at the second consolidation (at the first
# one there is one cluster, and where it begins does not matter): what the
# learner draws for seed 1.
STARTS = {"layer1": 2, "layer2": 2}


def make_path():
    rng = np.random.RandomState(16)
    path = {"sigma": {}, "task": []}
    fan = INPUTS
    for name, units in zip(LAYERS, HIDDEN):
        path["sigma"][name] = rng.normal(size=(units, fan)) / np.sqrt(fan)
        fan = units
    for _ in range(TASKS):
        task = {"v": {}, "b": {}}
        for name, units in zip(LAYERS, HIDDEN):
            task["v"][name] = rng.normal(size=units) / np.sqrt(units)
            task["b"][name] = rng.normal(size=units) / np.sqrt(units)
        task["head"] = rng.normal(size=(CLASSES, fan)) / np.sqrt(fan)
        task["head_bias"] = rng.normal(size=CLASSES) * 0.1
        centres = rng.normal(size=(CLASSES, INPUTS))
        task["label"] = rng.randint(CLASSES, size=(STEPS, BATCH))
        task["x"] = centres[task["label"]] + 0.3 * rng.normal(size=(STEPS, BATCH, INPUTS))
        path["task"].append(task)
    return path


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


class Adam:
    """Kingma and Ba, algorithm 1; arrays are changed in place."""

    def __init__(self):
        self.state, self.t = {}, 0

    def step(self, key, w, g):
        m, v = self.state.setdefault(key, (np.zeros_like(w), np.zeros_like(w)))
        m[...] = 0.9 * m + 0.1 * g
        v[...] = 0.999 * v + 0.001 * g * g
        root = np.sqrt(v / (1 - 0.999**self.t)) + 1e-8
        w -= RATE * (m / (1 - 0.9**self.t)) / root
        return RATE / root


class Learner:
    def __init__(self, path, retroactive=True, retro_masks=True, lambda1=0.01, lambda2=2.0,
                 weight_decay=1e-3, mask_l1=0.0, l1="subgradient", tau_start="sigma",
                 first_task="masked", masks=True, every=0, centroids=2, beta=0.0, centre="midpoint"):
        self.__dict__.update({k: v for k, v in locals().items() if k not in ("self", "path")})
        self.path = path
        self.sigma = {n: w.copy() for n, w in path["sigma"].items()}
        self.tasks, self.losses = [], []
        self.group = {n: {} for n in LAYERS}  # layer -> group -> sigma_g
        self.kept = {n: [] for n in LAYERS}  # centroids

    def mask(self, task, name):
        if not task["masked"]:
            return np.ones(self.sigma[name].shape[0])
        return sigmoid(task["v"][name])

    def shared(self, task, name):
        return self.group[name].get(task["group"][name], 0.0)

    def theta(self, task, name):
        mask = self.mask(task, name)[:, None]
        return mask * self.sigma[name] + self.shared(task, name) + task["tau"][name]

    def learn(self, number):
        given = self.path["task"][number]
        plain = number == 0 and self.first_task == "plain"
        zero = plain or self.tau_start == "zero"
        task = {"plain": plain, "masked": self.masks and not plain, "group": {n: None for n in LAYERS}}
        task["tau"] = {n: np.zeros_like(w) if zero else w.copy() for n, w in self.sigma.items()}
        task["v"] = {n: v.copy() for n, v in given["v"].items()}
        task["b"] = {n: b.copy() for n, b in given["b"].items()}
        task["head"], task["head_bias"] = given["head"].copy(), given["head_bias"].copy()
        before = {n: w.copy() for n, w in self.sigma.items()}
        wanted = [{n: self.theta(t, n).copy() for n in LAYERS} for t in self.tasks]
        adam = Adam()
        for step in range(STEPS):
            adam.t += 1
            self.step(task, given["x"][step], given["label"][step], before, wanted, adam)
        self.tasks.append(task)
        if self.every and len(self.tasks) % self.every == 0:
            for name in LAYERS:
                self.consolidate(name)

    def backward(self, task, x, label):
        """Loss, and gradients of theta, b and the head."""
        h, theta = [x], {n: self.theta(task, n) for n in LAYERS}
        for name in LAYERS:
            h.append(np.tanh(h[-1] @ theta[name].T + task["b"][name]))
        y = h[-1] @ task["head"].T + task["head_bias"]
        p = np.exp(y - y.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(x)), label]).mean()
        d = p
        d[np.arange(len(x)), label] -= 1
        d /= len(x)
        g = {"head": d.T @ h[-1], "head_bias": d.sum(axis=0)}
        d = d @ task["head"]
        for i in (1, 0):
            d = d * (1 - h[i + 1] ** 2)
            g[LAYERS[i], "theta"] = d.T @ h[i]
            g[LAYERS[i], "b"] = d.sum(axis=0)
            d = d @ theta[LAYERS[i]]
        return loss, g

    def step(self, task, x, label, before, wanted, adam):
        first = not self.tasks
        l1 = self.lambda1 if self.l1 == "subgradient" else 0.0
        loss, g = self.backward(task, x, label)
        self.losses.append(loss)
        gradient = {}
        for name in LAYERS:
            sigma = self.sigma[name]
            m = self.mask(task, name)
            gt = g[name, "theta"]
            gs = m[:, None] * gt + (self.weight_decay * sigma if first else 0)
            if not task["plain"]:
                tau, v = task["tau"][name], task["v"][name]
                gradient["tau", name] = gt + self.weight_decay * tau + l1 * np.sign(tau)
                if task["masked"]:
                    gradient["v", name] = (m * (1 - m) * (gt * sigma).sum(axis=1)
                                           + self.weight_decay * v + self.mask_l1 * np.sign(v))
            if not self.retroactive and not first:
                gs = gs + self.lambda2 * (sigma - before[name])
            for j, old in enumerate(self.tasks if self.retroactive else []):
                mj = self.mask(old, name)
                e = self.lambda2 * (self.theta(old, name) - wanted[j][name])
                gs = gs + mj[:, None] * e
                gradient["tau", name, j] = e + l1 * np.sign(old["tau"][name])
                if self.retro_masks and old["masked"]:
                    gradient["v", name, j] = mj * (1 - mj) * (e * sigma).sum(axis=1)
            gradient["sigma", name] = gs
        self.update(task, g, gradient, adam)

    def update(self, task, g, gradient, adam):
        for key, value in gradient.items():
            owner = task if len(key) == 2 else self.tasks[key[2]]
            w = self.sigma[key[1]] if key[0] == "sigma" else owner[key[0]][key[1]]
            reach = adam.step(key, w, value)
            spared = len(key) == 3 and adam.t == 1
            if key[0] == "tau" and self.l1 == "proximal" and not spared:
                w[...] = np.sign(w) * np.maximum(0, np.abs(w) - self.lambda1 * reach)
        for name in LAYERS:
            adam.step(("b", name), task["b"][name], g[name, "b"])
        adam.step("head", task["head"], g["head"])
        adam.step("head_bias", task["head_bias"], g["head_bias"])

    def consolidate(self, name):
        t = len(self.tasks)
        a = np.array([task["tau"][name] + self.shared(task, name) for task in self.tasks])
        clusters = self.centroids * t // self.every
        c = [k.copy() for k in self.kept[name]]
        c += [a[STARTS[name] % t].copy()] * (clusters - len(c))
        of = None
        for _ in range(100):
            d = np.array([[((x - k) ** 2).sum() for k in c] for x in a])
            new = d.argmin(axis=1)
            if of is not None and (new == of).all():
                break
            of = new
            for i in range(clusters):
                if (of == i).any():
                    c[i] = a[of == i].mean(axis=0)
        groups = {}
        for i in range(clusters):
            members = np.flatnonzero(of == i)
            alone = len(members) < 2
            if not alone:
                low, high = a[members].min(axis=0), a[members].max(axis=0)
                alike = high - low <= self.beta
                mid = (low + high) / 2 if self.centre == "midpoint" else a[members].mean(axis=0)
                groups[i] = np.where(alike, mid, 0)
            for j in members:
                task = self.tasks[j]
                task["group"][name] = None if alone else i
                task["tau"][name] = a[j] if alone else np.where(alike, 0, a[j])
        self.group[name], self.kept[name] = groups, c


def compute(put):
    path = make_path()
    for name in LAYERS:
        put(f"path/shared/{name}.weight", path["sigma"][name])
    for t, task in enumerate(path["task"]):
        put(f"path/{t}/x", task["x"])
        put(f"path/{t}/label", task["label"])
        for name in LAYERS:
            put(f"path/task{t:03}/{name}.weight.mask", task["v"][name])
            put(f"path/task{t:03}/{name}.bias", task["b"][name])
        put(f"path/task{t:03}/layer3.weight", task["head"])
        put(f"path/task{t:03}/layer3.bias", task["head_bias"])
    for name in LAYERS:
        put(f"path/start/{name}", STARTS[name])
    for variant, options in VARIANTS.items():
        learner = Learner(path, **options)
        for t in range(TASKS):
            learner.learn(t)
        put(f"{variant}/losses", learner.losses)
        for name in LAYERS:
            put(f"{variant}/shared/{name}.weight", learner.sigma[name])
            for g, shared in learner.group[name].items():
                put(f"{variant}/groups/{g}/{name}.weight", shared)
        for t, task in enumerate(learner.tasks):
            for name in LAYERS:
                group = task["group"][name]
                put(f"{variant}/task{t:03}/{name}.weight", task["tau"][name])
                put(f"{variant}/task{t:03}/{name}.weight.group", -1 if group is None else group)
                put(f"{variant}/task{t:03}/{name}.bias", task["b"][name])
                if task["masked"]:
                    put(f"{variant}/task{t:03}/{name}.weight.mask", task["v"][name])
            put(f"{variant}/task{t:03}/layer3.weight", task["head"])
            put(f"{variant}/task{t:03}/layer3.bias", task["head_bias"])


def main():
    results = {}
    compute(lambda name, values: results.update({name: np.asarray(values, dtype=float).ravel()}))
    if len(sys.argv) == 1:
        for name, values in results.items():
            print(name, values.size, " ".join(repr(float(x)) for x in values))
        return 0
    with open(sys.argv[1]) as file:
        lines = [line.split() for line in file]
    assert [line[0] for line in lines] == list(results)
    for name, count, *numbers in lines:
        assert int(count) == results[name].size
        assert np.allclose(np.array(numbers, dtype=float), results[name], rtol=0, atol=1e-11), name
    return 0


if __name__ == "__main__":
    sys.exit(main())
