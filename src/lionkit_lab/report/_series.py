"""Runs as lines: one for each arm and learning rate, with a band where it was run with several seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from lionkit_lab.record import Record, Status
from lionkit_lab.report._tasks import ArmRuns, RateRuns, TaskRuns, final_loss, finite, mean
from lionkit_lab.report.chart import Range, Series

Clock = Literal["epoch", "step"]
MINIBATCH = ", minibatch"


def clock(task: TaskRuns) -> Clock:
    """Return what a task's runs are counted in: epochs where their recipe counts them, else steps."""
    counted = task.runs[0].manifest["recipe"].get("training", {}).get("epochs")
    dated = all("epoch" in record for run in task.runs for record in (*run.logs, *run.steps))
    return "epoch" if counted and dated else "step"


def lines(task: TaskRuns, key: str) -> tuple[Series, ...]:
    """Return what the logging epochs say of one quantity: a line for each arm and learning rate."""
    here = clock(task)
    return tuple(_line(arm, rate, key, here) for arm in task.arms for rate in arm.rates)


def minibatches(task: TaskRuns) -> tuple[Series, ...]:
    """Return the losses of single minibatches, of the first seed at each arm's best learning rate."""
    here = clock(task)
    return tuple(_minibatch(arm, arm.shown.runs[0].steps, "loss", here) for arm in task.arms)


def statistics(task: TaskRuns, key: str) -> tuple[Series, ...]:
    """Return what single steps said of themselves, of the same runs; empty where none was asked.

    Args:
        task: The runs.
        key: The quantity's name in the records of kind "statistics".
    """
    here = clock(task)
    found = [(arm, [it for it in arm.shown.runs[0].statistics if key in it and here in it]) for arm in task.arms]
    return tuple(_minibatch(arm, records, key, here) for arm, records in found if records)


def by_rate(arm: ArmRuns) -> Series:
    """Return the final training loss over the learning rates above 0 at which every seed finished."""
    rates = [rate for rate in arm.rates if rate.lr > 0 and rate.status == "finished"]
    losses = tuple(rate.loss for rate in rates)
    several = any(len(rate.runs) > 1 for rate in rates)
    low, high = _band([[final_loss(run) for run in rate.runs] for rate in rates]) if several else ((), ())
    return Series(arm.arm.key, arm.arm.title, tuple(rate.lr for rate in rates), losses, low=low, high=high)


def point(arm: ArmRuns, rate: RateRuns, height: float | None) -> Series:
    """Return the mark of a learning rate of which not every seed finished."""
    label = _ended(f"{arm.arm.title}, lr {rate.lr:g}", rate.status)
    return Series(arm.arm.key, label, (rate.lr,), (height,), "points", rate.status)


def values_of(series: Iterable[Series]) -> list[float]:
    """Return every finite value, those of the bands included."""
    return [value for one in series for part in (one.y, one.low, one.high) for value in part if value is not None]


def frame(series: Sequence[Series], *, log: bool = False) -> Range | None:
    """Return the range that holds the best runs, and the others as far as they do not flatten those."""
    steady = [one for one in series if one.status != "diverged"]
    best, every = values_of(one for one in steady if one.best), values_of(steady)
    if not best:
        return None
    scale, unscale = (math.log, math.exp) if log else (float, float)
    low, high = scale(min(best)), scale(max(best))
    room = 0.3 * (high - low)
    low, high = max(scale(min(every)), low - room), min(scale(max(every)), high + room)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return unscale(low - margin), unscale(high + margin)


def _line(arm: ArmRuns, rate: RateRuns, key: str, here: Clock) -> Series:
    places = {record["step"]: record[here] for run in rate.runs for record in run.logs if key in record}
    tables = [{record["step"]: finite(record.get(key)) for record in run.logs} for run in rate.runs]
    found = [[table.get(step) for table in tables] for step in sorted(places)]
    low, high = _band(found) if len(tables) > 1 else ((), ())
    return Series(
        arm.arm.key,
        _ended(f"{arm.arm.title}, lr {rate.lr:g}{_seeds(rate)}", rate.status),
        tuple(places[step] for step in sorted(places)),
        tuple(mean(values) for values in found),
        status=rate.status,
        best=rate is arm.shown,
        low=low,
        high=high,
    )


def _minibatch(arm: ArmRuns, records: Sequence[Record], key: str, here: Clock) -> Series:
    run = arm.shown.runs[0]
    places = tuple(record[here] for record in records)
    values = tuple(finite(record[key]) for record in records)
    seed = f", seed {run.seed}" if len(arm.shown.runs) > 1 else ""
    label = f"{arm.arm.title}, lr {run.lr:g}{seed}{MINIBATCH}"
    return Series(arm.arm.key, label, places, values, "minibatch", run.status)


def _band(found: Sequence[Sequence[float | None]]) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """The least and the largest of each place; none where a seed has no value, as there is no mean."""
    known = [[value for value in values if value is not None] for values in found]
    whole = [len(some) == len(values) > 0 for some, values in zip(known, found, strict=True)]
    ends = [(min(some), max(some)) if all_ else (None, None) for some, all_ in zip(known, whole, strict=True)]
    return tuple(low for low, _ in ends), tuple(high for _, high in ends)


def _seeds(rate: RateRuns) -> str:
    return f", mean and range of {len(rate.runs)} seeds" if len(rate.runs) > 1 else ""


def _ended(label: str, status: Status) -> str:
    return label if status == "finished" else f"{label} ({status})"
