"""Pydantic's errors as one line that names the key, the value and what is allowed."""

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lionkit_lab.errors import nearest
from lionkit_lab.recipe._kappas import KappaSettings
from lionkit_lab.recipe._models import ModelSettings
from lionkit_lab.recipe._optimizers import OptimizerSettings
from lionkit_lab.recipe._recipe import Recipe
from lionkit_lab.recipe._sections import ScheduleSettings
from lionkit_lab.recipe._tasks import TaskSettings

_UNIONS = {
    "task": TaskSettings,
    "model": ModelSettings,
    "optimizer": OptimizerSettings,
    "kappa": KappaSettings,
    "schedule": ScheduleSettings,
}
# The name of each variant -> its class; pydantic puts that name into the location of an error.
_VARIANTS: dict[Any, type[BaseModel]] = {
    get_args(variant.model_fields["name"].annotation)[0]: variant
    for union in _UNIONS.values()
    for variant in get_args(get_args(union)[0])
}


def one_line(error: ValidationError) -> str:
    """Return the first error as one line, with the number of further ones."""
    first, *more = error.errors(include_url=False)
    return _message(first) + (f" (and {len(more)} more)" if more else "")


def _message(error: ErrorDetails) -> str:
    key, context = _key(error["loc"]), error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(error["loc"][:-1])
            return f"{key}: unknown key{nearest(str(error['loc'][-1]), known)}; known: {', '.join(known)}"
        case "missing":
            return f"{key}: is missing"
        case "union_tag_not_found":
            return f"{key}.name: is missing"
        case "union_tag_invalid":
            known = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
            hint = nearest(context["tag"], known)
            return f'{key}.name: "{context["tag"]}" is not known{hint}; known: {", ".join(known)}'
        case "value_error":
            return f"{key}: {context['error']}" if key else str(context["error"])
        case _:
            allowed = error["msg"].replace("Input should be", "must be")
            return f"{key}: {_shown(error['input'])} is not allowed: {allowed[0].lower()}{allowed[1:]}"


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _key(loc: tuple[int | str, ...]) -> str:
    """Return the location as the TOML file spells it; in [[compare]] the optimizer's name stands for its place."""
    parts = [part for before, part in zip(("", *loc), loc, strict=False) if before not in {*_UNIONS, "compare"}]
    return ".".join(str(part) for part in parts)


def _known_keys(section: tuple[int | str, ...]) -> list[str]:
    if not section:
        return list(Recipe.model_fields)
    return list(_section(section).model_fields)


def _section(loc: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the section at a location: a union's variant, or one that stands below the recipe or a variant."""
    *above, last = loc
    if last in _VARIANTS:
        return _VARIANTS[last]
    annotation: Any = (_section(tuple(above)) if above else Recipe).model_fields[str(last)].annotation
    # Of an optional section the other member is None.
    return next(kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields"))
