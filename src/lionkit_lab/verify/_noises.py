"""What is added to the gradient: kinds of noise of the same variance, and two that break an assumption."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from lionkit_lab.verify._known_problem import NOISE

_AT_ONCE = 2**20  # numbers drawn in one call: it amortises the call where d is small, and stays within the caches


@dataclass(frozen=True)
class Noise:
    """A kind of noise.

    Attributes:
        name: Short.
        title: What it is.
        within: Whether it keeps Assumptions 2 and 3: unbiased, and of variance sigma^2 over all coordinates.
        draw: Draws a float32 tensor of shape [steps, rows, d].
    """

    name: str
    title: str
    within: bool
    draw: Callable[[Generator, tuple[int, int, int]], Tensor]


def _gaussian(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    return torch.randn(shape, generator=generator).mul_(NOISE / math.sqrt(shape[-1]))


def _rademacher(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    return _signs(generator, shape).mul_(NOISE / math.sqrt(shape[-1]))


def _sparse(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    where = torch.randint(shape[-1], (*shape[:2], 1), generator=generator)
    return torch.zeros(shape).scatter_(-1, where, NOISE * _signs(generator, (*shape[:2], 1)))


def _heavy(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    # Its mean absolute value is the Gaussian's; the Pareto law of index 1.5 from 1 on has mean 3.
    size = math.sqrt(2 / math.pi) / 3 * NOISE / math.sqrt(shape[-1])
    return _pareto(generator, shape, 1.5).mul_(_signs(generator, shape)).mul_(size)


def _skewed(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    # Index 1.1 has mean 11: the noise is -10 units at its likeliest, rarely huge, and 0 on average.
    return _pareto(generator, shape, 1.1).sub_(11).mul_(0.5 * NOISE / math.sqrt(shape[-1]))


def _biased(generator: Generator, shape: tuple[int, int, int]) -> Tensor:
    return _gaussian(generator, shape).add_(0.5 / math.sqrt(shape[-1]))


KINDS = {
    it.name: it
    for it in (
        Noise("gaussian", "Gaussian", True, _gaussian),
        Noise("rademacher", "Rademacher: every coordinate at one of two values", True, _rademacher),
        Noise("sparse", "sparse: all of it in one random coordinate", True, _sparse),
        Noise("heavy", "heavy-tailed: symmetric, of index 1.5, infinite variance", False, _heavy),
        Noise("skewed", "skewed: of index 1.1, infinite variance, mean 0", False, _skewed),
        Noise("biased", "biased: Gaussian, with a mean of Euclidean norm 0.5", False, _biased),
    )
}


def stream(names: tuple[str, ...], seeds: int, dim: int, generator: Generator) -> Iterator[Tensor]:
    """Yield the noise of one step after the other, [kinds * seeds, d] in float64, kind by kind."""
    steps = max(1, min(64, _AT_ONCE // (len(names) * seeds * dim)))
    while True:
        drawn = [KINDS[name].draw(generator, (steps, seeds, dim)) for name in names]
        yield from torch.cat(drawn, dim=1).double()


def _signs(generator: Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.randint(2, shape, generator=generator, dtype=torch.int8).float().mul_(2).sub_(1)


def _pareto(generator: Generator, shape: tuple[int, ...], index: float) -> Tensor:
    return torch.rand(shape, generator=generator).neg_().add_(1).pow_(-1 / index)  # from (0, 1], never 0
