"""The two rounds of a vote: each process decides its share of the coordinates, and all tell all."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.futures import Future

from lionkit.distributed._code import decode, encode, num_parts
from lionkit.distributed._errors import VoteError
from lionkit.distributed._lane import Lane
from lionkit.distributed._mode import Cast, Mode, ModeOfValues
from lionkit.distributed._roll_call import failure
from lionkit.distributed._traffic import Traffic
from lionkit.kappa import Kappa
from lionkit.kernels import pack_signs, tally_signs

SharedNoise = Callable[[int, int], Tensor]
"""Draws the words of coordinates [begin, end) of a bucket, the same on every worker."""

_ZEROS, _NANS = 1, 2
# torch 2.13 calls it all_gather_single; to be renamed with torch 2.12.
_all_gather = getattr(dist, "all_gather_single", dist.all_gather_into_tensor)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What is to be decided of a bucket.

    Attributes:
        mode: The rule.
        kappa: The geometry of the parameters in it.
        votes: What this worker sends: its votes or values, (numel,), contiguous; the decision is written over them.
        noise: For a mode whose answer is drawn.
    """

    mode: Mode
    kappa: Kappa
    votes: Tensor
    noise: SharedNoise

    def parts(self, workers: int) -> Iterator[Ballot]:
        """Yield ballots on parts of equal length, the last one apart, of whole bytes of every worker's share."""
        numel, share = len(self.votes), 8 * workers
        size = share * -(-numel // (share * num_parts(numel, workers))) or 1
        for begin in range(0, max(1, numel), size):
            yield replace(self, votes=self.votes[begin : begin + size], noise=_from(begin, self.noise))


def _from(start: int, noise: SharedNoise) -> SharedNoise:
    return lambda begin, end: noise(start + begin, start + end)


class Exchange:
    """Sends votes and decisions: two lanes, so that one part's decisions travel with the votes of the next.

    Args:
        up: The process group of the votes; nothing else may use it.
        down: The process group of the decisions, of the same processes.
    """

    def __init__(self, up: dist.ProcessGroup, down: dist.ProcessGroup) -> None:
        self._groups = up, down
        self._lanes = Lane("lionkit votes"), Lane("lionkit decisions")
        self._rank = dist.get_rank(up)
        self.traffic = Traffic(dist.get_world_size(up))
        self._failure: VoteError | None = None
        self._failing = threading.Lock()  # both lanes may fail what one future is of
        for lane in self._lanes:
            weakref.finalize(self, lane.close)

    def decide(self, ballot: Ballot) -> Future[Tensor]:
        """Return what will be decided, written over the votes; all workers call it in one order."""
        future: Future[Tensor] = Future()
        self.traffic.num_votes += 1
        self.traffic.coordinates += len(ballot.votes)
        *others, last = ballot.parts(self.traffic.workers)
        for part in others:
            self._submit(part, future, lambda: None)
        self._submit(last, future, lambda: future.set_result(ballot.votes))
        return future

    def _submit(self, ballot: Ballot, future: Future[Tensor], then: Callable[[], None]) -> None:
        """Decide a part of what a future is of, and do something then."""

        def vote() -> None:
            codes, table, per_row = self._collect(ballot)
            self._lanes[1].submit(self._guarded(future, lambda: tell(codes, table, per_row)))

        def tell(codes: Tensor, table: Tensor, per_row: int) -> None:
            gathered = codes.new_empty((self.traffic.workers, len(codes)))
            _all_gather(gathered.view(-1), codes, group=self._groups[1])
            self.traffic.down += (self.traffic.workers - 1) * len(codes)
            ballot.votes.copy_(decode(gathered, table, per_row, len(ballot.votes)))
            then()

        self._lanes[0].submit(self._guarded(future, vote))

    def gather(self, row: Tensor) -> Future[Tensor]:
        """Return what every worker has in a row of bytes, (workers, numel); in one order with the votes."""
        future: Future[Tensor] = Future()

        def tell() -> None:
            rows = row.new_empty((self.traffic.workers, len(row)))
            _all_gather(rows.view(-1), row, group=self._groups[0])
            self.traffic.up += (self.traffic.workers - 1) * row.nbytes
            future.set_result(rows)

        self._lanes[0].submit(self._guarded(future, tell))
        return future

    def _collect(self, ballot: Ballot) -> tuple[Tensor, Tensor, int]:
        """Return the codes of what this process decides, what their digits stand for, and how many a share has."""
        numel, workers = ballot.votes.numel(), self.traffic.workers
        num_bytes = -(-numel // (8 * workers))  # of a share's bits
        per_row = 8 * num_bytes
        if isinstance(ballot.mode, ModeOfValues):
            cast, digits = Cast(workers), ballot.mode.decide_values(self._values(ballot, per_row), ballot.kappa)
        else:
            cast, sums = self._tally(ballot, num_bytes)
            begin = self._rank * per_row
            digits = ballot.mode.decide(sums, cast, lambda: ballot.noise(begin, begin + per_row))
        table = torch.tensor(ballot.mode.table(cast), dtype=torch.float64).to(ballot.votes.dtype)
        return encode(digits, len(table)), table, per_row

    def _values(self, ballot: Ballot, per_row: int) -> Tensor:
        filled = ballot.votes.new_zeros((self.traffic.workers, per_row))
        filled.view(-1)[: ballot.votes.numel()] = ballot.votes
        return self._all_to_all(filled)

    def _tally(self, ballot: Ballot, num_bytes: int) -> tuple[Cast, Tensor]:
        """Exchange signs, and where anybody has other votes than 1 and -1 which these are."""
        workers = self.traffic.workers
        planes, others = pack_signs(ballot.votes, workers * num_bytes)
        zeros, nans = others.tolist()
        flag = (_ZEROS if zeros else 0) | (_NANS if nans else 0)
        signs, nonzeros = planes.view(2, workers, num_bytes)
        received = self._all_to_all(torch.cat([signs.new_full((workers, 1), flag), signs], dim=1))
        flags = received[:, 0].tolist()
        cast = Cast(workers, any(flag & _ZEROS for flag in flags), any(flag & _NANS for flag in flags))
        apart = self._all_to_all(nonzeros) if cast.zeros or cast.nans else None
        return cast, tally_signs(received[:, 1:].contiguous(), apart)

    def _all_to_all(self, rows: Tensor) -> Tensor:
        """Send row i to process i, and return the rows that all have sent here."""
        received = torch.empty_like(rows)
        dist.all_to_all_single(received, rows, group=self._groups[0])
        self.traffic.up += (self.traffic.workers - 1) * rows[0].nbytes
        return received

    def _guarded(self, future: Future[Any], job: Callable[[], None]) -> Callable[[], None]:
        """Let a job's failure be that of what it should have decided: it is raised where that is waited for."""

        def run() -> None:
            try:
                if self._failure is not None:  # of a vote before: others wait no more
                    raise self._failure
                job()
            except Exception as error:
                with self._failing:
                    self._fail(future, error)

        return run

    def _fail(self, future: Future[Any], error: Exception) -> None:
        """Fail a future, unless a part of it has; the first failure is that of all votes to come."""
        if self._failure is None:
            self._failure = failure(error, self._groups[0])
            self._failure.__cause__ = error
        if not future.done():
            future.set_exception(self._failure)
