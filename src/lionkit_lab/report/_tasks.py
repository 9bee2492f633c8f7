"""The runs of a report, by task, arm and learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lionkit_lab.record import Record, Run, Status
from lionkit_lab.report._slug import slugs
from lionkit_lab.report._task_titles import facts, titles
from lionkit_lab.report.arms import Arm, Identity, find_arms, identity
from lionkit_lab.report.repeats import distinct


@dataclass(frozen=True)
class RateRuns:
    """The runs of one arm at one learning rate: one for each seed, the lowest first."""

    lr: float
    runs: tuple[Run, ...]

    @property
    def status(self) -> Status:
        """``finished`` only if every seed's run is."""
        states = {run.status for run in self.runs}
        order: tuple[Status, ...] = ("diverged", "stopped", "unfinished", "finished")
        return next(status for status in order if status in states)

    @property
    def loss(self) -> float | None:
        """The final training loss, mean over the seeds; None where some seed has none."""
        return mean(final_loss(run) for run in self.runs)


@dataclass(frozen=True)
class ArmRuns:
    """The runs of one arm on one task, by rising learning rate."""

    arm: Arm
    rates: tuple[RateRuns, ...]

    @property
    def runs(self) -> list[Run]:
        """All of them."""
        return [run for rate in self.rates for run in rate.runs]

    @cached_property
    def best(self) -> RateRuns | None:
        """The rate with the lowest mean final loss; one with a seed that diverged or has not finished is out."""
        finished = [(rate.loss, rate) for rate in self.rates if rate.status == "finished"]
        finite = [(loss, rate) for loss, rate in finished if loss is not None]
        return min(finite, key=lambda pair: pair[0])[1] if finite else None

    @cached_property
    def shown(self) -> RateRuns:
        """The rate that stands for the arm in the charts: the best, or else the one that got furthest."""
        return self.best or max(self.rates, key=lambda rate: (len(rate.runs[0].logs), -rate.lr))

    @property
    def residual_decay(self) -> float:
        """The weight decay at which S and the box were measured."""
        return residual_decay(self.shown.runs[0])


@dataclass(frozen=True)
class TaskRuns:
    """Every run of one task: of one recipe, but for optimizer and seed, on the same data.

    Attributes:
        slug: A name that is safe in file names and HTML ids, unique in a report.
        title: What people call it, unique in a report.
        info: The manifest's description of the task.
        arms: Its runs by arm, Lion first.
    """

    slug: str
    title: str
    info: Record
    arms: tuple[ArmRuns, ...]

    @property
    def runs(self) -> list[Run]:
        """All of them, by arm, learning rate and seed."""
        return [run for arm in self.arms for run in arm.runs]

    @property
    def has_seeds(self) -> bool:
        """Whether some learning rate was run with several seeds."""
        return any(len(rate.runs) > 1 for arm in self.arms for rate in arm.rates)


def group(runs: Iterable[Run]) -> list[TaskRuns]:
    """Group the runs of a report.

    Args:
        runs: Any runs, in any order; those that repeat another are left out.

    Returns:
        The tasks, in the order in which they first appear.
    """
    runs = distinct(runs)
    arms = find_arms(runs)
    tasks: dict[Identity, list[Run]] = {}
    for run in runs:
        tasks.setdefault(tuple(sorted(facts(run).items())), []).append(run)
    firsts = [found[0] for found in tasks.values()]
    parts = zip(slugs((run.task["name"] for run in firsts), "task"), titles(firsts), tasks.values(), strict=True)
    return [TaskRuns(slug, title, found[0].task, _by_arm(found, arms)) for slug, title, found in parts]


def final_loss(run: Run) -> float | None:
    """The full training loss at the last logging epoch, or None where there is none or it is not finite."""
    return finite(run.logs[-1]["train_loss"]) if run.logs else None


def residual_decay(run: Run) -> float:
    """The weight decay at which a run measured S and the box; without a word about it, its optimizer's own."""
    named = run.task.get("residual_weight_decay")
    return run.manifest["recipe"]["optimizer"].get("weight_decay", 0.0) if named is None else named


def finite(value: float | None) -> float | None:
    """The value, or None where it is not finite."""
    return value if value is not None and math.isfinite(value) else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean, or None where a value is missing or not finite."""
    known = [finite(value) for value in values]
    numbers = [value for value in known if value is not None]
    return math.fsum(numbers) / len(numbers) if numbers and len(numbers) == len(known) else None


def _by_arm(runs: Sequence[Run], arms: dict[Identity, Arm]) -> tuple[ArmRuns, ...]:
    found: dict[Identity, dict[float, list[Run]]] = {}
    for run in sorted(runs, key=lambda run: (run.lr, run.seed)):
        found.setdefault(identity(run), {}).setdefault(run.lr, []).append(run)
    return tuple(ArmRuns(arm, _rates(found[here])) for here, arm in arms.items() if here in found)


def _rates(found: dict[float, list[Run]]) -> tuple[RateRuns, ...]:
    return tuple(RateRuns(lr, tuple(runs)) for lr, runs in found.items())
