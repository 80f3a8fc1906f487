"""The trial of the benchmark in plain PyTorch, for comparison with `engram train`.

Same architecture, normalisation, activation, optimizer (epsilon, clipping), minibatches and
evaluations as the engram settings of tests/bench/run.sh. Prints one line:
train_seconds evaluation_seconds final_accuracy. Reading the data is not timed.
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


def load(folder):
    """Standardised float images and labels of the training and the test set, ready before timing."""
    parts = []
    for part in ("train", "t10k"):
        x = read_idx(f"{folder}/{part}-images-idx3-ubyte", 16).reshape(-1, 784)
        y = read_idx(f"{folder}/{part}-labels-idx1-ubyte", 8)
        x = (torch.from_numpy(x).float() / 255 - 0.1307) / 0.3081
        parts.append((x, torch.from_numpy(y).long()))
    return parts


def hard_ash(z, alpha=3.0, z_k=2.3, x_max=2.0):
    deviation, mean = torch.std_mean(z, dim=1, unbiased=False, keepdim=True)
    return z.clamp(0, x_max) * (F.relu6(alpha * (z - mean - z_k * deviation) + 3) / 6)


def ash(z, alpha=3.0, z_k=2.3):
    deviation, mean = torch.std_mean(z, dim=1, unbiased=False, keepdim=True)
    return z * torch.sigmoid(alpha * (z - mean - z_k * deviation))


def topk_subtract(z, k=64, x_max=2.0):
    value = z.topk(k, dim=1).values[:, -1:]
    return (z - value).clamp(0, x_max)


ACTIVATIONS = {"hard_ash": hard_ash, "ash": ash, "relu": F.relu, "topk_subtract": topk_subtract}


class Adagrad:
    def __init__(self, params, lr, clip):
        self.params, self.lr, self.clip = params, lr, clip
        self.sum = [torch.full_like(p, 1e-6) for p in params]

    def step(self):
        for p, s in zip(self.params, self.sum):
            s.addcmul_(p.grad, p.grad)
            update = (s + 1e-7).rsqrt_().mul_(p.grad).mul_(self.lr)
            p.sub_(update.clamp_(-self.clip, self.clip))


class RMSprop:
    def __init__(self, params, lr, clip, rho=0.999):
        self.params, self.lr, self.clip, self.rho = params, lr, clip, rho
        self.mean = [torch.zeros_like(p) for p in params]

    def step(self):
        for p, v in zip(self.params, self.mean):
            v.mul_(self.rho).addcmul_(p.grad, p.grad, value=1 - self.rho)
            update = (v + 1e-8).rsqrt_().mul_(p.grad).mul_(self.lr)
            p.sub_(update.clamp_(-self.clip, self.clip))


class Adam:
    def __init__(self, params, lr, clip, beta1=0.9, beta2=0.999):
        self.params, self.lr, self.clip, self.beta1, self.beta2 = params, lr, clip, beta1, beta2
        self.mean = [torch.zeros_like(p) for p in params]
        self.square = [torch.zeros_like(p) for p in params]
        self.steps = 0

    def step(self):
        self.steps += 1
        rate = self.lr / (1 - self.beta1**self.steps)
        scale = 1 / math.sqrt(1 - self.beta2**self.steps)
        for p, m, v in zip(self.params, self.mean, self.square):
            m.mul_(self.beta1).add_(p.grad, alpha=1 - self.beta1)
            v.mul_(self.beta2).addcmul_(p.grad, p.grad, value=1 - self.beta2)
            update = (m * rate).div_(v.sqrt().mul_(scale).add_(1e-8))
            p.sub_(update.clamp_(-self.clip, self.clip))


OPTIMIZERS = {"adagrad": Adagrad, "rmsprop": RMSprop, "adam": Adam}


class Network:
    def __init__(self, activation, hidden=1000):
        self.activation = ACTIVATIONS[activation]
        self.w1 = (torch.randn(hidden, 784) * math.sqrt(2 / 784)).requires_grad_()
        self.w2 = (torch.randn(10, hidden) * math.sqrt(2 / hidden)).requires_grad_()

    def weights(self):
        """The first layer's rows, centred and of norm 1."""
        v = self.w1 - self.w1.mean(1, keepdim=True)
        return v / v.norm(dim=1, keepdim=True)

    def __call__(self, x, w1):
        return F.linear(self.activation(F.linear(x, w1)), self.w2)


def evaluate(net, sets, block=500):
    """Accuracy over all sets, and the share of active units as engram counts it."""
    correct = count = active = 0
    with torch.no_grad():
        w1 = net.weights()
        for x, y in sets:
            for start in range(0, len(y), block):
                hidden = net.activation(F.linear(x[start : start + block], w1))
                active += int(torch.count_nonzero(hidden))
                scores = F.linear(hidden, net.w2)
                correct += int((scores.argmax(1) == y[start : start + block]).sum())
            count += len(y)
    return correct / count


def tasks_of(stream, data):
    """Training and test sets of the five tasks."""
    (x, y), (xt, yt) = data
    if stream == "permuted":
        orders = [torch.randperm(784) for _ in range(5)]
        return [((x, y, o), (xt[:, o], yt)) for o in orders]
    tasks = []
    for first in range(0, 10, 2):
        a, b = y // 2 == first // 2, yt // 2 == first // 2
        tasks.append(((x[a], y[a], None), (xt[b], yt[b])))
    return tasks


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--stream", default="split", choices=["split", "permuted"])
    parser.add_argument("--activation", default="hard_ash", choices=sorted(ACTIVATIONS))
    parser.add_argument("--optimizer", default="adagrad", choices=sorted(OPTIMIZERS))
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--clip", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    tasks = tasks_of(args.stream, load(args.folder))
    net = Network(args.activation)
    optimizer = OPTIMIZERS[args.optimizer]([net.w1, net.w2], args.lr, args.clip)
    train_seconds = evaluation_seconds = accuracy = 0.0
    for (x, y, order), _ in tasks:
        start = time.perf_counter()
        shuffled = torch.randperm(len(y))
        for index in shuffled.split(64):
            batch = x[index] if order is None else x[index][:, order]
            loss = F.cross_entropy(net(batch, net.weights()), y[index])
            net.w1.grad = net.w2.grad = None
            loss.backward()
            with torch.no_grad():
                optimizer.step()
        middle = time.perf_counter()
        accuracy = evaluate(net, [test for _, test in tasks])
        train_seconds += middle - start
        evaluation_seconds += time.perf_counter() - middle
    print(f"{train_seconds:.4f} {evaluation_seconds:.4f} {accuracy:.4f}")


if __name__ == "__main__":
    main()
