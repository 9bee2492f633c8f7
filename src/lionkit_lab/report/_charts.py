"""What each figure shows: the one definition that both matplotlib and the live page draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lionkit_lab.record import Status
from lionkit_lab.report._tasks import ArmRuns, RateRuns, TaskRuns, finite
from lionkit_lab.report._words import estimate
from lionkit_lab.report.chart import Chart, Range, Reference, Series
from lionkit_lab.report.format import is_share

NORM = "\u2016g\u2016"
RATIO = f"r = {NORM}\u2081 / {NORM}\u2082"
RESIDUAL = f"S = {NORM}\u2081 + \u03bb\u27e8\u03b8, g\u27e9"


def charts(task: TaskRuns) -> list[Chart]:
    """Define every figure of one task, in the order of the page."""
    return [training_loss(task), test_metric(task), norm_ratio(task), kkt_residual(task), lr_sweep(task)]


def training_loss(task: TaskRuns) -> Chart:
    """The full training loss at the logging epochs, over the minibatch losses between them."""
    lines = _lines(task, "train_loss")
    noise = tuple(_minibatch(arm) for arm in task.arms)
    return Chart("training-loss", "Training loss", _mean_loss(task), "step", noise + lines, _frame(lines))


def test_metric(task: TaskRuns) -> Chart:
    """The test metric that the task names."""
    metric = task.info["metric"]
    lines = _lines(task, metric["key"])
    title = metric["label"][:1].upper() + metric["label"][1:]
    percent = is_share(metric["key"])
    quantity = "share of the test set" if percent else "mean loss, test set"
    return Chart("test-metric", title, quantity, "step", lines, _frame(lines), percent=percent)


def norm_ratio(task: TaskRuns) -> Chart:
    """The ratio of the full gradient's norms, between 1 and sqrt(d)."""
    dim = task.info["num_parameters"]
    top, gaussian = math.sqrt(dim), math.sqrt(2 * dim / math.pi)
    references = (
        Reference(f"\u221ad = {top:.1f}", top),
        Reference(f"Gaussian \u221a(2d/\u03c0) = {gaussian:.1f}", gaussian),
    )
    # From zero, because the claim is about the level (of order sqrt(d), not 1), not about the wiggles.
    lines = _lines(task, "ratio")
    quantity = RATIO + _over_part(task)
    return Chart("norm-ratio", "Gradient norm ratio", quantity, "step", lines, (0.0, 1.12 * top), references)


def kkt_residual(task: TaskRuns) -> Chart:
    """How far from a KKT point; on a log axis unless some value is not positive (a run outside the box)."""
    lines = _lines(task, "kkt_residual")
    log = all(value > 0 for value in _finite(lines))
    quantity = RESIDUAL + _over_part(task)
    return Chart("kkt-residual", "KKT residual", quantity, "step", lines, _frame(lines, log=log), log_y=log)


def lr_sweep(task: TaskRuns) -> Chart:
    """The final training loss, mean over the seeds, at every learning rate above 0: zero has no logarithm."""
    tried = [(arm, rate) for arm in task.arms for rate in arm.rates if rate.lr > 0]
    finished = tuple(_sweep(arm) for arm in task.arms)
    unfinished = tuple(_point(arm, rate, rate.loss) for arm, rate in tried if rate.status == "unfinished")
    frame = _frame(finished + unfinished) or (0.0, 1.0)
    top = frame[1] - 0.04 * (frame[1] - frame[0])  # a diverged run has no value: it stands at the upper edge
    diverged = tuple(_point(arm, rate, top) for arm, rate in tried if rate.status == "diverged")
    rates = tuple(sorted({rate.lr for _, rate in tried}))
    return Chart(
        "learning-rate",
        "Loss by learning rate",
        f"{_mean_loss(task)}, at the last step",
        "learning rate",
        finished + unfinished + diverged,
        frame,
        log_x=bool(rates),
        x_ticks=rates if rates and rates[-1] < 10 * rates[0] else None,  # may hold no power of ten
    )


def _mean_loss(task: TaskRuns) -> str:
    return f"mean loss over {estimate(task.info)}" if estimate(task.info) else "mean loss, training set"


def _over_part(task: TaskRuns) -> str:
    return f", over {estimate(task.info)}" if estimate(task.info) else ""


def _lines(task: TaskRuns, key: str) -> tuple[Series, ...]:
    return tuple(_line(arm, rate, key) for arm in task.arms for rate in arm.rates)


def _line(arm: ArmRuns, rate: RateRuns, key: str) -> Series:
    run = rate.runs[0]
    steps = tuple(record["step"] for record in run.logs)
    values = tuple(finite(record.get(key)) for record in run.logs)
    label = _ended(_label(arm, rate), run.status)
    return Series(arm.arm.key, label, steps, values, "line", run.status, best=rate is arm.shown)


def _minibatch(arm: ArmRuns) -> Series:
    run = arm.shown.runs[0]
    steps = tuple(record["step"] for record in run.steps)
    losses = tuple(finite(record["loss"]) for record in run.steps)
    return Series(arm.arm.key, f"{_label(arm, arm.shown)}, minibatch", steps, losses, "minibatch", run.status)


def _sweep(arm: ArmRuns) -> Series:
    finished = [rate for rate in arm.rates if rate.lr > 0 and rate.status == "finished"]
    rates, losses = tuple(rate.lr for rate in finished), tuple(rate.loss for rate in finished)
    return Series(arm.arm.key, arm.arm.title, rates, losses)


def _point(arm: ArmRuns, rate: RateRuns, height: float | None) -> Series:
    label = _ended(f"{arm.arm.title}, lr {rate.lr:g}", rate.status)
    return Series(arm.arm.key, label, (rate.lr,), (height,), "points", rate.status)


def _label(arm: ArmRuns, rate: RateRuns) -> str:
    seed = f", seed {rate.runs[0].seed}" if len(rate.runs) > 1 else ""
    return f"{arm.arm.title}, lr {rate.lr:g}{seed}"


def _ended(label: str, status: Status) -> str:
    return label if status == "finished" else f"{label} ({status})"


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
