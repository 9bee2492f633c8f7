"""Lion runs of every seed, kind of noise and decay at once: rows of one tensor, stepped by the library's own kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lionkit import LionK
from lionkit.theory import Settings
from lionkit_lab.verify._known_problem import KnownProblem
from lionkit_lab.verify._noises import stream


@dataclass(frozen=True)
class Arm:
    """One setting of the runs.

    Attributes:
        settings: Its learning rate, betas and decay.
        lowest: What the loss is measured from, relative to the least value in the box.
    """

    settings: Settings
    lowest: float = 0.0


@dataclass
class Measured:
    """What the runs of one arm and kind of noise showed; tensors of shape [seeds].

    Attributes:
        residual: Mean KKT residual of the full gradient over the steps.
        gradient: Mean l1 norm of the full gradient.
        tracking: Mean of ||c - grad f||_2.
        loss: The loss above ``Arm.lowest``, at the step where its mean over the seeds is largest.
        least_residual: The least residual of any step.
        largest: The largest weight / box of any step.
        surplus: The most that the loss is above its least value in the box plus the Frank-Wolfe gap.
    """

    residual: Tensor
    gradient: Tensor
    tracking: Tensor
    loss: Tensor
    least_residual: Tensor
    largest: Tensor
    surplus: Tensor


def run(
    problem: KnownProblem, arms: tuple[Arm, ...], kinds: tuple[str, ...], steps: int, seeds: int, seed: int
) -> list[dict[str, Measured]]:
    """Run every arm with every kind of noise; a measurement of the full gradient at every step.

    Args:
        problem: The loss.
        arms: At least one.
        kinds: Names of noises.
        steps: K.
        seeds: Runs of each.
        seed: Of the generator.

    Returns:
        For each arm, by kind.
    """
    rows = len(kinds) * seeds
    weights = problem.start.repeat(len(arms) * rows, 1)
    params = [torch.nn.Parameter(block) for block in weights.split(rows)]  # views: one gradient serves them all
    groups = [{"params": [param], **vars(arm.settings)} for param, arm in zip(params, arms, strict=True)]
    optimizer = LionK(groups, momentum_init="gradient")
    noise = stream(kinds, seeds, problem.dim, torch.Generator().manual_seed(seed))
    record = _Record(arms, len(kinds), seeds)
    for _ in range(steps):
        loss, gradient = problem(weights)
        added, errors = next(noise), record.next(weights, gradient, loss)
        for param, full, error, arm in zip(params, gradient.split(rows), errors, arms, strict=True):
            param.grad = full + added
            momentum = optimizer.state[param].get("exp_avg", param.grad)  # m_0 = g_1
            c = torch.lerp(momentum, param.grad, 1 - arm.settings.betas[0])
            torch.linalg.vector_norm(c.sub_(full), dim=-1, out=error)
        optimizer.step()
    found = record.measured(steps)
    return [
        {kind: Measured(**{name: values[i, j] for name, values in found.items()}) for j, kind in enumerate(kinds)}
        for i in range(len(arms))
    ]


class _Record:
    """What the steps showed, kept for some steps at a time and then summed up: few operations a step."""

    def __init__(self, arms: tuple[Arm, ...], num_kinds: int, seeds: int) -> None:
        self._shape = (len(arms), num_kinds, seeds)
        self._decay = _column([arm.settings.weight_decay for arm in arms])
        self._lowest = _column([arm.lowest for arm in arms])
        names = ("gradient", "inner", "largest", "loss", "tracking")
        self._buffers = {name: torch.empty(_CHUNK, math.prod(self._shape), dtype=torch.float64) for name in names}
        self._used = 0
        self._sums: dict[str, Tensor] = {}
        self._top: Tensor | None = None

    def next(self, theta: Tensor, gradient: Tensor, loss: Tensor) -> tuple[Tensor, ...]:
        """Note weights, full gradients and losses of a step; return where each arm's tracking errors go."""
        if self._used == _CHUNK:
            self._sum_up()
        row = {name: buffer[self._used] for name, buffer in self._buffers.items()}
        torch.linalg.vector_norm(gradient, 1, dim=-1, out=row["gradient"])
        torch.linalg.vecdot(theta, gradient, out=row["inner"])
        torch.linalg.vector_norm(theta, torch.inf, dim=-1, out=row["largest"])
        row["loss"].copy_(loss)
        self._used += 1
        return row["tracking"].split(self._shape[1] * self._shape[2])

    def measured(self, steps: int) -> dict[str, Tensor]:
        """Return the means and extremes, each [arms, kinds, seeds]."""
        self._sum_up()
        means = {name: self._sums[name] / steps for name in ("residual", "gradient", "tracking")}
        return self._sums | means | {"loss": self._sums["loss"] - self._lowest}

    def _sum_up(self) -> None:
        of = {name: buffer[: self._used].view(-1, *self._shape) for name, buffer in self._buffers.items()}
        residual = of["gradient"] + self._decay * of["inner"]
        now = {
            "residual": residual.sum(0),
            "gradient": of["gradient"].sum(0),
            "tracking": of["tracking"].sum(0),
            "least_residual": residual.amin(0),
            "largest": of["largest"].amax(0) * self._decay,
            "surplus": (of["loss"] - residual / self._decay).amax(0),
        }
        for name, value in now.items():
            self._sums[name] = _JOIN.get(name, torch.add)(self._sums[name], value) if name in self._sums else value
        self._keep_top(of["loss"])
        self._used = 0

    def _keep_top(self, loss: Tensor) -> None:
        """Keep the losses of the step whose mean over the seeds is largest."""
        mean, step = loss.mean(-1).max(0)
        there = loss.gather(0, step[None, ..., None].expand(1, *loss.shape[1:]))[0]
        if self._top is None:
            self._top, self._sums["loss"] = mean, there
            return
        self._sums["loss"] = torch.where((mean > self._top)[..., None], there, self._sums["loss"])
        self._top = torch.maximum(mean, self._top)


def _column(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


_CHUNK = 64  # steps
_JOIN = {"least_residual": torch.minimum, "largest": torch.maximum, "surplus": torch.maximum}
