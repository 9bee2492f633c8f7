"""What a momentum of fewer bits costs in loss: `python -m benchmarks.quality FILE.csv`.

Trains a GPT-2 of a million parameters (`recipe.toml`) with every momentum and seed, from the same weights, on the same
batches, with the same settings, and prints the losses on held-out text, their mean and spread, and the differences to
float32, paired by seed. Every finished run is appended to the CSV file, and one that is there is not repeated: what was
interrupted goes on. Another recipe (`--set`) makes other runs, side by side in the same file.
"""

from __future__ import annotations

import argparse
import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from lionkit import kernels
from lionkit_lab.machine import commit, machine
from lionkit_lab.recipe import Recipe, load

from .run import Run, train
from .table import table

DTYPES = ("float32", "bfloat16", "int8", "int4")
RECIPE = Path(__file__).with_name("recipe.toml")


def main() -> None:
    """Train what is missing in the file, then print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description="What a momentum of fewer bits costs."
    )
    parser.add_argument("file", type=Path, help="CSV file that the runs are appended to")
    parser.add_argument(
        "--seeds", type=int, choices=range(1, 11), default=5, help="how many, from 0 on; 5 if not given"
    )
    parser.add_argument("--momentum", nargs="+", choices=DTYPES, default=DTYPES, help="which; all if not given")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `lionkit train`")
    arguments = parser.parse_args()
    recipe = load(RECIPE, arguments.set)
    for seed in range(arguments.seeds):
        for name in arguments.momentum:  # seed by seed: an interrupted benchmark has pairs to show
            seeded = recipe.model_copy(update={"seed": seed})
            if not any((run.seed, run.momentum_dtype) == (seed, name) for run in finished(arguments.file, recipe)):
                run = train(seeded, name)
                append(arguments.file, {**circumstances(recipe), **run._asdict()})
                print(f"{name}, seed {seed}: {run.loss:.4f} in {run.seconds:.0f} s", flush=True)
    print("\n".join(["", *table(finished(arguments.file, recipe))]))


def finished(file: Path, recipe: Recipe) -> list[Run]:
    """Return the runs of this recipe that the file has."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return [Run.read(row) for row in csv.DictReader(stream) if row["recipe_sha256"] == recipe.sha256()]


def circumstances(recipe: Recipe) -> dict[str, Any]:
    """Say what is run, and on what."""
    here = machine()
    return {
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": here["processor"],
        "threads": here["threads"],
        "torch": torch.__version__,
        "native kernel": kernels.describe().splitlines()[0].removeprefix("native").strip(),
        "recipe_sha256": recipe.sha256(),  # of seed 0, for every seed
    }


def append(file: Path, row: dict[str, Any]) -> None:
    """Add a row to the file, below a header where it is new."""
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, row)
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
