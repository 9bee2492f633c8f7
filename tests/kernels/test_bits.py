"""Bits, tallies and digits: the native operators against their definitions, one coordinate at a time."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lionkit import kernels
from lionkit.kappa import L1
from lionkit.kernels import _bits_reference

MISSING = kernels.refusal([], L1())
NATIVE = pytest.param(
    torch.ops.lionkit, id="native", marks=pytest.mark.skipif(MISSING is not None, reason=f"{MISSING}")
)
BACKENDS = [pytest.param(_bits_reference, id="reference"), NATIVE]
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
SIZES = [0, 1, 7, 8, 9, 255, 256, 257, 1009, 40_001]
NAN_VOTE = kernels.NAN_VOTE


def numbers(numel, dtype, seed=0):
    """A fifth zeros of both signs, some nan, infinities, subnormals."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(numel, generator=generator).to(dtype)
    kind = torch.randint(0, 40, (numel,), generator=generator)
    for place, value in enumerate((0.0, -0.0, math.nan, math.inf, -math.inf)):
        x[kind == place] = value
    x[kind == 6] = torch.finfo(dtype).smallest_normal
    x[kind == 7] = -torch.finfo(dtype).smallest_normal
    return x


def bit(plane, index):
    return plane[index // 8].item() >> index % 8 & 1


@pytest.mark.parametrize("bits", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("numel", SIZES)
def test_signs_are_packed_by_their_definition(bits, dtype, numel):
    x = numbers(numel, dtype)
    planes, others = bits.pack_signs(x, -(-numel // 8) + 3)
    assert planes.shape == (2, -(-numel // 8) + 3)
    for index, value in enumerate(x.tolist() if numel < 2000 else []):
        expected = (1, 0) if math.isnan(value) else (int(value > 0), int(value != 0))
        assert (bit(planes[0], index), bit(planes[1], index)) == expected
    assert all(bit(plane, index) == 0 for plane in planes for index in range(numel, 8 * planes.shape[1]))
    assert others.tolist() == [(x == 0).sum().item(), x.isnan().sum().item()]
    expected, _ = _bits_reference.pack_signs(x, planes.shape[1])
    assert planes.equal(expected)


@pytest.mark.parametrize("bits", BACKENDS)
@pytest.mark.parametrize("workers", [1, 2, 3, 255, 256, 600])
@pytest.mark.parametrize("numel", [1, 8, 5003])
def test_a_tally_is_the_sum_of_the_signs(bits, workers, numel):
    generator = torch.Generator().manual_seed(workers)
    votes = torch.randint(-1, 2, (workers, numel), generator=generator).float()
    votes[0, ::97] = math.nan
    planes = torch.stack([bits.pack_signs(row, -(-numel // 8))[0] for row in votes], dim=1)
    expected = votes.nansum(0).masked_fill(votes.isnan().any(0), NAN_VOTE).to(torch.int16)
    assert bits.tally_signs(planes[0], planes[1])[:numel].equal(expected)
    votes = votes.nan_to_num().sub(0.5).sign()
    signs = torch.stack([bits.pack_signs(row, -(-numel // 8))[0][0] for row in votes])
    assert bits.tally_signs(signs, None)[:numel].equal(votes.sum(0).to(torch.int16))


@pytest.mark.parametrize("bits", BACKENDS)
@given(data=st.data())
def test_digits_come_back(bits, data):
    base = data.draw(st.integers(2, 256))
    rows = data.draw(st.integers(1, 4))
    digits = data.draw(
        st.lists(st.lists(st.integers(0, base - 1), min_size=3, max_size=3), min_size=rows, max_size=rows)
    )
    per_row = data.draw(st.integers(1, 3))
    table = torch.arange(base, dtype=torch.float64) / 7
    codes = torch.stack([bits.pack_digits(torch.tensor(row[:per_row], dtype=torch.int16), base) for row in digits])
    numel = data.draw(st.integers(0, rows * per_row))
    found = bits.unpack_digits(codes, table, per_row, numel)
    assert found.tolist() == [table[digit].item() for row in digits for digit in row[:per_row]][:numel]


@pytest.mark.parametrize("bits", BACKENDS)
@pytest.mark.parametrize("base", [2, 3, 4, 5, 9, 256])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_many_digits_come_back_in_every_dtype(bits, base, dtype):
    digits = torch.randint(0, base, (3, 30_011), dtype=torch.int16)
    table = torch.linspace(-1, 1, base).to(dtype)
    table[-1] = math.nan
    codes = torch.stack([bits.pack_digits(row, base) for row in digits])
    assert codes.shape[1] == math.ceil(30_011 / kernels.digits_per_byte(base))
    found = bits.unpack_digits(codes, table, 30_011, 90_000)
    torch.testing.assert_close(found, table[digits.long()].flatten()[:90_000], rtol=0, atol=0, equal_nan=True)


def test_a_byte_holds_as_many_digits_as_go():
    for base in range(2, 257):
        digits = kernels.digits_per_byte(base)
        assert base**digits <= 256 < base ** (digits + 1)


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
def test_operators_are_what_torch_asks_of_operators():
    ops = torch.ops.lionkit
    x = numbers(1001, torch.float32)
    planes, _ = ops.pack_signs(x, 126)
    votes = ops.tally_signs(planes[:1], planes[1:])
    digits = votes.clamp(-1, 1).add(1)
    codes = ops.pack_digits(digits, 3).unsqueeze(0)
    table = torch.tensor([-1.0, 0.0, 1.0])
    torch.library.opcheck(ops.pack_signs.default, (x, 126))
    torch.library.opcheck(ops.tally_signs.default, (planes[:1], planes[1:]))
    torch.library.opcheck(ops.tally_signs.default, (planes[:1], None))
    torch.library.opcheck(ops.pack_digits.default, (digits, 3))
    torch.library.opcheck(ops.unpack_digits.default, (codes, table, 1008, 1001))


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ops: ops.pack_signs(torch.zeros(9), 1), "num_bytes must be an eighth of the coordinates at least"),
        (lambda ops: ops.pack_signs(torch.zeros(8, dtype=torch.int32), 1), "x must be of float32, float64"),
        (lambda ops: ops.pack_signs(torch.zeros(4, 4).t()[:2], 1), "x must be contiguous"),
        (lambda ops: ops.tally_signs(torch.zeros(8), None), "signs must be a contiguous matrix of uint8"),
        (lambda ops: ops.pack_digits(torch.zeros(8, dtype=torch.int16), 257), r"base must be in \[2, 256\]"),
        (
            lambda ops: ops.unpack_digits(torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(3), 16, 2),
            "per_row must be at most what a row holds",
        ),
        (
            lambda ops: ops.unpack_digits(torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(3), 15, 31),
            "numel must be at most what the rows hold",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(RuntimeError, match=f"lionkit::[a-z_]+: {message}"):
        call(torch.ops.lionkit)
