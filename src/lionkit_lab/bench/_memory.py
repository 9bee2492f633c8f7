"""Bytes: of a state, of a step at its peak, of what fits at once."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from lionkit_lab.bench._cases import ITEMSIZE, Case
from lionkit_lab.bench._contenders import BASELINE

_PROC = Path("/proc/self")
_RESET_PEAK = "5"  # man proc_pid_clear_refs
_NOISE = 2**22  # bytes: a case below it is lost among the pages that the kernel counts in batches

# Bytes a parameter, at most, of a contender: weights in their dtype, and two states of it or one in float32.
_STATES = 8
# Once for all: gradients, the weights copied from, what is streamed; five temporaries of a step, float32 or wider.
_SHARED = 3
_TEMPORARIES = 5


def groups(case: Case, names: Sequence[str]) -> list[list[str]]:
    """Split the contenders into groups that fit into free memory at once, with the baseline in each.

    Returns:
        One group where all fit; none where not even the baseline and one other do.
    """
    size = ITEMSIZE[case.dtype]
    others = [name for name in names if name != BASELINE]
    each = size + max(_STATES, 2 * size)
    at_once = int((_free_bytes() / case.num_params - _SHARED * size - _TEMPORARIES * max(4, size)) // each) - 1
    if at_once < 1:
        return []
    starts = range(0, max(1, len(others)), at_once)
    return [[BASELINE, *others[start : start + at_once]] for start in starts]


def _free_bytes() -> int:
    """What may be taken without swapping, less a tenth."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        return 922 * _kilobytes(meminfo, "MemAvailable")
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def state_bytes(optimizer: Optimizer) -> int:
    """Add up every tensor of the state; one that several parameters share counts once."""
    tensors = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())


def step_bytes(step: Callable[[], Any], case: Case) -> int | None:
    """Return what a step allocates at its peak: by how much the resident memory of this process rises.

    The kernel counts pages, whoever asks for them: a buffer of C++ is seen as one of torch is.

    Returns:
        Bytes; None for small cases and where there is no Linux to count them.
    """
    if case.num_bytes < _NOISE:
        return None
    _trim()
    try:
        (_PROC / "clear_refs").write_text(_RESET_PEAK)
        before = _kilobytes(_PROC / "status", "VmRSS")
    except OSError:
        return None
    step()
    return 1024 * max(0, _kilobytes(_PROC / "status", "VmHWM") - before)


def _trim() -> None:
    """Give freed memory back, which a step would otherwise reuse unseen; a function of glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _kilobytes(file: Path, key: str) -> int:
    lines = (line.partition(":") for line in file.read_text(encoding="ascii").splitlines())
    return next(int(value.split()[0]) for name, _, value in lines if name == key)
