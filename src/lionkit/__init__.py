"""lionkit: the Lion family of optimizers for PyTorch, with its theory as running code."""

from lionkit import kappa as kappa
from lionkit import kernels as kernels
from lionkit import momentum as momentum
from lionkit import optim as optim
from lionkit import probes as probes
from lionkit import theory as theory
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
    "for_model",
    "kappa",
    "kernels",
    "momentum",
    "optim",
    "probes",
    "theory",
]
