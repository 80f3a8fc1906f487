"""Anytime learning on MNIST in plain PyTorch, for comparison with `engram train`.

The stream, network and training of tests/bench/anytime.sh, written as one would who takes care: all images are
tensors before the clock starts, a minibatch is one index, held-out and test images are classified in one
call. Every stage has a new Adadelta (its form for lists of tensors, which is the faster one here), passes over its images in a new order each time, is scored on the held-out ones
after each pass, and goes on from the weights of the best one. Prints one line: processor seconds of a stage
(median), of its evaluation on the test set (median), and the mean test error of the stages.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def read_images(folder, name):
    """[n, 784] as (x/255 - 0.1307)/0.3081, and labels [n]."""
    with open(f"{folder}/{name}-images-idx3-ubyte", "rb") as file:
        pixels = np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 784)
    with open(f"{folder}/{name}-labels-idx1-ubyte", "rb") as file:
        labels = np.frombuffer(file.read(), dtype=np.uint8, offset=8)
    x = (torch.tensor(pixels, dtype=torch.float32) / 255 - 0.1307) / 0.3081
    return x, torch.tensor(labels, dtype=torch.int64)


@torch.no_grad()
def accuracy(net, x, y):
    return (net(x).argmax(1) == y).float().mean().item()


def train(net, x, y, held_out_x, held_out_y, arguments):
    """One stage; leaves the weights of the best epoch behind."""
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0, rho=0.9, eps=1e-6, foreach=True)
    best, kept = None, None
    for _ in range(arguments.epochs):
        for batch in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
        score = accuracy(net, held_out_x, held_out_y)
        if best is None or score > best + 0.001:
            best, kept = score, copy.deepcopy(net.state_dict())
    net.load_state_dict(kept)


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="data/mnist")
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--stages", type=int, required=True, help="the first so many are learned")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    x, y = read_images(arguments.data, "train")
    test_x, test_y = read_images(arguments.data, "t10k")
    h = arguments.hidden
    net = nn.Sequential(nn.Linear(784, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 10))
    chunks = torch.randperm(len(x)).tensor_split(arguments.chunks)
    stage, test, errors = [], [], 0
    for chunk in chunks[: arguments.stages]:
        begun = time.process_time()
        held_out, taught = chunk.split([len(chunk) // 10, len(chunk) - len(chunk) // 10])
        train(net, x[taught], y[taught], x[held_out], y[held_out], arguments)
        trained = time.process_time()
        errors += 1 - accuracy(net, test_x, test_y)
        stage.append(trained - begun)
        test.append(time.process_time() - trained)
    print(f"{median(stage):.9f} {median(test):.9f} {errors / len(stage):.5f}")


if __name__ == "__main__":
    main()
