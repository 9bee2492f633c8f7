"""The optimizers: `LionK`, and its members by their papers' names."""

from lionkit.optim._lion import Lion as Lion
from lionkit.optim._lionk import LionK as LionK

__all__ = ["Lion", "LionK"]
