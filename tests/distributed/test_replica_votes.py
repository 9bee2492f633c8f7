"""Replicas that are cut and vote, to the bit: against Algorithm 1 in one process, DDP's votes, and each other."""

import algorithm1
import pytest
import torch
from replica_voting import Large, counted, early, gradients, make, many, mixed, narrow, resumed
from voting import SETTINGS, assert_same
from voting_processes import run

import lionkit
from lionkit.distributed import Mean, SignOfMean, UnbiasedVote, Vote

SERVERS = {Vote(): algorithm1.majority, Mean(): algorithm1.average}
REFERENCE = {"foreach": False}

ALGORITHM_1 = [
    (((2, 2), Vote(), 30), {"micros": 2, **REFERENCE}),
    (((2, 2), Mean(), 15), {"dtype": torch.float64, **REFERENCE}),
    (((2, 2), Vote(), 15), {"make_optimizer": lionkit.LionK, "kappa": lionkit.kappa.TruncatedL1(0.02), **REFERENCE}),
    (((4, 1), Mean(), 10), REFERENCE),
]
ONE_REPLICA = [(((1, 2), Vote(), 15), {"micros": 2, **REFERENCE})]
# All members of a replica have the same batches: their mean is each one's, and the replicas are DDP's workers.
LIKE_DDP = [
    ((Vote(), 12), {}),
    ((Vote(), 12), {"momentum_dtype": "int8", "seed": 3, **REFERENCE}),
    ((Vote(), 12), {"momentum_dtype": "bfloat16", "momentum_init": "gradient", "maximize": True}),
    ((SignOfMean(), 12), {"weight_decay_mode": "cautious"}),
    ((UnbiasedVote(0.5), 12), {"seed": 3}),
    ((UnbiasedVote(0.5, answer="unbiased"), 12), {"seed": 4}),
    ((Mean(), 12), {"dtype": torch.bfloat16, "weight_rounding": "stochastic", "seed": 3, **REFERENCE}),
]


def like_ddp(shape):
    return [((shape, *args), {"kind": Large, "same": True, **options}) for args, options in LIKE_DDP]


def _everything(rank, folder):
    cases = ALGORITHM_1 + like_ddp((2, 2))
    return counted(rank), early(rank), narrow(rank), mixed(rank), resumed(rank, folder), many(rank, cases)


@pytest.fixture(scope="module")
def found_by_four(tmp_path_factory):
    return run(_everything, 4, tmp_path_factory.mktemp("checkpoints"), seconds=120)


@pytest.fixture
def four(found_by_four):
    return [found for *_, found in found_by_four]


@pytest.fixture(scope="module")
def two():
    return run(many, 2, like_ddp(None) + like_ddp((2, 1)) + ONE_REPLICA, seconds=120)


def assert_algorithm1(found, case):
    ((replicas, shards), mode, steps), options = case
    net = make(dtype=options.get("dtype", torch.float32))
    start = {name: param.detach().clone() for name, param in net.named_parameters()}
    momenta = algorithm1.train(
        net,
        replicas,
        steps,
        micros=options.get("micros", 1),
        server=SERVERS[mode],
        sign=options.get("kappa", lionkit.kappa.L1()).gradient,
        gradients=gradients(shards),
        **SETTINGS,
    )
    expected = {name: param.detach() for name, param in net.named_parameters()}
    for rank, (weights, own, _) in enumerate(found):
        assert_same(weights, expected)
        assert weights["never.weight"].equal(start["never.weight"])
        assert not weights["sometimes.weight"].equal(start["sometimes.weight"])
        for name in own:
            assert own[name] is None if name.startswith("never") else own[name].equal(momenta[rank // shards][name])


@pytest.mark.parametrize("number", range(len(ALGORITHM_1)), ids=[str(case) for case in ALGORITHM_1])
def test_replicas_are_algorithm_1_to_the_bit(four, number):
    """Of odd sizes and shards without an element, with accumulation, and gradients that one or all do not have."""
    assert_algorithm1([found[number] for found in four], ALGORITHM_1[number])


def test_one_replica_is_algorithm_1_of_one_worker(two):
    found = [found[-1] for found in two]
    assert_algorithm1(found, ONE_REPLICA[0])
    for _, _, traffic in found:
        assert traffic.up == traffic.down == 0


@pytest.mark.parametrize("number", range(len(LIKE_DDP)), ids=[str(case) for case in LIKE_DDP])
def test_they_vote_as_the_workers_of_a_ddp(two, four, number):
    """With codes, noise and a layer that is called twice; cut or in one piece."""
    for rank in range(2):
        weights, momenta, traffic = two[rank][number]
        one_piece = two[rank][len(LIKE_DDP) + number]
        halves = four[2 * rank][len(ALGORITHM_1) + number]
        assert_same(one_piece[0], weights)
        assert_same(halves[0], weights)
        for name, momentum in momenta.items():
            if momentum is not None:
                assert one_piece[1][name].equal(momentum), name
                assert halves[1][name].equal(momentum), name
        assert one_piece[2].coordinates == traffic.coordinates


def test_bytes_on_the_wire(found_by_four):
    """Of two replicas a vote costs 1 bit there and 1.6 back, for each number of a shard."""
    for traffic, *_ in found_by_four:
        assert traffic.coordinates == 3 * 400 * 501 // 2
        assert traffic.bits == pytest.approx(2.6, rel=1e-2)
        assert traffic.times_less > 15


def test_votes_leave_while_the_backward_pass_goes_on(found_by_four):
    for _, left, *_ in found_by_four:
        assert len(left) == 3
        assert min(left) > 0


def test_processes_without_a_number_of_the_weights(found_by_four):
    first, *others = [weights for _, _, weights, *_ in found_by_four]
    for weights in others:
        assert all(map(torch.equal, weights, first))


def test_a_model_that_computes_in_another_precision(found_by_four):
    found = [found for _, _, _, found, *_ in found_by_four]
    for (raw, agreed), (other, same) in (found[::2], found[1::2]):
        assert_same(agreed, same)
        assert_same(agreed, {name: (raw[name].sign() + other[name].sign()).sign() for name in raw})
        assert {grad.dtype for grad in raw.values()} == {torch.float32}


def test_a_run_goes_on_from_a_checkpoint_of_each_replica(found_by_four):
    ends = [ends for *_, ends, _ in found_by_four]
    for (weights, momenta), (others, more) in ends:
        assert_same(others, weights)
        del momenta["never.weight"], momenta["never.bias"], more["never.weight"], more["never.bias"]
        assert_same(more, momenta)
    assert not ends[0][0][1]["wide.weight"].equal(ends[2][0][1]["wide.weight"])  # each has momenta of its own
