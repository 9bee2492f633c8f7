"""Read the pickles of the CIFAR archives, in which nothing but numbers and names may stand."""

import io
import math
import pickle
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from lionkit_lab.errors import RunError


def load_pickle(path: Path, content: bytes) -> dict[bytes, Any]:
    """Read a pickled dict of byte strings, lists, numbers and arrays of bytes, as Python 2 wrote them.

    Arrays become tensors without numpy's own reader, and any other class or function that the pickle names is refused
    before it is looked up: a pickle could otherwise run whatever it likes.

    Args:
        path: Where it comes from, for the error.
        content: The pickle.

    Raises:
        RunError: It is damaged, or names something else.
    """
    try:
        loaded = _unwrapped(_Reader(io.BytesIO(content), encoding="bytes").load())
    except Exception as error:  # A damaged pickle can raise any of a dozen classes.
        raise RunError(f"data file {path}: does not unpickle ({error}); expected a batch of CIFAR") from error
    if not isinstance(loaded, dict):
        raise RunError(f"data file {path}: found a pickled {type(loaded).__name__}; expected a dict")
    return loaded


class _Array:
    """Stands in for a numpy array: takes its state, and makes a tensor of it."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, dtype, self.by_column, self.content = state
        if dtype.name not in (b"u1", "u1"):
            raise pickle.UnpicklingError(f"found an array of {dtype.name}; expected u1")
        if len(self.content) != math.prod(self.shape):
            raise pickle.UnpicklingError(f"found {len(self.content)} bytes of an array {self.shape}")

    def tensor(self) -> Tensor:
        # bytearray: torch warns about a buffer that it may not write to.
        flat = torch.frombuffer(bytearray(self.content), dtype=torch.uint8)
        return flat.reshape(self.shape[::-1]).T.contiguous() if self.by_column else flat.reshape(self.shape)


class _DType:
    def __init__(self, name: bytes | str, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Ignore it: bytes have no order."""


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, _encoding: Any = None) -> bytes:
    return text.encode("latin1")  # How Python 3 writes bytes into a pickle that Python 2 can read.


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _ALLOWED.get((module, name)) or _refuse(module, name)


def _refuse(module: str, name: str) -> NoReturn:
    raise pickle.UnpicklingError(f"it names {module}.{name}, which is not allowed")


def _unwrapped(loaded: Any) -> Any:
    if not isinstance(loaded, dict):
        return loaded
    return {key: value.tensor() if isinstance(value, _Array) else value for key, value in loaded.items()}
