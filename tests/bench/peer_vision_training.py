"""Training of the networks of loss of plasticity in vision, in plain PyTorch, on the minibatches of a run of engram.

Reads a trace (`engram train --trace`): which training images of CIFAR-100 each minibatch had. Trains a network of the
same kind, drawn from the same distribution, on the same minibatches with stochastic gradient descent and momentum, and
prints the mean over phases of the test accuracy on a phase's classes after its last minibatch, and the mean loss before
the updates of the last epoch of the phases. What differs is the initial weights, drawn by another generator, and
rounding.
"""
import argparse
import csv
import gzip
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from peer_vision import CinNet, ResNet18

MEAN, STD = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


def read_images(folder, name, scale):
    """[n, 3, 32, 32] and fine labels [n] of a file in the official layout, plain or compressed."""
    path = os.path.join(folder, f"{name}.bin")
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(f"{path}.gz", "rb")
    with opened as file:
        records = np.frombuffer(file.read(), dtype=np.uint8).reshape(-1, 2 + 3072)
    x = torch.tensor(records[:, 2:].reshape(-1, 3, 32, 32).astype(np.float32)) / 255
    if scale == "symmetric":
        x = (x - 0.5) / 0.25
    else:
        x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return x, torch.tensor(records[:, 1].astype(np.int64))


def read_trace(path):
    """[(phase, epoch, example numbers)] of all minibatches."""
    csv.field_size_limit(1 << 24)
    with open(path, newline="", encoding="utf-8") as file:
        return [(int(row["phase"]), int(row["epoch"]), [int(number) for number in row["examples"].split()])
                for row in csv.DictReader(file)]


def draw(net):
    """Initial weights: those of PyTorch are engram's for the network of Continual ImageNet, uniform in ±1/sqrt(fan_in),
    biases too; residual nets have normal ones, of variance 2/fan_in, 1/fan_in in the last layer, and biases 0."""
    if isinstance(net, CinNet):
        return
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            gain = 1 if module is net.head else 2
            nn.init.normal_(module.weight, std=math.sqrt(gain / fan_in))
            nn.init.zeros_(module.bias)


def accuracy(net, images, labels, classes):
    """On the test images of some classes; label k is place k among them."""
    net.eval()
    correct = total = 0
    with torch.no_grad():
        for place, label in enumerate(classes):
            x = images[labels == label]
            correct += (net(x)[:, : len(classes)].argmax(1) == place).sum().item()
            total += len(x)
    net.train()
    return correct / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=["cin_net", "resnet18"])
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--data", required=True)
    parser.add_argument("--trace", required=True)
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--decay", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    pairs = arguments.model == "cin_net"
    scale = "symmetric" if pairs else "standard"
    train, train_label = read_images(arguments.data, "train", scale)
    test, test_label = read_images(arguments.data, "test", scale)
    steps = read_trace(arguments.trace)
    classes = {}
    for phase, _, numbers in steps:
        classes.setdefault(phase, set()).update(train_label[numbers].tolist())
    classes = {phase: sorted(found) for phase, found in classes.items()}
    outputs = max(len(found) for found in classes.values())
    net = CinNet(outputs) if pairs else ResNet18(outputs, arguments.width)
    draw(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=arguments.lr, momentum=0.9, weight_decay=arguments.decay)
    last = {phase: max(epoch for p, epoch, _ in steps if p == phase) for phase in classes}
    scores, losses = [], []
    for i, (phase, epoch, numbers) in enumerate(steps):
        if pairs and (i == 0 or steps[i - 1][0] != phase):
            with torch.no_grad():
                net.head.weight.zero_()
                net.head.bias.zero_()
        place = torch.tensor([classes[phase].index(label) for label in train_label[numbers].tolist()])
        optimizer.zero_grad()
        loss = F.cross_entropy(net(train[numbers]), place)
        loss.backward()
        optimizer.step()
        if epoch == last[phase]:
            losses.append(loss.item())
        if i + 1 == len(steps) or steps[i + 1][0] != phase:
            scores.append(accuracy(net, test, test_label, classes[phase]))
    print(sum(scores) / len(scores), sum(losses) / len(losses))


if __name__ == "__main__":
    main()
