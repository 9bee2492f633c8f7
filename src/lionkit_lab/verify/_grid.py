"""The grid: every cell is run, on several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import torch

from lionkit_lab.verify._cells import Cell, Effort
from lionkit_lab.verify._observe import Observation, observe


def measure(effort: Effort, workers: int, tick: Callable[[int, int], None]) -> list[Observation]:
    """Run every cell.

    Args:
        effort: Which ones.
        workers: Processes of one thread each; with 1, this one.
        tick: Called with the cells done and all of them.
    """
    cells, found = effort.cells(), []
    for done, part in enumerate(_results(cells, effort.seeds, workers), start=1):
        found += part
        tick(done, len(cells))
    return sorted(found, key=lambda it: (it.statement, it.problem, it.noise, it.dim, it.steps))


def _results(cells: list[Cell], seeds: int, workers: int) -> Iterator[list[Observation]]:
    if workers == 1:
        yield from (observe(cell, seeds) for cell in cells)
        return
    # Spawned: a fork of a process whose torch has threads can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(observe, cell, seeds) for cell in cells]):
            yield future.result()


def _one_thread() -> None:
    torch.set_num_threads(1)


def default_workers() -> int:
    """Return how many processes to use: two where there are two cores."""
    return min(2, os.cpu_count() or 1)
