"""A Switch Transformer on mega-batches of text in plain PyTorch, for comparison with `engram train`.

The stream, network and training of a single model of sweeps/alma/text-tiny-a.yaml (Caccia et al. 2022, arXiv
2106.09563): a text is cut into blocks of 2048 characters, the blocks are shuffled and divided into four mega-batches of
20 %, an evaluation chunk of 10 % and a validation set of 10 %; sequences of T characters begin at multiples of T in a
block. Every mega-batch is learned for the same number of steps with a new Adam whose rate rises linearly; weights are
those of the last step. Prints one line: the perplexities of the evaluation chunk after each mega-batch.
"""
import argparse
import collections
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from peer_text import Switch, Transformer


def ids_of(text, vocabulary):
    """[n] of characters; 0 is any that is not among the commonest."""
    common = collections.Counter(text).most_common(vocabulary - 1)
    number = {character: i + 1 for i, (character, _) in enumerate(common)}
    return np.array([number.get(character, 0) for character in text], dtype=np.int64)


def sequences_of(blocks, length):
    """[n, length + 1] of blocks; none crosses a block."""
    rows = [block[i:i + length + 1] for block in blocks for i in range(0, len(block) - length, length)]
    return torch.tensor(np.stack(rows))


def parts_of(ids, block, length, generator):
    """Four mega-batches and the evaluation chunk; the validation set is left out as in engram, where it only selects."""
    blocks = [ids[i:i + block] for i in range(0, len(ids), block)]
    order = torch.randperm(len(blocks), generator=generator)
    share = len(blocks) // 10
    parts = [*order[:-2 * share].tensor_split(4), order[-2 * share:-share]]
    return [sequences_of([blocks[i] for i in part], length) for part in parts]


def initialise(net, layers):
    """Normal(0, 0.02), less where a residual branch ends; no biases."""
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif "norm" not in name:
            ends = name.endswith(("project.weight", "down.weight"))
            nn.init.normal_(parameter, 0, 0.02 / math.sqrt(2 * layers) if ends else 0.02)


def balance(net):
    """What keeps experts equally busy, summed over mixtures."""
    return sum(block.feed_forward.balance for block in net.blocks if isinstance(block.feed_forward, Switch))


def set_limits(net, limited):
    """Whether experts take only their share of a minibatch: in training, not in evaluation."""
    for block in net.blocks:
        if isinstance(block.feed_forward, Switch):
            block.feed_forward.limited = limited


def loss_of(net, rows):
    """Mean negative log-likelihood of all positions."""
    return F.cross_entropy(net(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())


def minibatches(rows, batch, generator):
    """Epoch after epoch, each in a new order; the last of an epoch has what is left."""
    while True:
        yield from rows[torch.randperm(len(rows), generator=generator)].split(batch)


def learn(net, rows, arguments, generator):
    """One mega-batch."""
    set_limits(net, True)
    a = arguments
    optimizer = torch.optim.Adam(net.parameters(), lr=a.lr, betas=(0.9, 0.98), eps=1e-8)
    for step, chosen in zip(range(a.steps), minibatches(rows, a.batch, generator)):
        optimizer.param_groups[0]["lr"] = a.lr * min(1, (step + 1) / a.warmup)
        optimizer.zero_grad()
        (loss_of(net, chosen) + balance(net)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()


@torch.no_grad()
def perplexity(net, rows):
    """exp of the mean over all positions."""
    set_limits(net, False)
    total = sum(loss_of(net, part).item() * len(part) for part in rows.split(64))
    return math.exp(total / len(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", help="a file in UTF-8")
    for name, value in (("tokens", 128), ("block", 2048), ("positions", 64), ("batch", 16), ("steps", 500), ("warmup", 50),
                        ("width", 64), ("layers", 2), ("heads", 4), ("experts", 2), ("seed", 0), ("characters", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--lr", type=float, default=3e-3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    with open(arguments.text, encoding="utf-8") as file:
        ids = ids_of(file.read()[:arguments.characters or None], arguments.tokens)
    *chunks, evaluation = parts_of(ids, arguments.block, arguments.positions, generator)
    net = Transformer(arguments)
    initialise(net, arguments.layers)
    found = []
    for chunk in chunks:
        learn(net, chunk, arguments, generator)
        found.append(perplexity(net, evaluation))
    print(" ".join(f"{value:.4f}" for value in found))


if __name__ == "__main__":
    main()
