"""How early the warnings come, and how often for nothing: `python -m benchmarks.early_warnings OUT [RUNS ...]`.

Trains two small tasks with three optimizers, from learning rates that are too small to such as diverge, with every
watcher on; then tells from the records who warned of what. RUNS that were trained without are heard again from their
records, of which they have fewer than steps. Runs that are finished are not trained again.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lionkit_lab.errors import DivergenceError
from lionkit_lab.recipe import Recipe, load
from lionkit_lab.record import Record, Run, find_runs
from lionkit_lab.train import train
from lionkit_lab.watch import Watch

SEEDS = 1, 2  # The thresholds were chosen on seed 0.
LRS = {
    "lion": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    "adamw": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "sgd": (1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0),
}
WATCHERS = "loss", "loss_spike", "gradient_spike", "train_loss", "kkt_residual", "saturation"
SPIKES = "watch.loss_spike.action=warn", "watch.gradient_spike.action=warn"
# A logging epoch of 500 images or 128 windows every 25 steps: ten or eight of them in a run.
LOGGING = {"fashion-mnist": 250, "moby-dick": 64}
GOOD = 1.25  # times the lowest final loss of the task: within it a run has learnt


def main(out: Path, others: Sequence[Path]) -> None:
    """Train, and print a Markdown table for the own runs and one for those of others."""
    for folder, recipe in _recipes(out):
        with suppress(DivergenceError):
            train(recipe, folder)
    _print([(run, run.warnings) for run in find_runs([out])])
    if others:
        _print([(run, run.warnings or list(_heard(run))) for run in find_runs(others) if run.end])


def _recipes(out: Path) -> Iterator[tuple[Path, Recipe]]:
    for seed in SEEDS:
        for task, size in LOGGING.items():
            for name, lrs in LRS.items():
                logging = ("step_every=1", "every=25", "batches=2", f"batch_size={size}", "weight_decay=0.1")
                more = "momentum=0.9" if name == "sgd" else "weight_decay=0.1"
                for lr in lrs:
                    changes = [f'optimizer={{name="{name}",lr={lr},{more}}}', f"seed={seed}", *SPIKES]
                    recipe = load(task, [*changes, *(f"logging.{it}" for it in logging)])
                    yield out / f"{task}-{name}-lr{lr:g}-s{seed}", recipe


def _heard(run: Run) -> Iterator[Record]:
    """Yield the warnings that a run would have had, from what it has recorded."""
    watch = Watch(load("fashion-mnist", [f"optimizer.lr={run.lr}", *SPIKES]))
    for record in sorted([*run.steps, *run.logs], key=lambda it: it["step"]):
        for alarm in watch.hear(record):
            if alarm.name != "non_finite":
                yield {"step": record["step"], "name": alarm.name}


def _print(runs: list[tuple[Run, list[Record]]]) -> None:
    groups = defaultdict(list)
    best: dict[object, float] = {}
    for run, _ in runs:
        if run.status == "finished":
            best[_task(run)] = min(best.get(_task(run), float("inf")), run.logs[-1]["train_loss"])
    for run, warnings in runs:
        is_good = run.status == "finished" and run.logs[-1]["train_loss"] <= GOOD * best[_task(run)]
        groups["good" if is_good else "bad" if run.status == "finished" else "diverged"].append((run, warnings))
    counts = {name: len(group) for name, group in groups.items()}
    print("\n| watcher | diverged | steps before the end | finished badly | finished well |\n|---|---|---|---|---|")
    for name in (*WATCHERS, "any"):
        cells = [
            f"{len(_first(groups[group], name))} of {counts.get(group, 0)}" for group in ("diverged", "bad", "good")
        ]
        print(f"| {name} | {cells[0]} | {_leads(groups['diverged'], name)} | {cells[1]} | {cells[2]} |")


def _task(run: Run) -> object:
    """Return what losses can be compared within."""
    return run.manifest["name"], run.task["num_parameters"], run.manifest["recipe"]["training"]["steps"]


def _first(group: list[tuple[Run, list[Record]]], name: str) -> list[tuple[Run, int]]:
    """Return the runs that were warned by a watcher, or by any, and the step of the first warning."""
    steps = [(run, [it["step"] for it in warnings if name in ("any", it["name"])]) for run, warnings in group]
    return [(run, min(found)) for run, found in steps if found]


def _leads(group: list[tuple[Run, list[Record]]], name: str) -> str:
    leads = sorted(run.end["step"] + 1 - step for run, step in _first(group, name) if run.end)
    return f"{statistics.median(leads):g} ({leads[0]} to {leads[-1]})" if leads else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]])
