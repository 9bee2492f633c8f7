"""Named checks, run one after the other, and what they found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Report:
    """What was checked, and what does not hold; printed, a line for each.

    Attributes:
        subject: What was checked.
        passed: The names of the checks that hold.
        failed: The others, each with what it found.
    """

    subject: str
    passed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        failures = [f"FAILED {name}: {found}" for name, found in self.failed]
        total = len(self.passed) + len(self.failed)
        head = f"{self.subject}: {len(self.passed)} of {total} checks hold"
        return "\n".join([head, *(f"ok     {name}" for name in self.passed), *failures])


def run(subject: str, checks: Mapping[str, Callable[[], None]]) -> Report:
    """Run every check, whatever the ones before it found.

    Raises:
        AssertionError: with the report, where one does not hold or raises.
    """
    passed, failed = [], []
    for name, check in checks.items():
        try:
            check()
        except Exception as error:
            failed.append((name, f"{error}" if isinstance(error, AssertionError) else f"{error!r}"))
        else:
            passed.append(name)
    report = Report(subject, tuple(passed), tuple(failed))
    if failed:
        raise AssertionError(str(report))
    return report


def require(condition: bool | Tensor, message: str) -> None:
    """Raise where a condition does not hold; unlike ``assert``, with ``python -O`` too.

    Raises:
        AssertionError: with the message.
    """
    if not condition:
        raise AssertionError(message)


def require_same(ours: Tensor, theirs: Tensor, what: str) -> None:
    """Raise where two tensors differ in a bit, or in dtype; nan is nan."""
    require(ours.dtype == theirs.dtype, f"{what}: {ours.dtype} is not {theirs.dtype}")
    require(ours.shape == theirs.shape, f"{what}: shape {tuple(ours.shape)} is not {tuple(theirs.shape)}")
    differ = (ours != theirs) & ~(ours.isnan() & theirs.isnan())
    require(not differ.any(), f"{what}: {int(differ.sum())} of {differ.numel()} numbers differ")


def generator(seed: int) -> torch.Generator:
    """Return a source of random numbers on the CPU that leaves torch's own alone."""
    return torch.Generator().manual_seed(seed)
