"""`lionkit train --dry-run`."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from lionkit_lab.errors import RunError

if TYPE_CHECKING:
    from lionkit_lab.dry_run import DryRun
    from lionkit_lab.recipe import Recipe

_UNKNOWN = "known once the data are read"


def dry_run(recipe: "Recipe", processes: int, json_: bool) -> None:
    """Print what a recipe needs, as a table or as JSON.

    Args:
        recipe: The recipe.
        processes: On how many it is to be trained, at least 1.
        json_: As JSON.

    Raises:
        RunError: Something is missing, or cannot be used.
    """
    from lionkit_lab.dry_run import dry_run as run

    found = run(recipe, processes)
    if json_:
        total = found.memory.total if found.memory else None
        print(json.dumps(asdict(found) | {"sqrt_dim": found.sqrt_dim, "memory_total": total}, indent=1))
    else:
        _show(found)
    if found.missing:
        lines = "; ".join(it.line for it in found.missing)
        raise RunError(f"{recipe.name}: {lines}")


def _show(found: "DryRun") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, title=found.name, title_justify="left")
    for label, value, remark in _rows(found):
        table.add_row(label, value, remark)
    Console(soft_wrap=True).print(table)


def _rows(found: "DryRun") -> Iterator[tuple[str, str, str]]:
    estimated = found.train is not None and not found.exact
    about = "about " if estimated else ""
    yield "parameters", _count(found.parameters), ""
    yield "sqrt(d)", f"{found.sqrt_dim:,.1f}" if found.sqrt_dim else _UNKNOWN, ""
    if found.memory:
        yield from _memory(found)
    yield "steps", _count(found.steps), ""
    yield "epochs", f"{about}{found.epochs:,.4g}" if found.epochs is not None else _UNKNOWN, ""
    yield "training samples", _count(found.train, about), "estimated from the bytes of the text" if estimated else ""
    yield "test samples", _count(found.test, about), ""
    yield "samples seen", _count(found.seen, about), ""
    if found.tokens:
        yield "tokens seen", _count(found.tokens, about), ""
    yield "data on disk", _bytes(found.disk), "with its tokens, estimated" if estimated else ""
    yield "checkpoint", _bytes(found.checkpoint), "two while one is written"
    if found.kept:
        yield "weights that stay", _bytes(found.kept), ""
    if found.wire_bits:
        yield "sent in a step", f"{found.wire_bits:.3g} bits a parameter", "there and back; float32 gradients take 64"


def _memory(found: "DryRun") -> Iterator[tuple[str, str, str]]:
    memory = found.memory
    assert memory
    yield "memory", _bytes(memory.total), "of one process with the whole model"
    yield "  weights", _bytes(memory.weights), ""
    yield "  gradients", _bytes(memory.gradients), ""
    yield "  optimizer state", _bytes(memory.optimizer), ""
    how = f"estimated: the most that passes over {memory.batch:,} samples have at once on a CPU"
    yield "  activations", _bytes(memory.activations), how
    yield "  logging epoch", _bytes(memory.logging), "what it takes beyond a step"


def _count(number: int | None, about: str = "") -> str:
    return _UNKNOWN if number is None else f"{about}{number:,}"


def _bytes(number: int | None) -> str:
    if number is None:
        return _UNKNOWN
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
