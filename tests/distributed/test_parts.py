"""A bucket so large that it is voted on in parts is decided as one."""

import pytest
import torch
import torch.distributed as dist
from voting_processes import run

from lionkit.distributed import Mean, SignOfMean, UnbiasedVote, Vote, decide
from lionkit.distributed._code import num_parts
from lionkit.distributed._exchange import Ballot, Exchange
from lionkit.kappa import L1

NUMEL = 3 * 2**20 + 17
WORDS = torch.randint(2**32, (NUMEL,), generator=torch.Generator().manual_seed(9))


def votes_of(mode, rank):
    generator = torch.Generator().manual_seed(rank)
    votes = torch.randn(NUMEL, generator=generator)
    if mode.sends_values:
        return votes
    votes.sign_()
    votes[-9:] = 0.0  # in the last part alone
    return votes


def words(begin, end):
    share = torch.zeros(end - begin, dtype=torch.int64)
    share[: max(0, NUMEL - begin)] = WORDS[begin:end]
    return share


def _decided(rank, modes):
    exchange = Exchange(dist.new_group(), dist.new_group())
    ballots = [Ballot(mode, L1(), votes_of(mode, rank), words) for mode in modes]
    return [future.wait() for future in [exchange.decide(ballot) for ballot in ballots]], exchange.traffic


def test_parts_make_the_decision_of_the_whole():
    modes = [Vote(), Mean(), UnbiasedVote(2.0), UnbiasedVote(2.0, answer="unbiased"), SignOfMean()]
    assert num_parts(NUMEL, 2) == 3
    for found, traffic in run(_decided, 2, modes):
        for mode, decided in zip(modes, found, strict=True):
            votes = torch.stack([votes_of(mode, rank) for rank in range(2)])
            expected = decide(mode, votes, kappa=L1(), noise=lambda: WORDS)
            assert decided.equal(expected), mode
        assert (traffic.num_votes, traffic.coordinates) == (len(modes), len(modes) * NUMEL)


def test_only_the_part_with_a_zero_pays_for_it():
    for _, traffic in run(_decided, 2, [Vote()]):
        assert traffic.bits == pytest.approx(1 + 1.6 + 1 / 3, rel=1e-3)
