"""What each figure shows: the one definition that both matplotlib and the live page draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lionkit_lab.record import Run
from lionkit_lab.report._chart import Chart, Range, Reference, Series
from lionkit_lab.report._tasks import Task, final_loss

NORM = "\u2016g\u2016"
RATIO = f"r = {NORM}\u2081 / {NORM}\u2082"
RESIDUAL = f"S = {NORM}\u2081 + \u03bb\u27e8\u03b8, g\u27e9"


def charts(task: Task) -> list[Chart]:
    """Define every figure of one task, in the order of the page."""
    return [training_loss(task), test_metric(task), norm_ratio(task), kkt_residual(task), lr_sweep(task)]


def training_loss(task: Task) -> Chart:
    """The full training loss at the logging epochs, over the minibatch losses between them."""
    lines = _lines(task, "train_loss")
    noise = tuple(_minibatch(task.shown(name)) for name in task.optimizers)
    return Chart("training-loss", "Training loss", "mean loss, training set", "step", noise + lines, _frame(lines))


def test_metric(task: Task) -> Chart:
    """The test metric that the task names."""
    metric = task.info["metric"]
    lines = _lines(task, metric["key"])
    title = metric["label"][:1].upper() + metric["label"][1:]
    percent = metric["key"].endswith("accuracy")
    quantity = "share of the test set" if percent else "mean loss, test set"
    return Chart("test-metric", title, quantity, "step", lines, _frame(lines), percent=percent)


def norm_ratio(task: Task) -> Chart:
    """The ratio of the full gradient's norms, between 1 and sqrt(d)."""
    dim = task.info["num_parameters"]
    top, gaussian = math.sqrt(dim), math.sqrt(2 * dim / math.pi)
    references = (
        Reference(f"\u221ad = {top:.1f}", top),
        Reference(f"Gaussian \u221a(2d/\u03c0) = {gaussian:.1f}", gaussian),
    )
    # From zero, because the claim is about the level (of order sqrt(d), not 1), not about the wiggles.
    lines = _lines(task, "ratio")
    return Chart("norm-ratio", "Gradient norm ratio", RATIO, "step", lines, (0.0, 1.12 * top), references)


def kkt_residual(task: Task) -> Chart:
    """How far from a KKT point; on a log axis unless some value is not positive (a run outside the box)."""
    lines = _lines(task, "kkt_residual")
    log = all(value > 0 for value in _finite(lines))
    return Chart("kkt-residual", "KKT residual", RESIDUAL, "step", lines, _frame(lines, log=log), log_y=log)


def lr_sweep(task: Task) -> Chart:
    """The final training loss at every learning rate; runs without one are marked apart."""
    finished = tuple(_sweep(name, task.runs_of(name)) for name in task.optimizers)
    unfinished = tuple(_point(run, final_loss(run)) for run in task.runs if run.status == "unfinished")
    frame = _frame(finished + unfinished) or (0.0, 1.0)
    top = frame[1] - 0.04 * (frame[1] - frame[0])  # a diverged run has no value: it stands at the upper edge
    diverged = tuple(_point(run, top) for run in task.runs if run.status == "diverged")
    rates = tuple(sorted({run.lr for run in task.runs}))
    return Chart(
        "learning-rate",
        "Loss by learning rate",
        "mean loss, training set, at the last step",
        "learning rate",
        finished + unfinished + diverged,
        frame,
        log_x=True,
        x_ticks=rates if rates[-1] < 10 * rates[0] else None,  # less than a decade may hold no power of ten
    )


def _lines(task: Task, key: str) -> tuple[Series, ...]:
    shown = [task.shown(name) for name in task.optimizers]
    return tuple(_line(run, key, best=run in shown) for run in task.runs)


def _line(run: Run, key: str, *, best: bool) -> Series:
    steps = tuple(record["step"] for record in run.logs)
    values = _drop_non_finite(record.get(key) for record in run.logs)
    return Series(run.optimizer, _label(run), steps, values, "line", run.status, best)


def _minibatch(run: Run) -> Series:
    steps = tuple(record["step"] for record in run.steps)
    losses = _drop_non_finite(record["loss"] for record in run.steps)
    return Series(run.optimizer, f"{run.label}, minibatch", steps, losses, "minibatch", run.status)


def _sweep(optimizer: str, runs: Sequence[Run]) -> Series:
    points = [(run.lr, final_loss(run)) for run in runs if run.status == "finished"]
    rates = tuple(lr for lr, _ in points)
    return Series(optimizer, runs[0].title, rates, tuple(loss for _, loss in points))


def _point(run: Run, height: float | None) -> Series:
    return Series(run.optimizer, _label(run), (run.lr,), (height,), "points", run.status)


def _label(run: Run) -> str:
    return run.label if run.status == "finished" else f"{run.label} ({run.status})"


def _drop_non_finite(values: Iterable[float | None]) -> tuple[float | None, ...]:
    return tuple(value if value is not None and math.isfinite(value) else None for value in values)


def _finite(series: Iterable[Series]) -> list[float]:
    return [value for one in series for value in one.y if value is not None]


def _frame(series: Sequence[Series], *, log: bool = False) -> Range | None:
    """The range that holds the best runs, and the others as far as they do not flatten those."""
    steady = [one for one in series if one.status != "diverged"]
    best, every = _finite(one for one in steady if one.best), _finite(steady)
    if not best:
        return None
    scale, unscale = (math.log, math.exp) if log else (float, float)
    low, high = scale(min(best)), scale(max(best))
    room = 0.3 * (high - low)
    low, high = max(scale(min(every)), low - room), min(scale(max(every)), high + room)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return unscale(low - margin), unscale(high + margin)
