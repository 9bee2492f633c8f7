"""Watch an optimizer's steps: the statistics of every k-th, from its own pass over memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from lionkit.optim._decay import decay_rate
from lionkit.probes import StepStatistics
from lionkit.probes._step import summarise


class Observation:
    """What `lionkit.LionK.observe` returns.

    Attributes:
        every: Each step whose number it divides is measured; the first step after `LionK.observe` is number 1.
        latest: The statistics of the step measured last, None before the first.
    """

    def __init__(
        self, observations: list[Observation], every: int, callback: Callable[[StepStatistics], Any] | None
    ) -> None:
        if not (isinstance(every, int) and every >= 1):
            raise ValueError(f"Invalid every: {every!r}, it must be an integer of at least 1")
        self.every = every
        self.latest: StepStatistics | None = None
        self._step = 0
        self._callback = callback
        self._observations = observations
        observations.append(self)

    def remove(self) -> None:
        """Measure no more; a second call does nothing. What was measured last stays in `latest`."""
        self._observations[:] = [other for other in self._observations if other is not self]

    def is_due(self) -> bool:
        """Whether the step to come is one to measure."""
        return (self._step + 1) % self.every == 0

    def note(self, sums: Sequence[Tensor | None], groups: Sequence[dict[str, Any]]) -> None:
        """Count a step, and keep its statistics where it was one to measure."""
        self._step += 1
        if self._step % self.every == 0:
            self.latest = summarise(self._step, sums, [decay_rate(group) for group in groups])
            if self._callback is not None:
                self._callback(self.latest)
