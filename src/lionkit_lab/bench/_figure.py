"""One figure: time over size, and the main case against AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab.bench._contenders import BASELINE, CONTENDERS
from lionkit_lab.bench._result import STREAMING, Result
from lionkit_lab.errors import UsageError
from lionkit_lab.report.arms import Arm
from lionkit_lab.report.figures import FORMATS
from lionkit_lab.report.print_style import DASHES, DPI, INK, MARKERS, MUTED, RC
from lionkit_lab.report.style import ArmStyle, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_SIZE = (11.0, 5.6)  # inches: two panels and a legend below
_MAIN = "large"
_LIMIT = ArmStyle(STREAMING, MUTED, MUTED, "dot", "triangle-down")
_UNDATED = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}  # the same figures, the same bytes


def check_figure(file: Path) -> None:
    """Check that a figure can be written as this kind of file.

    Raises:
        UsageError: It cannot.
    """
    if file.suffix.removeprefix(".") not in FORMATS:
        raise UsageError(f"figure {file} must end with one of {', '.join('.' + suffix for suffix in FORMATS)}")


def save(results: Sequence[Result], file: Path) -> None:
    """Draw nanoseconds a parameter over size, and bars of the main case against AdamW.

    The left panel has the float32 cases of one tensor. The right one has the case "large", or the first where that was
    not measured.

    Args:
        results: At least one.
        file: Where it goes, as PNG, SVG or PDF by its suffix.

    Raises:
        OSError: The file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    single = [result for result in results if result.case.is_one_vector]
    main = next((result for result in results if result.case.name == _MAIN), results[0])
    looks = _looks()
    with rc_context(RC):
        figure = Figure(figsize=_SIZE, dpi=DPI, layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_sizes(left, sorted(single, key=lambda result: result.case.numel), looks)
        _draw_bars(right, main, looks)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4, handlelength=3.2)
        figure.savefig(file, metadata=_UNDATED[file.suffix.removeprefix(".")])


def _looks() -> dict[str, ArmStyle]:
    """Give every contender the look that its optimizer has in a report."""
    known = {"lionkit": "lion", BASELINE: "adamw", "torch SGD, fused": "sgd"}
    arms = [
        Arm(name, known.get(name, known.get(it.distribution, it.distribution)), name) for name, it in CONTENDERS.items()
    ]
    return {**styles(arms), STREAMING: _LIMIT}


def _draw_sizes(axes: Axes, results: Sequence[Result], looks: dict[str, ArmStyle]) -> None:
    axes.set_title("ns a parameter, one tensor of float32", loc="left", fontsize=9, color=MUTED)
    axes.set_xlabel("parameters")
    axes.set_xscale("log")
    axes.set_yscale("log")
    _set_plain_ticks(axes.yaxis)
    for name, look in looks.items():
        rows = [(result.case.numel, row.ns_per_param) for result in results if (row := result.row(name))]
        if rows:
            style = {"color": look.light, "linestyle": DASHES[look.dash], "marker": MARKERS[look.marker]}
            axes.plot(
                *zip(*rows, strict=True), label=name, linewidth=1.7, markersize=5, markeredgecolor="white", **style
            )


def _draw_bars(axes: Axes, result: Result, looks: dict[str, ArmStyle]) -> None:
    axes.set_title(f"time of a step over fused AdamW's, {result.case}", loc="left", fontsize=9, color=MUTED)
    ratios = {row.contender: row.ratio_to_adamw for row in result.rows if row.ratio_to_adamw}
    names = sorted(ratios, key=ratios.__getitem__, reverse=True)
    axes.set_xscale("log")
    _set_plain_ticks(axes.xaxis)
    # From 1 to either side: a bar on a logarithmic axis has no zero to start from.
    widths = [ratios[name] - 1 for name in names]
    axes.barh(names, widths, left=1, color=[looks[name].light for name in names], height=0.6)
    axes.axvline(1, color=INK, linewidth=0.9)
    axes.grid(visible=False, axis="y")
    for place, name in enumerate(names):
        end, faster = ratios[name], ratios[name] < 1
        offset = {"xytext": (-3 if faster else 3, 0), "textcoords": "offset points", "fontsize": 8, "color": MUTED}
        axes.annotate(f"{end:.2f}", (end, place), ha="right" if faster else "left", va="center", **offset)
    axes.margins(x=0.12)


def _set_plain_ticks(axis: Axis) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # more labels than these run into each other
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
