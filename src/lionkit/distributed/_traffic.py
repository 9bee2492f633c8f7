"""What went over the wire, counted where it was handed to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Traffic:
    """The bytes that this process has handed to others, since it began to count.

    Attributes:
        workers: How many processes vote.
        num_votes: How many buckets were voted on.
        coordinates: How many numbers these had.
        up: Bytes of votes sent to others.
        down: Bytes of decisions sent to others.
    """

    workers: int
    num_votes: int = 0
    coordinates: int = 0
    up: int = 0
    down: int = 0

    @property
    def bits(self) -> float:
        """What a coordinate costs in bits, there and back, as it would with ever more workers."""
        share = (self.workers - 1) / self.workers
        return 8 * (self.up + self.down) / (self.coordinates * share) if self.coordinates and share else 0.0

    @property
    def times_less(self) -> float:
        """How many times less this is than a float32 all-reduce of the same, which sends 2 (N - 1) / N times 4 bytes.

        >>> Traffic(workers=2, num_votes=1, coordinates=1000, up=63, down=100).times_less
        24.539877300613497
        """
        all_reduced = 8 * self.coordinates * (self.workers - 1) / self.workers
        return all_reduced / (self.up + self.down) if self.up + self.down else 1.0
