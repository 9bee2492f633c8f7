"""The public checks pass what keeps the contract, and name what does not."""

import lion_pytorch
import pytest
import torch
from broken_kappas import Ascends

import lionkit
from lionkit import momentum, testing
from lionkit.kappa import Spectral


@pytest.mark.parametrize("kappa", [getattr(lionkit.kappa, n) for n in ("L1", "HalfSquaredL2", "LInf", "GroupL2")])
def test_kappas_of_this_library_pass(kappa):
    report = testing.check_kappa(kappa())
    assert len(report.passed) == 11
    assert not report.failed
    assert str(report).startswith(f"{kappa()!r}: 11 of 11 checks hold\nok     fenchel_young\n")


def test_a_report_says_what_holds_and_what_does_not_and_where():
    with pytest.raises(AssertionError) as caught:
        testing.check_kappa(Ascends())
    found = str(caught.value)
    assert "FAILED monotone: the slope between two points is -" in found
    assert "; at x = " in found
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


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.complex64], ids=str)
def test_other_dtypes_are_checked_as_well(dtype):
    seen = set()

    def make(params):
        seen.update(param.dtype for param in params)
        return torch.optim.SGD(params, lr=0.01, momentum=0.9, weight_decay=0.1)

    assert len(testing.check_optimizer(make, dtype=dtype).passed) == 11
    assert seen == {dtype}


@pytest.mark.parametrize(("codec", "error"), [(momentum.INT8, 1 / 64), (momentum.INT4, 1 / 2)], ids=["int8", "int4"])
def test_codecs_of_this_library_pass_and_their_bound_is_tight(codec, error):
    assert len(testing.check_codec(codec, error=error).passed) == 6
    with pytest.raises(AssertionError, match="FAILED bounded_error: an error is"):
        testing.check_codec(codec, error=error / 4)
