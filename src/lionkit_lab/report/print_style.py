"""How matplotlib writes down what plotly calls lines and markers, and how a printed figure looks."""

from __future__ import annotations

from typing import Any

SIZE = (6.4, 4.0)  # inches: a little over one column of a paper, and readable when scaled down to one
PANEL = (4.1, 3.4)  # inches: of several side by side, readable when three of them fill a page's width
DPI = 180  # of the PNG: sharp on a slide
INK, MUTED, GRID = "#1d2129", "#5b6270", "#e4e6ea"
DASHES = {
    "solid": "-",
    "dash": "--",
    "dot": ":",
    "dashdot": "-.",
    "longdash": (0, (8, 3)),
    "longdashdot": (0, (8, 2, 2, 2)),
}
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "pentagon": "p",
    "star": "*",
}
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same files on every machine
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#b9bec7",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.minor.size": 1.8,
    "legend.frameon": False,
    "svg.hashsalt": "lionkit",  # without it the ids in an SVG are random
    "pdf.fonttype": 42,
}
