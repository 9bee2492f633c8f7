"""Geometries: the convex functions through which a Lion-K step sees its momentum."""

from lionkit.kappa._arctan import Arctan as Arctan
from lionkit.kappa._base import InducedProblem as InducedProblem
from lionkit.kappa._base import Kappa as Kappa
from lionkit.kappa._cautious import Cautious as Cautious
from lionkit.kappa._entropy import Entropy as Entropy
from lionkit.kappa._group_l2 import GroupL2 as GroupL2
from lionkit.kappa._half_squared_l2 import HalfSquaredL2 as HalfSquaredL2
from lionkit.kappa._huber import Huber as Huber
from lionkit.kappa._l1 import L1 as L1
from lionkit.kappa._linf import LInf as LInf
from lionkit.kappa._lp import Lp as Lp
from lionkit.kappa._relativistic import Relativistic as Relativistic
from lionkit.kappa._spectral import Spectral as Spectral
from lionkit.kappa._top_k import TopK as TopK
from lionkit.kappa._truncated_l1 import TruncatedL1 as TruncatedL1

__all__ = [
    "L1",
    "Arctan",
    "Cautious",
    "Entropy",
    "GroupL2",
    "HalfSquaredL2",
    "Huber",
    "InducedProblem",
    "Kappa",
    "LInf",
    "Lp",
    "Relativistic",
    "Spectral",
    "TopK",
    "TruncatedL1",
]
