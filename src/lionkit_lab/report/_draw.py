"""A chart on matplotlib's axes."""

from __future__ import annotations

import math
from itertools import cycle
from typing import TYPE_CHECKING

from lionkit_lab.report.chart import Chart, Series
from lionkit_lab.report.print_style import DASHES, MARKERS, MUTED
from lionkit_lab.report.style import ArmStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LAWS = ("-", "--", ":")


def draw_chart(axes: Axes, chart: Chart, looks: dict[str, ArmStyle], unit: str) -> None:
    """Draw what a chart shows in print: only the best learning rate of each arm, so that it reads.

    Args:
        axes: Where to draw; what is measured stands over them, where it reads without turning the head.
        chart: What to draw.
        looks: How each arm is drawn, by its key.
        unit: What stands there.
    """
    laws = [series for series in in_print(chart) if series.kind == "law"]
    for series, dash in zip(laws, cycle(_LAWS), strict=False):
        axes.plot(series.x, _gaps(series.y), color=MUTED, linewidth=0.9, linestyle=dash, label=series.label)
    for series in in_print(chart):
        if series.kind != "law":
            _draw_series(axes, series, looks[series.arm])
    _draw_references(axes, chart)
    _set_axes(axes, chart)
    axes.set_title(unit, loc="left", fontsize=9, color=MUTED, pad=7)


def in_print(chart: Chart) -> list[Series]:
    """Return what is drawn of a chart."""
    return [series for series in chart.series if series.best]


def _gaps(values: tuple[float | None, ...]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _draw_series(axes: Axes, series: Series, look: ArmStyle) -> None:
    x, y = series.x, _gaps(series.y)
    if series.kind == "minibatch":
        axes.plot(x, y, color=look.light, linewidth=0.7, alpha=0.4)
        return
    if series.low:
        axes.fill_between(x, _gaps(series.low), _gaps(series.high), color=look.light, alpha=0.18, linewidth=0)
    style = DASHES[look.dash] if series.kind in ("line", "trace") else "none"
    body = {"color": look.light, "linestyle": style, "linewidth": 1.7, "markersize": 5}
    label = None if series.kind == "points" else series.label
    marker = "none" if series.kind in ("points", "trace") else MARKERS[look.marker]
    axes.plot(x, y, marker=marker, label=label, markeredgecolor="white", markeredgewidth=0.6, **body)
    measured = [(a, b) for a, b in zip(series.x, series.y, strict=True) if b is not None]
    if series.status != "finished" and measured:
        _mark_end(axes, measured[-1], series, look)


def _mark_end(axes: Axes, end: tuple[float, float], series: Series, look: ArmStyle) -> None:
    marker = "x" if series.status == "diverged" else MARKERS[look.marker]
    axes.plot(*end, marker=marker, color=look.light, markerfacecolor="white", markersize=7, markeredgewidth=1.8)


def _draw_references(axes: Axes, chart: Chart) -> None:
    for reference in chart.references:
        axes.axhline(reference.value, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
        text = {"xytext": (-2, 3), "textcoords": "offset points", "ha": "right", "fontsize": 8.5, "color": MUTED}
        axes.annotate(reference.label, (1, reference.value), xycoords=axes.get_yaxis_transform(), **text)


def _set_axes(axes: Axes, chart: Chart) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

    axes.set_xscale("log" if chart.log_x else "linear")
    axes.set_yscale("log" if chart.log_y else "linear")
    axes.set_xlabel(chart.x_label)
    if chart.y_range:
        axes.set_ylim(*chart.y_range)
    if chart.log_y:
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.yaxis.set_minor_formatter(FuncFormatter(_plain))
    if chart.percent:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    if chart.x_ticks:
        axes.set_xticks(chart.x_ticks, [f"{tick:g}" for tick in chart.x_ticks])
        axes.xaxis.set_minor_locator(NullLocator())


def _plain(value: float, _: int) -> str:
    # 1, 2 and 5 of every decade: more labels than these run into each other.
    return f"{value:g}" if f"{value:e}"[0] in "125" else ""
