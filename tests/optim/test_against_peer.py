"""Lion against an independent implementation, elementwise in float64."""

import lion_pytorch
import pytest
import torch

import lionkit

SHAPES = [(13, 7), (31,), (), (3, 2, 2, 5), (0, 4)]


def parameters():
    generator = torch.Generator().manual_seed(3)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64)) for shape in SHAPES]


def two_groups(optimizer, params, **options):
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 3e-3, "betas": (0.7, 0.95), "weight_decay": 0.9}]
    return optimizer(groups, lr=2e-2, betas=(0.85, 0.97), weight_decay=0.3, **options)


@pytest.mark.parametrize("foreach", [False, True, None])
def test_equals_lion_pytorch_over_200_steps(foreach):
    ours, theirs = parameters(), parameters()
    optimizer = two_groups(lionkit.Lion, ours, foreach=foreach)
    peer = two_groups(lion_pytorch.Lion, theirs)
    schedules = [
        torch.optim.lr_scheduler.CosineAnnealingLR(stepped, T_max=200, eta_min=1e-4) for stepped in (optimizer, peer)
    ]
    gradients = torch.Generator().manual_seed(4)
    for _ in range(200):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn(p.shape, generator=gradients, dtype=p.dtype)
            q.grad = p.grad.clone()
        for stepper in (optimizer, peer, *schedules):
            stepper.step()
    for p, q in zip(ours, theirs, strict=True):
        # One flipped sign would show as 2 * lr, at least 2e-4 by this schedule.
        torch.testing.assert_close(p, q, rtol=0, atol=1e-13)
        torch.testing.assert_close(optimizer.state[p]["exp_avg"], peer.state[q]["exp_avg"], rtol=0, atol=1e-14)


def test_half_squared_l2_is_gradient_descent_with_a_look_ahead_momentum():
    """With beta1 = 0 the direction is the gradient: torch's SGD, its coupled decay equal to the decoupled one."""
    ours, theirs = parameters(), parameters()
    optimizer = lionkit.LionK(ours, lr=0.05, betas=(0.0, 0.9), weight_decay=0.4, kappa=lionkit.kappa.HalfSquaredL2())
    peer = torch.optim.SGD(theirs, lr=0.05, weight_decay=0.4)
    for _ in range(100):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        optimizer.step()
        peer.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
