"""Training steps of the transformer of anytime learning on text, in plain PyTorch.

The network, minibatch and optimizer of tests/bench/text.sh, on tokens of noise: the time of a step
does not depend on what they say. Prints the median processor time of a step, and the memory at the
end in MB.
"""
import argparse
import math
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads, positions):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.heads = heads
        self.register_buffer("later", torch.triu(torch.ones(positions, positions, dtype=torch.bool), 1))

    def forward(self, x):
        batch, positions, width = x.shape
        q, k, v = (
            part.view(batch, positions, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).split(width, dim=2)
        )
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(width // self.heads)
        p = scores.masked_fill(self.later, float("-inf")).softmax(-1)
        return self.project((p @ v).transpose(1, 2).reshape(batch, positions, width))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(F.relu(self.up(x)))


class Switch(nn.Module):
    def __init__(self, width, experts):
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(FeedForward(width) for _ in range(experts))
        self.limited = True  # in training; not in evaluation

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        p = self.router(flat).softmax(-1)
        share, chosen = p.max(-1)
        capacity = math.ceil(len(flat) / len(self.experts)) if self.limited else len(flat)
        y = torch.zeros_like(flat)
        for e, expert in enumerate(self.experts):
            tokens = (chosen == e).nonzero().flatten()[:capacity]
            if len(tokens) > 0:
                y = y.index_add(0, tokens, share[tokens, None] * expert(flat[tokens]))
        busy = torch.bincount(chosen, minlength=len(self.experts)) / len(flat)
        self.balance = 0.01 * len(self.experts) * (busy * p.mean(0)).sum()
        return y.view_as(x)


class Block(nn.Module):
    def __init__(self, width, heads, positions, experts):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, positions)
        self.norm2 = nn.LayerNorm(width)
        self.feed_forward = Switch(width, experts) if experts > 1 else FeedForward(width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, arguments):
        super().__init__()
        width = arguments.width
        self.embedding = nn.Embedding(arguments.tokens, width)
        self.positions = nn.Parameter(0.02 * torch.randn(arguments.positions, width))
        self.blocks = nn.ModuleList(
            Block(width, arguments.heads, arguments.positions, arguments.experts if i % 2 == 1 else 1)
            for i in range(arguments.layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        h = self.embedding(x) + self.positions
        for block in self.blocks:
            h = block(h)
        return self.norm(h) @ self.embedding.weight.T


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("width", 64), ("layers", 2), ("heads", 4), ("positions", 64), ("tokens", 65)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--experts", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    net = Transformer(arguments)
    for module in net.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, 0, 0.02)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, betas=(0.9, 0.98))
    shape = (arguments.batch, arguments.positions)
    seconds = []
    for step in range(arguments.steps + 3):
        x = torch.randint(arguments.tokens, shape)
        label = torch.randint(arguments.tokens, shape)
        start = time.process_time()
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x).flatten(0, 1), label.flatten())
        loss = loss + sum(b.feed_forward.balance for b in net.blocks if isinstance(b.feed_forward, Switch))
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step >= 3:
            seconds.append(time.process_time() - start)
    seconds.sort()
    print(seconds[len(seconds) // 2], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
