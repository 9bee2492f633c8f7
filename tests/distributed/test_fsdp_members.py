"""Every member on weights that FSDP2 has cut over two processes, beside itself on one device."""

import pytest
import torch
from members import MEMBERS, SETTINGS
from sharded_members import CASES, KAPPAS, MATRIX_KAPPAS, SHAPES, Bowl
from sharded_tasks import everything
from voting_processes import run

from lionkit import kappa, kernels

# The norm is summed up in another order; the mask's kernel for one device rounds otherwise than torch's operators.
ROUNDED = {"MARSLion", "MARSLion, exact", "CautiousLion", "CautiousLion, eps", "mask, Huber"}


@pytest.fixture(scope="module")
def found():
    """Return what both processes have found."""
    return run(everything, 2)


def test_no_member_and_no_kappa_is_forgotten():
    assert set(MEMBERS) - set(CASES) == {"MLorcLion"}
    made = {type(it) for it in (*KAPPAS.values(), *MATRIX_KAPPAS.values())}
    assert made == {getattr(kappa, name) for name in kappa.__all__} - {kappa.Kappa, kappa.InducedProblem, kappa.L1}


@pytest.mark.parametrize("name", CASES)
def test_a_member_steps_as_on_one_device(found, name):
    for alone, sharded in (walks[name] for walks, *_ in found):
        moved = sum(int((a != b).sum()) for a, b in zip(alone, Bowl(**CASES[name][0]).weights, strict=False))
        assert moved > len(alone)
        tolerance = 2e-6 if name in ROUNDED else 0
        for one, other in zip(alone, sharded, strict=True):
            flipped = int(((one - other).abs() > SETTINGS["lr"] / 2).sum())
            assert not flipped
            torch.testing.assert_close(other, one, rtol=0, atol=tolerance)


def test_by_the_same_operators_the_bits_are_the_same(found):
    for _, masked, *_ in found:
        for one, other in masked:
            torch.testing.assert_close(other, one, rtol=0, atol=0)


def test_a_step_is_summed_up_over_all_processes(found):
    for _, _, ((alone, _), (cut_, watched), (_, unwatched)), *_ in found:
        assert [it.step for it in cut_] == [2, 4]
        for one, other in zip(alone, cut_, strict=True):
            assert other.total.numel == sum(torch.Size(shape).numel() for shape in SHAPES)
            for name in one.total.__dataclass_fields__:
                assert getattr(other.total, name) == pytest.approx(getattr(one.total, name), rel=1e-5), name
        assert all(map(torch.equal, watched, unwatched))


def test_weights_that_stand_still_are_counted_over_all_processes(found):
    for *_, counts, _, _ in found:
        assert counts[0] == counts[1]
        assert counts[2] == counts[3]
        assert 0 < counts[0][0].num < counts[0][0].numel == 47


def test_what_cannot_be_cut_is_refused_in_words(found):
    rank = "Invalid momentum_rank: 2 for a DTensor, it must be None where a parameter is not a plain tensor"
    codes = "Invalid momentum_dtype: '{}' for a DTensor of shape {}, it must be None, 'float32' or 'bfloat16' where "
    for *_, said, _ in found:
        assert said[0] == rank
        assert said[1].startswith(codes.format("int8", (64, 65)))
        assert said[2].startswith(codes.format("int4", (65, 128)))
        assert said[3].startswith(codes.format("int8", (64, 128)))
        unknown = "fused=True: the native kernel does not know {} of a DTensor's shards"
        assert said[4] == unknown.format("direction=CautiousMask(normalisation='published')")
        assert said[5] == unknown.format("momentum_dtype='int8'")
        assert said[6] == "fused=True: the native kernel does not know Spectral(steps=5, adjust=None)"


def test_a_state_of_one_device_is_cut_as_it_is_loaded(found):
    for *_, loaded in found:
        for alone, sharded in loaded:
            for one, other in zip(alone, sharded, strict=True):
                torch.testing.assert_close(other, one, rtol=0, atol=0)


def test_noise_at_places_is_that_of_the_whole():
    key, places = kernels.step_key(5, 3), torch.tensor([7, 0, 40, 2**32 + 7])
    words = kernels.words(key, 2, 4, stream="momentum", places=places)
    assert words[:3].equal(kernels.words(key, 2, 41, stream="momentum")[places[:3]])
    assert words[3] != words[0]
