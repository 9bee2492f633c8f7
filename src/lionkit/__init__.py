"""lionkit: the Lion family of optimizers for PyTorch, with its theory as running code."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lionkit import kappa as kappa
from lionkit import kernels as kernels
from lionkit import momentum as momentum
from lionkit import optim as optim
from lionkit import probes as probes
from lionkit.optim import CautiousLion as CautiousLion
from lionkit.optim import CLion as CLion
from lionkit.optim import Lion as Lion
from lionkit.optim import LionIGT as LionIGT
from lionkit.optim import LionK as LionK
from lionkit.optim import LionVR as LionVR
from lionkit.optim import MARSLion as MARSLion
from lionkit.optim import MLorcLion as MLorcLion
from lionkit.optim import Muon as Muon
from lionkit.optim import RLion as RLion
from lionkit.optim import SignSGD as SignSGD
from lionkit.optim import Signum as Signum
from lionkit.optim import StoSignSGD as StoSignSGD
from lionkit.optim import Tiger as Tiger
from lionkit.optim import for_model as for_model

if TYPE_CHECKING:
    from lionkit import distributed as distributed
    from lionkit import theory as theory

__version__ = "0.1.0"

__all__ = [
    "CLion",
    "CautiousLion",
    "Lion",
    "LionIGT",
    "LionK",
    "LionVR",
    "MARSLion",
    "MLorcLion",
    "Muon",
    "RLion",
    "SignSGD",
    "Signum",
    "StoSignSGD",
    "Tiger",
    "__version__",
    "distributed",
    "for_model",
    "kappa",
    "kernels",
    "momentum",
    "optim",
    "probes",
    "theory",
]


def __getattr__(name: str) -> Any:
    """Open the rooms that no step needs when somebody enters them: theory is a fifth of what the import would take."""
    if name in ("distributed", "theory"):
        return import_module(f"lionkit.{name}")
    raise AttributeError(f"module 'lionkit' has no attribute {name!r}")
