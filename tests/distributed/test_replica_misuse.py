"""What replicas cannot do is refused on every process, in words, and nobody waits for the others."""

import pytest
import torch
from replica_misuse import MESSAGES, everything, voters
from replica_voting import loss_of
from voting import go_on_to_a_death
from voting_processes import run


@pytest.fixture(scope="module")
def found():
    return list(zip(*run(everything, 4, seconds=120), strict=True))


def test_what_cannot_vote_is_refused_on_every_process(found):
    for refused in found[0]:
        assert refused == {case.__name__: message for case, message in MESSAGES.items()}


def test_all_processes_must_vote(found):
    message = "Invalid replicas: 2 of 1 shard each, of 4 processes, they must be all of these"
    assert found[1] == (message, message, None, None)


def test_what_was_agreed_is_never_taken_for_a_gradient(found):
    for said in found[2]:
        assert said == {
            "forward": "a forward pass after a vote and before step(): its gradients would be added to what was "
            "agreed; accumulate inside of no_sync() or set_requires_gradient_sync(False), or drop the vote by "
            "zero_grad(), which must set gradients to None",
            "backward": "a second vote on twice.bias: neither step() nor a forward pass came after the first, so that "
            "gradients were added to what was agreed; one backward() a step votes",
        }


def test_a_divergence_stops_all_and_is_named(found):
    assert (
        found[3]
        == ((7, "rank 3 has diverged by step 8 after agree(): the first tensor that differs is wide.weight"),) * 4
    )


def _die(rank):
    model, optimizer = voters()
    return go_on_to_a_death(rank, optimizer, lambda step: loss_of(model, rank, rank // 2, step, 0, torch.float32))


def test_a_process_that_dies_is_named_by_those_who_voted_with_it():
    first, dead, third, fourth = run(_die, 4)
    assert dead is None
    for step, seconds, _ in (first, third, fourth):
        assert step == 3
        assert seconds < 25
    assert fourth[2].startswith("rank 3: a vote has failed: rank 1 does not answer (")
    assert third[2].startswith("rank 2: a vote has failed: rank 0 does not answer (")
