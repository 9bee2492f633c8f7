"""The public checks pass what keeps the contract, and name what does not."""

from dataclasses import dataclass

import lion_pytorch
import pytest
import torch

import lionkit
from lionkit import momentum, testing
from lionkit.kappa import L1, Spectral


@dataclass(frozen=True)
class Broken(L1.__mro__[1]):
    """l1 with a map that is not its own."""

    def value(self, x):
        return x.abs().sum()

    def gradient(self, x):
        return -x.sign()

    def _penalty(self, y):
        return torch.zeros_like(y)

    @property
    def problem(self):
        return L1().problem


class WritesGradients(torch.optim.SGD):
    def step(self, closure=None):
        loss = super().step(closure)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    param.grad.mul_(0.5)
        return loss


@dataclass(frozen=True)
class Flips:
    """A codec that rounds small numbers to 0."""

    def zeros(self, numel, device):
        return torch.zeros(numel, device=device), torch.ones(1)

    def encode(self, x, noise=None):
        return (x.flatten() * 2).round() / 2, torch.ones(1)

    def decode(self, codes, scales, shape):
        return codes.view(shape)


@pytest.mark.parametrize("kappa", [getattr(lionkit.kappa, n) for n in ("L1", "HalfSquaredL2", "LInf", "GroupL2")])
def test_kappas_of_this_library_pass(kappa):
    report = testing.check_kappa(kappa())
    assert len(report.passed) == 9
    assert not report.failed
    assert str(report).startswith(f"{kappa()!r}: 9 of 9 checks hold\nok     fenchel_young\n")


def test_a_broken_kappa_is_named_law_by_law():
    with pytest.raises(AssertionError) as caught:
        testing.check_kappa(Broken())
    found = str(caught.value)
    assert "FAILED equality_at_the_gradient" in found
    assert "FAILED monotone: the slope between two points is -" in found
    assert "ok     convex" in found


def test_newton_schulz_is_no_gradient_map():
    with pytest.raises(AssertionError, match="FAILED equality_at_the_gradient"):
        testing.check_kappa(Spectral())


def test_a_kappa_that_takes_no_shape_is_refused():
    with pytest.raises(ValueError, match="takes none of them"):
        testing.check_kappa(Spectral(steps=None), shapes=[(3,)])


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.NAdam])
def test_torchs_optimizers_pass(optimizer):
    def make(params):
        return optimizer(params, lr=0.01, weight_decay=0.1)

    assert len(testing.check_optimizer(make).passed) == 11


def test_a_peer_fails_where_it_is_known_to():
    """lion-pytorch hides a nan, whose sign is 0."""
    with pytest.raises(AssertionError) as caught:
        testing.check_optimizer(lambda params: lion_pytorch.Lion(params, lr=0.01, weight_decay=0.1))
    assert "FAILED hides_no_nan: a gradient of nan leaves its weight finite" in str(caught.value)


def test_an_optimizer_that_writes_to_gradients_is_named():
    with pytest.raises(AssertionError) as caught:
        testing.check_optimizer(lambda params: WritesGradients(params, lr=0.01, weight_decay=0.1))
    assert "FAILED leaves_gradients_alone: a gradient was written to" in str(caught.value)
    assert str(caught.value).count("FAILED") == 1


@pytest.mark.parametrize(("codec", "error"), [(momentum.INT8, 1 / 64), (momentum.INT4, 1 / 2)], ids=["int8", "int4"])
def test_codecs_of_this_library_pass_and_their_bound_is_tight(codec, error):
    assert len(testing.check_codec(codec, error=error).passed) == 6
    with pytest.raises(AssertionError, match="FAILED bounded_error: an error is"):
        testing.check_codec(codec, error=error / 4)


def test_a_codec_that_loses_signs_is_named():
    with pytest.raises(AssertionError, match=r"FAILED signs_and_zeros: \d+ of \d+ signs differ"):
        testing.check_codec(Flips(), error=1.0)
