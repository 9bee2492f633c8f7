"""Ask every released Lion the same questions, and print the answers as a Markdown table.

Run from the project's root: ``python -m benchmarks.contract [--verbose] [--write docs/results/contract.md]``.
"""

from __future__ import annotations

import argparse
import logging
import platform
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch.optim import AdamW, Optimizer

import lionkit

from . import checks
from .run import LOG, Make

NOTES = Path(__file__).with_name("notes.md")
WORDS = {True: "yes", False: "no", None: "n/a"}

CHECKS: dict[str, Callable[[Make], bool | None]] = {
    "a coordinate with zero gradient stays put": checks.zero_gradient_stays_put,
    "a nan gradient shows in its weight": checks.nan_shows,
    "`lr=0` is accepted": checks.lr_zero,
    "`lr` as a tensor: same result, follows changes": checks.lr_tensor,
    "`lr=-1` in a group is refused": checks.group_options_checked,
    "an unknown keyword is refused": checks.unknown_keyword_refused,
    "`p.grad` is never written, float32": checks.gradient_kept,
    "`p.grad` is never written, bfloat16": checks.gradient_kept_bfloat16,
    "`maximize`, with `p.grad` left alone": checks.maximize,
    "`foreach`, same result as the loop": checks.foreach,
    "`capturable` is an option": checks.capturable,
    "`differentiable`, right derivative": checks.differentiable,
    "complex parameters step as pairs of reals": checks.complex_as_pairs,
    "sparse gradients: refused in words, or right": checks.sparse_gradient,
    "zero-size and 0-dim parameters": checks.empty_and_scalar,
    "a float32 momentum survives its load beside bfloat16 weights": checks.float32_momentum_survives_load,
    "its `state_dict` continues in lion-pytorch, to the bit": checks.state_loads_into_lion_pytorch,
}


def lion_pytorch() -> Make:
    """Load lion-pytorch, whose foreach form is a class of its own."""
    loop, lists = (import_module(f"lion_pytorch.{name}").Lion for name in ("lion_pytorch", "foreach"))

    def make(params: Any, foreach: bool = False, **options: Any) -> Optimizer:
        return (lists if foreach else loop)(params, **options)

    return make


def timm() -> Make:
    """Load the file of timm's optimizer alone: importing all of timm needs torchvision, the file does not."""
    spec = find_spec("timm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'timm'", name="timm")
    for name, path in (("timm", Path(spec.origin).parent), ("timm.optim", Path(spec.origin).parent / "optim")):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(path)]
    return import_module("timm.optim.lion").Lion


PEERS: dict[str, Callable[[], Make]] = {  # by the name of the distribution
    "lionkit": lambda: lionkit.Lion,
    "lion-pytorch": lion_pytorch,
    "torch-optimi": lambda: import_module("optimi").Lion,
    "pytorch_optimizer": lambda: import_module("pytorch_optimizer").Lion,
    "timm": timm,
    "bitsandbytes": lambda: import_module("bitsandbytes.optim").Lion,
}


def answers(name: str, make: Make) -> list[str]:
    """One column: what the optimizer does in every check."""
    column = []
    for behaviour, check in CHECKS.items():
        LOG.info("%s: %s", name, behaviour)
        column.append(WORDS[check(make)])
        LOG.info("    %s", column[-1])
    return column


def column(name: str) -> list[str]:
    """`answers` of a peer, or why there are none."""
    try:
        make = PEERS[name]()
    except ModuleNotFoundError as error:
        LOG.info("%s: %s", name, error)
        return [f"not installed ({error.name})"] * len(CHECKS)
    return answers(name, make)


def version(name: str) -> str:
    """The peer's name and its version, where it is installed."""
    if name == "lionkit":
        return f"lionkit {lionkit.__version__}"
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} not installed"


def table() -> str:
    """The answers of all peers, one row a behaviour."""
    rows = zip(CHECKS, *(column(name) for name in PEERS), strict=True)
    lines = [("", *PEERS), ("---", *(":-:" for _ in PEERS)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def yardstick() -> str:
    """What torch's own AdamW does not do, so that nobody takes those rows for the letter of the contract."""
    missing = [row for row, answer in zip(CHECKS, answers("AdamW", AdamW), strict=True) if answer != "yes"]
    return "For scale, `torch.optim.AdamW` does all of this but: " + "; ".join(missing) + "."


def versions() -> str:
    """Everything that was measured, and on what."""
    names = ", ".join(version(name) for name in PEERS)
    return f"Measured on a CPU: {names}; torch {torch.__version__}, Python {platform.python_version()}."


def page() -> str:
    """The whole report: table, versions, notes, and how to measure it again."""
    return "\n\n".join(
        (
            "# The `torch.optim` contract, kept by whom",
            "Every cell is measured by `python -m benchmarks.contract`. yes: it does. no: it does not. "
            "n/a: its constructor names no such option.",
            table(),
            versions(),
            yardstick(),
            NOTES.read_text(encoding="utf-8").strip() + "\n",
        )
    )


def main() -> None:
    """Print the report, or write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contract", description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="log every answer, and what a refusal says")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the report there")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    LOG.setLevel(logging.INFO if arguments.verbose else logging.WARNING)
    text = page()
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
