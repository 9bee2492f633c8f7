"""The optimizers: `LionK`, its members by their papers' names, and what fills their seats."""

from lionkit.optim._agreement import Agreement as Agreement
from lionkit.optim._agreement import directions_of as directions_of
from lionkit.optim._cautious_lion import CautiousLion as CautiousLion
from lionkit.optim._cautious_mask import CautiousMask as CautiousMask
from lionkit.optim._clion import CLion as CLion
from lionkit.optim._direction import Direction as Direction
from lionkit.optim._direction import Sight as Sight
from lionkit.optim._dither import Dither as Dither
from lionkit.optim._for_model import Split as Split
from lionkit.optim._for_model import for_model as for_model
from lionkit.optim._for_model import split as split
from lionkit.optim._gate import Gate as Gate
from lionkit.optim._gradient import Batch as Batch
from lionkit.optim._gradient import GradientEstimate as GradientEstimate
from lionkit.optim._igt import IGT as IGT
from lionkit.optim._lion import Lion as Lion
from lionkit.optim._lion_igt import LionIGT as LionIGT
from lionkit.optim._lion_vr import LionVR as LionVR
from lionkit.optim._lionk import LionK as LionK
from lionkit.optim._mars import MARS as MARS
from lionkit.optim._mars_lion import MARSLion as MARSLion
from lionkit.optim._mlorc_lion import MLorcLion as MLorcLion
from lionkit.optim._muon import Muon as Muon
from lionkit.optim._numerics import NumericsReport as NumericsReport
from lionkit.optim._numerics import Standstill as Standstill
from lionkit.optim._observe import Observation as Observation
from lionkit.optim._rlion import RLion as RLion
from lionkit.optim._sign_sgd import SignSGD as SignSGD
from lionkit.optim._signum import Signum as Signum
from lionkit.optim._sto_sign_sgd import StoSignSGD as StoSignSGD
from lionkit.optim._storm import STORM as STORM
from lionkit.optim._tiger import Tiger as Tiger

__all__ = [
    "IGT",
    "MARS",
    "STORM",
    "Agreement",
    "Batch",
    "CLion",
    "CautiousLion",
    "CautiousMask",
    "Direction",
    "Dither",
    "Gate",
    "GradientEstimate",
    "Lion",
    "LionIGT",
    "LionK",
    "LionVR",
    "MARSLion",
    "MLorcLion",
    "Muon",
    "NumericsReport",
    "Observation",
    "RLion",
    "Sight",
    "SignSGD",
    "Signum",
    "Split",
    "Standstill",
    "StoSignSGD",
    "Tiger",
    "directions_of",
    "for_model",
    "split",
]
