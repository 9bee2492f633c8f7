"""One host's process: takes a step by each way of agreeing in turn, and times it."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import lionkit
from lionkit.distributed import Mean, Vote, agree

WIDTHS = (784, *[1024] * 10, 10)
"""Of an MLP of 10.26 million weights."""
COMPUTING = "computing"
WARM_UP = 3  # the first rounds make buckets, and PowerSGD begins at the third
Hook = Callable[[DistributedDataParallel, lionkit.Lion], object]


def _power_sgd(model: DistributedDataParallel, _: lionkit.Lion) -> None:
    state = powerSGD_hook.PowerSGDState(None, matrix_approximation_rank=4, start_powerSGD_iter=2)
    model.register_comm_hook(state, powerSGD_hook.powerSGD_hook)


def _bfloat16(model: DistributedDataParallel, _: lionkit.Lion) -> None:
    # By another name: DDP knows that of torch's hook, and refuses it without CUDA, though gloo adds up bfloat16.
    model.register_comm_hook(None, lambda state, bucket: default_hooks.bf16_compress_hook(state, bucket))


WAYS: dict[str, Hook] = {
    "float32 all-reduce": lambda model, _: None,
    "bfloat16 all-reduce": _bfloat16,
    "PowerSGD, rank 4": _power_sgd,
    "majority vote": lambda model, optimizer: agree(model, optimizer, Vote(), check_every=None),
    "mean of votes": lambda model, optimizer: agree(model, optimizer, Mean(), check_every=None),
}


ONE_BUCKET = {"PowerSGD, rank 4": 100}
"""Megabytes: on gloo its collectives of several buckets get into each other's way, and the processes end."""


class Network(nn.Sequential):
    """The MLP, which may be asked for gradients that cost nothing to make."""

    def __init__(self) -> None:
        layers = (part for pair in pairwise(WIDTHS) for part in (nn.Linear(*pair), nn.GELU()))
        super().__init__(*list(layers)[:-1])

    def forward(self, input: Tensor | None) -> Tensor:
        """Return the logits; of None the sum of all weights, whose gradients are there at once."""
        if input is None:
            return torch.stack([param.sum() for param in self.parameters()]).sum()
        return super().forward(input)


class Trainer:
    """A network of its own for one way."""

    def __init__(self, name: str, bucket: float) -> None:
        torch.manual_seed(0)
        self.model = DistributedDataParallel(Network(), bucket_cap_mb=ONE_BUCKET.get(name, bucket))
        self.optimizer = lionkit.Lion(self.model.parameters(), lr=1e-4, weight_decay=0.1)
        WAYS[name](self.model, self.optimizer)

    def step(self, size: int) -> None:
        """Take one whole step on new images."""
        images, labels = torch.randn(size, WIDTHS[0]), torch.randint(WIDTHS[-1], (size,))
        self.optimizer.zero_grad()
        cross_entropy(self.model(images), labels).backward()
        self.optimizer.step()

    def exchange(self) -> None:
        """Send and receive what a step does, with nothing to hide it behind."""
        self.optimizer.zero_grad()
        self.model(None).backward()

    def compute(self, size: int) -> None:
        """Take a step on this host's own gradient."""
        with self.model.no_sync():
            self.step(size)


def main(rounds: int, size: int, bucket: float) -> None:
    """Time every way in every round, in an order drawn anew; rank 0 prints the seconds of each as JSON."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    jobs = _jobs(size, bucket)
    draw = random.Random(0)  # the same on all hosts
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + WARM_UP):
        for name in draw.sample(list(jobs), len(jobs)):
            took = _timed(jobs[name])
            if number >= WARM_UP:
                seconds[name].append(took)
    if dist.get_rank() == 0:
        print(json.dumps(seconds))
    dist.destroy_process_group()


def _jobs(size: int, bucket: float) -> dict[str, Callable[[], None]]:
    """Return what is timed: the steps of each way, what each exchanges alone, and the computing of any."""
    steps = {name: partial(Trainer(name, bucket).step, size) for name in WAYS}
    exchanges = {alone(name): Trainer(name, bucket).exchange for name in WAYS}
    return {**steps, **exchanges, COMPUTING: partial(Trainer(next(iter(WAYS)), bucket).compute, size)}


def alone(name: str) -> str:
    """Return what the exchange of a way alone is called."""
    return f"{name}, alone"


def _timed(step: Callable[[], None]) -> float:
    dist.barrier()
    start = time.perf_counter()
    step()
    dist.barrier()  # the slowest host's time counts
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
