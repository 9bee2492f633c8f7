"""The demo's best runs over several seeds: `python -m benchmarks.demo_seeds runs/demo runs/seeds`.

Takes from a finished demo the learning rate at which each optimizer ends lowest, trains that with every seed, and
prints the losses, their mean and spread, and the differences to Lion, paired by seed.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from lionkit.probes import Estimate
from lionkit_lab.recipe import Recipe
from lionkit_lab.record import Run, find_runs, read_run
from lionkit_lab.train import train

SEEDS = range(5)


def main(demo: Path, out: Path) -> None:
    """Train and print a Markdown table for each task."""
    for name, best in _best_runs(demo).items():
        print(f"\n{name}\n\n| optimizer | lr | decay | final train loss by seed | mean | sd | minus Lion, 95 % |")
        print("|---|---|---|---|---|---|---|")
        losses = {arm: _losses(run, out / name / arm) for arm, run in best.items()}
        for arm, run in sorted(best.items(), key=lambda pair: statistics.mean(losses[pair[0]])):
            print(_line(run, losses[arm], losses["lion"]))


def _best_runs(demo: Path) -> dict[str, dict[str, Run]]:
    """For each recipe and optimizer the run with the lowest final train loss."""
    best: dict[str, dict[str, Run]] = {}
    for run in sorted(find_runs([demo]), key=_final_loss, reverse=True):
        best.setdefault(run.manifest["name"], {})[run.optimizer] = run
    return best


def _losses(run: Run, folder: Path) -> list[float]:
    recipe = Recipe.model_validate(run.manifest["recipe"])
    losses = []
    for seed in SEEDS:
        train(recipe.model_copy(update={"seed": seed}), folder / f"seed{seed}")
        losses.append(_final_loss(read_run(folder / f"seed{seed}")))
    return losses


def _line(run: Run, losses: list[float], lion: list[float]) -> str:
    settings = run.manifest["recipe"]["optimizer"]
    values = ", ".join(f"{loss:.4f}" for loss in losses)
    row = f"| {run.optimizer} | {settings['lr']:g} | {settings['weight_decay']:g} | {values} "
    row += f"| {statistics.mean(losses):.4f} | {statistics.stdev(losses):.4f} | "
    if losses == lion:
        return row + "|"
    differences = [other - ours for other, ours in zip(losses, lion, strict=True)]
    found = Estimate.of_mean(differences, confidence=0.95)
    return row + f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}] |"


def _final_loss(run: Run) -> float:
    return run.logs[-1]["train_loss"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
