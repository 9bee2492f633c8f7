"""`lionkit plan`."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lionkit_lab.cli._errors import Debug, one_line_errors
from lionkit_lab.cli._train import Set
from lionkit_lab.errors import UsageError

if TYPE_CHECKING:
    from lionkit.probes import ProblemConstants
    from lionkit.theory import Plan

_NUMBERS = ("dim", "smoothness", "noise", "gap", "steps")

Recipe = Annotated[str | None, typer.Argument(help="A recipe: what is not given below is measured on it.")]
Dim = Annotated[int | None, typer.Option(help="Number of weights d.")]
Smoothness = Annotated[float | None, typer.Option(help="L, in loss per weight squared.")]
Noise = Annotated[float | None, typer.Option(help="sigma of a whole minibatch gradient, in loss per weight.")]
Gap = Annotated[float | None, typer.Option(help="f at the start less its least value, in loss.")]
Steps = Annotated[int | None, typer.Option(help="K; with a recipe, by default its own.")]
Decay = Annotated[float | None, typer.Option(help="Weight decay; 0, or the recipe's.")]
Start = Annotated[float | None, typer.Option(help="Largest absolute weight at the start; 0, or the recipe's.")]
Radius = Annotated[float | None, typer.Option(help="C, a bound on every weight of the run, if one is known.")]
Pilot = Annotated[int, typer.Option(min=1, help="Most steps of the run on which the constants are measured.")]
Batches = Annotated[int, typer.Option(min=8, help="Minibatches that they are measured over.")]
Products = Annotated[int, typer.Option(min=1, help="Products with the Hessian at each point.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def plan(
    recipe: Recipe = None,
    dim: Dim = None,
    smoothness: Smoothness = None,
    noise: Noise = None,
    gap: Gap = None,
    steps: Steps = None,
    weight_decay: Decay = None,
    start: Start = None,
    radius: Radius = None,
    pilot: Pilot = 200,
    batches: Batches = 16,
    products: Products = 8,
    set_: Set = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Say what the theory says to train with for so many steps, and what it then promises, term by term.

    From numbers, or from a recipe: a short run and products with its Hessian then measure the constants first.
    """
    with one_line_errors(debug):
        given: dict[str, Any] = {"dim": dim, "smoothness": smoothness, "noise": noise, "gap": gap, "steps": steps}
        given |= {"weight_decay": weight_decay, "start": start}
        found = None
        if recipe is not None and any(given[name] is None for name in (*_NUMBERS, "weight_decay", "start")):
            from lionkit_lab.cli._plan_recipe import measure

            found, measured = measure(recipe, set_ or (), pilot, batches, products)
            given = {name: measured[name] if value is None else value for name, value in given.items()}
        made = _plan(given, radius)
        if json_:
            print(json.dumps(_as_json(made, found)))
            return
        if found is not None:
            print(f"{found}\n")
        print(made)


def _plan(given: dict[str, Any], radius: float | None) -> "Plan":
    missing = [f"--{name}" for name in _NUMBERS if given[name] is None]
    if missing:
        needed = ", ".join(f"--{name}" for name in _NUMBERS)
        raise UsageError(f"{', '.join(missing)} missing: give a recipe, or all of {needed}")
    from lionkit import theory

    try:
        problem = theory.Problem(*(given[name] for name in _NUMBERS[:-1]))
        around = {"weight_decay": given["weight_decay"] or 0.0, "start": given["start"] or 0.0, "radius": radius}
        return theory.plan(problem, given["steps"], **around)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _as_json(made: "Plan", found: "ProblemConstants | None") -> dict[str, Any]:
    return {
        **dataclasses.asdict(made),
        "total": made.bound.total,
        "options": made.options,
        "constants": None if found is None else dataclasses.asdict(found),
    }
