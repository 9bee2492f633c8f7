"""Sizes beyond 32 bits, and what a step allocates."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lionkit import kernels
from lionkit.kappa import L1
from lionkit.momentum import INT8

MISSING = kernels.refusal([], L1())
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


def available_bytes():
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 1024 * int(lines["MemAvailable"].split()[0])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or available_bytes() < 13e9, reason="needs Linux and 13 GB of free memory")
def test_more_numbers_than_32_bits_count():
    size = 2**31 + 3
    param, grad = (torch.ones(size, dtype=torch.bfloat16) for _ in range(2))
    grad[::3] = -1
    grad[-1] = 0
    codes, scales = INT8.zeros(size, torch.device("cpu"))
    settings = {"lr": 0.25, "betas": (0.9, 0.99), "weight_decay": 0.5, "maximize": False}
    sums = torch.empty(len(kernels.SUMS), dtype=torch.float64)
    assert kernels.native([param], [grad], [codes], scales=[scales], kappa=L1(), statistics=sums, **settings) == []
    named = dict(zip(kernels.SUMS, sums.tolist(), strict=True))
    assert named["numel"] == size
    assert named["num_zero"] == 1
    assert named["grad_l1"] == named["num_agree"] == size - 1
    for start in range(0, size, 2**27):  # 1 - 0.25 * (sign + 0.5)
        part, direction = param[start : start + 2**27], grad[start : start + 2**27]
        assert part.equal(0.875 - 0.25 * direction)
        assert codes[start : start + 2**27].sign().equal(direction.to(torch.int8))
    assert scales.unique().numel() == 1


CODE = """
import sys, torch, lionkit
from pathlib import Path

def peak_and_now():
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return [1024 * int(lines[name].split()[0]) for name in ("VmHWM", "VmRSS")]

dtype, momentum_dtype, rounding, observed, fused = sys.argv[1:]
weight = torch.nn.Parameter(torch.ones(2**25, dtype=getattr(torch, dtype)))
weight.grad = torch.ones_like(weight)
kept = {"momentum_dtype": momentum_dtype, "weight_rounding": rounding}
optimizer = lionkit.Lion([weight], lr=1.0, weight_decay=0.1, fused=fused == "fused", **kept)
if observed == "observed":
    optimizer.observe()
optimizer.step()  # makes the state
Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
before = peak_and_now()[1]
optimizer.step()  # the second of one lr: it also looks whether weights stand still
print(peak_and_now()[0] - before)
"""


def bytes_of_a_step(*arguments):
    command = [sys.executable, "-c", CODE, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("dtype", "momentum_dtype", "rounding", "observed"),
    [
        ("float32", "float32", "nearest", "observed"),
        ("float32", "int4", "nearest", "alone"),
        ("bfloat16", "int8", "stochastic", "observed"),
        ("bfloat16", "int8", "nearest", "alone"),
        ("bfloat16", "bfloat16", "kahan", "alone"),
    ],
)
def test_a_step_makes_no_buffer_of_a_parameters_size(dtype, momentum_dtype, rounding, observed):
    """At most a byte for each of 32 M parameters; pieces of it take 2 to 25 MB, whatever its size."""
    assert bytes_of_a_step(dtype, momentum_dtype, rounding, observed, "fused") < 2**25


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_buffer_would_be_seen():
    assert bytes_of_a_step("bfloat16", "int8", "nearest", "alone", "unfused") > 4 * 2**25
