"""The norm ratio through training, from the logging epochs of finished runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from lionkit_lab.ratio._cases import ARCHITECTURES
from lionkit_lab.record import Run
from lionkit_lab.report.arms import find_arms, identity
from lionkit_lab.statistics import PowerLaw, fit

PROGRESS = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""Where curves are read off, as a share of their steps."""


@dataclass(frozen=True)
class Curve:
    """One run.

    Attributes:
        network: What was trained, such as ``GPT-2, 2 layers, width 64``.
        task: On what.
        architecture: What people call the kind of network.
        arm: The optimizer, as people write it.
        lr: Its learning rate.
        seed: Of the weights and the order of the samples.
        dim: Number of weights d.
        steps: Optimizer steps before each logging epoch, rising; the first is 0.
        ratios: The norm ratio r of the full gradient at each.
    """

    network: str
    task: str
    architecture: str
    arm: str
    lr: float
    seed: int
    dim: int
    steps: tuple[int, ...]
    ratios: tuple[float, ...]

    @property
    def progress(self) -> list[float]:
        """The share of the run's steps before each logging epoch."""
        return [step / max(self.steps[-1], 1) for step in self.steps]

    @property
    def shares(self) -> list[float]:
        """The ratio over its largest possible value, the square root of d, at each logging epoch."""
        return [ratio / math.sqrt(self.dim) for ratio in self.ratios]

    def at(self, progress: float) -> float:
        """Return r at the logging epoch nearest to a share of the steps."""
        places = self.progress
        return self.ratios[min(range(len(places)), key=lambda place: abs(places[place] - progress))]


def curves(runs: Iterable[Run]) -> list[Curve]:
    """Read the curves of the runs that have finished; a ratio that is not finite is left out."""
    finished = [run for run in runs if run.status == "finished"]
    arms = find_arms(finished)
    found = [_curve(run, arms[identity(run)].title) for run in finished]
    return [curve for curve in found if curve.steps]


def _curve(run: Run, arm: str) -> Curve:
    logs = [(log["step"], log["ratio"]) for log in run.logs if math.isfinite(log["ratio"])]
    model: str = run.manifest["recipe"].get("model", {}).get("name", "")
    return Curve(
        network=run.task["model"],
        task=run.task["title"],
        architecture=ARCHITECTURES.get(model, model),
        arm=arm,
        lr=run.lr,
        seed=run.seed,
        dim=run.task["num_parameters"],
        steps=tuple(step for step, _ in logs),
        ratios=tuple(ratio for _, ratio in logs),
    )


def by_arm(found: Iterable[Curve]) -> dict[str, list[Curve]]:
    """Group curves by optimizer."""
    groups: dict[str, list[Curve]] = {}
    for curve in found:
        groups.setdefault(curve.arm, []).append(curve)
    return groups


def by_network(found: Iterable[Curve]) -> dict[tuple[str, str, int], list[Curve]]:
    """Group curves by task, network and number of weights."""
    groups: dict[tuple[str, str, int], list[Curve]] = {}
    for curve in found:
        groups.setdefault((curve.task, curve.network, curve.dim), []).append(curve)
    return groups


def law_at(found: Sequence[Curve], progress: float) -> PowerLaw | None:
    """Fit the growth of r with d at a share of training; all runs of one network are one point."""
    groups = by_network(found)
    return fit([[(dim, fmean(curve.at(progress) for curve in group)) for (_, _, dim), group in groups.items()]])
