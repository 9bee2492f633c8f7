"""The momentum as float32, bfloat16 or codes: the steps it gives and the bytes it takes."""

import pytest
import torch
from coded_momenta import SHAPES, WIDTHS, decoded, state_of
from torch_database import FOREACH, OPTIMIZERS, SETTINGS, assert_same, give_grads, parameters, run

import lionkit
from lionkit import kernels, momentum
from lionkit.kernels._noise import step_key, words

CODECS = {"int8": momentum.INT8, "int4": momentum.INT4}
CODED = [0, 2]


@pytest.mark.parametrize(
    ("momentum_dtype", "most"), [(None, 4), ("float32", 4), ("bfloat16", 2), ("int8", 1.02), ("int4", 0.53)]
)
def test_bytes_of_state(momentum_dtype, most):
    weight = torch.nn.Parameter(torch.randn(300, 1000))
    run(lion := lionkit.Lion([weight], **SETTINGS, momentum_dtype=momentum_dtype), [weight], steps=2)
    assert sum(tensor.nbytes for tensor in lion.state[weight].values()) / weight.numel() <= most


@FOREACH
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_dense_momentum_has_the_dtype_asked_for_and_steps_in_it(foreach, name, dtype):
    params, expected = parameters(dtype), parameters(dtype)
    asked = lionkit.Lion(params, **SETTINGS, foreach=foreach, momentum_dtype=name)
    given = lionkit.Lion(expected, **SETTINGS, foreach=foreach)
    for param in expected:
        given.state[param]["exp_avg"] = torch.zeros_like(param, dtype=getattr(torch, name))
    run(asked, params)
    run(given, expected)
    assert_same(params + state_of(asked, params), expected + state_of(given, expected))
    assert {tensor.dtype for tensor in state_of(asked, params)} == {getattr(torch, name)}


@WIDTHS
def test_small_parameters_stay_float32_and_a_group_opts_out(width):
    coded, dense = parameters(torch.bfloat16, SHAPES), parameters(torch.bfloat16, SHAPES, seed=2)
    groups = [{"params": coded}, {"params": dense, "momentum_dtype": None}]
    stepper = lionkit.Lion(groups, **SETTINGS, momentum_dtype=width)
    run(stepper, [*coded, *dense])
    names = [list(stepper.state[param]) for param in coded]
    assert names == [["exp_avg_codes", "exp_avg_scales"], ["exp_avg"], ["exp_avg_codes", "exp_avg_scales"]]
    assert stepper.state[coded[1]]["exp_avg"].dtype == torch.float32
    assert all(stepper.state[param]["exp_avg"].dtype == torch.bfloat16 for param in dense)
    assert [group["noise_step"] for group in stepper.param_groups] == [3, 1 << 48]


def steps_by_hand(param, grads, codec, position, kappa, seed, *, lr, betas, weight_decay):
    """Decode, step in float32, round, encode: written apart from the optimizer."""
    theta = param.detach().clone()
    codes, scales = codec.encode(torch.zeros(theta.numel()))
    for step, g in enumerate(grads):
        m, wide, g = codec.decode(codes, scales, theta.shape), theta.float(), g.float()
        c = betas[0] * m + (1 - betas[0]) * g
        theta = (wide - lr * (kappa.gradient(c) + weight_decay * wide)).to(theta.dtype)
        noise = words(step_key(seed, step), position, theta.numel(), stream="momentum")
        codes, scales = codec.encode((betas[1] * m + (1 - betas[1]) * g).flatten(), noise)
    return theta, codec.decode(codes, scales, theta.shape)


@WIDTHS
@FOREACH
@pytest.mark.parametrize("kappa", [lionkit.kappa.L1(), lionkit.kappa.HalfSquaredL2()], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("maximize", [False, True])
def test_a_coded_momentum_steps_as_by_hand(width, foreach, kappa, dtype, maximize):
    params, start = parameters(dtype, SHAPES), parameters(dtype, SHAPES)
    options = {"kappa": kappa, "maximize": maximize, "foreach": foreach, "seed": 12}
    stepper = lionkit.LionK(params, **SETTINGS, **options, momentum_dtype=width)
    grads = [[torch.randn(shape).to(dtype) for shape in SHAPES] for _ in range(4)]
    for step in grads:
        for param, grad in zip(params, step, strict=True):
            param.grad = grad
        stepper.step()
    for place in CODED:
        column = [-step[place] if maximize else step[place] for step in grads]
        theta, m = steps_by_hand(start[place], column, CODECS[width], place, kappa, 12, **SETTINGS)
        found = momentum.decode_state(stepper.state[params[place]], params[place])
        # Roundings of float32 may take a coordinate over the edge between two codes, rarely.
        assert ((found - m).abs() > 1e-6 * (m.abs() + 1e-3)).float().mean() < 2e-3
        assert ((params[place] - theta).abs() > 1e-6 + torch.finfo(dtype).eps * theta.abs()).float().mean() < 2e-3


@WIDTHS
@FOREACH
def test_any_layout_and_complex_parameters(width, foreach):
    """Codes lie in row-major order of the parameter, however its memory lies; a complex one counts as pairs."""
    plain = [torch.randn(70, 60), torch.randn(80, 60, dtype=torch.complex64)]
    turned = [plain[0].t().contiguous().t(), plain[1].t().contiguous().t()]
    pairs = [plain[0], torch.view_as_real(plain[1])]
    results = []
    for start in (plain, turned, pairs):
        params = [torch.nn.Parameter(tensor.clone(memory_format=torch.preserve_format)) for tensor in start]
        stepper = lionkit.Lion(params, **SETTINGS, foreach=foreach, momentum_dtype=width)
        for step in range(3):
            generator = torch.Generator().manual_seed(step)
            grads = [torch.randn(70, 60, generator=generator), torch.randn(80, 60, 2, generator=generator)]
            params[0].grad = grads[0]
            params[1].grad = torch.view_as_complex(grads[1]) if params[1].is_complex() else grads[1]
            stepper.step()
        flat = [torch.view_as_real(param.detach()) if param.is_complex() else param.detach() for param in params]
        results.append(flat + state_of(stepper, params))
    assert_same(results[0], results[2])
    for one, other in zip(results[0], results[1], strict=True):
        # The kernel leaves what is not in row-major order to another backend: roundings of float32, as above.
        assert (one.float() - other.float()).abs().gt(1e-6).float().mean() < 2e-3


@WIDTHS
@OPTIMIZERS
def test_the_first_gradient_is_m0(width, optimizer):
    params = parameters(torch.float32, SHAPES)
    stepper = optimizer(params, **SETTINGS, momentum_dtype=width, momentum_init="gradient", maximize=True)
    run(stepper, params, steps=1)
    for param, m in zip(params, decoded(stepper, params), strict=True):
        # m0 and m1 are -g, but for the roundings of two codings.
        spacing = 2 * param.grad.abs().amax() * (2**-4 if width == "int8" else 2**-1)
        assert ((m + param.grad).abs() <= spacing).all()
        assert ((m * param.grad) <= 0).all()


def test_a_skipped_step_uses_no_noise():
    params = parameters(torch.float32, SHAPES)
    stepper = lionkit.Lion(params, **SETTINGS, momentum_dtype="int8")
    give_grads(params)
    stepper.found_inf = torch.tensor(1.0)
    stepper.step()
    assert stepper.param_groups[0]["noise_step"] == 0
    assert not any(stepper.state.values())


class Spread(torch.Tensor):
    """Stands for a tensor that is spread over processes."""


@WIDTHS
def test_codes_of_a_tensor_that_is_not_plain_are_refused(width):
    weight = torch.nn.Parameter(torch.zeros(5000).as_subclass(Spread))
    stepper = lionkit.Lion([torch.zeros(3)], momentum_dtype=width)
    with pytest.raises(ValueError, match=f"Invalid momentum_dtype: '{width}' for a Spread, it must be None"):
        stepper.add_param_group({"params": [weight]})
    assert len(stepper.param_groups) == 1
    stepper.add_param_group({"params": [weight], "momentum_dtype": "bfloat16"})


@WIDTHS
@FOREACH
def test_a_broken_gradient_shows_in_the_weights_of_its_block(width, foreach):
    weight = torch.nn.Parameter(torch.zeros(5000))
    stepper = lionkit.Lion([weight], lr=0.125, weight_decay=0.1, momentum_dtype=width, foreach=foreach)
    for _ in range(2):
        weight.grad = torch.ones(5000)
        weight.grad[200] = torch.nan
        stepper.step()
    assert weight[128:256].isnan().all()
    assert weight.isnan().sum() == 128


@pytest.mark.skipif(kernels.refusal([], lionkit.kappa.L1()) is not None, reason="this build has no native kernel")
@WIDTHS
def test_the_kernel_gives_the_references_codes(width):
    """Nearly always to the bit; where float32 rounds differently, one level beside."""
    results = []
    for fused in (True, False):
        params = parameters(torch.float32, SHAPES)
        stepper = lionkit.Lion(params, **SETTINGS, fused=fused, momentum_dtype=width, seed=5)
        run(stepper, params, steps=20)
        results.append([*params, *decoded(stepper, params)])
    for ours, theirs in zip(*results, strict=True):
        assert (ours - theirs).abs().gt(1e-6).float().mean() < 5e-3
