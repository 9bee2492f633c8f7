"""The step itself, once a backend: how the update reaches the hardware."""

from lionkit.kernels._foreach import foreach as foreach
from lionkit.kernels._native import native as native
from lionkit.kernels._native import refusal as refusal
from lionkit.kernels._reference import reference as reference
from lionkit.kernels._schema import Backend as Backend
from lionkit.kernels._schema import Geometry as Geometry
from lionkit.kernels._select import describe as describe
from lionkit.kernels._select import select as select

__all__ = ["Backend", "Geometry", "describe", "foreach", "native", "reference", "refusal", "select"]
