"""What a sweep found: one row for each arm, at its best learning rate."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lionkit_lab.statistics import Spread
from lionkit_lab.sweep._outcome import Outcome
from lionkit_lab.sweep._study import ArmStudy, Tried

_BASE = "lion"  # the optimizer whose first arm the others are compared with


@dataclass(frozen=True)
class Row:
    """One arm; what is measured is None where every learning rate diverged.

    Attributes:
        recipe: Its name.
        arm: Its name.
        optimizer: The optimizer's name.
        lrs: Every learning rate tried, rising.
        diverged: Those of them at which a seed diverged, or was stopped by an early warning.
        best_lr: The one with the best mean of the metric.
        edge: Whether that is at an end of what was tried, where it need not be the best there is.
        seeds: Of every learning rate.
        train_loss: The final training loss, in nats.
        metric_key: The task's test metric, by its name in the records.
        metric_label: The same, as people call it.
        metric: Its final value.
        difference: The training loss minus that of the recipe's first Lion arm; None for that arm.
        optimizer_ms: Milliseconds of the optimizer in a step: the median over the seeds.
        step_ms: Milliseconds of a whole training step: the median over the seeds.
        state_bytes: Bytes of the optimizer's state for each parameter.
    """

    recipe: str
    arm: str
    optimizer: str
    lrs: tuple[float, ...]
    diverged: tuple[float, ...]
    best_lr: float | None
    edge: bool
    seeds: tuple[int, ...]
    train_loss: Spread | None
    metric_key: str
    metric_label: str
    metric: Spread | None
    difference: Spread | None
    optimizer_ms: float | None
    step_ms: float | None
    state_bytes: float | None


def rows_of(studies: Sequence[ArmStudy]) -> list[Row]:
    """Return a row for each arm of a finished sweep, in the order of the arms.

    Args:
        studies: The arms of all recipes.
    """
    bases: dict[str, ArmStudy] = {}
    for study in studies:
        if study.arm.recipe.optimizer.name == _BASE:
            bases.setdefault(study.arm.recipe.name, study)
    found = []
    for study in studies:
        base = bases.get(study.arm.recipe.name)
        found.append(_row(study, _best(study), _best(base) if base not in (None, study) else None))
    return found


def _best(study: ArmStudy) -> Tried | None:
    """Return the best trial, the one at the lowest learning rate of several that are level."""
    sign = -1 if study.goal.higher_is_better else 1
    usable = [it for it in study.finished() if math.isfinite(it.value)]
    return min(usable, key=lambda it: sign * it.value, default=None)


def _row(study: ArmStudy, best: Tried | None, base: Tried | None) -> Row:
    trials, runs = study.finished(), best.runs if best else []
    metric = trials[0].runs[0].metric
    train_loss = _spread(runs, "train_loss")
    base_loss = _spread(base.runs, "train_loss") if base else None
    return Row(
        recipe=study.arm.recipe.name,
        arm=study.arm.name,
        optimizer=study.arm.recipe.optimizer.name,
        lrs=tuple(it.lr for it in trials),
        diverged=tuple(it.lr for it in trials if any(run.status != "finished" for run in it.runs)),
        best_lr=best.lr if best else None,
        edge=best is not None and study.sampler.at_edge(study.arm, best.lr),
        seeds=study.goal.seeds,
        train_loss=train_loss,
        metric_key=metric["key"],
        metric_label=metric["label"],
        metric=_spread(runs, metric["key"]),
        difference=train_loss.minus(base_loss) if train_loss and base_loss else None,
        optimizer_ms=_median([run.optimizer_ms for run in runs]),
        step_ms=_median([run.step_ms for run in runs]),
        state_bytes=_median([run.state_bytes and run.state_bytes / run.num_parameters for run in runs]),
    )


def _spread(runs: Sequence[Outcome], key: str) -> Spread | None:
    values = [run.values[key] for run in runs if key in run.values]
    return Spread(tuple(values)) if runs and len(values) == len(runs) else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
