"""The theory's transfer, tried: `python -m benchmarks.transfer OUT`.

At each size of each demo task Lion is trained over a grid of learning rates and seeds. The learning rate that is best
at K is then kept, or carried over by `lionkit.theory.transfer`, which changes the betas as well, and both are held
against the best of the grid at that size. Runs that are finished are not run again.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from lionkit.theory import Settings
from lionkit_lab.record import Run

from . import scales

BETAS, DECAY = (0.9, 0.99), 0.1

HEADER = """\
| size | weights | steps | best lr of the grid | loss there | lr kept | loss | theory's lr, betas | loss |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Train, and print a Markdown table for each task."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description="The theory's transfer, tried.")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument(
        "--seeds", type=int, choices=range(2, 11), default=3, help="how many, from 0 on; 3 if not given"
    )
    arguments = parser.parse_args()
    for task in scales.TASKS:
        print(f"\n{task}\n\n{HEADER}")
        for line in table(task, range(arguments.seeds), arguments.out):
            print(line, flush=True)


def table(task: str, seeds: Sequence[int], out: Path) -> Iterator[str]:
    """Yield a row for each size."""
    grids = {}
    for name in scales.SIZES:
        grids[name] = {lr: scales.runs(task, name, Settings(lr, BETAS, DECAY), seeds, out) for lr in scales.LRS}
        best = min(grids[name], key=lambda lr: mean_loss(grids[name][lr]))
        base = grids[scales.BASE]
        kept = min(base, key=lambda lr: mean_loss(base[lr]))
        cells = [name, f"{grids[name][best][0].task['num_parameters']:,}", f"{grids[name][best][0].logs[-1]['step']:,}"]
        cells += [f"{best:.3g}{edge(best)}", losses(grids[name][best])]
        if name == scales.BASE:
            cells += [""] * 4
        else:
            settings = scales.predicted(
                Settings(kept, BETAS, DECAY), base[kept][0], grids[name][kept][0], task, scales.SIZES[name]
            )
            moved = scales.runs(task, name, settings, seeds, out)
            betas = ", ".join(f"{beta:.4g}" for beta in settings.betas)
            cells += [f"{kept:.3g}", losses(grids[name][kept]), f"{settings.lr:.3g}, ({betas})", losses(moved)]
        yield f"| {' | '.join(cells)} |"


def edge(lr: float) -> str:
    """Say that a best value at the edge of the grid is no minimum."""
    return " (edge)" if lr in (scales.LRS[0], scales.LRS[-1]) else ""


def mean_loss(runs: Sequence[Run]) -> float:
    """Return the mean of the final train losses; infinite where one diverged."""
    return statistics.mean(run.logs[-1]["train_loss"] for run in runs)


def losses(runs: Sequence[Run]) -> str:
    """Show mean and spread of the final train losses, in nats."""
    values = [run.logs[-1]["train_loss"] for run in runs]
    return f"{statistics.mean(values):.4g} ± {statistics.stdev(values):.2g}"


if __name__ == "__main__":
    main()
