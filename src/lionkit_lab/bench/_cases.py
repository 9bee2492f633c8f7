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
    """

    name: str
    num_tensors: int
    numel: int
    dtype: str = "float32"

    def __str__(self) -> str:
        return f"{self.dtype}, {self.num_tensors:,} x {self.numel:,}"

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
        names: Of known cases, or of others: ``bfloat16,10x4096`` is ten tensors of 4096 elements.

    Raises:
        UsageError: A name is neither.
    """
    return [_CASES.get(name) or _parsed(name, _CASES) for name in dict.fromkeys(names)]


def _parsed(name: str, known: Iterable[str]) -> Case:
    found = re.fullmatch(r"(\w+),([1-9]\d*)x([1-9]\d*)", name)
    if found is None or found[1] not in ITEMSIZE:
        raise UsageError(
            f'case "{name}" is not known{nearest(name, known)}; known: {", ".join(known)}, and any such as '
            f"bfloat16,10x4096 of {', '.join(ITEMSIZE)}"
        )
    return Case(name, int(found[2]), int(found[3]), found[1])
