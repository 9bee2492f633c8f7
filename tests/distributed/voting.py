"""What a worker does in a test: train, and tell what has become of the weights."""

import contextlib

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit.distributed import agree

SETTINGS = {"lr": 0.01, "betas": (0.85, 0.97), "weight_decay": 0.3}


def wrapped(net, **options):
    """Wrap into buckets of a few hundred bytes, from the first step on."""
    dist._DEFAULT_FIRST_BUCKET_BYTES = 64
    options = {"find_unused_parameters": True, "bucket_cap_mb": 400 / 2**20, **options}
    return DistributedDataParallel(net, **options)


def train(rank, mode, steps, *, micros=1, dtype=torch.float32, make=lionkit.Lion, ddp=(), **options):
    """Train and return weights, momenta and traffic."""
    net = make_net(dtype)
    model = wrapped(net, **dict(ddp))
    optimizer = make(net.named_parameters(), **SETTINGS, **options)
    workers = agree(model, optimizer, mode, check_every=50)
    for step in range(steps):
        optimizer.zero_grad()
        for micro in range(micros):
            last = micro == micros - 1
            with contextlib.nullcontext() if last else model.no_sync():
                loss_of(model, batch_of(rank, step, micro, dtype)).backward()
        optimizer.step()
    weights = {name: param.detach().clone() for name, param in net.named_parameters()}
    momenta = {name: optimizer.state[param].get("exp_avg") for name, param in net.named_parameters()}
    return weights, momenta, workers.traffic
