"""The weights that are stepped, and how much of them a run takes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lionkit_lab.errors import UsageError, nearest

ITEMSIZE = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2}
"""Bytes of an element, for every dtype there is a case for."""


@dataclass(frozen=True)
class Case:
    """The weights of one model.

    Attributes:
        name: What ``--case`` calls it.
        num_tensors: How many parameters, at least 1.
        numel: Elements of each, at least 1.
        dtype: Of weights and gradients, a key of `ITEMSIZE`.
        columns: Of each as a matrix, a divisor of ``numel``; None: they are vectors.
    """

    name: str
    num_tensors: int
    numel: int
    dtype: str = "float32"
    columns: int | None = None

    def __str__(self) -> str:
        return f"{self.dtype}, {self.num_tensors:,} x {' x '.join(f'{size:,}' for size in self.shape)}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each tensor."""
        return (self.numel // self.columns, self.columns) if self.columns else (self.numel,)

    @property
    def is_one_vector(self) -> bool:
        """Whether it is a point of the curve of time over size: float32, and one tensor."""
        return self.num_tensors == 1 and self.columns is None and self.dtype == "float32"

    @property
    def num_params(self) -> int:
        """Elements of all tensors together."""
        return self.num_tensors * self.numel

    @property
    def num_bytes(self) -> int:
        """Bytes of all weights together."""
        return self.num_params * ITEMSIZE[self.dtype]


@dataclass(frozen=True)
class Effort:
    """How much a run measures.

    Attributes:
        cases: Their names.
        seconds: What the rounds of a case should take together; setting up and compiling come on top.
        min_rounds: Rounds that are taken however long they last.
        peers: Whether slow contenders take part.
    """

    cases: tuple[str, ...]
    seconds: float
    min_rounds: int
    peers: bool = True


_CASES = {
    case.name: case
    for case in (
        Case("large", 1, 2**26),
        Case("many", 2_000, 1_000),
        Case("bfloat16", 1, 2**26, "bfloat16"),
        *(Case(f"1e{k}", 1, 10**k) for k in (4, 5, 6, 7, 8)),
        Case("2e8", 1, 2 * 10**8),
        Case("many-bfloat16", 2_000, 1_000, "bfloat16"),
        Case("float16", 1, 2**26, "float16"),
        Case("float64", 1, 2**26, "float64"),
        Case("matrices", 12, 64 * 512, columns=512),
        Case("large-matrices", 2, 1024 * 1024, columns=1024),
    )
}
_MAIN = ("large", "many", "bfloat16")
EFFORTS = {
    "quick": Effort(_MAIN, seconds=5, min_rounds=5, peers=False),
    "default": Effort((*_MAIN, "1e4", "1e5", "1e6", "1e7"), seconds=60, min_rounds=9),
    "full": Effort(tuple(_CASES), seconds=90, min_rounds=9),
}


def find_cases(names: Sequence[str]) -> list[Case]:
    """Find cases by name.

    Args:
        names: Of known cases, or of others: ``bfloat16,10x4096`` is ten tensors of 4096 elements,
            ``float32,12x64x512`` twelve matrices of 64 rows.

    Raises:
        UsageError: A name is neither.
    """
    return [_CASES.get(name) or _parsed(name, _CASES) for name in dict.fromkeys(names)]


def _parsed(name: str, known: Iterable[str]) -> Case:
    found = re.fullmatch(r"(\w+),([1-9]\d*)x([1-9]\d*)(?:x([1-9]\d*))?", name)
    if found is None or found[1] not in ITEMSIZE:
        raise UsageError(
            f'case "{name}" is not known{nearest(name, known)}; known: {", ".join(known)}, and any such as '
            f"bfloat16,10x4096 or float32,12x64x512 of {', '.join(ITEMSIZE)}"
        )
    rows, columns = int(found[3]), int(found[4] or 0)
    return Case(name, int(found[2]), rows * (columns or 1), found[1], columns or None)
