"""A step of additive parameter decomposition, objective (2), in plain PyTorch, for comparison with tests/bench/apd.c.

LeNet 20-50-800-500 on images of noise, minibatches of 100, written as one would who takes care: autograd for the network
alone, the gradients of the retroactive term by their formulas, in place and task by task, so that no arrays of all
tasks come and go. Prints the least processor time of a step at task 1, 10 and 20: of the form of Adam for lists of
tensors, or of the one for single tensors, whichever is faster.
"""
import argparse
import time

import torch
import torch.nn.functional as F

SHAPES = [(20, 3, 5, 5), (50, 20, 5, 5), (800, 3200), (500, 800)]
LAMBDA1, LAMBDA2, DECAY, CLASSES, BATCH = 4e-4, 100.0, 1e-4, 5, 100


def over_units(values, like):
    """Values of units, to be multiplied with weights."""
    return values.view(-1, *[1] * (like.dim() - 1))


class Task:
    """What belongs to a task; anchors are what old ones are kept at."""

    def __init__(self, sigma):
        self.tau = [s.detach().clone() for s in sigma]
        self.v = [torch.randn(len(s)) / len(s) ** 0.5 for s in sigma]
        self.anchor = [over_units(v.sigmoid(), s) * s + t for v, s, t in zip(self.v, sigma, self.tau)]
        self.bias = [torch.zeros(len(s)) for s in sigma]
        self.head = [torch.randn(CLASSES, 500) * 0.04, torch.zeros(CLASSES)]


def forward(theta, task, x, local_response):
    for k in (0, 1):
        x = F.relu(F.conv2d(x, theta[k], task.bias[k], padding=2))
        if local_response:
            x = F.local_response_norm(x, 9, alpha=0.001, beta=0.75, k=1.0)
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
    x = x.flatten(1)
    for k in (2, 3):
        x = F.relu(F.linear(x, theta[k], task.bias[k]))
    return F.linear(x, *task.head)


def step(sigma, tasks, optimizer, x, label, local_response):
    current = tasks[-1]
    with torch.no_grad():
        masks = [v.sigmoid() for v in current.v]
        theta = [torch.addcmul(t, over_units(m, s), s) for m, s, t in zip(masks, sigma, current.tau)]
    for part in (*theta, *current.bias, *current.head):
        part.requires_grad_(True)
        part.grad = None
    F.cross_entropy(forward(theta, current, x, local_response), label).backward()
    with torch.no_grad():
        for k, s in enumerate(sigma):
            g, m = theta[k].grad, masks[k]
            dims = tuple(range(1, s.dim()))
            s.grad = over_units(m, s) * g
            current.tau[k].grad = torch.add(g, current.tau[k], alpha=DECAY).add_(current.tau[k].sign(), alpha=LAMBDA1)
            current.v[k].grad = m * (1 - m) * (g * s).sum(dims) + DECAY * current.v[k]
            for old in tasks[:-1]:
                m = old.v[k].sigmoid()
                e = torch.addcmul(old.tau[k], over_units(m, s), s).sub_(old.anchor[k]).mul_(LAMBDA2)
                s.grad.addcmul_(over_units(m, s), e)
                old.v[k].grad = m * (1 - m) * torch.mul(e, s).sum(dims)
                old.tau[k].grad = e.add_(old.tau[k].sign(), alpha=LAMBDA1)
    optimizer.step()


def least_seconds(tasks_known, steps, local_response, foreach):
    sigma = [torch.randn(shape) / shape[1:].numel() ** 0.5 for shape in map(torch.Size, SHAPES)]
    tasks = [Task(sigma) for _ in range(tasks_known)]
    current = tasks[-1]
    learned = [*sigma, *current.bias, *current.head] + [p for task in tasks for p in (*task.tau, *task.v)]
    optimizer = torch.optim.Adam(learned, lr=1e-3, foreach=foreach)
    x, label = torch.rand(BATCH, 3, 32, 32), torch.randint(CLASSES, (BATCH,))
    seconds = []
    for number in range(steps + 1):
        start = time.process_time()
        step(sigma, tasks, optimizer, x, label, local_response)
        if number > 0:
            seconds.append(time.process_time() - start)
    return min(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--local-response", choices=("true", "false"), required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for tasks in (1, 10, 20):
        times = [least_seconds(tasks, arguments.steps, arguments.local_response == "true", foreach) for foreach in (False, True)]
        print(f"step{tasks} {min(times):.6f}")


if __name__ == "__main__":
    main()
