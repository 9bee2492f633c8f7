"""One row for each network, over its seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lionkit_lab.ratio._cases import Case
from lionkit_lab.ratio._measure import Measurement
from lionkit_lab.statistics import Points, PowerLaw, fit


@dataclass(frozen=True)
class Row:
    """One network at initialisation.

    Attributes:
        case: The network.
        dim: Number of weights d.
        ratios: The norm ratio r of each seed.
        top_shares: The share of the squared l2 norm that one parameter has, of each seed.
        num_samples: Images or windows that were summed over.
    """

    case: Case
    dim: int
    ratios: tuple[float, ...]
    top_shares: tuple[float, ...]
    num_samples: int

    @property
    def ratio(self) -> float:
        """The mean of r over the seeds."""
        return fmean(self.ratios)

    @property
    def sd(self) -> float | None:
        """The standard deviation of r over the seeds; None for one."""
        return stdev(self.ratios) if len(self.ratios) > 1 else None

    @property
    def share(self) -> float:
        """The mean of r over its largest possible value, the square root of d."""
        return self.ratio / math.sqrt(self.dim)


def summarise(measured: Iterable[tuple[Case, Measurement]]) -> list[Row]:
    """Group measurements by network, in the order in which they come."""
    groups: dict[Case, list[Measurement]] = {}
    for case, one in measured:
        groups.setdefault(case, []).append(one)
    return [_row(case, found) for case, found in groups.items()]


def _row(case: Case, found: Sequence[Measurement]) -> Row:
    ratios, top_shares = tuple(one.ratio for one in found), tuple(one.top_share for one in found)
    return Row(case, found[0].dim, ratios, top_shares, found[0].num_samples)


def pooled(rows: Sequence[Row]) -> PowerLaw | None:
    """Fit one line to all networks."""
    return fit([_points(rows)])


def within(rows: Sequence[Row]) -> PowerLaw | None:
    """Fit one exponent, with a factor of its own for each architecture on each kind of data."""
    return fit(list(_groups(rows).values()))


def by_architecture(rows: Sequence[Row]) -> dict[str, PowerLaw]:
    """Fit each architecture of at least three networks alone, by its name and its data's."""
    fits = {f"{name}, {data}": fit([points]) for (name, data), points in _groups(rows).items()}
    return {name: law for name, law in fits.items() if law}


def _groups(rows: Sequence[Row]) -> dict[tuple[str, str], Points]:
    keys = dict.fromkeys((row.case.architecture, row.case.data) for row in rows)
    return {key: _points([row for row in rows if (row.case.architecture, row.case.data) == key]) for key in keys}


def _points(rows: Iterable[Row]) -> Points:
    return [(row.dim, row.ratio) for row in rows]
