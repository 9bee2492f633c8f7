"""The numbers behind the figures, as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lionkit_lab.ratio._curves import Curve
from lionkit_lab.ratio._rows import Row


def save_csv(rows: Sequence[Row], found: Sequence[Curve], folder: Path) -> list[Path]:
    """Write ``ratio.csv`` with a line for each network and seed, and with curves ``ratio-training.csv``.

    Args:
        rows: Networks at initialisation.
        found: Runs.
        folder: Where the files go; it exists.

    Returns:
        The files written.
    """
    files = [_write(folder / "ratio.csv", (line for row in rows for line in _lines(row)))]
    if found:
        files.append(_write(folder / "ratio-training.csv", (line for curve in found for line in _curve_lines(curve))))
    return files


def _lines(row: Row) -> Iterable[dict[str, Any]]:
    what = {"model": row.case.name, "architecture": row.case.architecture, "data": row.case.data}
    for ratio, top_share in zip(row.ratios, row.top_shares, strict=True):
        yield what | {"num_samples": row.num_samples} | _ratio(row.dim, ratio) | {"top_share": top_share}


def _curve_lines(curve: Curve) -> Iterable[dict[str, Any]]:
    what = {"task": curve.task, "network": curve.network, "architecture": curve.architecture}
    run = {"optimizer": curve.arm, "lr": curve.lr, "seed": curve.seed}
    for step, ratio in zip(curve.steps, curve.ratios, strict=True):
        yield what | run | {"step": step} | _ratio(curve.dim, ratio)


def _ratio(dim: int, ratio: float) -> dict[str, Any]:
    return {"dim": dim, "sqrt_dim": math.sqrt(dim), "ratio": ratio, "ratio_over_sqrt_dim": ratio / math.sqrt(dim)}


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    lines = list(lines)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(lines[0]) if lines else ["model"])
        writer.writeheader()
        writer.writerows(lines)
    return path
