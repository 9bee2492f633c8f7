"""Processes that vote, to the bit: against Algorithm 1 in one process, against Lion, and against each other."""

import algorithm1
import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from voting import SETTINGS, assert_same, train, wrapped
from voting_processes import run
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit.distributed import Mean, SignOfMean, UnbiasedVote, Vote, agree, wire_bits

SERVERS = {Vote(): algorithm1.majority, Mean(): algorithm1.average}


def _many(rank, cases):
    return [train(rank, *args, **options) for args, options in cases]


CASES = [
    ((Vote(), 60), {"micros": 2, "foreach": False}),
    ((Mean(), 40), {"foreach": False, "ddp": (("gradient_as_bucket_view", True),)}),
    ((Vote(), 20), {"foreach": False, "dtype": torch.float64}),
    ((Vote(), 20), {"foreach": False, "make": lionkit.LionK, "kappa": lionkit.kappa.TruncatedL1(0.02)}),
]


def assert_algorithm1(found, workers, cases):
    for number, ((mode, steps), options) in enumerate(cases):
        net = make_net(options.get("dtype", torch.float32))
        start = {name: param.detach().clone() for name, param in net.named_parameters()}
        kappa = options.get("kappa", lionkit.kappa.L1())
        momenta = algorithm1.train(
            net, workers, steps, micros=options.get("micros", 1), server=SERVERS[mode], sign=kappa.gradient, **SETTINGS
        )
        expected = {name: param.detach() for name, param in net.named_parameters()}
        for rank in range(workers):
            weights, own, _ = found[rank][number]
            assert_same(weights, expected)
            for name in own:
                assert own[name] is None if name.startswith("never") else own[name].equal(momenta[rank][name])
            assert weights["never.weight"].equal(start["never.weight"])
            # A row without a gradient has the direction 0: it shrinks, and does not move.
            shrunk = start["embedding.weight"][-3:] * (1 - SETTINGS["lr"] * SETTINGS["weight_decay"]) ** steps
            torch.testing.assert_close(weights["embedding.weight"][-3:], shrunk, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_processes_are_algorithm_1_to_the_bit(workers):
    """With accumulation, batches of uneven size, buckets of odd sizes and parameters without gradients."""
    assert_algorithm1(run(_many, workers, CASES), workers, CASES)


@pytest.mark.slow
def test_four_processes_over_500_steps():
    cases = [((Vote(), 500), {"micros": 2, "foreach": False})]
    assert_algorithm1(run(_many, 4, cases), 4, cases)


def _one(rank, options):
    return train(rank, Vote(), 50, **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"weight_decay_mode": "cautious"}, {"dtype": torch.bfloat16, "weight_rounding": "kahan"}, {"maximize": True}],
    ids=str,
)
def test_one_worker_is_lion_to_the_bit(options):
    ((weights, momenta, traffic),) = run(_one, 1, options)
    net = make_net(options.get("dtype", torch.float32))
    plain = {name: value for name, value in options.items() if name != "dtype"}
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS, **plain)
    for step in range(50):
        optimizer.zero_grad()
        loss_of(net, batch_of(0, step, dtype=options.get("dtype", torch.float32))).backward()
        optimizer.step()
    assert_same(weights, {name: param.detach() for name, param in net.named_parameters()})
    for name, param in net.named_parameters():
        assert (
            momenta[name] is None
            if param not in optimizer.state
            else momenta[name].equal(optimizer.state[param]["exp_avg"])
        )
    assert traffic.up == traffic.down == 0


FURTHER = [
    ((Vote(), 60), {"momentum_dtype": "int8"}),
    ((Vote(), 60), {"dtype": torch.bfloat16, "weight_rounding": "stochastic", "seed": 3}),
    ((Mean(), 60), {"dtype": torch.bfloat16, "weight_decay_mode": "absolute"}),
    ((SignOfMean(), 60), {}),
    ((UnbiasedVote(0.5), 60), {"seed": 3}),
]


def test_ranks_keep_the_same_bits():
    for one, other in zip(*run(_many, 2, FURTHER), strict=True):
        assert_same(one[0], other[0])


def _counted(rank):
    torch.manual_seed(3)
    model = wrapped(nn.Linear(500, 401), find_unused_parameters=False, bucket_cap_mb=25)
    optimizer = lionkit.Lion(model.parameters(), **SETTINGS)
    found = {}
    for mode in (Vote(), Mean()):
        for group in optimizer.param_groups:
            group["agreement"] = None
        model = DistributedDataParallel(model.module)
        workers = agree(model, optimizer, mode)
        for step in range(3):
            optimizer.zero_grad()
            generator = torch.Generator().manual_seed(100 * step + rank)
            model(torch.randn(8, 500, generator=generator)).square().sum().backward()
            optimizer.step()
        found[mode] = workers.traffic
    return found


@pytest.mark.parametrize(
    ("workers", "bits"), [(3, {Vote(): 2.0, Mean(): 3.0}), (4, {Vote(): 2.6, Mean(): 1 + 8 / 3})], ids=str
)
def test_bytes_on_the_wire(workers, bits):
    """What the collectives were handed: at most a 15th of a float32 all-reduce, and of a vote nearly a 30th."""
    for found in run(_counted, workers):
        for mode, expected in bits.items():
            traffic = found[mode]
            assert traffic.coordinates == 3 * 401 * 501
            assert traffic.bits == pytest.approx(expected, rel=1e-3)
            assert traffic.times_less == pytest.approx(64 / expected, rel=1e-3)
            assert traffic.times_less > 15
            assert sum(wire_bits(mode, workers)) == pytest.approx(expected)
