"""Probes: the theory's quantities, measured on a model as it trains."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lionkit.probes._step import Statistics as Statistics
from lionkit.probes._step import StepStatistics as StepStatistics

if TYPE_CHECKING:
    from lionkit.probes._constants import constants as constants
    from lionkit.probes._constants_estimate import Estimate as Estimate
    from lionkit.probes._full_gradient import FullGradient as FullGradient
    from lionkit.probes._full_gradient import full_gradient as full_gradient
    from lionkit.probes._problem_constants import ProblemConstants as ProblemConstants
    from lionkit.probes._quantities import Quantities as Quantities

__all__ = [
    "Estimate",
    "FullGradient",
    "ProblemConstants",
    "Quantities",
    "Statistics",
    "StepStatistics",
    "constants",
    "full_gradient",
]

# What a step does not need: a sixth of what `import lionkit` would take.
_LATER = {
    "Estimate": "_constants_estimate",
    "FullGradient": "_full_gradient",
    "ProblemConstants": "_problem_constants",
    "Quantities": "_quantities",
    "constants": "_constants",
    "full_gradient": "_full_gradient",
}


def __getattr__(name: str) -> Any:
    """Open the module of a probe when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'lionkit.probes' has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"lionkit.probes.{_LATER[name]}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    """Name what is asked for later beside what is there."""
    return sorted({*globals(), *_LATER})
