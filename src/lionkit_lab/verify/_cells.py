"""Which runs are made: the problem, d, K and kinds of noise of each."""

from __future__ import annotations

from dataclasses import dataclass

from lionkit_lab.verify._noises import KINDS
from lionkit_lab.verify._problems import WITHIN

BASE_DIM, BASE_STEPS = 32, 100
"""Where K and d stand while the other is varied."""
_USUAL = tuple(name for name in KINDS if name not in ("skewed", "biased"))


@dataclass(frozen=True)
class Cell:
    """One problem at one d and K, with these kinds of noise."""

    problem: str
    dim: int
    steps: int
    kinds: tuple[str, ...] = _USUAL

    @property
    def cost(self) -> float:
        """About how long it takes, to begin with the longest."""
        return self.steps * (2000 + self.dim)


@dataclass(frozen=True)
class Effort:
    """How much is measured: K at ``BASE_DIM``, d at ``BASE_STEPS``, each half a decade or two octaves apart."""

    steps: tuple[int, ...]
    dims: tuple[int, ...]
    seeds: int

    def cells(self) -> list[Cell]:
        """Return the cells, the longest first."""
        every = tuple(KINDS)
        along_steps = [
            Cell(name, BASE_DIM, steps, every if name == "quadratic" else _USUAL)
            for name in WITHIN
            for steps in self.steps
        ]
        along_dims = [Cell(name, dim, BASE_STEPS) for name in WITHIN for dim in self.dims if dim != BASE_DIM]
        corners = [Cell("corners", BASE_DIM, steps, ("gaussian",)) for steps in self.steps[:-1]]
        return sorted([*along_steps, *along_dims, *corners], key=lambda cell: -cell.cost)


EFFORTS = {
    "full": Effort((32, 100, 316, 1000, 3162, 10_000, 31_623), (8, 32, 128, 512, 2048, 8192), seeds=20),
    "quick": Effort((32, 100, 316, 1000), (8, 32, 128), seeds=8),
}
