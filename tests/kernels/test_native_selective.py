"""Masked steps and cautious decay in the native kernel: against float64, the reference path, and bit by bit."""

import os
import subprocess
import sys

import pytest
import torch
from test_native import MISSING, PAIRS, SIZES, lists
from test_native_codes import assert_same_bits
from test_native_maps import KAPPAS

import lionkit
from lionkit import kappa, kernels, optim
from lionkit.momentum import INT4, INT8

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

SETTINGS = {"lr": 0.03, "betas": (0.85, 0.97), "weight_decay": 0.4, "maximize": False}
MASKS = [optim.CautiousMask(name).mask for name in ("published", "eps", "clamp_1e-3", "clamp_1e-5")]
SELECTIONS = [{"mask": MASKS[0]}, {"cautious": True}, {"mask": MASKS[2], "cautious": True}]
KEY = kernels.step_key(seed=3, step=5)
THREADED_SIZES = [3, 100_003, 1, 0, 32_768, 32_769, 17, 70_001]  # whole to one thread, and cut


def exact(theta, g, m, geometry, *, lr, betas, weight_decay, maximize, mask=None, cautious=False):
    """One step in float64, written apart from the kernels."""
    theta, g, m = theta.double(), g.double() * (-1 if maximize else 1), m.double()
    u = geometry.gradient(betas[0] * m + (1 - betas[0]) * g)
    if mask is not None:
        agree = u * g > 0
        u = (
            u
            * agree
            * (agree.numel() / max(int(agree.sum()) + mask.offset, mask.least * agree.numel()) if len(g) else 1)
        )
    decay = weight_decay * theta * ((u * theta >= 0) if cautious else 1)
    return theta - lr * (u + decay), betas[1] * m + (1 - betas[1]) * g


def well_apart(dtype, momentum_dtype, sizes=SIZES, seed=1):
    """Tensors none of whose c is so small that rounding could decide its sign."""
    params, grads, momenta = lists(dtype, momentum_dtype, sizes, seed)
    for param, grad, momentum in zip(params, grads, momenta, strict=True):
        c = SETTINGS["betas"][0] * momentum.double() + (1 - SETTINGS["betas"][0]) * grad.double()
        for tensor in (param, grad, momentum):
            tensor[(c.abs() < 1e-4) | (grad.abs() < 1e-4)] = 1
    return params, grads, momenta


@pytest.mark.parametrize(("dtype", "momentum_dtype"), PAIRS)
@pytest.mark.parametrize("selection", SELECTIONS, ids=["mask", "decay", "both"])
@pytest.mark.parametrize("maximize", [False, True])
def test_every_size_and_dtype_against_float64(dtype, momentum_dtype, selection, maximize):
    settings = {**SETTINGS, **selection, "maximize": maximize}
    for geometry in (kappa.L1(), kappa.Huber(0.5)):
        params, grads, momenta = well_apart(dtype, momentum_dtype)
        if maximize:  # so that c is what it was
            grads = [-grad for grad in grads]
        expected = [exact(*given, geometry, **settings) for given in zip(params, grads, momenta, strict=True)]
        assert kernels.native(params, grads, momenta, kappa=geometry, **settings) == []
        working = torch.finfo(torch.promote_types(dtype, torch.float32)).eps
        for param, momentum, (theta, m) in zip(params, momenta, expected, strict=True):
            tolerance = (torch.finfo(dtype).eps + 8 * working) * (theta.abs() + 1)
            assert ((param.double() - theta).abs() <= tolerance).all()
            assert (
                (momentum.double() - m).abs() <= (torch.finfo(momentum_dtype).eps + 8 * working) * (m.abs() + 1)
            ).all()


@pytest.mark.parametrize("mask", MASKS, ids=str)
@pytest.mark.parametrize("num_agree", [0, 1, 7, 5000])
def test_every_normalisation(mask, num_agree):
    """A momentum of 1: what agrees are the gradients of 1."""
    param, grad, momentum = torch.full((5000,), 2.0), -torch.ones(5000), torch.ones(5000)
    grad[torch.randperm(5000)[:num_agree]] = 1
    kept = momentum.clone()
    kernels.native([param], [grad], [momentum], kappa=kappa.L1(), mask=mask, **SETTINGS)
    expected, _ = exact(torch.full((5000,), 2.0), grad, kept, kappa.L1(), mask=mask, **SETTINGS)
    torch.testing.assert_close(param.double(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("geometry", KAPPAS, ids=repr)
@pytest.mark.parametrize("mode", ["lr", "cautious"])
def test_fused_and_reference_walk_together(geometry, mode):
    """Fifty steps in float64 with every option off its default."""
    generator = torch.Generator().manual_seed(8)
    start = torch.randn(3, 700, dtype=torch.float64, generator=generator)
    grads = [torch.randn(3, 700, dtype=torch.float64, generator=generator) for _ in range(50)]
    settings = {"lr": 0.02, "betas": (0.85, 0.97), "weight_decay": 0.3, "maximize": True, "kappa": geometry}
    ends = []
    for fused, foreach in ((True, None), (False, False)):
        weight = torch.nn.Parameter(start.clone())
        direction = optim.CautiousMask("clamp_1e-3")
        backend = {"fused": fused, "foreach": foreach}
        optimizer = lionkit.LionK([weight], direction=direction, weight_decay_mode=mode, **backend, **settings)
        for grad in grads:
            weight.grad = grad
            optimizer.step()
        ends.append(weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("geometry", [kappa.L1(), kappa.HalfSquaredL2(), kappa.Entropy(0.5)], ids=repr)
@pytest.mark.parametrize("mode", ["lr", "cautious"])
def test_what_is_not_a_number_stays_none_and_zero_stands_still(geometry, mode):
    """In the weights, the gradient and the momentum, beside the reference path."""
    special = torch.tensor([torch.nan, torch.inf, -torch.inf, 0.0, -0.0, 2.0, -2.0])
    # Of an infinite momentum lerp makes nan, the kernel's sum of products infinity.
    momenta = special[~special.isinf()]
    theta, g, m = (part.flatten() for part in torch.meshgrid(special, special, momenta, indexing="ij"))
    ends = []
    for fused, foreach in ((True, None), (False, False)):
        weight = torch.nn.Parameter(theta.clone())
        weight.grad = g
        optimizer = lionkit.LionK(
            [weight], 0.03, (0.85, 0.97), 0.4, kappa=geometry, direction=optim.CautiousMask(),
            weight_decay_mode=mode, fused=fused, foreach=foreach,
        )  # fmt: skip
        optimizer.state[weight]["exp_avg"] = m.clone()
        optimizer.step()
        ends.append(weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-6, atol=0, equal_nan=True)


def all_of_it(threads, codec, rounding, selection):
    """Three observed steps over tensors that are stepped whole and in parts."""
    torch.set_num_threads(threads)
    try:
        params, grads, momenta = lists(torch.bfloat16, torch.float32, THREADED_SIZES)
        scales, rests = (), ()
        if codec is not None:
            momenta, scales = map(list, zip(*(codec.encode(momentum) for momentum in momenta), strict=True))
        if rounding == "kahan":
            rests = [torch.zeros_like(param) for param in params]
        sums = torch.zeros(3, len(kernels.SUMS), dtype=torch.float64)
        for step in range(3):
            kernels.native(
                params, grads, momenta, scales=scales, compensations=rests, weight_rounding=rounding,
                noise=kernels.step_key(1, step), statistics=sums[step], kappa=kappa.HalfSquaredL2(),
                **SETTINGS, **selection,
            )  # fmt: skip
        return [*params, *momenta, *scales, *rests, sums]
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("selection", SELECTIONS[::2], ids=["mask", "both"])
@pytest.mark.parametrize(("codec", "rounding"), [(None, "nearest"), (INT8, "stochastic"), (INT4, "kahan")])
def test_thread_counts_give_the_same_bits(codec, rounding, selection):
    alone, *others = (all_of_it(threads, codec, rounding, selection) for threads in (1, 2, 3))
    for other in others:
        for ours, theirs in zip(alone, other, strict=True):
            assert_same_bits(ours, theirs)


def test_a_list_is_stepped_as_each_alone():
    """Each parameter has a count of its own, whatever stands before it and whoever steps it."""
    together = lists(torch.float32, torch.float32, THREADED_SIZES)
    apart = lists(torch.float32, torch.float32, THREADED_SIZES)
    kernels.native(*together, kappa=kappa.L1(), mask=MASKS[0], **SETTINGS)
    for given in zip(*apart, strict=True):
        kernels.native(*([tensor] for tensor in given), kappa=kappa.L1(), mask=MASKS[0], **SETTINGS)
    for ours, theirs in zip(together[0] + together[2], apart[0] + apart[2], strict=True):
        assert_same_bits(ours, theirs)


@pytest.mark.parametrize("codec", [INT8, INT4], ids=["int8", "int4"])
@pytest.mark.parametrize("rounding", ["nearest", "stochastic", "kahan"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=["mask", "decay", "both"])
def test_codes_and_roundings_are_those_of_the_codec(codec, rounding, selection):
    """Widened in Python, a step over float32, and rounded back in Python; to the bit."""
    settings = {**SETTINGS, **selection, "kappa": kappa.L1()}
    for size in (0, 1, 129, 4097, 65_537):
        (param,), (grad,), (momentum,) = lists(torch.bfloat16, torch.float32, [size])
        words = {stream: kernels.words(KEY, 0, size, stream=stream) for stream in ("momentum", "weights")}
        codes, scales = codec.encode(momentum, words["momentum"])
        dense, rest = codec.decode(codes, scales, param.shape), (torch.randn(size) * 1e-3).bfloat16()
        wide = param.float() + (rest if rounding == "kahan" else 0)
        kernels.native([wide], [grad.float()], [dense], **settings)
        special = {"weight_rounding": rounding, "compensations": [rest] if rounding == "kahan" else ()}
        kernels.native([param], [grad], [codes], scales=[scales], noise=KEY, **special, **settings)
        if rounding == "kahan":
            expected = kernels.round_kahan(wide, torch.bfloat16)
        elif rounding == "stochastic":
            expected = kernels.round_stochastic(wide, words["weights"]), rest
        else:
            expected = wide.bfloat16(), rest
        new_codes, new_scales = codec.encode(dense, words["momentum"])
        pairs = zip((param, rest, codes, scales), (*expected, new_codes, new_scales), strict=True)
        for ours, theirs in pairs:
            assert_same_bits(ours, theirs)


def test_a_scaled_gradient_is_masked_as_it_is_used():
    """The scale is a power of two, so that every bit is kept; the sums are those of a step without a mask."""
    results = []
    for scale, mask in ((1.0, MASKS[1]), (2.0**20, MASKS[1]), (1.0, None)):
        params, grads, momenta = lists(torch.float32, torch.float32)
        sums = torch.empty(len(kernels.SUMS), dtype=torch.float64)
        grads = [grad * scale for grad in grads]
        settings = {**SETTINGS, "maximize": True, "grad_scale": torch.tensor(scale), "statistics": sums}
        kernels.native(params, grads, momenta, kappa=kappa.HalfSquaredL2(), mask=mask, **settings)
        results.append((params, momenta, sums))
    for ours, theirs in zip(results[0][0] + results[0][1], results[1][0] + results[1][1], strict=True):
        assert_same_bits(ours, theirs)
    torch.testing.assert_close(results[0][2], results[1][2], rtol=1e-12, atol=0)
    torch.testing.assert_close(results[0][2], results[2][2], rtol=1e-12, atol=0)


def test_what_is_not_one_row_is_stepped_along_the_same_direction():
    """Beside a parameter that the kernel steps; the gradient is in another layout than the weights."""
    ends = []
    for fused, foreach in ((True, None), (False, False)):
        weights = [torch.nn.Parameter(tensor) for tensor in lists(torch.float64, torch.float64, [11, 36])[0]]
        weights[1] = torch.nn.Parameter(weights[1].detach().view(4, 9))
        weights[0].grad, grad = lists(torch.float64, torch.float64, [11, 36], seed=2)[0]
        weights[1].grad = grad.view(9, 4).t()
        optimizer = optim.CautiousLion(
            weights, 0.03, (0.85, 0.97), 0.4, weight_decay_mode="cautious", fused=fused, foreach=foreach
        )
        for _ in range(3):
            optimizer.step()
        ends.append([weight.detach() for weight in weights])
    for ours, theirs in zip(*ends, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("width", ["baseline", "avx2"])
def test_narrower_instruction_sets_give_the_same_step(width, tmp_path):
    torch.save(well_apart(torch.bfloat16, torch.float32), tmp_path / "before.pt")
    code = (
        "import sys, torch; sys.path.insert(0, sys.argv[3]); from test_native_selective import *; "
        "tensors = torch.load(sys.argv[1]); kernels.native(*tensors, kappa=kappa.Entropy(0.5), **SELECTIONS[2], "
        "**SETTINGS); torch.save(tensors, sys.argv[2])"
    )
    here = os.path.dirname(__file__)  # noqa: PTH120
    command = [sys.executable, "-c", code, tmp_path / "before.pt", tmp_path / "after.pt", here]
    subprocess.run(command, env={**os.environ, "LIONKIT_ISA": width}, check=True)
    wide, narrow = torch.load(tmp_path / "before.pt"), torch.load(tmp_path / "after.pt")
    kernels.native(*wide, kappa=kappa.Entropy(0.5), **SELECTIONS[2], **SETTINGS)
    for ours, theirs in zip(wide[0] + wide[2], narrow[0] + narrow[2], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=torch.finfo(ours.dtype).eps, atol=1e-6)
