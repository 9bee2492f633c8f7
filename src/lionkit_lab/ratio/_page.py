"""The results in words and tables, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from lionkit_lab.machine import commit, machine
from lionkit_lab.ratio._cases import CASES
from lionkit_lab.ratio._curves import PROGRESS, Curve, by_arm, by_network, law_at
from lionkit_lab.ratio._rows import Row, by_architecture, pooled, within
from lionkit_lab.statistics import PowerLaw

# "top" is the share of the squared l2 norm in one parameter, such as the weights of one layer.
HEADINGS = ("model", "data", "samples", "d", "\u221ad", "r", "sd", "r/\u221ad", "top", "seeds")
FIT_HEADINGS = ("fit of r = a d^b", "a", "b", "95 % interval", "networks")
CURVE_HEADINGS = ("task", "network", "d", "optimizer", "runs", *(f"r/\u221ad, {name}" for name in PROGRESS), "least")


def page(rows: Sequence[Row], found: Sequence[Curve]) -> str:
    """Return everything as Markdown tables.

    Args:
        rows: Networks at initialisation.
        found: Runs.
    """
    parts = [f"{_circumstances()}\n"]
    if rows:
        parts += [table(HEADINGS, map(cells, rows)), table(FIT_HEADINGS, fits(rows))]
    if found:
        parts += [table(CURVE_HEADINGS, curve_cells(found)), table(FIT_HEADINGS, curve_fits(found))]
    return "\n".join(parts)


def cells(row: Row) -> list[str]:
    """Write a network's numbers."""
    sd = "" if row.sd is None else f"{row.sd:.3g}"
    head = [row.case.name, row.case.data, f"{row.num_samples:,}", f"{row.dim:,}"]
    ratio = [f"{math.sqrt(row.dim):,.1f}", f"{row.ratio:,.1f}", sd, f"{row.share:.3f}"]
    return [*head, *ratio, f"{100 * fmean(row.top_shares):.0f} %", str(len(row.ratios))]


def fits(rows: Sequence[Row]) -> list[list[str]]:
    """Write the fits: the small networks together and with their own a, each architecture, and all with full size."""
    small = [row for row in rows if row.case in CASES]
    laws = {"all small networks": pooled(small), "the same, an a for each architecture": within(small)}
    laws |= by_architecture(small)
    if len(small) < len(rows):
        laws |= {"with full size": pooled(rows), "the same, an a for each architecture and kind of data": within(rows)}
    return _laws(laws)


def curve_cells(found: Sequence[Curve]) -> list[list[str]]:
    """Write r over the square root of d, a line for each network and optimizer: means over the runs, and the least."""
    lines = []
    for arm, group in by_arm(found).items():
        for (task, network, dim), runs in by_network(group).items():
            root = math.sqrt(dim)
            means = [f"{fmean(run.at(place) for run in runs) / root:.3f}" for place in PROGRESS.values()]
            least = f"{min(min(run.shares) for run in runs):.3f}"
            lines.append([task, network, f"{dim:,}", arm, str(len(runs)), *means, least])
    return lines


def curve_fits(found: Sequence[Curve]) -> list[list[str]]:
    """Write the fits at the start, the middle and the end of training, of every optimizer with enough networks."""
    laws = {
        f"{arm}, {name} of training": law_at(group, place)
        for arm, group in by_arm(found).items()
        for name, place in PROGRESS.items()
    }
    return _laws(laws)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _laws(laws: dict[str, PowerLaw | None]) -> list[list[str]]:
    return [
        [name, f"{law.factor:.3g}", f"{b.value:.4f}", f"{b.low:.4f} to {b.high:.4f}", str(b.num_samples)]
        for name, law in laws.items()
        if law
        for b in [law.exponent]
    ]


def _circumstances() -> str:
    here = machine()
    return f"{here['processor']}, {here['threads']} threads, commit {commit() or 'unknown'}"
