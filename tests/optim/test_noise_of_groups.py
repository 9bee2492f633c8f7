"""Where noise comes from: each group its own, under `torch.compile` too; and m0 from a scaled gradient."""

import pytest
import torch

import lionkit


def halves(num, groups):
    """Equal bfloat16 weights with equal gradients, in one group or one each, after a step rounded at random."""
    weights = [torch.nn.Parameter(torch.full((4096,), 1.5, dtype=torch.bfloat16)) for _ in range(num)]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    params = [{"params": [weight]} for weight in weights] if groups else weights
    optimizer = lionkit.Lion(params, lr=2e-3, weight_decay=0.1, weight_rounding="stochastic", seed=4)
    optimizer.step()
    return weights, optimizer


@pytest.mark.parametrize("groups", [False, True])
def test_no_two_parameters_are_rounded_alike(groups):
    """With one noise for all groups every layer of a model with a group a layer would be rounded alike."""
    (one, other, third), _ = halves(3, groups)
    moved = (one != 1.5).double().mean().item()
    chance = moved**2 + (1 - moved) ** 2
    for pair in ((one, other), (other, third), (one, third)):
        alike = (pair[0] == pair[1]).double().mean().item()
        assert alike == pytest.approx(chance, abs=5 * (chance * (1 - chance) / 4096) ** 0.5)


def test_groups_go_on_from_where_they_were_saved():
    weights, optimizer = halves(2, groups=True)
    copies, loaded = halves(2, groups=True)
    loaded.load_state_dict(optimizer.state_dict())
    for stepper in (optimizer, loaded):
        stepper.step()
    for weight, copy in zip(weights, copies, strict=True):
        assert weight.equal(copy)


@pytest.mark.parametrize("fused", [None, True, False])
@pytest.mark.parametrize("kept", [{"momentum_dtype": "int8"}, {"weight_rounding": "stochastic"}], ids=str)
def test_a_compiled_step_draws_the_same_noise(fused, kept):
    torch._dynamo.reset()
    ends = []
    for compiled in (False, True):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 5000, dtype=torch.bfloat16))
        optimizer = lionkit.Lion([weight], lr=1e-2, weight_decay=0.3, fused=fused, **kept)
        step = torch.compile(optimizer.step, backend="eager") if compiled else optimizer.step
        for number in range(4):
            weight.grad = torch.sin(torch.arange(5000.0) + number).bfloat16()
            step()
        ends.append(weight.detach().clone())
    assert ends[0].equal(ends[1])


@pytest.mark.parametrize("momentum_dtype", [None, "float32", "int8"])
def test_a_small_scaled_gradient_is_m0_all_the_same(momentum_dtype):
    """1e-3 * 2^16 is within float16, and m0 must not be rounded to 0 on its way back."""
    weight = torch.nn.Parameter(torch.ones(4096, dtype=torch.float16))
    options = {"momentum_init": "gradient", "momentum_dtype": momentum_dtype, "fused": True}
    optimizer = lionkit.Lion([weight], lr=0.1, weight_decay=0.3, **options)
    weight.grad = torch.full_like(weight, 1e-3 * 2**12)
    optimizer.grad_scale = torch.tensor(2.0**12)
    optimizer.step()
    (momentum,) = lionkit.momentum.dense_state_dict(optimizer.state_dict(), [weight])["state"].values()
    torch.testing.assert_close(momentum["exp_avg"].float(), torch.full((4096,), 1e-3), rtol=4e-2, atol=0)
