"""Every figure as a file: PNG for slides, SVG for the web, PDF for papers, and its numbers as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab.record import Run
from lionkit_lab.report._charts import charts, norm_ratio, test_metric, training_loss
from lionkit_lab.report._draw import draw_chart, in_print
from lionkit_lab.report._growth import growth
from lionkit_lab.report._tasks import group
from lionkit_lab.report._words import estimate
from lionkit_lab.report.chart import Chart
from lionkit_lab.report.print_style import DPI, PANEL, RC, SIZE
from lionkit_lab.report.style import ArmStyle, arms_of, styles
from lionkit_lab.report.tabular import csv_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def save(runs: Iterable[Run], folder: Path) -> list[Path]:
    """Draw every figure of every task, the three of the paper's figures also side by side.

    Args:
        runs: Any runs.
        folder: Where the files go, as ``<task>-<figure>.<format>``; made if missing.

    Returns:
        The files written. The same runs give the same bytes.
    """
    from matplotlib import rc_context

    tasks = group(runs)
    looks = styles(arms_of(tasks))
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with rc_context(RC):
        for task in tasks:
            for chart in charts(task):
                paths += _save_chart(chart, task.title, looks, folder, f"{task.slug}-{chart.key}")
            row = [training_loss(task), test_metric(task), norm_ratio(task)]
            part = f"  \u00b7  loss and r over {estimate(task.info)}" if estimate(task.info) else ""
            paths += _save(draw_row(row, f"{task.title}{part}", looks), folder, f"{task.slug}-overview")
        if sizes := growth(tasks):
            paths += _save_chart(sizes.chart, "all tasks", looks, folder, sizes.chart.key)
    return paths


def _save_chart(chart: Chart, subtitle: str, looks: dict[str, ArmStyle], folder: Path, name: str) -> list[Path]:
    paths = _save(draw(chart, subtitle, looks), folder, name)
    table = folder / f"{name}.csv"
    table.write_text(csv_text(*numbers(chart, looks)), encoding="utf-8")
    return [*paths, table]


def _save(figure: Figure, folder: Path, name: str) -> list[Path]:
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # it has done its work: once, not again for every format
    return save_figure(figure, folder, name)


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a laid-out figure as ``<name>.<format>``, and return the files: of one figure, always the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    png, svg, pdf = paths = [folder / f"{name}.{suffix}" for suffix in FORMATS]
    # The canvases themselves: Figure.savefig draws everything twice. Dates would make every file differ.
    FigureCanvasAgg(figure).print_png(png)
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})
    FigureCanvasPdf(figure).print_pdf(pdf, metadata={"CreationDate": None})
    return paths


def numbers(chart: Chart, looks: dict[str, ArmStyle]) -> tuple[list[str], list[list[object]]]:
    """Return headings and rows of what is drawn of a chart, a row for each point."""
    banded = any(series.low for series in in_print(chart))
    head = ["series", "optimizer", "status", chart.x_label, chart.quantity, *(["least", "largest"] if banded else [])]
    rows: list[list[object]] = []
    for series in in_print(chart):
        title = looks[series.arm].title if series.arm else ""
        ends = [list(pair) for pair in zip(series.low, series.high, strict=True)] if series.low else []
        for place, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            band = (ends[place] if ends else ["", ""]) if banded else []
            rows.append([series.label, title, series.status, x, *("nan" if it is None else it for it in [y, *band])])
    return head, rows


def draw(chart: Chart, subtitle: str, looks: dict[str, ArmStyle]) -> Figure:
    """Draw one figure.

    Args:
        chart: What to draw.
        subtitle: Stands beside the title, usually the task.
        looks: How each arm is drawn, by its key.

    Returns:
        A figure that belongs to no window and no global state.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    draw_chart(figure.add_subplot(), chart, looks, chart.quantity)
    _set_titles(figure, f"{chart.title}  \u00b7  {subtitle}")
    return figure


def draw_row(row: Sequence[Chart], title: str, looks: dict[str, ArmStyle]) -> Figure:
    """Draw charts of the same arms side by side, with one legend, as the paper has loss, metric and norm ratio.

    Args:
        row: What to draw, from the left.
        title: Stands above all of them.
        looks: How each arm is drawn, by its key.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0] * len(row), PANEL[1]), dpi=DPI, layout="constrained")
    for axes, chart in zip(figure.subplots(1, len(row)), row, strict=True):
        draw_chart(axes, chart, looks, chart.title)
    _set_titles(figure, title)
    return figure


_HANDLE, _CHARACTER = 0.6, 0.074
"""Inches of a legend's line and the space around it, and of a letter of its label: a column too many is cut off."""


def _set_titles(figure: Figure, title: str) -> None:
    # Not bold: a second font makes a PDF take twice as long.
    figure.suptitle(title, x=0.012, ha="left", fontsize=12.5)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if labels:
        widest = _HANDLE + _CHARACTER * max(map(len, labels))
        columns = max(1, min(len(labels), int(figure.get_figwidth() / widest)))
        look = {"ncols": columns, "fontsize": 8.5, "handlelength": 3.2, "columnspacing": 1.6}
        figure.legend(handles, labels, loc="outside lower left", **look)
