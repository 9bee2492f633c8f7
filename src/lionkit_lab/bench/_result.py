"""What was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lionkit_lab.bench._cases import Case

STREAMING = "streaming"


@dataclass(frozen=True)
class Row:
    """One contender in one case. Numbers are None where it did not step, and where they cannot be measured.

    Attributes:
        contender: Its name.
        version: Of its package; empty where that is missing.
        status: "measured", "missing" (not installed) or "refused" (cannot step these weights).
        reason: Why it was refused, or how the missing one is installed; one line.
        group: Which of the groups that fit into memory together, from 1; ratios are taken within it.
        rounds: How many were measured.
        ns_per_param: Median time of a step.
        ns_lower: Its lower quartile.
        ns_upper: Its upper quartile.
        ratio_to_adamw: Median over the baseline's.
        bytes_per_param: What the update must move.
        gb_per_second: At that time.
        share_of_streaming: Of the bandwidth of an in-place multiply.
        state_bytes_per_param: Of every tensor in the state.
        extra_bytes_per_param: What a step allocates at its peak beyond weights, gradients and state.
    """

    contender: str
    version: str
    status: str
    reason: str = ""
    group: int | None = None
    rounds: int | None = None
    ns_per_param: float | None = None
    ns_lower: float | None = None
    ns_upper: float | None = None
    ratio_to_adamw: float | None = None
    bytes_per_param: float | None = None
    gb_per_second: float | None = None
    share_of_streaming: float | None = None
    state_bytes_per_param: float | None = None
    extra_bytes_per_param: float | None = None


@dataclass(frozen=True)
class Result:
    """One case, measured."""

    case: Case
    rows: Sequence[Row]

    def row(self, contender: str) -> Row | None:
        """Return the contender's row where it was measured."""
        return next((row for row in self.rows if row.contender == contender and row.status == "measured"), None)
