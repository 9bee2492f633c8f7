"""Probes: the theory's quantities, measured on a model as it trains."""

from lionkit.probes._full_gradient import FullGradient as FullGradient
from lionkit.probes._full_gradient import full_gradient as full_gradient
from lionkit.probes._quantities import Quantities as Quantities

__all__ = ["FullGradient", "Quantities", "full_gradient"]
