"""What a figure is made of, whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lionkit_lab.record import Status

Kind = Literal["line", "minibatch", "trace", "points", "scatter", "law"]
Range = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One line or one set of points.

    Attributes:
        arm: The key of the arm whose it is; decides the colour, line and marker. Empty for a law.
        label: Its name in the hover text and in the CSV file.
        x: Positions; same length as ``y``.
        y: Values; None where the measured value is not finite.
        kind: A line with markers, the faint line of single minibatches, a line of many points without markers, single
            runs without a legend, an arm's points without a line, or a law of theory.
        status: How the run ended; the last point of a run that did not finish is marked.
        best: Whether it is of the arm's best learning rate, and so shown at first.
        low, high: The least and the largest value over the seeds, a band around a mean; empty for one seed.
    """

    arm: str
    label: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    kind: Kind = "line"
    status: Status = "finished"
    best: bool = True
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A horizontal line at a value that theory gives."""

    label: str
    value: float


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        key: Names its caption and its files.
        title: What it shows, in words.
        quantity: What the vertical axis measures.
        x_label: What the horizontal axis measures.
        series: Everything drawn.
        y_range: The part of the vertical axis shown at first, in data units; None lets the data decide.
        references: Horizontal lines.
        log_x, log_y: Logarithmic axes.
        x_ticks: Where the horizontal axis has its labels; None lets the renderer decide.
        percent: The values are shares of one, shown as percentages.
    """

    key: str
    title: str
    quantity: str
    x_label: str
    series: tuple[Series, ...]
    y_range: Range | None
    references: tuple[Reference, ...] = ()
    log_x: bool = False
    log_y: bool = False
    x_ticks: tuple[float, ...] | None = None
    percent: bool = False
