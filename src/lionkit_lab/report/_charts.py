"""What each figure shows: the one definition that both matplotlib and the live page draw."""

from __future__ import annotations

import dataclasses
import math

from lionkit_lab.report._series import (
    MINIBATCH,
    by_rate,
    clock,
    frame,
    lines,
    minibatches,
    point,
    statistics,
    values_of,
)
from lionkit_lab.report._tasks import TaskRuns
from lionkit_lab.report._words import estimate
from lionkit_lab.report.chart import Chart, Reference
from lionkit_lab.report.format import is_share
from lionkit_lab.report.paper import network_of

NORM = "\u2016g\u2016"
RATIO = f"r = {NORM}\u2081 / {NORM}\u2082"
_SHARES = {
    "agreement_share": ("Agreement", "coordinates whose step follows the minibatch gradient's sign"),
    "saturation": ("Saturation", "weights on the edge of the box"),
}
RESIDUAL = f"S = {NORM}\u2081 + \u03bb\u27e8\u03b8, g\u27e9"


def charts(task: TaskRuns) -> list[Chart]:
    """Define every figure of one task, in the order of the page."""
    always = [training_loss(task), test_metric(task), norm_ratio(task), kkt_residual(task), lr_sweep(task)]
    measured = any("perplexity" in log for run in task.runs for log in run.logs)
    shares = [step_share(task, key) for key in _SHARES if statistics(task, key)]
    return [*always, *([perplexity(task)] if measured else []), *shares]


def training_loss(task: TaskRuns) -> Chart:
    """The full training loss at the logging epochs, over the minibatch losses between them."""
    found = lines(task, "train_loss")
    return Chart(
        "training-loss", "Training loss", _mean_loss(task), clock(task), minibatches(task) + found, frame(found)
    )


def test_metric(task: TaskRuns) -> Chart:
    """The test metric that the task names."""
    metric = task.info["metric"]
    found = lines(task, metric["key"])
    title = metric["label"][:1].upper() + metric["label"][1:]
    percent = is_share(metric["key"])
    quantity = "share of the test set" if percent else "mean loss, test set"
    return Chart("test-metric", title, quantity, clock(task), found, frame(found), percent=percent)


def norm_ratio(task: TaskRuns) -> Chart:
    """The ratio of the full gradient's norms, between 1 and sqrt(d)."""
    dim = task.info["num_parameters"]
    top, gaussian = math.sqrt(dim), math.sqrt(2 * dim / math.pi)
    theirs = network_of(task.info)
    beside = f" ({theirs.place} of the paper: {theirs.sqrt_dim})" if theirs else ""
    references = (
        Reference(f"\u221ad = {top:.1f}{beside}", top),
        Reference(f"Gaussian \u221a(2d/\u03c0) = {gaussian:.1f}", gaussian),
    )
    # From zero, because the claim is about the level (of order sqrt(d), not 1), not about the wiggles.
    found = statistics(task, "ratio") + lines(task, "ratio")
    quantity = RATIO + _over_part(task)
    return Chart("norm-ratio", "Gradient norm ratio", quantity, clock(task), found, (0.0, 1.12 * top), references)


def kkt_residual(task: TaskRuns) -> Chart:
    """How far from a KKT point; on a log axis unless some value is not positive (a run outside the box)."""
    found = lines(task, "kkt_residual")
    log = all(value > 0 for value in values_of(found))
    quantity = RESIDUAL + _over_part(task)
    noise = statistics(task, "kkt_residual")
    log = log and all(value > 0 for value in values_of(noise))
    return Chart("kkt-residual", "KKT residual", quantity, clock(task), noise + found, frame(found, log=log), log_y=log)


def lr_sweep(task: TaskRuns) -> Chart:
    """The final training loss, mean over the seeds, at every learning rate above 0: zero has no logarithm."""
    tried = [(arm, rate) for arm in task.arms for rate in arm.rates if rate.lr > 0]
    finished = tuple(by_rate(arm) for arm in task.arms)
    unfinished = tuple(point(arm, rate, rate.loss) for arm, rate in tried if rate.status in ("unfinished", "stopped"))
    shown = frame(finished + unfinished) or (0.0, 1.0)
    top = shown[1] - 0.04 * (shown[1] - shown[0])  # a diverged run has no value: it stands at the upper edge
    diverged = tuple(point(arm, rate, top) for arm, rate in tried if rate.status == "diverged")
    rates = tuple(sorted({rate.lr for _, rate in tried}))
    return Chart(
        "learning-rate",
        "Loss by learning rate",
        f"{_mean_loss(task)}, at the end",
        "learning rate",
        finished + unfinished + diverged,
        shown,
        log_x=bool(rates),
        x_ticks=rates if rates and rates[-1] < 10 * rates[0] else None,  # may hold no power of ten
    )


def perplexity(task: TaskRuns) -> Chart:
    """The perplexity at the checkpoints where it was taken."""
    found = lines(task, "perplexity")
    log = all(value > 0 for value in values_of(found))
    return Chart("perplexity", "Perplexity", "perplexity", clock(task), found, frame(found, log=log), log_y=log)


def step_share(task: TaskRuns, key: str) -> Chart:
    """What share of the coordinates single steps counted."""
    lone = statistics(task, key)
    found = tuple(dataclasses.replace(one, kind="trace", label=one.label.removesuffix(MINIBATCH)) for one in lone)
    title, quantity = _SHARES[key]
    name = key.replace("_", "-")
    return Chart(name, title, quantity, clock(task), found, frame(found), percent=True)


def _mean_loss(task: TaskRuns) -> str:
    return f"mean loss over {estimate(task.info)}" if estimate(task.info) else "mean loss, training set"


def _over_part(task: TaskRuns) -> str:
    return f", over {estimate(task.info)}" if estimate(task.info) else ""
