"""The step itself, once a backend: how the update reaches the hardware."""

from lionkit.kernels._bits import pack_digits as pack_digits
from lionkit.kernels._bits import pack_signs as pack_signs
from lionkit.kernels._bits import tally_signs as tally_signs
from lionkit.kernels._bits import unpack_digits as unpack_digits
from lionkit.kernels._bits_reference import NAN_VOTE as NAN_VOTE
from lionkit.kernels._foreach import foreach as foreach
from lionkit.kernels._mask import Mask as Mask
from lionkit.kernels._native import native as native
from lionkit.kernels._native import refusal as refusal
from lionkit.kernels._noise import step_key as step_key
from lionkit.kernels._noise import words as words
from lionkit.kernels._reference import reference as reference
from lionkit.kernels._rounding import WeightRounding as WeightRounding
from lionkit.kernels._rounding import round_kahan as round_kahan
from lionkit.kernels._rounding import round_stochastic as round_stochastic
from lionkit.kernels._schema import Backend as Backend
from lionkit.kernels._schema import Geometry as Geometry
from lionkit.kernels._schema import digits_per_byte as digits_per_byte
from lionkit.kernels._select import describe as describe
from lionkit.kernels._select import select as select
from lionkit.kernels._statistics import SUMS as SUMS
from lionkit.kernels._statistics import merge as merge
from lionkit.kernels._statistics import statistics as statistics

__all__ = [
    "NAN_VOTE",
    "SUMS",
    "Backend",
    "Geometry",
    "Mask",
    "WeightRounding",
    "describe",
    "digits_per_byte",
    "foreach",
    "merge",
    "native",
    "pack_digits",
    "pack_signs",
    "reference",
    "refusal",
    "round_kahan",
    "round_stochastic",
    "select",
    "statistics",
    "step_key",
    "tally_signs",
    "unpack_digits",
    "words",
]
