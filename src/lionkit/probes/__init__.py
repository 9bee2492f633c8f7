"""Probes: the theory's quantities, measured on a model as it trains."""

from lionkit.probes._constants import ProblemConstants as ProblemConstants
from lionkit.probes._constants import constants as constants
from lionkit.probes._constants_estimate import Estimate as Estimate
from lionkit.probes._full_gradient import FullGradient as FullGradient
from lionkit.probes._full_gradient import full_gradient as full_gradient
from lionkit.probes._quantities import Quantities as Quantities
from lionkit.probes._step import Statistics as Statistics
from lionkit.probes._step import StepStatistics as StepStatistics

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
