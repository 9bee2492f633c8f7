"""Workers that diverge, die, or are used otherwise than was agreed."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from voting import SETTINGS, go_on_to_a_death, wrapped
from voting_processes import run
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit.distributed import DivergedWorkerError, Vote, agree
from lionkit.distributed._checksum import checksums, first_difference


def voters(check_every=None, **options):
    net = make_net()
    model = wrapped(net)
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS, **options)
    return net, model, optimizer, agree(model, optimizer, Vote(), check_every=check_every)


def refused(act):
    with pytest.raises(RuntimeError) as caught:
        act()
    return str(caught.value)


def _misuse(rank):
    dist.new_group([0])  # torch names groups by how many a process has
    _, model, optimizer, _ = voters()
    found = {}
    with model.no_sync():
        loss_of(model, batch_of(rank, 0)).backward()
    found["step without a vote"] = refused(optimizer.step)
    optimizer.zero_grad()
    loss_of(model, batch_of(rank, 0)).backward()
    found["two votes"] = refused(lambda: model(*batch_of(rank, 1)[::2]))
    with torch.no_grad():
        model(*batch_of(rank, 1)[::2])
    optimizer.step()  # an evaluation between the vote and the step is no matter
    optimizer.zero_grad()
    loss_of(model, batch_of(rank, 3)).backward()
    optimizer.zero_grad()  # a step that is skipped
    loss_of(model, batch_of(rank, 1)).backward()
    optimizer.step()
    optimizer.zero_grad()
    first, second = loss_of(model, batch_of(rank, 1)), loss_of(model, batch_of(rank, 4))
    first.backward()
    second.backward()
    found["two backward passes"] = refused(optimizer.step)
    optimizer.zero_grad()
    loss_of(model, batch_of(rank, 2)).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    found["clipped"] = refused(optimizer.step)
    optimizer.zero_grad()
    optimizer.observe()
    loss_of(model, batch_of(rank, 2)).backward()
    found["observed"] = refused(optimizer.step)
    with model.join():
        found["join"] = refused(lambda: loss_of(model, batch_of(rank, 2)))
    return found


def test_what_was_agreed_is_never_taken_for_a_gradient():
    changed = (
        "the gradient of embedding.weight is no longer what was agreed: it was changed, or another backward() has "
        "added to it; do not clip it, and step() after each vote"
    )
    for found in run(_misuse, 2):
        assert found == {
            "step without a vote": "no vote on embedding.weight since the last step: its gradient is this "
            "worker's own; let the last backward() before step() be outside of no_sync(), or "
            "set_requires_gradient_sync(True)",
            "two votes": "a forward pass after a vote and before step(): its gradients would be added to what was "
            "agreed; accumulate inside of no_sync() or set_requires_gradient_sync(False), or drop the vote by "
            "zero_grad(), which must set gradients to None",
            "two backward passes": changed,
            "clipped": changed,
            "join": "DDP's join() with an agreement: give all workers the same number of batches",
            "observed": "observe() with an agreement: the directions that were agreed are no gradients to measure",
        }


def _diverge(rank):
    net, model, optimizer, _ = voters(check_every=4)
    for step in range(8):
        optimizer.zero_grad()
        loss_of(model, batch_of(rank, step)).backward()
        if step == 5 and rank == 2:  # one bit of one weight
            net.hidden.bias.data.view(torch.int32)[3] ^= 1
        try:
            optimizer.step()
        except DivergedWorkerError as error:
            return step, str(error), error.ranks, error.tensor
    return None


def test_a_divergence_stops_all_and_is_named():
    message = "rank 2 has diverged by step 8 after agree(): the first tensor that differs is hidden.bias"
    expected = (7, message, [2], "hidden.bias")
    assert run(_diverge, 3) == [expected] * 3


def _broken_gradient(rank):
    net, model, optimizer, _ = voters(check_every=1)
    loss_of(model, batch_of(rank, 0)).backward()
    optimizer.step()
    optimizer.zero_grad()
    (loss_of(model, batch_of(rank, 1)) + (torch.inf if rank else 0.0) * net.hidden.bias[2]).backward()
    optimizer.step()
    return {name: param.isnan().sum().item() for name, param in net.named_parameters()}


def test_a_gradient_that_is_not_finite_shows_on_all():
    for found in run(_broken_gradient, 2):
        assert found["hidden.bias"] == 1
        assert sum(found.values()) == 1


def _two_dtypes(rank):
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 3, dtype=torch.float64))
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS)
    model = wrapped(net, find_unused_parameters=False, bucket_cap_mb=25)
    agree(model, optimizer, check_every=1)
    hook = net[0].register_forward_hook(lambda *call: call[2].double())
    for step in range(3):
        optimizer.zero_grad()
        model(torch.full((2, 5), 1.0 + rank - step)).sum().backward()
        optimizer.step()
    hook.remove()
    return [param.detach() for param in net.parameters()]


def test_a_bucket_is_of_one_dtype():
    """DDP sees to it, so that nothing is to be refused."""
    first, second = run(_two_dtypes, 2)
    assert [param.dtype for param in first] == [torch.float32] * 2 + [torch.float64] * 2
    assert all(one.equal(other) for one, other in zip(first, second, strict=True))


def _die(rank):
    _, model, optimizer, _ = voters()
    return go_on_to_a_death(rank, optimizer, lambda step: loss_of(model, batch_of(rank, step)))


def test_a_worker_that_dies_is_named():
    first, dead, third = run(_die, 3)
    assert dead is None
    for rank, (step, seconds, message) in ((0, first), (2, third)):
        assert step == 3
        assert seconds < 25
        assert message.startswith(f"rank {rank}: a vote has failed: rank 1 does not answer (")
        assert "\n" not in message


def test_checksums_see_a_bit_and_a_place():
    x = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        one = x.to(dtype)
        flipped, swapped = one.clone(), one.clone()
        flipped.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[one.element_size()])[77] ^= 1
        swapped[[3, 500]] = one[[500, 3]]
        sums = checksums([one, flipped, swapped, one.clone()])
        assert not sums[0].equal(sums[1])
        assert not sums[0].equal(sums[2])
        assert sums[0].equal(sums[3])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([0, 0, 0], None),
        ([0, 0, 1], ([2], 1)),
        ([1, 0, 0], ([0], 1)),
        ([0, 1], ([1], 1)),
        ([0, 1, 2, 0], ([1, 2], 1)),
    ],
)
def test_the_one_that_differs_from_most_is_named(rows, expected):
    assert first_difference([torch.tensor([[5, 5], [row, 0], [row, row]]) for row in rows]) == expected
