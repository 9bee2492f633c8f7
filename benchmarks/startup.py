"""What lionkit costs before it does anything: `python -m benchmarks.startup`.

Every round starts a fresh interpreter for each line, one after another; medians over the rounds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ROUNDS = 10


def main() -> None:
    """Time everything in turn and print a Markdown table."""
    measured: dict[str, tuple[Callable[[], float], list[float]]] = {
        "`import torch`": (lambda: _import_seconds("torch"), []),
        "`import lionkit` after it": (lambda: _import_seconds("lionkit", after="torch"), []),
        "`lionkit --help`, the whole process": (_help_seconds, []),
    }
    for _ in range(ROUNDS):
        for measure, seconds in measured.values():
            seconds.append(measure())
    print("| what | median | least | most |\n|---|---|---|---|")
    for name, (_, seconds) in measured.items():
        print(f"| {name} | {statistics.median(seconds):.3f} s | {min(seconds):.3f} s | {max(seconds):.3f} s |")


def _import_seconds(module: str, after: str = "time") -> float:
    code = f"import time, {after}; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def _help_seconds() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lionkit_lab", "--help"], check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
