"""One host's process: takes a step by each way of agreeing in turn, and times it."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import lionkit
from lionkit.distributed import Mean, Vote, agree

WIDTHS = (784, 2048, 2048, 2048, 10)
"""Of an MLP of 10.02 million weights: a step computes little beside what it sends."""
BATCH = 16
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


class Trainer:
    """A network of its own for one way."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        layers = (part for pair in pairwise(WIDTHS) for part in (nn.Linear(*pair), nn.ReLU()))
        network = nn.Sequential(*list(layers)[:-1])
        self.model = DistributedDataParallel(network, bucket_cap_mb=ONE_BUCKET.get(name))
        self.optimizer = lionkit.Lion(self.model.parameters(), lr=1e-4, weight_decay=0.1)
        WAYS[name](self.model, self.optimizer)

    def backward(self, batch: tuple[Tensor, Tensor]) -> None:
        """Take the gradient, and what the way makes of it."""
        cross_entropy(self.model(batch[0]), batch[1]).backward()

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Take one whole step."""
        self.optimizer.zero_grad()
        self.backward(batch)
        self.optimizer.step()


def main(rounds: int) -> None:
    """Time every way in every round, in an order drawn anew; rank 0 prints the seconds of each as JSON."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    trainers = {name: Trainer(name) for name in WAYS}
    batch = torch.randn(BATCH, WIDTHS[0]), torch.randint(WIDTHS[-1], (BATCH,))
    draw = random.Random(0)  # the same on all hosts
    seconds: dict[str, list[float]] = {name: [] for name in (*trainers, "computing alone")}
    for number in range(rounds + 3):  # the first ones make buckets, and PowerSGD begins at the third
        for name in draw.sample(list(seconds), len(seconds)):
            took = _timed(
                lambda name=name: _alone(trainers, batch) if name not in trainers else trainers[name].step(batch)
            )
            if number >= 3:
                seconds[name].append(took)
    if dist.get_rank() == 0:
        print(json.dumps(seconds))
    dist.destroy_process_group()


def _alone(trainers: dict[str, Trainer], batch: tuple[Tensor, Tensor]) -> None:
    trainer = trainers["float32 all-reduce"]
    with trainer.model.no_sync():
        trainer.optimizer.zero_grad()
        trainer.backward(batch)
    trainer.optimizer.step()


def _timed(step: Callable[[], None]) -> float:
    dist.barrier()
    start = time.perf_counter()
    step()
    dist.barrier()  # the slowest host's time counts
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]))
