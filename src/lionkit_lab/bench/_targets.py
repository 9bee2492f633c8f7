"""What this library is to reach, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lionkit_lab.bench._contenders import BASELINE, CONTENDERS, MUON, TORCH_MUON
from lionkit_lab.bench._result import Result, Row

Measured = Callable[[Sequence[Result]], float | None]
_FLAT_FROM = 10**6  # parameters: twelve megabytes in float32, which the other contenders sweep out of the cache


@dataclass(frozen=True)
class Target:
    """One promise.

    Attributes:
        work: What is done.
        against: What it is set beside, and in which unit.
        at_most: The promise.
        measured: Finds the figure; None where its case was not measured.
    """

    work: str
    against: str
    at_most: float
    measured: Measured


def _row(results: Sequence[Result], case: str, contender: str) -> Row | None:
    return next((result.row(contender) for result in results if result.case.name == case), None)


def _time(case: str, contender: str, against: str) -> Measured:
    def measured(results: Sequence[Result]) -> float | None:
        # Through the baseline of each: they may have been measured in different groups.
        ratios = [row and row.ratio_to_adamw for row in (_row(results, case, name) for name in (contender, against))]
        return ratios[0] / ratios[1] if ratios[0] and ratios[1] else None

    return measured


def _streaming(case: str, contender: str) -> Measured:
    def measured(results: Sequence[Result]) -> float | None:
        row = _row(results, case, contender)
        return 1 / row.share_of_streaming if row and row.share_of_streaming else None

    return measured


def _state(case: str, contender: str) -> Measured:
    def measured(results: Sequence[Result]) -> float | None:
        row = _row(results, case, contender)
        return row and row.state_bytes_per_param

    return measured


def _flatness(results: Sequence[Result]) -> float | None:
    single = [result for result in results if result.case.is_one_vector]
    rows = [result.row("lionkit") for result in single if result.case.numel >= _FLAT_FROM]
    times = [row.ns_per_param for row in rows if row and row.ns_per_param]
    return max(times) / min(times) if len(times) > 1 else None


def _extra(case: str) -> Measured:
    def measured(results: Sequence[Result]) -> float | None:
        rows = [_row(results, case, name) for name, contender in CONTENDERS.items() if contender.native]
        extras = [row.extra_bytes_per_param for row in rows if row and row.extra_bytes_per_param is not None]
        return max(extras, default=None)

    return measured


_LARGE, _MANY, _BF16 = "float32, one tensor of 67 M", "float32, 2,000 tensors of 1,000", "bfloat16 weights"
TARGETS = (
    Target(_LARGE, BASELINE, 0.75, _time("large", "lionkit", BASELINE)),
    Target(_LARGE, "streaming, per byte", 1.10, _streaming("large", "lionkit")),
    Target(_MANY, BASELINE, 0.20, _time("many", "lionkit", BASELINE)),
    Target(_MANY, "lion-pytorch", 0.08, _time("many", "lionkit", "lion-pytorch")),
    Target("bfloat16 momentum, 67 M", BASELINE, 0.60, _time("large", "lionkit, bfloat16 momentum", BASELINE)),
    Target("int8 momentum, 67 M", BASELINE, 0.60, _time("large", "lionkit, int8 momentum", BASELINE)),
    Target(f"{_BF16}, int8 momentum, 67 M", BASELINE, 0.50, _time("bfloat16", "lionkit, int8 momentum", BASELINE)),
    Target("statistics on, 67 M", "off", 1.10, _time("large", "lionkit, statistics", "lionkit")),
    Target("12 matrices of 64 x 512", TORCH_MUON, 1.0, _time("matrices", MUON, TORCH_MUON)),
    Target("2 matrices of 1024 x 1024", TORCH_MUON, 1.0, _time("large-matrices", MUON, TORCH_MUON)),
    Target("time a parameter, 1e6 and more", "its least", 1.30, _flatness),
    Target("float32 momentum", "bytes of state", 4.0, _state("large", "lionkit")),
    Target("bfloat16 momentum", "bytes of state", 2.0, _state("large", "lionkit, bfloat16 momentum")),
    Target("int8 momentum", "bytes of state", 1.02, _state("large", "lionkit, int8 momentum")),
    Target("int4 momentum", "bytes of state", 0.53, _state("large", "lionkit, int4 momentum")),
    # A buffer of the parameter's size would be half a byte at the very least.
    Target(f"any momentum, {_LARGE}", "extra bytes of a step", 0.05, _extra("large")),
    Target(f"any momentum, {_BF16}", "extra bytes of a step", 0.05, _extra("bfloat16")),
)
