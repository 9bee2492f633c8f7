"""Virtual workers against processes, to the bit, and against themselves."""

import pytest
import torch
from torch import nn
from voting import SETTINGS, train
from voting_processes import run
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit.distributed import Mean, SignOfMean, UnbiasedVote, VirtualWorkers, Vote, decide

CASES = [
    ((Vote(), 50), {}),
    ((Mean(), 30), {"dtype": torch.bfloat16, "momentum_dtype": "float32"}),
    ((SignOfMean(), 20), {"dtype": torch.float64}),
    ((UnbiasedVote(0.5), 20), {"seed": 3}),
    ((UnbiasedVote(0.5, answer="unbiased"), 20), {"seed": 3}),
]


def _processes(rank):
    return [train(rank, *args, **options) for args, options in CASES]


def gradients(net, num_workers, step, dtype):
    """The gradients of every worker, one after the other, and who has one."""
    grads = {param: torch.zeros(num_workers, *param.shape, dtype=dtype) for param in net.parameters()}
    present = {param: torch.zeros(num_workers, dtype=torch.bool) for param in net.parameters()}
    for rank in range(num_workers):
        net.zero_grad()
        loss_of(net, batch_of(rank, step, dtype=dtype)).backward()
        for param in net.parameters():
            if param.grad is not None:
                grads[param][rank], present[param][rank] = param.grad, True
    net.zero_grad()
    return {param: grads[param] for param in grads if present[param].any()}, present


def test_they_are_four_processes_to_the_bit():
    found = run(_processes, 4)
    for number, ((mode, steps), options) in enumerate(CASES):
        dtype = options.get("dtype", torch.float32)
        net = make_net(dtype)
        plain = {name: value for name, value in options.items() if name != "dtype"}
        optimizer = lionkit.Lion(net.parameters(), **SETTINGS, **plain)
        workers = VirtualWorkers(optimizer, 4, mode)
        for step in range(steps):
            workers.vote(*gradients(net, 4, step, dtype))
            optimizer.step()
        for rank in range(4):
            for name, param in net.named_parameters():
                assert param.detach().equal(found[rank][number][0][name]), (mode, name)


@pytest.mark.parametrize("mode", [Vote(), Mean(), SignOfMean()], ids=repr)
def test_one_virtual_worker_is_lion(mode):
    ours, theirs = nn.Parameter(torch.randn(30, 7)), None
    theirs = nn.Parameter(ours.detach().clone())
    first, second = lionkit.Lion([ours], **SETTINGS), lionkit.Lion([theirs], **SETTINGS)
    workers = VirtualWorkers(first, 1, mode)
    for _ in range(20):
        grad = torch.randn(1, 30, 7)
        workers.vote({ours: grad})
        theirs.grad = grad[0]
        first.step()
        second.step()
        assert ours.equal(theirs)


def test_a_thousand_workers_agree_with_the_sign_of_their_sum():
    votes = torch.randn(1024, 501).sign()
    assert decide(Vote(), votes).equal(votes.sum(0).sign())
    assert decide(Mean(), votes).equal(votes.sum(0) / 1024)
    votes[torch.rand(1024, 501) < 0.1] = 0.0
    assert decide(Vote(), votes).equal(votes.sum(0).sign())
    assert decide(Mean(), votes).equal(votes.sum(0) / 1024)


def test_unbiased_votes_are_right_on_average():
    """Over 4000 draws, within five standard deviations; and beyond the bound as at it."""
    c = torch.tensor([-3.0, -0.5, 0.0, 0.2, 0.9, 7.0])
    mode = UnbiasedVote(2.0)
    drawn = torch.stack([mode.vote(c, lambda: torch.randint(0, 2**32, (6,))) for _ in range(4000)])
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    mean = (c / 2).clamp(-1, 1)
    assert ((drawn.mean(0) - mean).abs() <= 5 * ((1 - mean**2) / 4000).sqrt() + 1e-9).all()
    votes = torch.tensor([[1.0, 1.0, -1.0]] * 3 + [[1.0, -1.0, -1.0]])
    answers = torch.stack(
        [decide(UnbiasedVote(1.0, "unbiased"), votes, noise=lambda: torch.randint(0, 2**32, (3,))) for _ in range(4000)]
    )
    assert answers[:, 0].eq(1).all()
    assert answers[:, 2].eq(-1).all()
    assert answers[:, 1].mean().item() == pytest.approx(0.5, abs=5 * (0.75 / 4000) ** 0.5)


@pytest.mark.parametrize("mode", [Vote(), Mean(), UnbiasedVote(1.0)], ids=repr)
def test_what_is_not_a_number_stays_none(mode):
    votes = torch.ones(3, 40)
    votes[1, 17] = torch.nan
    assert decide(mode, votes).isnan().nonzero().flatten().tolist() == [17]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda o, w: VirtualWorkers(o, 0), r"Invalid num_workers: 0, it must be an integer in \[1, 16383\]"),
        (lambda o, w: VirtualWorkers(o, 2, "vote"), "Invalid mode: 'vote', it must be a lionkit.distributed.Mode"),
        (
            lambda o, w: VirtualWorkers(o, 2).vote({w: torch.zeros(3, 4, 5)}),
            r"Invalid grads: their shape is \(3, 4, 5\), it must be \(2, 4, 5\)",
        ),
        (
            lambda o, w: VirtualWorkers(lionkit.Lion([nn.Parameter(torch.zeros(4096))], momentum_dtype="int8"), 2),
            "Invalid momentum_dtype: 'int8', it must be None, 'float32' or 'bfloat16' here",
        ),
    ],
)
def test_what_does_not_fit_is_refused(act, message):
    weight = nn.Parameter(torch.zeros(4, 5))
    with pytest.raises(ValueError, match=f"^{message}"):
        act(lionkit.Lion([weight], lr=0.1), weight)


def test_a_step_without_a_vote_is_refused():
    weight = nn.Parameter(torch.zeros(4, 5))
    optimizer = lionkit.Lion([weight], lr=0.1)
    workers = VirtualWorkers(optimizer, 2)
    workers.vote({weight: torch.ones(2, 4, 5)})
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"^no vote on a parameter of shape \(4, 5\) since the last step"):
        optimizer.step()


def test_a_state_goes_both_ways():
    """What an agreement is written down as does not keep a state from a Lion on one process."""
    weight = nn.Parameter(torch.zeros(4, 5))
    optimizer = lionkit.Lion([weight], lr=0.1)
    VirtualWorkers(optimizer, 2, Mean())
    state = optimizer.state_dict()
    assert state["param_groups"][0]["agreement"] == "Mean()"
    alone = lionkit.Lion([nn.Parameter(torch.zeros(4, 5))], lr=0.2)
    alone.load_state_dict(state)
    assert alone.param_groups[0]["agreement"] is None
    optimizer.load_state_dict(alone.state_dict())
    assert repr(optimizer.param_groups[0]["agreement"]) == "Mean()"
