"""Every figure as a file: PNG for slides, SVG for the web, PDF for papers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab.record import Run
from lionkit_lab.report._charts import charts
from lionkit_lab.report._tasks import TaskRuns, group
from lionkit_lab.report.chart import Chart, Series
from lionkit_lab.report.print_style import DASHES, DPI, MARKERS, MUTED, RC, SIZE
from lionkit_lab.report.style import ArmStyle, arms_of, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def save(runs: Iterable[Run], folder: Path) -> list[Path]:
    """Draw every figure of every task.

    Args:
        runs: Any runs.
        folder: Where the files go, as ``<task>-<figure>.<format>``; made if missing.

    Returns:
        The files written. The same runs give the same bytes.
    """
    tasks = group(runs)
    looks = styles(arms_of(tasks))
    folder.mkdir(parents=True, exist_ok=True)
    return [path for task in tasks for path in _save_task(task, looks, folder)]


def _save_task(task: TaskRuns, looks: dict[str, ArmStyle], folder: Path) -> list[Path]:
    from matplotlib import rc_context

    paths = []
    with rc_context(RC):
        for chart in charts(task):
            figure = draw(chart, task.title, looks)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # it has done its work: once, not again for every format
            paths += save_figure(figure, folder, f"{task.slug}-{chart.key}")
    return paths


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


def draw(chart: Chart, subtitle: str, looks: dict[str, ArmStyle]) -> Figure:
    """Draw one figure; only the best run of each arm, so that it reads in print.

    Args:
        chart: What to draw.
        subtitle: Stands beside the title, usually the task.
        looks: How each arm is drawn, by its key.

    Returns:
        A figure that belongs to no window and no global state.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for series in chart.series:
        if series.best:
            _draw_series(axes, series, looks[series.arm])
    _draw_references(axes, chart)
    _set_axes(axes, chart)
    _set_titles(figure, axes, chart, subtitle)
    return figure


def _draw_series(axes: Axes, series: Series, look: ArmStyle) -> None:
    x, y = series.x, [float("nan") if value is None else value for value in series.y]
    if series.kind == "minibatch":
        axes.plot(x, y, color=look.light, linewidth=0.7, alpha=0.4)
        return
    style = DASHES[look.dash] if series.kind == "line" else "none"
    body = {"color": look.light, "linestyle": style, "linewidth": 1.7, "markersize": 5}
    label = series.label if series.kind == "line" else None
    marker = "none" if series.kind == "points" else MARKERS[look.marker]
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


def _set_titles(figure: Figure, axes: Axes, chart: Chart, subtitle: str) -> None:
    # The unit stands over the axis instead of beside it: it reads without turning the head.
    axes.set_title(chart.quantity, loc="left", fontsize=9, color=MUTED, pad=7)
    figure.suptitle(
        f"{chart.title}  \u00b7  {subtitle}", x=0.012, ha="left", fontsize=12.5
    )  # not bold: a second font makes a PDF take twice as long
    count = len(axes.get_legend_handles_labels()[1])
    if count:
        figure.legend(loc="outside lower left", ncols=min(count, 3), fontsize=8.5, handlelength=3.2, columnspacing=1.6)
