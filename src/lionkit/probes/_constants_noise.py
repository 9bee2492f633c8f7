"""The noise of gradients, and how it falls as they are averaged."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lionkit.probes._constants_estimate import LEAST_SAMPLES, Estimate, line_slope, positive_mean_of


@dataclass
class Ladder:
    r"""Half the squared distance between means of :math:`2^j` gradients each, for every j at once.

    It is :math:`\sigma^2 / 2^j` on average for independent gradients. Each mean goes into one distance, so that the
    samples of a level are independent; as in a binary counter, only one mean a level has to be kept.
    """

    samples: list[list[float]] = field(default_factory=list)
    _waiting: list[Tensor | None] = field(default_factory=list)

    def add(self, gradient: Tensor, level: int = 0) -> None:
        """Take one more gradient, or, at a higher level, one more mean of them."""
        if level == len(self.samples):
            self.samples.append([])
            self._waiting.append(None)
        other, self._waiting[level] = self._waiting[level], None
        if other is None:
            self._waiting[level] = gradient
            return
        self.samples[level].append(torch.sum((other - gradient).double().square()).item() / 2)
        self.add((other + gradient) / 2, level + 1)

    def by_batches(self, confidence: float) -> dict[int, Estimate]:
        r"""Return :math:`\sigma^2` by how many batches are averaged, as far as there are samples enough."""
        enough = [samples for samples in self.samples if len(samples) >= LEAST_SAMPLES]
        return {2**level: positive_mean_of(samples, confidence) for level, samples in enumerate(enough)}


def exponent(by_batches: dict[int, Estimate], confidence: float) -> Estimate | None:
    r"""Return the p of :math:`\sigma^2 \propto B^p`, -1 for independent samples; None where nothing can be said."""
    levels = [it for it in by_batches.values() if it.value > 0 and it.high > it.value]
    return line_slope(levels, confidence) if len(levels) > 1 else None
