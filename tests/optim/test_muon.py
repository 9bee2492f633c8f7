"""Muon's small matrices, which are stepped in batches: the same bits as each alone, and as torch's Muon."""

import pytest
import torch
from members import parameters, train
from torch import nn

from lionkit import kernels, optim
from lionkit.kappa import L1, Spectral

# Two shapes of several, one alone, and two that are too small for torch's products to be the same in a batch.
SHAPES = [(24, 18), (17, 40), (24, 18), (30, 50), (17, 40), (24, 18), (16, 40), (16, 40)]
ONE_DTYPE = pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)


def matrices(dtype=torch.float64, shapes=SHAPES):
    return [torch.randn(shape, dtype=torch.float64).to(dtype) for shape in shapes]


@ONE_DTYPE
@pytest.mark.parametrize("adjust", [None, "original", "match_rms_adamw"])
def test_a_batch_has_the_bits_of_each(dtype, adjust):
    xs, kappa = matrices(dtype), Spectral(steps=4, adjust=adjust)
    for x, mapped in zip(xs, kappa.foreach_gradient(xs), strict=True):
        assert mapped.dtype == dtype
        assert mapped.is_contiguous()
        assert torch.equal(mapped, kappa.gradient(x))
        assert mapped.abs().max() > 0.05


@pytest.mark.parametrize("broken", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("position", [0, 1])
def test_a_broken_matrix_breaks_itself_alone(broken, position):
    xs = matrices()
    xs[position][3, 5] = broken
    for i, mapped in enumerate(Spectral().foreach_gradient(xs)):
        assert mapped.isnan().all() if i == position else mapped.isfinite().all()


def test_batches_are_of_one_kind_and_of_a_bounded_size():
    kappa = Spectral()
    assert list(kappa.batches(matrices())) == [[0, 2, 5], [1, 4], [3], [6], [7]]
    assert list(kappa.batches([torch.zeros(20, 20), torch.zeros(20, 20).double()])) == [[0], [1]]
    assert list(kappa.batches([torch.zeros(0, 4), torch.zeros(0, 4)])) == [[0], [1]]
    assert [len(batch) for batch in kappa.batches([torch.zeros(256, 256)] * 11)] == [4, 4, 3]
    assert [len(batch) for batch in kappa.batches([torch.zeros(512, 1024)] * 3)] == [1, 1, 1]
    assert Spectral(steps=None).batches(matrices()) is L1().batches(matrices()) is None


@pytest.mark.parametrize("foreach", [None, True, False])
@pytest.mark.parametrize("nesterov", [False, True])
def test_muon_in_batches_is_torchs(foreach, nesterov):
    """In float64, whose last bits do not show in the bfloat16 that Newton-Schulz steps begin with."""
    params, others = parameters(SHAPES), parameters(SHAPES)
    settings = {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.3, "nesterov": nesterov}
    ours = optim.Muon(params, **settings, adjust="original", foreach=foreach)
    theirs = torch.optim.Muon(others, **settings, adjust_lr_fn="original")
    train(ours, params, 100)
    train(theirs, others, 100)
    for param, other, start in zip(params, others, parameters(SHAPES), strict=True):
        torch.testing.assert_close(param.detach(), other.detach(), rtol=0, atol=1e-12)
        assert (param - start).abs().max() > 0.1


@ONE_DTYPE
@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
def test_the_default_takes_the_steps_of_the_loop_to_the_bit(dtype):
    runs = []
    for foreach in (None, False):
        params = parameters(SHAPES, dtype)
        train(optim.Muon(params, lr=0.03, weight_decay=0.3, foreach=foreach), params, 5)
        runs.append(params)
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_batches_are_taken_for_plain_tensors_that_nothing_looks_through():
    params = [nn.Parameter(x) for x in matrices()]

    def chosen(kappa=Spectral(), foreach=None, differentiable=False, params=params):  # noqa: B008  (frozen)
        backend = kernels.select(params, kappa=kappa, foreach=foreach, fused=None, differentiable=differentiable)
        return backend.__name__

    assert chosen() == "batched"
    assert chosen(foreach=True) == "foreach"
    assert chosen(foreach=False) == chosen(differentiable=True) == chosen(kappa=Spectral(steps=None)) == "reference"

    class Spread(torch.Tensor):
        pass

    assert chosen(params=[param.detach().as_subclass(Spread) for param in params]) == "reference"
