"""What one Lion step does, and what a thousand never do."""

import math
import sys

import pytest
import torch

import lionkit
from lionkit import kernels
from lionkit.kappa import L1, HalfSquaredL2

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
MISSING = kernels.refusal([], L1())
NATIVE = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
BACKENDS = pytest.mark.parametrize(
    "backend", [kernels.reference, kernels.foreach, pytest.param(kernels.native, marks=NATIVE)]
)


def exact_step(theta, gradient, momentum, *, lr, betas, weight_decay):
    """Algorithm 1 of arXiv 2411.07724 with Python's floats, one coordinate at a time."""
    stepped = []
    for t, g, m in zip(theta, gradient, momentum, strict=True):
        c = betas[0] * m + (1 - betas[0]) * g
        sign = (c > 0) - (c < 0)
        stepped.append((t - lr * (sign + weight_decay * t), betas[1] * m + (1 - betas[1]) * g))
    return [list(column) for column in zip(*stepped, strict=True)]


@BACKENDS
def test_a_step_is_algorithm_1(backend):
    settings = {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.7}
    theta = [0.5, -1.25, 3.0, 0.0, 0.125]
    gradient = [0.3, 0.2, -4.0, 0.0, -0.5]
    momentum = [-0.1, 0.7, 0.25, 0.0, 0.125]  # the last: c = 0.8 * 0.125 - 0.2 * 0.5 is 0, or within rounding of it
    expected_theta, expected_momentum = exact_step(theta, gradient, momentum, **settings)
    tensors = [torch.tensor(values, dtype=torch.float64) for values in (theta, gradient, momentum)]
    backend(*([tensor] for tensor in tensors), kappa=L1(), maximize=False, **settings)
    assert tensors[0][:4].tolist() == pytest.approx(expected_theta[:4], rel=1e-15)
    assert tensors[2].tolist() == pytest.approx(expected_momentum, rel=1e-15)
    assert abs(tensors[0][4].item() - 0.125 * (1 - 0.007)) <= 0.01 * (1 + 1e-12)


@BACKENDS
def test_the_direction_uses_the_old_momentum(backend):
    """A Signum would follow the new momentum, which has the other sign here."""
    theta, gradient, momentum = torch.zeros(1), torch.tensor([1.0]), torch.tensor([-0.5])
    backend([theta], [gradient], [momentum], kappa=L1(), lr=0.1, betas=(0.5, 0.9), weight_decay=0.2, maximize=False)
    assert theta.item() == pytest.approx(-0.1)  # c = -0.25 + 0.5
    assert momentum.item() == pytest.approx(-0.35)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("momentum_dtype", [None, torch.float32], ids=["own", "float32"])
@pytest.mark.parametrize("kappa", [L1(), HalfSquaredL2()], ids=repr)
@pytest.mark.parametrize("tensor_lr", [False, True])
def test_backends_agree_to_the_bit(dtype, momentum_dtype, kappa, tensor_lr):
    lr = torch.tensor(3e-3) if tensor_lr else 3e-3
    shapes = [(), (1,), (15,), (16, 17), (0,), (2, 3, 4, 5)]
    lists = []
    for backend in (kernels.reference, kernels.foreach):
        generator = torch.Generator().manual_seed(9)
        params = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
        momenta = [torch.zeros_like(param, dtype=momentum_dtype) for param in params]
        for maximize in [False, True, False]:
            grads = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
            backend(params, grads, momenta, kappa=kappa, lr=lr, betas=(0.8, 0.95), weight_decay=0.3, maximize=maximize)
        lists.append(params + momenta)
    assert all(torch.equal(a, b) for a, b in zip(*lists, strict=True))
    assert lists[0][0].dtype == dtype


@BACKENDS
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sign_against_float64(backend, dtype):
    """Signs differ from exact arithmetic only where c is within float32 rounding of 0, in half precision too."""
    beta1, lr = 0.9, 0.5
    momentum, gradient = torch.randn(2, 100_000).to(dtype)
    gradient[::2] = -momentum[::2] * (beta1 / (1 - beta1))  # the hard half: c cancels almost to 0
    exact = beta1 * momentum.double() + (1 - beta1) * gradient.double()
    theta = torch.zeros_like(gradient)
    backend([theta], [gradient], [momentum], kappa=L1(), lr=lr, betas=(beta1, 0.99), weight_decay=0.1, maximize=False)
    mismatched = theta.double().sign() != -exact.sign()
    rounding = torch.finfo(torch.promote_types(dtype, torch.float32)).eps * 2
    underflow = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    assert (exact[mismatched].abs() <= rounding * gradient[mismatched].double().abs() + underflow).all()
    assert mismatched[1::2].float().mean() < 1e-3  # a coarse grid cancels by chance, too


def test_a_thousand_steps_never_leave_the_box():
    r"""Theorem 2 (i): |theta| <= 1 / wd, whatever the gradients are; up to rounding, which the decay contracts."""
    weight_decay, lr = 0.5, 0.02
    weight = torch.nn.Parameter((torch.rand(2000, dtype=torch.float64) * 2 - 1) / weight_decay)
    optimizer = lionkit.Lion([weight], lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay)
    drift = torch.randn(2000, dtype=torch.float64)
    rounding = torch.finfo(torch.float64).eps / (lr * weight_decay)
    for _ in range(1000):
        weight.grad = drift + torch.randn(2000, dtype=torch.float64)
        optimizer.step()
        assert weight.abs().max().item() * weight_decay <= 1 + rounding
    assert (weight.abs().max() * weight_decay).item() > 0.99  # the bound was put to the test


def test_outside_the_box_the_excess_decays_geometrically():
    weight_decay, lr = 0.5, 0.02
    weight = torch.nn.Parameter(torch.full((3,), 10.0, dtype=torch.float64))
    optimizer = lionkit.Lion([weight], lr=lr, weight_decay=weight_decay)
    for step in range(1, 200):
        weight.grad = torch.full_like(weight, -1.0)  # pushes outwards: the worst case, where the bound is tight
        optimizer.step()
        excess = (10 - 2) * (1 - lr * weight_decay) ** step
        assert weight.tolist() == pytest.approx([2 + excess] * 3, rel=1e-12)


def test_coordinates_without_gradient_do_not_move():
    """Padding rows and unused embeddings: sign(0) is 0, where two public Lions move by lr every step."""
    embedding = torch.nn.Embedding(6, 3)
    before = embedding.weight.detach().clone()
    optimizer = lionkit.Lion(embedding.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        embedding(torch.tensor([1, 4])).square().sum().backward()
        optimizer.step()
    moved = (embedding.weight != before).any(dim=1)
    assert moved.tolist() == [False, True, False, False, True, False]


def test_momentum_from_the_first_gradient():
    r"""m0 = g1 makes c1 = m1 = g1, as the theorems have it; from zeros m1 is (1 - beta2) * g1."""
    gradient = torch.tensor([2.0, -3.0])
    for maximize, sign in [(False, 1), (True, -1)]:
        weight = torch.nn.Parameter(torch.zeros(2))
        weight.grad = gradient.clone()
        optimizer = lionkit.Lion([weight], lr=0.1, weight_decay=0.1, momentum_init="gradient", maximize=maximize)
        optimizer.step()
        torch.testing.assert_close(optimizer.state[weight]["exp_avg"], sign * gradient)
        assert optimizer.state[weight]["exp_avg"].data_ptr() != weight.grad.data_ptr()


@pytest.mark.parametrize("foreach", [False, True, None])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_broken_gradient_shows_in_the_weights(foreach, dtype):
    """torch.sign(nan) is 0: without care such a weight would stand still for ever, and the loss stay finite."""
    weight = torch.nn.Parameter(torch.zeros(4, dtype=dtype))
    optimizer = lionkit.Lion([weight], lr=0.125, weight_decay=0.1, foreach=foreach)
    weight.grad = torch.tensor([math.inf, -math.inf, math.nan, 1.0], dtype=dtype)
    optimizer.step()
    assert weight[:3].isnan().all()
    assert weight[3] == -0.125


def select(params, foreach=None, fused=None, differentiable=False):
    return kernels.select(params, kappa=L1(), foreach=foreach, fused=fused, differentiable=differentiable)


def test_select_follows_the_request():
    params = [torch.zeros(2)]
    assert select(params, fused=False) is select(params, foreach=False) is kernels.reference
    assert select(params, foreach=True) is kernels.foreach
    assert select(params, differentiable=True) is kernels.reference


@NATIVE
def test_select_takes_the_native_kernel_where_nothing_is_asked():
    params = [torch.zeros(2)]
    assert select(params) is select(params, fused=True) is kernels.native


@pytest.mark.parametrize(("devices", "expected"), [(["cuda"], kernels.reference), (["cuda", "cpu"], kernels.foreach)])
def test_select_follows_torchs_rule_where_there_is_no_kernel(devices, expected, monkeypatch):
    """Plain tensors on a device with foreach kernels; a CPU has none, so that this one is called such a device."""
    monkeypatch.setattr(sys.modules["torch.optim.optimizer"], "_get_foreach_kernels_supported_devices", lambda: devices)
    monkeypatch.setattr("lionkit.kernels._native.MISSING", "there is none")
    params = [torch.nn.Parameter(torch.zeros(2))]
    assert select(params) is expected
    assert select(params, differentiable=True) is kernels.reference


def test_describe_says_what_is_there(monkeypatch):
    assert f"native     {MISSING or 'one pass in C++'}" in kernels.describe()
    monkeypatch.setattr("lionkit.kernels._native.MISSING", "there is none")
    assert "native     there is none" in kernels.describe()
