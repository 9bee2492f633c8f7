"""A recipe's file as a table, laid over the recipe that it extends."""

import tomllib
from pathlib import Path
from typing import Any

from lionkit_lab.errors import UsageError, nearest

_ROOT = Path(__file__).parents[1]


def bundled(folder: str = "recipes") -> dict[str, Path]:
    """Return the recipes, or the ``comparisons``, that ship with the package: name -> path, sorted by name.

    A name has the folder in it, as ``paper/resnet18-cifar10``; files that begin with ``_`` are there to be extended.
    """
    root = _ROOT / folder
    paths = (path for path in root.rglob("*.toml") if not path.name.startswith("_"))
    return dict(sorted((path.relative_to(root).with_suffix("").as_posix(), path) for path in paths))


def find(name_or_path: str, kind: str, below: Path = Path()) -> Path:
    """Return the file of a name, or of a path from the folder ``below`` on.

    Args:
        name_or_path: Of something bundled; or a path, with ``/`` or ``.toml`` in it.
        kind: "recipe" or "comparison".
        below: Where a relative path begins.

    Raises:
        UsageError: Nothing bundled bears the name.
    """
    known = bundled(f"{kind}s")
    if name_or_path in known:
        return known[name_or_path]
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return below / name_or_path
    hint = nearest(name_or_path, known)
    raise UsageError(f'{kind} "{name_or_path}" is not known{hint}; bundled: {", ".join(known)}')


def read(path: Path) -> dict[str, Any]:
    """Read a recipe, laid over the one that its ``extends`` names, if any.

    What it extends is a bundled recipe or a file, from the recipe's own folder on. Of the two, a table is taken key by
    key, unless both name what they are and name it differently; all else is the upper one's.

    Raises:
        UsageError: A file cannot be read or is not TOML, or a recipe extends itself.
    """
    return _read(path, ())


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in above:
        raise UsageError(f'recipe {above[0].name}: extends: "{path.name}" is not allowed: it extends itself')
    table = parse(path)
    lower = table.pop("extends", None)
    if lower is None:
        return table
    if not isinstance(lower, str):
        raise UsageError(f"recipe {path.name}: extends: {lower} is not allowed: must be one recipe's name or file")
    return _laid_over(_read(find(lower, "recipe", path.parent), (*above, path.resolve())), table)


def parse(path: Path) -> dict[str, Any]:
    """Read one TOML file.

    Raises:
        UsageError: It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        # Someone may have meant a bundled recipe: those are asked for by their bare names.
        missing = isinstance(error, FileNotFoundError)
        hint = (nearest(path.as_posix(), bundled()) or nearest(path.stem, bundled())) if missing else ""
        raise UsageError(f"recipe {path} cannot be read: {error.strerror}{hint}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"recipe {path} is not TOML: {error}") from error


def _laid_over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    return lower | {
        key: _laid_over(lower[key], value) if _of_one_kind(lower.get(key), value) else value
        for key, value in upper.items()
    }


def _of_one_kind(lower: Any, upper: Any) -> bool:
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return False
    return "name" not in lower or "name" not in upper or lower["name"] == upper["name"]
