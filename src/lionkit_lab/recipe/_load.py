"""Load a recipe by its name or path, apply overrides, validate it."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lionkit_lab.errors import UsageError
from lionkit_lab.recipe._layers import find, parse, read
from lionkit_lab.recipe._messages import one_line
from lionkit_lab.recipe._recipe import Recipe


def load(name_or_path: str | Path, overrides: Sequence[str] = (), compare: str | Path | None = None) -> Recipe:
    """Load a recipe.

    Args:
        name_or_path: The name of a bundled recipe, or the path of a TOML file (with ``/`` or ``.toml`` in it).
        overrides: ``section.key=value`` each, applied in order; the value is TOML, or a bare word.
        compare: A bundled comparison, or a TOML file whose ``[[compare]]`` list takes the place of the recipe's.

    Raises:
        UsageError: There is no such recipe or comparison, it is not TOML, or a key or value is not allowed.

    Examples:
        >>> load("fashion-mnist", ["optimizer.lr=3e-4"]).optimizer.lr
        0.0003
    """
    path = find(str(name_or_path), "recipe")
    table = read(path)
    if compare is not None:
        table["compare"] = _comparison(find(str(compare), "comparison"))
    for override in overrides:
        _apply(table, override)
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        raise UsageError(f"{path.name}: {one_line(error)}") from error


def _comparison(path: Path) -> Any:
    table = parse(path)
    if strangers := [key for key in table if key != "compare"]:
        raise UsageError(f"comparison {path.name}: {strangers[0]}: unknown key; known: compare")
    return table.get("compare", ())


def _apply(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key):
        raise UsageError(f'--set "{override}" is not allowed: must be section.key=value')
    *sections, last = key.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise UsageError(f'--set "{override}" is not allowed: "{section}" is not a section')
    table[last] = _value(text)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # A bare word, as in optimizer.name=sgd: quoting it twice would help nobody.
