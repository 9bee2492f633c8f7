"""One case, measured in interleaved rounds."""

from __future__ import annotations

import gc
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim import Optimizer

from lionkit_lab.bench._cases import ITEMSIZE, Case, Effort
from lionkit_lab.bench._contenders import BASELINE, CONTENDERS
from lionkit_lab.bench._memory import groups, state_bytes, step_bytes
from lionkit_lab.bench._result import STREAMING, Result, Row
from lionkit_lab.errors import RunError

Tick = Callable[[int, int], None]
_MAX_ROUNDS = 200


def measure(case: Case, names: Sequence[str], effort: Effort, tick: Tick = lambda done, total: None) -> Result:
    """Measure every contender in one case; all that was allocated is free afterwards.

    Args:
        case: The weights.
        names: Of contenders, the baseline among them.
        effort: How many rounds.
        tick: Called between rounds with their number so far, and in all.

    Raises:
        RunError: There is too little free memory, or the baseline cannot step.
    """
    asked = [name for name in names if CONTENDERS[name].takes(case)]
    found = [name for name in asked if not CONTENDERS[name].missing]
    fitting = groups(case, found)
    if not fitting:
        raise RunError(f"too little free memory for {case.num_params:,} parameters")
    rows = {name: _missing(name) for name in asked if name not in found}
    with _quiet():
        for number, group in enumerate(fitting, 1):
            rows = {row.contender: row for row in _measure_group(case, group, number, effort, tick)} | rows
            gc.collect()  # a torch optimizer is part of a reference cycle
    return Result(case, [rows[name] for name in (*asked, STREAMING)])


def _missing(name: str) -> Row:
    return Row(name, "", "missing", f"pip install {CONTENDERS[name].distribution}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the contenders' advice, such as on bfloat16 weights that stall, out of the tables."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(disabled)


def _measure_group(case: Case, names: Sequence[str], number: int, effort: Effort, tick: Tick) -> Iterator[Row]:
    optimizers, refusals = _make(case, names)
    for name, reason in refusals.items():
        yield Row(name, CONTENDERS[name].version, "refused", reason, group=number)
    if BASELINE in refusals:
        raise RunError(f"the baseline cannot step {case}: {refusals[BASELINE]}")
    # Of float32 in every case: torch's bfloat16 multiply is busy with conversions, not with memory.
    streamed = torch.ones(max(1, case.num_bytes // 4))
    steps = {**{name: it.step for name, it in optimizers.items()}, STREAMING: lambda: streamed.mul_(0.999)}
    round_seconds = sum(times[0] for times in interleaved(steps, 1).values())
    num_rounds = min(_MAX_ROUNDS, max(effort.min_rounds, int(effort.seconds / round_seconds)))
    seconds = interleaved(steps, num_rounds, tick)
    states = {name: state_bytes(it) / case.num_params for name, it in optimizers.items()} | {STREAMING: 0.0}
    extras = {name: step_bytes(step, case) for name, step in steps.items()}
    yield from _rows(case, number, seconds, states, extras)


def _make(case: Case, names: Sequence[str]) -> tuple[dict[str, Optimizer], dict[str, str]]:
    """Build the optimizers and let each take its first step, which allocates and compiles; say why one cannot."""
    torch.manual_seed(0)
    shape = {"size": case.shape, "dtype": getattr(torch, case.dtype)}
    weights, grads = ([torch.randn(**shape) for _ in range(case.num_tensors)] for _ in range(2))
    optimizers: dict[str, Optimizer] = {}
    refusals: dict[str, str] = {}
    for name in names:
        try:
            optimizer = CONTENDERS[name].make(weights, grads)
            optimizer.step()
            optimizers[name] = optimizer
        except Exception as error:  # a peer may raise anything: its line says what
            refusals[name] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
    return optimizers, refusals


def interleaved(
    steps: dict[str, Callable[[], Any]], num_rounds: int, tick: Tick = lambda done, total: None
) -> dict[str, list[float]]:
    """Return the seconds of each call, over rounds in which every call is made once, in an order drawn anew."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    order = random.Random(0)
    for done in range(1, num_rounds + 1):
        for name in order.sample(list(steps), len(steps)):
            start = time.perf_counter()
            steps[name]()
            seconds[name].append(time.perf_counter() - start)
        tick(done, num_rounds)
    return seconds


def _rows(
    case: Case,
    group: int,
    seconds: dict[str, list[float]],
    states: dict[str, float],
    extras: dict[str, int | None],
) -> Iterator[Row]:
    ns = {name: [1e9 * value / case.num_params for value in _quartiles(times)] for name, times in seconds.items()}
    size = ITEMSIZE[case.dtype]
    moved = {name: 3 * size + 2 * state for name, state in states.items()} | {STREAMING: 2 * size}
    speed = {name: moved[name] / median for name, (_, median, _) in ns.items()}
    for name, (lower, median, upper) in ns.items():
        extra = extras[name]
        yield Row(
            contender=name,
            version=CONTENDERS[BASELINE if name == STREAMING else name].version,
            status="measured",
            group=group,
            rounds=len(seconds[name]),
            ns_per_param=median,
            ns_lower=lower,
            ns_upper=upper,
            ratio_to_adamw=median / ns[BASELINE][1],
            bytes_per_param=moved[name],
            gb_per_second=speed[name],
            share_of_streaming=speed[name] / speed[STREAMING],
            state_bytes_per_param=states[name],
            extra_bytes_per_param=None if extra is None else extra / case.num_params,
        )


def _quartiles(times: Sequence[float]) -> list[float]:
    return statistics.quantiles(times, n=4, method="inclusive")
