"""One case, measured."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from .contenders import BASELINE, CONTENDERS, MISSING

WARM_UP = 2  # rounds: the first step allocates the state, the second is the first to find it
STREAMING = "streaming"


class Case(NamedTuple):
    """The weights to step."""

    num_tensors: int
    numel: int
    dtype: torch.dtype = torch.float32

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')}, {self.num_tensors:,} x {self.numel:,}"

    @property
    def num_params(self) -> int:
        """How many parameters all tensors have together."""
        return self.num_tensors * self.numel

    def num_rounds(self, quick: bool) -> int:
        """How many rounds are measured: the more, the smaller the case, as calls of microseconds are noisy."""
        return max(9 if quick else 21, min(200, 10**7 // self.num_params))


class Row(NamedTuple):
    """One contender in one case: a row of the table, by the names of the columns in the CSV file."""

    contender: str
    ns_per_param: float
    ratio_to_adamw: float
    bytes_per_param: float
    gb_per_second: float
    share_of_streaming: float
    state_bytes_per_param: float

    def __str__(self) -> str:
        name, ns, ratio, moved, speed, share, state = self
        return f"| {name} | {ns:.3f} | {ratio:.2f} | {moved:.1f} | {speed:.2f} | {share:.0%} | {state:.1f} |"


def measure(case: Case, num_rounds: int) -> list[Row]:
    """Time every contender in one case; all they allocated is free afterwards."""
    torch.manual_seed(0)
    weights, grads = ([torch.randn(case.numel, dtype=case.dtype) for _ in range(case.num_tensors)] for _ in range(2))
    optimizers = {name: it.make(weights, grads) for name, it in CONTENDERS.items() if name not in MISSING}
    # Of float32 in every case: torch's bfloat16 multiply is busy with conversions, not with memory.
    streamed = torch.ones(case.num_params * case.dtype.itemsize // torch.float32.itemsize)
    steps = {name: optimizer.step for name, optimizer in optimizers.items()}
    seconds = interleaved({**steps, STREAMING: lambda: streamed.mul_(0.999)}, num_rounds)
    states = {name: sum(state_bytes(optimizer)) / case.num_params for name, optimizer in optimizers.items()}
    moved = {name: 3 * case.dtype.itemsize + 2 * state for name, state in states.items()}
    moved[STREAMING] = 2 * case.dtype.itemsize
    speed = {name: moved[name] * case.num_params / seconds[name] / 1e9 for name in seconds}
    optimizers.clear()
    steps.clear()
    gc.collect()  # a torch optimizer is part of a reference cycle
    return [
        Row(
            contender=name,
            ns_per_param=seconds[name] / case.num_params * 1e9,
            ratio_to_adamw=seconds[name] / seconds[BASELINE],
            bytes_per_param=moved[name],
            gb_per_second=speed[name],
            share_of_streaming=speed[name] / speed[STREAMING],
            state_bytes_per_param=states.get(name, 0.0),
        )
        for name in seconds
    ]


def interleaved(steps: dict[str, Callable[[], Any]], num_rounds: int) -> dict[str, float]:
    """Return the median seconds of each call, over rounds in which every call is made once."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    order = random.Random(0)
    for _ in range(WARM_UP + num_rounds):
        for name in order.sample(list(steps), len(steps)):
            start = time.perf_counter()
            steps[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[WARM_UP:]) for name, times in seconds.items()}


def state_bytes(optimizer: Optimizer) -> Iterator[int]:
    """Yield the size of every tensor in the optimizer's state."""
    for state in optimizer.state.values():
        yield from (value.nbytes for value in state.values() if isinstance(value, Tensor))
