"""A momentum as factors: what they keep of a matrix, when a parameter has them, and what is damaged."""

import math

import pytest
import torch

from lionkit import momentum
from lionkit.momentum._low_rank import FACTORS

DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)


def matrix(rank, rows=9, columns=5, dtype=torch.float64):
    """A matrix of this rank, whose sizes fall by a factor of 3."""
    left, right = (torch.linalg.qr(torch.randn(side, rank).double()).Q for side in (rows, columns))
    return ((left * 3.0 ** -torch.arange(rank)) @ right.T).to(dtype)


def decoded(given, rank, key=3):
    return momentum.decode_state(momentum.encode_state(given, None, given, rank, key=key), given)


@pytest.mark.parametrize("rank", [1, 2, 5])
@pytest.mark.parametrize("shape", [(9, 5), (5, 9)], ids=str)
def test_a_momentum_of_the_rank_is_kept_whole(rank, shape):
    given = matrix(rank, *shape)
    torch.testing.assert_close(decoded(given, rank), given, rtol=0, atol=1e-14)


def test_a_smaller_rank_loses_no_more_than_its_theorem_says_and_nothing_twice():
    """Halko, Martinsson, Tropp, Theorem 10.5, of 1 + 2 directions, in the mean; never better than the best."""
    given = matrix(5)
    sizes = torch.linalg.svdvals(given)
    errors = torch.stack([(decoded(given, 3, key) - given).norm() for key in range(200)])
    assert errors.min() >= sizes[3:].norm() * (1 - 1e-12)
    assert errors.mean() <= 2**0.5 * sizes[1:].norm()
    once = decoded(given, 3)
    torch.testing.assert_close(decoded(once, 3, key=8), once, rtol=0, atol=1e-14)


@DTYPES
def test_factors_have_their_shapes_and_never_less_than_float32(dtype):
    weight = torch.zeros(9, 5, dtype=dtype)
    state = momentum.encode_state(torch.randn(9, 5, dtype=dtype), "bfloat16", weight, 2, key=1)
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == dict(
        zip(FACTORS, [(9, 2), (2,), (2, 5)], strict=True)
    )
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    assert {tensor.dtype for tensor in state.values()} == {wide}
    assert all(tensor.is_contiguous() for tensor in state.values())
    zero = momentum.zero_state("bfloat16", weight, 2)
    assert {name: (t.shape, t.dtype) for name, t in zero.items()} == {n: (t.shape, t.dtype) for n, t in state.items()}
    assert torch.equal(momentum.decode_state(zero, weight), torch.zeros(9, 5, dtype=wide))


def test_a_key_gives_the_same_directions_and_another_others():
    given = matrix(5)
    first, again, other = (momentum.encode_state(given, None, given, 2, key=key) for key in (7, 7, 8))
    assert all(torch.equal(first[name], again[name]) for name in FACTORS)
    assert not torch.equal(first["exp_avg_sizes"], other["exp_avg_sizes"])


@pytest.mark.parametrize("shape", [(7,), (), (2, 3, 4)], ids=str)
def test_what_is_no_matrix_is_kept_whole(shape):
    given = torch.randn(shape)
    assert momentum.encode_state(given, None, given, 2)["exp_avg"] is given
    assert list(momentum.zero_state(None, given, 2)) == ["exp_avg"]
    complex_ = torch.zeros(4, 4, dtype=torch.complex64)
    assert not momentum.is_low_rank(2, complex_)
    assert list(momentum.zero_state(None, complex_, 2)) == ["exp_avg"]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_not_finite_shows(broken):
    given = matrix(3)
    given[2, 1] = broken
    assert decoded(given, 2).isnan().all()


def test_a_state_of_the_same_rank_is_taken_as_it_is_and_any_other_is_converted():
    given = matrix(2)
    two = momentum.encode_state(given, None, given, 2, key=3)
    same = momentum.convert_state(two, None, given, 2, key=9)
    assert all(same[name] is two[name] for name in FACTORS)
    for rank in (None, 1, 3):
        found = momentum.convert_state(two, "float32", given, rank, key=9)
        assert len(found) == (1 if rank is None else 3)
        assert rank == 1 or (momentum.decode_state(found, given) - given).abs().max() < 1e-6
    codes = momentum.encode_state(torch.randn(64, 64), "int8", torch.zeros(64, 64))
    kept = momentum.convert_state(codes, "int8", torch.zeros(64, 64))
    assert all(kept[name] is codes[name] for name in codes)
    assert list(momentum.convert_state(codes, "int8", torch.zeros(64, 64), 4)) == list(FACTORS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"exp_avg_sizes": None},
            r"Invalid factors of the momentum: their shapes are \[\(9, 2\), None, \(2, 5\)\], they",
        ),
        ({"exp_avg_right": torch.zeros(2, 9)}, r"they must be \[\(9, 2\), \(2,\), \(2, 5\)\]"),
        ({"exp_avg_sizes": torch.zeros(3)}, r"their shapes are \[\(9, 2\), \(3,\), \(2, 5\)\]"),
        ({"exp_avg_left": None}, r"Invalid state: it has \['exp_avg_right', 'exp_avg_sizes'\], it must have 'exp_avg'"),
    ],
)
def test_a_damaged_state_is_refused(changes, message):
    given = matrix(2)
    state = momentum.encode_state(given, None, given, 2) | changes
    state = {name: tensor for name, tensor in state.items() if tensor is not None}
    with pytest.raises(ValueError, match=message):
        momentum.decode_state(state, given)


def test_factors_of_a_matrix_are_refused_by_a_vector():
    given = matrix(2)
    with pytest.raises(ValueError, match="they must be none"):
        momentum.decode_state(momentum.encode_state(given, None, given, 2), torch.zeros(45))


def test_a_rank_above_the_smaller_side_is_refused():
    momentum.check_rank(5, torch.zeros(9, 5))
    momentum.check_rank(6, torch.zeros(5))
    with pytest.raises(ValueError, match=r"Invalid momentum_rank: 6 for a parameter of shape \(9, 5\), it must be at"):
        momentum.check_rank(6, torch.zeros(9, 5))
