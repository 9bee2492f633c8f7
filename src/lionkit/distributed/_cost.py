"""What a step costs on a network: pure functions of its latency and bandwidth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lionkit.distributed._code import bits_a_digit, num_parts
from lionkit.distributed._mode import Cast, Mode, ModeOfValues


@dataclass(frozen=True)
class Link:
    """The link of every worker, the same in both directions at once.

    Args:
        latency: Seconds from one worker to another, at least 0.
        bandwidth: Bytes a second, above 0: 12.5e6 is 100 Mbit/s.

    Raises:
        ValueError: a number is out of its range.
    """

    latency: float
    bandwidth: float

    def __post_init__(self) -> None:
        if not 0 <= self.latency < math.inf:
            raise ValueError(f"Invalid latency: {self.latency}, it must be finite and at least 0 seconds")
        if not self.bandwidth > 0:
            raise ValueError(f"Invalid bandwidth: {self.bandwidth}, it must be above 0 bytes a second")

    def rounds(self, workers: int, num_bytes: float) -> float:
        r"""Return the seconds of N - 1 rounds in which each worker sends :math:`n / N` bytes.

        .. math:: T = (N - 1)\,(\alpha + n / (N B))
        """
        return (workers - 1) * (self.latency + num_bytes / workers / self.bandwidth)


def wire_bits(mode: Mode, workers: int, *, zeros: bool = False, bits: int = 32) -> tuple[float, float]:
    """Return what a coordinate costs on the wire in bits, there and back.

    Args:
        mode: The rule of agreement.
        workers: How many vote.
        zeros: Whether some of them vote 0.
        bits: Of a gradient, where the mode sends values.

    Example:
        >>> from lionkit.distributed import Mean, Vote, wire_bits
        >>> wire_bits(Vote(), 3), wire_bits(Vote(), 4), wire_bits(Vote(), 4, zeros=True)
        ((1, 1.0), (1, 1.6), (2, 1.6))
        >>> [round(wire_bits(Mean(), workers)[1], 2) for workers in (2, 4, 8, 64)]
        [1.6, 2.67, 4.0, 8.0]
    """
    up = bits if isinstance(mode, ModeOfValues) else 1 + zeros
    return up, bits_a_digit(len(mode.table(Cast(workers, zeros=zeros))))


def vote_seconds(link: Link, workers: int, numel: int, mode: Mode, *, zeros: bool = False) -> float:
    r"""Return the seconds of a vote: all to all, and all gather, in p parts of :math:`2^{19} N` coordinates or more.

    .. math:: T = (N - 1)\,\bigl(2 p \alpha + d\,(b_\uparrow + b_\downarrow) / (8 N B)\bigr)

    and a third round of latencies where there are zeros.

    Args:
        link: Of every worker.
        workers: N, at least 1.
        numel: d, how many coordinates.
        mode: The rule of agreement.
        zeros: Whether some vote 0.
    """
    up, down = wire_bits(mode, workers, zeros=zeros)
    waits = (2 + zeros) * num_parts(numel, workers)
    alone = Link(0.0, link.bandwidth)
    return waits * link.rounds(workers, 0) + alone.rounds(workers, numel * (up + down) / 8)


def all_reduce_seconds(link: Link, workers: int, numel: int, *, bits: int = 32) -> float:
    r"""Return the seconds of a ring all-reduce: :math:`T = 2 (N - 1) (\alpha + d b / (8 N B))`.

    Args:
        link: Of every worker.
        workers: N, at least 1.
        numel: d, how many coordinates.
        bits: b, of a coordinate: 32, or 16 for bfloat16.
    """
    return 2 * link.rounds(workers, numel * bits / 8)


def power_sgd_seconds(link: Link, workers: int, shapes: Iterable[Sequence[int]], *, rank: int) -> float:
    """Return the seconds of PowerSGD: two factors of every matrix all-reduced, one after the other, and the rest whole.

    Args:
        link: Of every worker.
        workers: N, at least 1.
        shapes: Of the parameters; more than two dims are a matrix of the first by all others.
        rank: Of the factors; a matrix that these would not make smaller goes with the rest.
    """
    left = right = rest = 0
    for shape in shapes:
        rows, columns = (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (math.prod(shape), 1)
        if len(shape) > 1 and rank * (rows + columns) < rows * columns:
            left, right = left + rank * rows, right + rank * columns
        else:
            rest += rows * columns
    return sum(all_reduce_seconds(link, workers, numel) for numel in (rest, left, right) if numel)


def step_seconds(forward: float, backward: float, communication: float, *, buckets: int = 1) -> float:
    r"""Return the seconds of a step whose buckets travel while the backward pass makes the next.

    Of b equal buckets the k-th is ready at :math:`k B / b` and travels for :math:`C / b`, one after the other:

    .. math:: T = F + \max(B + C / b,\; B / b + C)

    Args:
        forward: F, seconds.
        backward: B, seconds.
        communication: C, seconds, of all buckets.
        buckets: b, at least 1; 1 is no overlap: the sum.

    Example:
        >>> step_seconds(1.0, 2.0, 3.0), step_seconds(1.0, 2.0, 3.0, buckets=4)
        (6.0, 4.5)
    """
    return forward + max(backward + communication / buckets, backward / buckets + communication)
