"""How workers fail each other."""

from __future__ import annotations

from collections.abc import Sequence


class VoteError(RuntimeError):
    """A vote has failed, mostly as a worker has ended.

    Attributes:
        ranks: Those that do not answer, in the whole job; none where all do, or nobody can tell.
    """

    def __init__(self, message: str, ranks: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.ranks = list(ranks)

    @property
    def absent(self) -> str:
        """Who does not answer, in words; empty where nobody is known not to."""
        return f"{named(self.ranks, 'does', 'do')} not answer" if self.ranks else ""


class DivergedWorkerError(RuntimeError):
    """A worker has other weights than most.

    Attributes:
        ranks: Those that have, in the group that was compared.
        tensor: The first that differs, as the model calls it.
    """

    def __init__(self, message: str, ranks: Sequence[int], tensor: str) -> None:
        super().__init__(message)
        self.ranks, self.tensor = list(ranks), tensor


def named(ranks: Sequence[int], one: str, several: str) -> str:
    """Return ranks with their verb.

    >>> named([2], "has", "have"), named([0, 3], "has", "have")
    ('rank 2 has', 'ranks 0, 3 have')
    """
    return f"rank {ranks[0]} {one}" if len(ranks) == 1 else f"ranks {', '.join(map(str, ranks))} {several}"
