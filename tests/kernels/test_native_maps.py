"""The gradient maps of the native kernel against those of the kappas, in float64."""

import math
import os
import subprocess
import sys

import pytest
import torch

import lionkit
from lionkit import kappa, kernels

MISSING = kernels.refusal([], kappa.L1())
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

KAPPAS = [
    kappa.L1(),
    kappa.HalfSquaredL2(),
    *(make(e) for make in (kappa.Huber, kappa.Relativistic, kappa.Entropy, kappa.Arctan) for e in (1e-3, 1.0, 40.0)),
    *(kappa.TruncatedL1(e) for e in (0.0, 0.25)),
    *(kappa.Cautious(nu) for nu in (0.125, 1.0)),
]


def directions(geometry, c):
    """The map of c: the step from 0 with lr 1 and no memory of the past, whose momentum becomes c itself."""
    param, momentum = torch.zeros_like(c), torch.zeros_like(c)
    settings = {"lr": 1.0, "betas": (0.0, 0.0), "weight_decay": 0.0, "maximize": False}
    assert kernels.native([param], [c], [momentum], kappa=geometry, **settings) == []
    return -param


def all_sizes(dtype):
    """Numbers of every exponent and both signs, all over the mantissa, 0, and around the kinks."""
    generator = torch.Generator().manual_seed(4)
    normal = torch.randn(20_000, generator=generator, dtype=torch.float64)
    smallest, largest = (math.log2(getattr(torch.finfo(dtype), name)) for name in ("tiny", "max"))
    exponents = smallest + (largest - 1 - smallest) * torch.rand(20_000, generator=generator, dtype=torch.float64)
    kinks = [0.0, -0.0, 0.125, 0.25, 1.0, 40.0, 0.414213562, 2.41421356]
    return torch.cat([normal, normal.sign() * 2**exponents, torch.tensor(kinks, dtype=torch.float64)]).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("geometry", KAPPAS, ids=repr)
def test_a_map_is_that_of_its_kappa(geometry, dtype):
    c = all_sizes(dtype)
    ours, exact = directions(geometry, c).double(), geometry.gradient(c.double())
    eps = torch.finfo(dtype).eps
    assert ((ours - exact).abs() <= 4 * eps * exact.abs() + torch.finfo(dtype).tiny).all()


@pytest.mark.parametrize("geometry", KAPPAS[:1] + KAPPAS[2:], ids=repr)
def test_what_is_not_finite_is_nan(geometry):
    """But for the identity, which hands on what it gets."""
    assert directions(geometry, torch.tensor([torch.nan, torch.inf, -torch.inf])).isnan().all()


@pytest.mark.parametrize("geometry", KAPPAS, ids=repr)
def test_fused_and_reference_walk_together(geometry):
    """Fifty steps in float64 with every option off its default."""
    generator = torch.Generator().manual_seed(8)
    start = torch.randn(3, 700, dtype=torch.float64, generator=generator)
    grads = [torch.randn(3, 700, dtype=torch.float64, generator=generator) for _ in range(50)]
    settings = {"lr": 0.02, "betas": (0.85, 0.97), "weight_decay": 0.3, "maximize": True, "kappa": geometry}
    ends = []
    for fused, foreach in ((True, None), (False, False)):
        weight = torch.nn.Parameter(start.clone())
        optimizer = lionkit.LionK([weight], fused=fused, foreach=foreach, **settings)
        for grad in grads:
            weight.grad = grad
            optimizer.step()
        ends.append(weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("width", ["baseline", "avx2"])
def test_narrower_instruction_sets_have_the_same_maps(width, tmp_path):
    torch.save(all_sizes(torch.float32), tmp_path / "c.pt")
    code = (
        "import sys, torch; sys.path.insert(0, sys.argv[3]); from test_native_maps import KAPPAS, directions; "
        "c = torch.load(sys.argv[1]); torch.save([directions(geometry, c) for geometry in KAPPAS], sys.argv[2])"
    )
    here = os.path.dirname(__file__)  # noqa: PTH120
    command = [sys.executable, "-c", code, tmp_path / "c.pt", tmp_path / "maps.pt", here]
    subprocess.run(command, env={**os.environ, "LIONKIT_ISA": width}, check=True)
    c = torch.load(tmp_path / "c.pt")
    for geometry, narrow in zip(KAPPAS, torch.load(tmp_path / "maps.pt"), strict=True):
        torch.testing.assert_close(directions(geometry, c), narrow, rtol=5e-7, atol=1e-37)
