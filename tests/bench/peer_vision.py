"""Training steps of the networks of loss of plasticity in vision, and of anytime learning, in plain PyTorch.

The networks, sizes of minibatches and optimizers of tests/bench/vision.sh, on images of noise: the
time of a step does not depend on what they show. Prints the median processor time of a step, and
the memory at the end in MB.
"""
import argparse
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class CinNet(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(3, 32, 5), nn.Conv2d(32, 64, 3), nn.Conv2d(64, 128, 3)])
        self.linear = nn.ModuleList([nn.Linear(512, 128), nn.Linear(128, 128)])
        self.head = nn.Linear(128, outputs)

    def forward(self, x):
        for layer in self.convolutions:
            x = F.max_pool2d(F.relu(layer(x)), 2)
        x = x.flatten(1)
        for layer in self.linear:
            x = F.relu(layer(x))
        return self.head(x)


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self, outputs, width):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1), nn.BatchNorm2d(width))
        blocks = []
        inputs = width
        for stage in range(4):
            filters = width << stage
            for number in range(2):
                blocks.append(Block(inputs, filters, 2 if stage > 0 and number == 0 else 1))
                inputs = filters
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs, outputs)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x)))
        return self.head(x.mean((2, 3)))


class Vgg(nn.Module):
    """Sixteen convolutions of one width, each with normalisation, in five blocks; one linear layer."""

    def __init__(self, outputs, width):
        super().__init__()
        layers, inputs = [], 3
        for convolutions in (2, 2, 4, 4, 4):
            for _ in range(convolutions):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(width, outputs)

    def forward(self, x):
        return self.head(self.blocks(x).flatten(1))


MODELS = {"cin_net": lambda outputs, width: CinNet(outputs), "resnet18": ResNet18, "vgg": Vgg}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--outputs", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--decay", type=float, default=0.0)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    net = MODELS[arguments.model](arguments.outputs, arguments.width)
    x = torch.randn(arguments.batch, 3, 32, 32)
    label = torch.randint(arguments.outputs, (arguments.batch,))
    if arguments.channels_last:
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9, weight_decay=arguments.decay)
    seconds = []
    for step in range(arguments.steps + 1):
        start = time.process_time()
        optimizer.zero_grad()
        F.cross_entropy(net(x), label).backward()
        optimizer.step()
        if step > 0:
            seconds.append(time.process_time() - start)
    seconds.sort()
    print(seconds[len(seconds) // 2], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
