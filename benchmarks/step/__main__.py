"""What a whole `optimizer.step()` costs on a CPU: `python -m benchmarks.step [--quick] [--csv FILE]`, on Linux.

In every round each contender takes one step, in an order that is drawn anew: what slows the machine down for a while
slows all of them, and each finds the caches as any other has left them. Medians over the rounds. Contenders share the
gradients; each has its own weights and state.

"bytes" is what the update must move a parameter, not what an implementation does move: weights and state are read and
written once, gradients read once. So a step in several passes has a low share of the bandwidth. "streaming" is one
in-place multiply of one float32 tensor with as many bytes as the weights; where it fits into a cache or takes no longer
than its own call, as below some 1e7 parameters, it is no limit, and a share of it may be far from 100% either way.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from lionkit import kernels

from .contenders import CONTENDERS, MISSING
from .measure import Case, measure

CASES = [Case(1, 2**26), Case(2_000, 1_000), *(Case(1, 10**k) for k in (4, 5, 6, 7)), Case(1, 2**26, torch.bfloat16)]
LARGEST = Case(1, 10**8)


def main() -> None:
    """Measure every case in turn and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.step", description="What an optimizer's step costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without the case of 1e8 parameters")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="append the numbers there")
    arguments = parser.parse_args()
    circumstances = describe()
    print("\n".join(f"- {name}: {value}" for name, value in circumstances.items()))
    for case in CASES if arguments.quick else [*CASES, LARGEST]:
        num_rounds = case.num_rounds(arguments.quick)
        if not fits(case):
            print(f"\n## {case}\n\nleft out: not enough free memory")
            continue
        rows = measure(case, num_rounds)
        print(f"\n## {case}: median of {num_rounds} rounds\n")
        print("| contender | ns a parameter | times AdamW | bytes | GB/s | of streaming | bytes of state |")
        print("|---|---|---|---|---|---|---|", *rows, sep="\n", flush=True)
        if arguments.csv:
            append(arguments.csv, [{**circumstances, "case": case, "rounds": num_rounds, **r._asdict()} for r in rows])


def fits(case: Case) -> bool:
    """Whether all contenders' weights and states fit into memory, three copies each, and six more to work with."""
    needed = case.num_params * case.dtype.itemsize * (3 * len(CONTENDERS) + 6)
    return needed < 1024 * int(proc("meminfo", "MemAvailable").removesuffix(" kB"))


def describe() -> dict[str, Any]:
    """Say what is measured, and on what."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    found = dict.fromkeys(it.distribution for name, it in CONTENDERS.items() if name not in MISSING)
    return {
        "commit": subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": proc("cpuinfo", "model name"),
        "threads": torch.get_num_threads(),
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in found),
        "missing": ", ".join(MISSING) or "none",
        "lionkit's native kernel": kernels.describe().splitlines()[0].removeprefix("native").strip(),
    }


def proc(file: str, key: str) -> str:
    """Return the first value that a file of ``/proc`` has for the key."""
    lines = (line.partition(":") for line in Path("/proc", file).read_text(encoding="ascii").splitlines())
    return next(value.strip() for name, _, value in lines if name.strip() == key)


def append(file: Path, rows: list[dict[str, Any]]) -> None:
    """Add rows to a CSV file, below a header where the file is new."""
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
