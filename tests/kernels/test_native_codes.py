"""The native kernel on what is not kept as it is computed with: codes, rounded weights, and the sums on the way."""

import itertools

import pytest
import torch

from lionkit import kernels
from lionkit.kappa import L1, HalfSquaredL2
from lionkit.momentum import INT4, INT8

MISSING = kernels.refusal([], L1())
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
HALVES = [torch.bfloat16, torch.float16]
SIZES = [0, 1, 15, 16, 17, 127, 128, 129, 1009, 4095, 4096, 4097, 65_537]
SETTINGS = {"lr": 0.03, "betas": (0.85, 0.97), "weight_decay": 0.4, "maximize": False}
KEY = kernels.step_key(seed=3, step=5)


def tensors(size, dtype, seed=1):
    generator = torch.Generator().manual_seed(seed)
    param, grad = (torch.randn(size, generator=generator).to(dtype) for _ in range(2))
    momentum = torch.randn(size, generator=generator)
    momentum[::7] = 0
    return param, grad, momentum


def assert_same_bits(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("codec", [INT8, INT4], ids=["int8", "int4"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("broken", [None, torch.nan, torch.inf])
def test_codes_are_those_of_the_codec(codec, dtype, broken):
    """A step over codes is: decode in Python, the kernel's step over float32, encode in Python; to the bit."""
    for position, size in enumerate(SIZES):
        param, grad, momentum = tensors(size, dtype)
        if broken is not None and size > 20:
            grad[20] = broken
        words = kernels.words(KEY, position, size, stream="momentum")
        codes, scales = codec.encode(momentum, words)
        expected, dense = param.clone(), codec.decode(codes, scales, param.shape)
        before = [torch.zeros(1, dtype=dtype)] * position  # so that the noise knows the position
        no_codes, no_scales = codec.encode(torch.zeros(1))
        kernels.native(
            [*before, param],
            [*before, grad],
            [no_codes] * position + [codes],
            scales=[no_scales] * position + [scales],
            noise=KEY,
            kappa=L1(),
            **SETTINGS,
        )
        kernels.native([expected], [grad], [dense], kappa=L1(), **SETTINGS)
        new_codes, new_scales = codec.encode(dense, words)
        assert_same_bits(scales, new_scales)
        if dtype is torch.float64:  # its momentum is added in float64, and rounded to float32 as it is encoded
            assert (codes.int() - new_codes.int()).ne(0).float().mean() <= 1e-3 if size else True
            torch.testing.assert_close(param, expected, rtol=1e-12, atol=1e-12, equal_nan=True)
        else:
            assert_same_bits(codes, new_codes)
            assert_same_bits(param, expected)


@pytest.mark.parametrize("codec", [INT8, INT4], ids=["int8", "int4"])
def test_an_unused_row_stays_where_it_is(codec):
    """Zero momentum and zero gradient: sign(0) is 0, whatever the noise."""
    param, codes, scales = torch.randn(512), *codec.encode(torch.zeros(512))
    kept = param.clone()
    for step in range(5):
        noise = kernels.step_key(0, step)
        settings = {**SETTINGS, "weight_decay": 0.0}
        kernels.native([param], [torch.zeros(512)], [codes], scales=[scales], noise=noise, kappa=L1(), **settings)
    assert param.equal(kept)
    assert not codes.any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_stochastic_rounding_is_that_of_the_reference(dtype):
    """bfloat16 alone: what is wider is rounded to the nearest whatever is asked for."""
    for size in SIZES:
        param, grad, momentum = tensors(size, dtype)
        wide, dense = param.to(torch.promote_types(dtype, torch.float32)), momentum.clone()
        kernels.native([wide], [grad.to(wide.dtype)], [dense], kappa=L1(), **SETTINGS)
        words = kernels.words(KEY, 0, size, stream="weights")
        expected = kernels.round_stochastic(wide, words) if dtype is torch.bfloat16 else wide.to(dtype)
        kernels.native([param], [grad], [momentum], weight_rounding="stochastic", noise=KEY, kappa=L1(), **SETTINGS)
        assert_same_bits(param, expected)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_kahan_rounding_is_that_of_the_reference(dtype):
    for size in SIZES:
        param, grad, momentum = tensors(size, dtype)
        rest = (torch.randn(size) * 1e-3).to(dtype)
        wide, dense = param.float() + rest, momentum.clone()
        kernels.native([wide], [grad.float()], [dense], kappa=L1(), **SETTINGS)
        expected = kernels.round_kahan(wide, dtype)
        kernels.native([param], [grad], [momentum], compensations=[rest], kappa=L1(), **SETTINGS)
        assert_same_bits(param, expected[0])
        assert_same_bits(rest, expected[1])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_sums_are_those_of_the_reference(dtype, maximize, scaled):
    settings = {**SETTINGS, "maximize": maximize}
    params, grads, momenta = map(list, zip(*(tensors(size, dtype, seed=size) for size in SIZES), strict=True))
    params[-1][3] = 1 / settings["weight_decay"]  # on the box
    grads[-1][::5] = 0
    wide = torch.promote_types(dtype, torch.float32)
    unscaled = [grad.to(wide) / 4 if scaled else grad.clone() for grad in grads]
    names = "betas", "weight_decay", "maximize"
    expected = kernels.statistics(params, unscaled, momenta, **{name: settings[name] for name in names})
    sums = torch.full((len(kernels.SUMS),), torch.nan, dtype=torch.float64)
    scale = torch.tensor(4.0) if scaled else None
    kernels.native(params, grads, momenta, grad_scale=scale, statistics=sums, kappa=L1(), **settings)
    counts = [name.startswith("num") for name in kernels.SUMS]
    torch.testing.assert_close(sums, expected, rtol=2e-6, atol=1e-3)
    assert sums[torch.tensor(counts)].equal(expected[torch.tensor(counts)])


def test_a_broken_gradient_shows_in_the_sums():
    param, grad, momentum = tensors(5000, torch.float32)
    grad[4321] = torch.nan
    sums = torch.empty(len(kernels.SUMS), dtype=torch.float64)
    kernels.native([param], [grad], [momentum], statistics=sums, kappa=L1(), **SETTINGS)
    named = dict(zip(kernels.SUMS, sums.tolist(), strict=True))
    assert named["grad_l1"] != named["grad_l1"]
    assert named["theta_max"] == named["theta_max"]
    kernels.native([param], [grad], [momentum], statistics=sums, kappa=L1(), **SETTINGS)
    assert sums[kernels.SUMS.index("theta_max")].isnan()


def all_of_it(threads, codec=None, rounding="nearest"):
    """Three observed steps over tensors whose cuts fall inside of them."""
    torch.set_num_threads(threads)
    try:
        sizes = [3, 100_003, 1, 0, 70_001, 17]
        lists = map(list, zip(*(tensors(size, torch.bfloat16, seed=size) for size in sizes), strict=True))
        params, grads, momenta = lists
        scales, rests = (), ()
        if codec is not None:
            momenta, scales = map(list, zip(*(codec.encode(momentum) for momentum in momenta), strict=True))
        if rounding == "kahan":
            rests = [torch.zeros_like(param) for param in params]
        sums = torch.zeros(3, len(kernels.SUMS), dtype=torch.float64)
        for step in range(3):
            kernels.native(
                params,
                grads,
                momenta,
                scales=scales,
                compensations=rests,
                weight_rounding=rounding,
                noise=kernels.step_key(1, step),
                statistics=sums[step],
                kappa=HalfSquaredL2(),
                **SETTINGS,
            )
        return [*params, *momenta, *scales, *rests, sums]
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("codec", "rounding"), list(itertools.product([None, INT8, INT4], ["nearest", "stochastic", "kahan"]))
)
def test_thread_counts_give_the_same_bits(codec, rounding):
    alone, *others = (all_of_it(threads, codec, rounding) for threads in (1, 2, 3))
    for other in others:
        for ours, theirs in zip(alone, other, strict=True):
            assert_same_bits(ours, theirs)


@pytest.mark.parametrize(
    ("codes", "scales", "message"),
    [
        (torch.zeros(4, dtype=torch.int8), torch.zeros(1, dtype=torch.bfloat16), "has 4 codes, .* 5 numbers has 5"),
        (torch.zeros(5, dtype=torch.uint8), torch.zeros(1, dtype=torch.bfloat16), "has 5 codes, .* 5 numbers has 3"),
        (torch.zeros(5, dtype=torch.int8), torch.zeros(2, dtype=torch.bfloat16), "has 2 scales, .* 5 numbers has 1"),
        (torch.zeros(5, dtype=torch.int8), torch.zeros(1), "scales 0 must be contiguous bfloat16 on the CPU"),
    ],
)
def test_damaged_codes_are_refused_before_anything_is_written(codes, scales, message):
    param = torch.ones(5)
    with pytest.raises(RuntimeError, match=message):
        kernels.native([param], [torch.ones(5)], [codes], scales=[scales], kappa=L1(), **SETTINGS)
    assert param.tolist() == [1.0] * 5


@pytest.mark.parametrize("codec", [INT8, INT4], ids=["int8", "int4"])
def test_a_parameter_in_another_layout_is_left(codec):
    """Blocks are in row-major order."""
    param, grad = torch.randn(4, 9).t(), torch.randn(4, 9).t()
    codes, scales = codec.encode(torch.zeros(36))
    assert kernels.native([param], [grad], [codes], scales=[scales], kappa=L1(), **SETTINGS) == [0]


def test_the_operator_is_well_formed_with_everything():
    params, grads, _ = map(list, zip(*(tensors(size, torch.bfloat16) for size in (5, 300)), strict=True))
    codes, scales = map(list, zip(*(INT8.encode(torch.randn(size)) for size in (5, 300)), strict=True))
    rests = [torch.zeros_like(param) for param in params]
    sums = torch.empty(len(kernels.SUMS), dtype=torch.float64)
    lr = torch.tensor(0.1)
    arguments = (params, grads, codes, scales, rests, lr, "sign", 0.0, 0.9, 0.99, 0.1, True, 1.0, 0.0, False)
    torch.library.opcheck(torch.ops.lionkit.step_.default, (*arguments, True, 7, None, sums))
