"""Look at a model and leave no trace."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

BatchNorm = Literal["batch", "running"]


@contextmanager
def frozen(model: nn.Module, batch_norm: BatchNorm) -> Iterator[None]:
    """Evaluate inside, and find every buffer, mode and random generator as it was.

    Dropout is off inside. Batch norm normalises by the statistics of the batch ("batch") or by its
    running ones ("running").
    """
    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with _python_random_kept(), torch.random.fork_rng(sorted(devices)):
        try:
            model.eval()
            for module in model.modules():
                if isinstance(module, _BatchNorm) and batch_norm == "batch":
                    module.train()
            yield
        finally:
            for module, training in modes.items():
                module.training = training
            with torch.no_grad():
                for buffer, saved in buffers:
                    buffer.copy_(saved)


@contextmanager
def _python_random_kept() -> Iterator[None]:
    """Keep the generators that data loading draws from; numpy's only where somebody has loaded numpy."""
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        random.setstate(python_state)
        if numpy:
            numpy.random.set_state(numpy_state)
