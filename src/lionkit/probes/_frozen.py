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
    running ones ("running"); a layer that stands in eval mode while its model trains is frozen by its
    owner, and keeps to its running statistics either way.
    """
    by_batch = [m for m in model.modules() if isinstance(m, _BatchNorm) and (m.training or not model.training)]
    with _random_kept(model), _modes_kept(model), _buffers_kept(model):
        model.eval()
        for module in by_batch if batch_norm == "batch" else []:
            module.train()
        yield


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Put back every buffer's value, and the tensor itself where a module has bound another to its name."""
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for module, name, buffer, value in buffers:
                module._buffers[name] = buffer.copy_(value)


@contextmanager
def _random_kept(model: nn.Module) -> Iterator[None]:
    """Keep the global generators: torch's on the CPU and on the model's devices, Python's, and numpy's if loaded."""
    devices = {param.device for param in model.parameters() if param.device.type not in ("cpu", "meta")}
    device_type = next((device.type for device in devices), "cuda")
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy else None
    with torch.random.fork_rng(sorted(device.index for device in devices), device_type=device_type):
        try:
            yield
        finally:
            random.setstate(python_state)
            if numpy:
                numpy.random.set_state(numpy_state)
