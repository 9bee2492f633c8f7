"""Geometries: the convex functions through which a Lion-K step sees its momentum."""

from lionkit.kappa._base import InducedProblem as InducedProblem
from lionkit.kappa._base import Kappa as Kappa
from lionkit.kappa._half_squared_l2 import HalfSquaredL2 as HalfSquaredL2
from lionkit.kappa._l1 import L1 as L1

__all__ = ["L1", "HalfSquaredL2", "InducedProblem", "Kappa"]
