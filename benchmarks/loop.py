"""What the lab's loop costs over a bare one: `python -m benchmarks.loop`.

Trains a recipe by `lionkit_lab.train`, and the same model on the same batches in a loop of a few lines, in turn. Then
the logging epochs of such a run against the passes that they are made of: a forward and a backward pass over the
training samples, and a forward pass over those of the test. Processor time of one thread, which others on the machine
disturb less than the wall clock; medians over all steps, and over the logging epochs of all rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import lionkit
from lionkit_lab import tasks
from lionkit_lab.recipe import Lion, Recipe, load
from lionkit_lab.state import TrainingState
from lionkit_lab.train import Measurement, train

ROUNDS, STEPS = 5, 40
RECIPES = ("moby-dick", "fashion-mnist")


class Clock:
    """Hears of a run, and takes the time between one step and the next."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self._last: float | None = None

    def begin(self, done: int, total: int) -> None:
        """Start anew: what came before is no step."""
        self._last = None

    def step(self, done: int, loss: float) -> None:
        """Take the time."""
        now = time.process_time()
        if self._last is not None:
            self.steps.append(now - self._last)
        self._last = now

    def note(self, message: str) -> None:
        """Ignore it."""


def main() -> None:
    """Measure both recipes and print a Markdown table."""
    torch.set_num_threads(1)
    print("| recipe | bare step | step of the lab | ratio | passes of a logging epoch | logging epoch | ratio |")
    print("|---" * 7 + "|")
    for name in RECIPES:
        recipe, bare, lab = _recipe(name), Clock(), Clock()
        logs = [_round(recipe, bare, lab) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
        steps = _cells(bare.steps[STEPS:], lab.steps[STEPS:])
        print(f"| {name} | {steps} | {_cells(*(list(times) for times in zip(*logs, strict=True)))} |", flush=True)


def _recipe(name: str) -> Recipe:
    size = load(name).training.batch_size
    return load(name, [f"training={{steps={STEPS}, batch_size={size}}}", f"logging={{every={STEPS}, batches=2}}"])


def _cells(bare: list[float], lab: list[float]) -> str:
    one, other = statistics.median(bare), statistics.median(lab)
    return f"{1e3 * one:.2f} ms | {1e3 * other:.2f} ms | {other / one:.3f}"


def _round(recipe: Recipe, bare: Clock, lab: Clock) -> tuple[float, float]:
    """Return the seconds of a logging epoch's passes, and of a logging epoch."""
    with tempfile.TemporaryDirectory() as folder:
        train(recipe, Path(folder), lab)
    task = tasks.build(recipe)
    _bare(recipe, task, bare)
    return _logging(recipe, task)


def _logging(recipe: Recipe, task: tasks.Task) -> tuple[float, float]:
    state = TrainingState(recipe, task)
    measurement = Measurement(recipe, task, state)
    times = [
        (_processor_seconds(lambda: _passes(task, state.model)), _processor_seconds(measurement.take)) for _ in "12"
    ]
    return times[1]  # the first time finds memory and caches cold


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _bare(recipe: Recipe, task: tasks.Task, clock: Clock) -> None:
    torch.manual_seed(recipe.seed)
    model, settings = task.model(), recipe.optimizer
    assert isinstance(settings, Lion)
    optimizer = lionkit.Lion(model.parameters(), settings.lr, settings.betas, settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    clock.begin(0, STEPS)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = task.loss(model, task.batch(step))
        loss.backward()
        optimizer.step()
        schedule.step()
        clock.step(step, loss.item())


def _passes(task: tasks.Task, model: torch.nn.Module) -> None:
    for batch in task.logging_batches():
        task.loss(model, batch).backward()
    with torch.no_grad():
        for batch in task.test_batches():
            task.loss(model, batch)


if __name__ == "__main__":
    main()
