"""The same step for every dtype, complex or real, mixed or not, and for every layout."""

import pytest
import torch
from torch_database import (
    CASES,
    ENTRIES,
    FOREACH,
    OPTIMIZERS,
    SETTINGS,
    SHAPES,
    assert_same,
    build,
    give_grads,
    momenta,
    parameters,
    run,
)

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128]


@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
@ENTRIES
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_foreach_matches_forloop_to_the_bit(info, dtype):
    """Zero-size and 0-dim ones, ones without a gradient, and a second dtype in the same group."""
    mixed = torch.float32 if dtype != torch.float32 else torch.bfloat16
    for given in info.optim_inputs_func("cpu"):
        results = []
        for foreach in (False, True):
            params = parameters(dtype) + parameters(mixed, seed=4)
            idle = parameters(dtype, seed=5)[:2]
            stepper = build(
                info.optim_cls, [*params[:3], *idle, *params[3:]], {"lr": 0.01, **given.kwargs}, foreach=foreach
            )
            run(stepper, params, steps=4)
            assert all(not stepper.state.get(param) for param in idle)
            results.append([*params, *idle, *momenta(stepper, params)])
        assert_same(*results)
        assert results[0][0].dtype == dtype
        assert not torch.equal(results[0][0], parameters(dtype)[0])


@CASES
@FOREACH
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_complex_is_a_pair_of_reals(optimizer, options, foreach, dtype):
    params = parameters(dtype)
    with torch.no_grad():
        params[0] += 1j * torch.randn(params[0].shape)
    pairs = [torch.nn.Parameter(torch.view_as_real(param.detach()).clone()) for param in params]
    steppers = [build(optimizer, stepped, options, foreach=foreach) for stepped in (params, pairs)]
    for step in range(3):
        give_grads(params, seed=7 + step)
        for param, pair in zip(params, pairs, strict=True):
            pair.grad = torch.view_as_real(param.grad)
        for stepper in steppers:
            stepper.step()
    assert_same([torch.view_as_real(param.detach()) for param in params], [pair.detach() for pair in pairs])
    assert all(momentum.dtype == dtype for momentum in momenta(steppers[0], params))


@CASES
@FOREACH
def test_complex_2d_through_autograd(optimizer, options, foreach):
    def rosenbrock(z):
        return ((1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2).abs()

    z = torch.randn(2, dtype=torch.complex128, requires_grad=True)
    real, imaginary = (part.detach().clone().requires_grad_() for part in (z.real, z.imag))
    steppers = [build(optimizer, stepped, options, foreach=foreach) for stepped in ([z], [real, imaginary])]
    for _ in range(5):
        for stepper, argument in zip(steppers, (z, torch.complex(real, imaginary)), strict=True):
            stepper.zero_grad()
            rosenbrock(argument).backward()
            stepper.step()
        assert_same([z.detach().real, z.detach().imag], [real.detach(), imaginary.detach()])


@OPTIMIZERS
@FOREACH
def test_channels_last_is_stepped_and_kept(optimizer, foreach):
    """A gradient that lies as its weights do, and one that does not."""
    for init in ("zeros", "gradient"):
        params, expected = parameters(shapes=[(2, 3, 4, 5)]), parameters(shapes=[(2, 3, 4, 5)])
        params[0].data = params[0].data.to(memory_format=torch.channels_last)
        steppers = [optimizer(p, **SETTINGS, foreach=foreach, momentum_init=init) for p in (params, expected)]
        for layout in (torch.channels_last, torch.contiguous_format, torch.channels_last):
            grad = torch.randn(2, 3, 4, 5)
            params[0].grad, expected[0].grad = grad.to(memory_format=layout), grad
            for stepper in steppers:
                stepper.step()
        # The kernel leaves the second to another backend, whose roundings of float32 are not its own.
        rounding = 1e-6 if foreach is None else 0
        torch.testing.assert_close(params[0], expected[0], rtol=rounding, atol=rounding)
        assert params[0].is_contiguous(memory_format=torch.channels_last)


@CASES
@FOREACH
def test_default_dtype_changes_nothing(optimizer, options, foreach):
    results = []
    for default in (torch.float32, torch.float64):
        params = parameters()
        torch.set_default_dtype(default)
        try:
            seeds = torch.Generator().manual_seed(3)
            stepper = build(optimizer, params, options, foreach=foreach)
            for _ in range(3):
                for param in params:
                    param.grad = torch.randn(param.shape, generator=seeds, dtype=torch.float32)
                stepper.step()
        finally:
            torch.set_default_dtype(torch.float32)
        results.append(params + momenta(stepper, params))
    assert_same(*results)
    assert len(results[0]) == 2 * len(SHAPES)
