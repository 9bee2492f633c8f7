"""lionkit: the Lion family of optimizers for PyTorch, with its theory as running code."""

from lionkit import kappa as kappa
from lionkit import kernels as kernels
from lionkit import momentum as momentum
from lionkit import probes as probes
from lionkit import theory as theory
from lionkit.optim import Lion as Lion
from lionkit.optim import LionK as LionK

__version__ = "0.1.0"

__all__ = ["Lion", "LionK", "__version__", "kappa", "kernels", "momentum", "probes", "theory"]
