"""A parameter's state in every form, from each to each, and what is damaged."""

import pytest
import torch
from codecs_and_momenta import weights

from lionkit import momentum

of_both_widths = pytest.mark.parametrize("name", ["int8", "int4"])


@of_both_widths
def test_a_coded_state_is_two_flat_tensors(name):
    weight = weights()[0]
    state = momentum.encode_state(torch.randn_like(weight), name, weight)
    assert list(state) == ["exp_avg_codes", "exp_avg_scales"]
    num_bytes = sum(tensor.nbytes for tensor in state.values()) / weight.numel()
    assert num_bytes <= {"int8": 1.02, "int4": 0.53}[name]


@of_both_widths
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.complex64, torch.complex128])
def test_a_state_decodes_to_the_momentum(name, dtype):
    weight = weights(dtype)[0]
    given = torch.randn_like(weight, dtype=torch.complex64 if dtype.is_complex else torch.float32)
    decoded = momentum.decode_state(momentum.encode_state(given, name, weight), weight)
    assert (decoded.dtype, decoded.shape) == (given.dtype, given.shape)
    parts, given_parts = (torch.view_as_real(it) if dtype.is_complex else it for it in (decoded, given))
    assert torch.equal(parts.sign(), given_parts.sign())
    # Half a step of the levels is at most half of the number, plus half of the smallest step.
    assert ((parts - given_parts).abs() <= 0.51 * given_parts.abs() + 0.05).all()


@pytest.mark.parametrize(
    ("name", "param_dtype", "dtype"),
    [
        (None, torch.bfloat16, torch.bfloat16),
        (None, torch.complex128, torch.complex128),
        ("float32", torch.bfloat16, torch.float32),
        ("float32", torch.float64, torch.float32),
        ("float32", torch.complex128, torch.complex64),
        ("bfloat16", torch.float32, torch.bfloat16),
        ("bfloat16", torch.complex64, torch.complex64),
        ("int8", torch.bfloat16, torch.float32),
        ("int4", torch.complex64, torch.complex64),
    ],
)
def test_a_dense_state_has_the_dtype_that_its_name_says(name, param_dtype, dtype):
    small = weights(param_dtype)[1]
    assert momentum.codec(name, small) is None
    assert momentum.dense_dtype(name, small) is dtype
    assert momentum.zero_state(name, small)["exp_avg"].dtype is dtype
    given = torch.randn_like(small)
    kept = momentum.encode_state(given, name, small)["exp_avg"]
    assert kept.dtype is (dtype if name else given.dtype)
    assert momentum.decode_state({"exp_avg": kept}, small) is kept


def test_without_a_name_a_momentum_keeps_its_own_dtype():
    weight = torch.randn(3, dtype=torch.bfloat16)
    given = torch.randn(3)
    assert momentum.encode_state(given, None, weight)["exp_avg"] is given


@pytest.mark.parametrize("name", [None, "float32", "bfloat16", "int8", "int4"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_a_zero_state_is_the_state_of_zeros(name, dtype):
    for weight in weights(dtype):
        zero, encoded = momentum.zero_state(name, weight), momentum.encode_state(torch.zeros_like(weight), name, weight)
        assert list(zero) == list(encoded)
        assert all(torch.equal(zero[key], encoded[key]) for key in zero)
        assert all(zero[key].dtype is encoded[key].dtype for key in zero)


def test_a_dense_zero_state_has_the_layout_of_its_parameter():
    weight = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert momentum.zero_state("bfloat16", weight)["exp_avg"].stride() == weight.stride()


@of_both_widths
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp_avg_codes": None}, r"it has \['exp_avg_scales'\], it must have 'exp_avg', or 'exp_avg_codes' and"),
        ({"exp_avg_scales": None}, r"it has \['exp_avg_codes'\], it must have 'exp_avg'"),
        ({"exp_avg_codes": lambda codes: codes[1:]}, r"Invalid exp_avg_codes: their shape is \(\d+,\), it must be"),
        ({"exp_avg_codes": lambda codes: codes[None]}, r"Invalid exp_avg_codes: their shape is \(1, \d+\), it must be"),
        ({"exp_avg_codes": lambda codes: codes.float()}, r"their dtype is torch\.float32, it must be torch\.int8 or"),
        ({"exp_avg_scales": lambda scales: scales.repeat(2)}, r"Invalid exp_avg_scales: their shape is \(130,\)"),
        ({"exp_avg_scales": lambda scales: scales.float()}, r"their dtype is torch\.float32, it must be torch\.bfloat"),
        ({"exp_avg": lambda _: torch.zeros(41, 3, 67)}, r"Invalid exp_avg: its shape is \(41, 3, 67\), it must be"),
    ],
)
def test_a_damaged_state_is_refused(name, changes, message):
    weight = weights()[0]
    state = momentum.encode_state(torch.randn_like(weight), name, weight)
    for key, change in changes.items():
        tensor = state.pop(key, None)
        if change is not None:
            state[key] = change(tensor)
    with pytest.raises(ValueError, match=message):
        momentum.decode_state(state, weight)


def test_codes_of_the_other_width_are_known_by_their_dtype():
    weight = weights()[0]
    eight, four = (momentum.encode_state(torch.randn_like(weight), name, weight) for name in ("int8", "int4"))
    eight["exp_avg_codes"] = four["exp_avg_codes"].view(torch.int8)
    with pytest.raises(ValueError, match=r"their shape is \(4121,\), it must be \(8241,\) for 8241 coordinates"):
        momentum.decode_state(eight, weight)
