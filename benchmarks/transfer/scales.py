"""The scales that are compared: a demo task as it is, four and sixteen times as long, and four times as wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lionkit.theory import Scale, Settings, Tuned, transfer
from lionkit_lab.recipe import Lion, Recipe, load
from lionkit_lab.record import Run, read_run
from lionkit_lab.train import train

TASKS = {"fashion-mnist": 252, "moby-dick": 200}  # K, the steps of each
LRS = [1e-3 * 2.0**power for power in range(-3, 4)]
BASE = "K"


@dataclass(frozen=True)
class Size:
    """How much longer and wider than the task itself.

    Attributes:
        longer: Steps over K.
        wider: Width over the recipe's.
    """

    longer: int = 1
    wider: int = 1


SIZES = {BASE: Size(), "4 K": Size(longer=4), "16 K": Size(longer=16), "width x 4": Size(wider=4)}


def recipe(task: str, size: Size, settings: Settings, seed: int) -> Recipe:
    """Return the demo's recipe at another size, with Lion at these settings; measured at the end alone."""
    steps, plain = TASKS[task] * size.longer, load(task)
    overrides = [
        f"training={{steps={steps}, batch_size={plain.training.batch_size}}}",
        f"model.width={plain.model.width * size.wider}",  # pyright: ignore[reportAttributeAccessIssue]
        f"logging.every={steps}",
        *(["logging.batches=16"] if task == "moby-dick" else []),
        f"seed={seed}",
    ]
    lion = Lion(name="lion", lr=settings.lr, betas=settings.betas, weight_decay=settings.weight_decay)
    return load(task, overrides).model_copy(update={"optimizer": lion, "compare": ()})


def runs(task: str, name: str, settings: Settings, seeds: Sequence[int], out: Path) -> list[Run]:
    """Train what is not trained yet, and return the runs, a seed each."""
    betas = "-".join(f"{beta:.6g}" for beta in settings.betas)
    folder = out / task / name.replace(" ", "") / f"lr{settings.lr:.6g}-betas{betas}"
    for seed in seeds:
        train(recipe(task, SIZES[name], settings, seed), folder / f"seed{seed}")
    return [read_run(folder / f"seed{seed}") for seed in seeds]


def predicted(best: Settings, base: Run, there: Run, task: str, size: Size) -> Settings:
    """Return the theory's settings at the size, from the best ones at K."""
    scale = Scale(TASKS[task], dim=base.task["num_parameters"], batch=1)
    new = Scale(TASKS[task] * size.longer, dim=there.task["num_parameters"], batch=1)
    return transfer(Tuned(best, scale), to=new).settings
