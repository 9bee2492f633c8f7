"""What is measured over a whole tensor, on a tensor of two processes."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from lionkit import optim

MAKES = {
    "CautiousLion": lambda params: optim.CautiousLion(params, 0.01, weight_decay=0.3),
    "CLion, tensor": lambda params: optim.CLion(params, 0.01, weight_decay=0.3, nu=1e-4),
    "CLion, model": lambda params: optim.CLion(params, 0.01, weight_decay=0.3, nu=1e-4, gate="model"),
    "MARSLion": lambda params: optim.MARSLion(params, 0.01, weight_decay=0.3, gamma=0.1),
    "StoSignSGD": lambda params: optim.StoSignSGD(params, 0.01, weight_decay=0.3, seed=3),
    "LionIGT": lambda params: optim.LionIGT(params, 0.01, weight_decay=0.3),
    "cautious decay": lambda params: optim.Lion(params, 0.01, weight_decay=0.3, weight_decay_mode="cautious"),
}


def _rank(rank, path):
    dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    for name, make in MAKES.items():
        torch.manual_seed(0)
        whole = nn.Parameter(torch.randn(6, 5, dtype=torch.float64))
        shard = nn.Parameter(distribute_tensor(whole.detach().clone(), mesh, [Shard(0)]))
        steppers = make([whole]), make([shard])
        for _ in range(5):
            whole.grad = torch.randn(6, 5, dtype=torch.float64)
            shard.grad = distribute_tensor(whole.grad.clone(), mesh, [Shard(0)])
            for stepper in steppers:
                stepper.step()
        torch.testing.assert_close(shard.full_tensor(), whole.detach(), rtol=0, atol=1e-14, msg=name)
    for options in ({"momentum_rank": 2}, {"momentum_dtype": "int8"}):  # refused before anything is stepped
        with pytest.raises(ValueError, match=f"^Invalid {next(iter(options))}: .* for a DTensor.*, it must be None"):
            optim.LionK([nn.Parameter(distribute_tensor(torch.zeros(64, 65), mesh, [Shard(0)]))], **options)
    dist.destroy_process_group()


def test_shards_step_as_the_whole_tensor(tmp_path):
    torch.multiprocessing.spawn(_rank, (tmp_path / "store",), nprocs=2)
