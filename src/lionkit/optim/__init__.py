"""The optimizers: `LionK`, and its members by their papers' names."""

from lionkit.optim._lion import Lion as Lion
from lionkit.optim._lionk import LionK as LionK
from lionkit.optim._numerics import NumericsReport as NumericsReport
from lionkit.optim._numerics import Standstill as Standstill
from lionkit.optim._observe import Observation as Observation

__all__ = ["Lion", "LionK", "NumericsReport", "Observation", "Standstill"]
