"""FSDP2: every process holds its part of each weight."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from lionkit_lab.engine._processes import Processes
from lionkit_lab.errors import UsageError


def shard(model: nn.Module, processes: Processes) -> None:
    """Cut the model's weights over the processes, layer by layer: one layer at a time is gathered.

    Raises:
        UsageError: This process was not started by `torchrun`.
    """
    if not dist.is_initialized():
        needs = "needs processes to share the weights: start them by `torchrun --nproc-per-node N -m lionkit_lab train`"
        raise UsageError(f'engine.sharding: "fsdp2" {needs}')
    mesh = init_device_mesh(processes.device.type, (processes.count,))
    for layers in reversed([module for module in model.modules() if isinstance(module, nn.ModuleList)]):
        for layer in layers:
            fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def whole_tensor(tensor: Tensor) -> Tensor:
    """Return the tensor that the processes' shards make up; all of them must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


@torch.no_grad()
def put(tensor: Tensor, value: Tensor) -> None:
    """Write a whole value into a tensor or into this process's shard of it."""
    if isinstance(tensor, DTensor):
        # Every process has the value: each cuts its part out, and nothing is sent.
        value = distribute_tensor(value.to(tensor.device), tensor.device_mesh, tensor.placements, src_data_rank=None)
    tensor.copy_(value)
