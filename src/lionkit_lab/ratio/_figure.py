"""The central figure: r against d, and r over the square root of d through training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab.ratio._cases import ARCHITECTURES, CASES
from lionkit_lab.ratio._curves import Curve, by_arm
from lionkit_lab.ratio._rows import Row, pooled
from lionkit_lab.report.arms import Arm
from lionkit_lab.report.figures import save_figure
from lionkit_lab.report.print_style import DPI, INK, MARKERS, MUTED, RC, SIZE
from lionkit_lab.report.style import ArmStyle, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAUSSIAN = math.sqrt(2 / math.pi)
"""r over the square root of d for a gradient of independent Gaussian coordinates, as d grows."""

_COLUMNS = 3
_PANEL = (3.4, 3.0)  # inches


def save_figures(rows: Sequence[Row], found: Sequence[Curve], folder: Path) -> list[Path]:
    """Draw ``ratio`` from networks and ``ratio-training`` from runs, where there are any, as PNG, SVG and PDF.

    Args:
        rows: Networks at initialisation.
        found: Runs.
        folder: Where the files go; it exists.

    Returns:
        The files written. The same numbers give the same bytes.
    """
    from matplotlib import rc_context

    with rc_context(RC):
        drawn = {"ratio": _sizes(rows)} if rows else {}
        drawn |= {"ratio-training": _training(found)} if found else {}
        return [path for name, figure in drawn.items() for path in _save(figure, folder, name)]


def _save(figure: Figure, folder: Path, name: str) -> list[Path]:
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # it has done its work: once, not again for every format
    return save_figure(figure, folder, name)


def _looks() -> dict[str, ArmStyle]:
    """Give every architecture the look that some optimizer has in a report."""
    known = {"ResNet": "lion", "ViT": "adamw", "GPT-2": "sgd"}
    return styles(Arm(name, known.get(name, name), name) for name in ARCHITECTURES.values())


def _sizes(rows: Sequence[Row]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("weights d")
    axes.set_title(
        "r = \u2016g\u2016\u2081 / \u2016g\u2016\u2082 at initialisation", loc="left", fontsize=9, color=MUTED
    )
    _draw_references(axes, rows)
    for name, look in _looks().items():
        own = [row for row in rows if row.case.architecture == name]
        _draw_points(axes, [row for row in own if row.case in CASES], look, "full", name)
        _draw_points(axes, [row for row in own if row.case not in CASES], look, "none")
    axes.legend(fontsize=8, title="hollow: full size" if any(row.case not in CASES for row in rows) else None)
    return figure


def _draw_references(axes: Axes, rows: Sequence[Row]) -> None:
    dims = [min(row.dim for row in rows) / 2, max(row.dim for row in rows) * 2]
    for factor, label, dash in ((1.0, "\u221ad", "-"), (GAUSSIAN, "\u221a(2d/\u03c0)", "--")):
        axes.plot(dims, [factor * math.sqrt(d) for d in dims], color=MUTED, linewidth=0.9, linestyle=dash, label=label)
    law = pooled([row for row in rows if row.case in CASES])
    if law:
        label = f"{law.factor:.2g} d^{law.exponent.value:.3f}, fit"
        axes.plot(dims, [law.at(d) for d in dims], color=INK, linewidth=0.9, linestyle=":", label=label)


def _draw_points(axes: Axes, rows: Sequence[Row], look: ArmStyle, fill: str, label: str | None = None) -> None:
    """Draw the means over the seeds, with bars from the least to the most."""
    if rows:
        places, means = [row.dim for row in rows], [row.ratio for row in rows]
        reach = [(row.ratio - min(row.ratios), max(row.ratios) - row.ratio) for row in rows]
        bars = list(zip(*reach, strict=True))
        drawn = axes.errorbar(places, means, yerr=bars, fmt=MARKERS[look.marker], color=look.light, label=label)
        drawn.lines[0].set(fillstyle=fill, markersize=6)


def _training(found: Sequence[Curve]) -> Figure:
    from matplotlib.figure import Figure

    panels, looks = by_arm(found), _looks()
    columns = min(len(panels), _COLUMNS)
    lines = -(-len(panels) // columns)
    size = (max(_PANEL[0] * columns, SIZE[0]), _PANEL[1] * lines + 0.4)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat
    for axes, (arm, group) in zip(grid, panels.items(), strict=False):
        axes.set_title(f"r / \u221ad, {arm}", loc="left", fontsize=9, color=MUTED)
        axes.set_xlabel("share of training")
        axes.axhline(GAUSSIAN, color=MUTED, linewidth=0.9, linestyle="--", label="\u221a(2/\u03c0)")
        for curve in group:
            colour = looks[curve.architecture].light if curve.architecture in looks else INK
            axes.plot(curve.progress, curve.shares, color=colour, linewidth=1.0, label=curve.architecture)
        axes.set_ylim(0, 1)
    figure.legend(*_unique(figure), loc="outside lower center", ncols=len(ARCHITECTURES) + 1)
    return figure


def _unique(figure: Figure) -> tuple[list, list[str]]:
    handles = {
        label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    return list(handles.values()), list(handles)
