"""Networks that learn example by example in plain PyTorch, for comparison with `engram train`.

The streams, networks and methods of tests/bench/online.sh, written as one would: torch.nn.Linear, autograd,
torch.optim.SGD, and what a method does after the step with tensor operations on whole layers. Prints
one line: processor seconds of an example, mean loss (scr) or accuracy (opm) before the updates, and the mean
number of inputs of each weight layer that are not 0.
"""
import argparse
import math
import time

import numpy as np
import torch
import torch.nn.functional as F


def read_idx(path, header):
    with open(path, "rb") as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header).copy()


def flipping_bits(rng, bits=20, slow=15, units=100, flip_every=10000):
    """Slowly-changing regression: bits, and a fixed network of threshold units."""
    weights = rng.choice([-1, 1], size=(units, bits))
    bias = rng.choice([-1, 1], size=units)
    value = rng.choice([-1, 1], size=units)
    least = np.where(bias == 1, 14, 17)
    state = rng.integers(0, 2, size=slow)
    step = 0
    while True:
        if step > 0 and step % flip_every == 0:
            state[rng.integers(0, slow)] ^= 1
        x = np.concatenate([state, rng.integers(0, 2, size=bits - slow)])
        agree = np.where(weights == 1, x, 1 - x).sum(axis=1)
        y = 1 + (value * (agree >= least)).sum()
        yield torch.tensor(x, dtype=torch.float32)[None], torch.tensor([[float(y)]])
        step += 1


def permuted_images(rng, folder):
    """Online permuted MNIST, the first task."""
    pixels = read_idx(f"{folder}/train-images-idx3-ubyte", 16).reshape(-1, 784)
    labels = read_idx(f"{folder}/train-labels-idx1-ubyte", 8)
    x = torch.tensor(pixels[:, rng.permutation(784)], dtype=torch.float32) / 255
    y = torch.tensor(labels, dtype=torch.int64)
    while True:
        for i in rng.permutation(len(labels)):
            yield x[i : i + 1], y[i : i + 1]


class Network(torch.nn.Module):
    """Linear, ReLU, …, linear, which keeps the outputs of its hidden layers."""

    def __init__(self, widths):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(n, m) for n, m in zip(widths, widths[1:], strict=False)
        )
        self.hidden = []
        for i, layer in enumerate(self.layers):
            gain = math.sqrt(2) if i + 1 < len(self.layers) else 1
            bound = gain * math.sqrt(3 / layer.in_features)
            torch.nn.init.uniform_(layer.weight, -bound, bound)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x):
        self.hidden = []
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
            self.hidden.append(x)
        return self.layers[-1](x)


class ContinualBackprop:
    """Adaptable contribution, deterministic replacement; Dohare et al. 2024."""

    def __init__(self, network, rate, maturity, decay=0.99):
        self.network, self.rate, self.maturity, self.decay = network, rate, maturity, decay
        sizes = [layer.out_features for layer in network.layers[:-1]]
        self.age = [torch.zeros(n) for n in sizes]
        self.utility = [torch.zeros(n) for n in sizes]
        self.mean = [torch.zeros(n) for n in sizes]
        self.owed = [0.0 for _ in sizes]

    @torch.no_grad()
    def after_step(self):
        chosen = [self.decide(i) for i in range(len(self.age))]
        for i, units in enumerate(chosen):
            if units is not None:
                self.replace(i, units)

    def decide(self, i):
        layer, after = self.network.layers[i], self.network.layers[i + 1]
        h = self.network.hidden[i]
        self.age[i] += 1
        correction = 1 - self.decay ** self.age[i]
        self.mean[i] = self.decay * self.mean[i] + (1 - self.decay) * h.mean(dim=0)
        spread = (h - self.mean[i] / correction).abs().mean(dim=0)
        now = spread * after.weight.abs().mean(dim=0) / layer.weight.abs().mean(dim=1)
        self.utility[i] = self.decay * self.utility[i] + (1 - self.decay) * now
        mature = torch.where(self.age[i] > self.maturity)[0]
        if len(mature) == 0:
            return None
        self.owed[i] += self.rate * len(mature)
        count = int(self.owed[i])
        self.owed[i] -= count
        if count == 0:
            return None
        ranked = (self.utility[i] / correction)[mature]
        return mature[torch.topk(-ranked, count)[1]]

    def replace(self, i, units):
        layer, after = self.network.layers[i], self.network.layers[i + 1]
        bound = math.sqrt(6 / layer.in_features)
        layer.weight[units] = torch.empty(len(units), layer.in_features).uniform_(-bound, bound)
        layer.bias[units] = 0
        after.weight[:, units] = 0
        for values in (self.age[i], self.utility[i], self.mean[i]):
            values[units] = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stream", choices=["scr", "opm"])
    parser.add_argument("--data", default="data/mnist")
    parser.add_argument("--hidden", default="100,100,100")
    parser.add_argument("--method", choices=["bp", "l2", "snp", "cbp"], default="bp")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--decay", type=float, default=1e-4)
    parser.add_argument("--sigma", type=float, default=1e-5)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    regression = args.stream == "scr"
    hidden = [int(n) for n in args.hidden.split(",")]
    network = Network([20 if regression else 784] + hidden + [1 if regression else 10])
    decay = args.decay if args.method in ("l2", "snp") else 0
    optimizer = torch.optim.SGD(network.parameters(), lr=args.lr, weight_decay=decay)
    continual = ContinualBackprop(network, args.rate, 100) if args.method == "cbp" else None
    stream = flipping_bits(rng) if regression else permuted_images(rng, args.data)

    warm_up = 200
    score, active, begun = 0.0, np.zeros(len(network.layers)), 0.0
    for step in range(warm_up + args.examples):
        if step == warm_up:
            score, begun = 0.0, time.process_time()
        x, target = next(stream)
        y = network(x)
        loss = F.mse_loss(y, target) if regression else F.cross_entropy(y, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if args.method == "snp":
            with torch.no_grad():
                for p in network.parameters():
                    p.add_(torch.randn_like(p), alpha=args.sigma)
        if continual is not None:
            continual.after_step()
        score += loss.item() if regression else float(y.argmax(dim=1).item() == target.item())
        if step < warm_up:
            active += [int((v != 0).sum()) for v in [x] + network.hidden]
    seconds = (time.process_time() - begun) / args.examples
    counts = ",".join(f"{n:.0f}" for n in active / warm_up)
    print(f"{seconds:.9f} {score / args.examples:.5f} {counts}")


if __name__ == "__main__":
    main()
