"""What a worker does in a test: train, and tell what has become of the weights."""

import contextlib
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from voting_processes import die
from worker_tasks import batch_of, loss_of, make_net

import lionkit
from lionkit.distributed import _roll_call, agree

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


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].equal(theirs[name]), name


def go_on_to_a_death(rank, optimizer, loss):
    """Train until rank 1 dies at step 3; return the step in which this process is told, after how long, and what."""
    _roll_call._PATIENCE = 2.0
    for step in range(5):
        optimizer.zero_grad()
        outcome = loss(step)
        if step == 3 and rank == 1:
            die(rank)
        start = time.monotonic()
        try:
            outcome.backward()
        except RuntimeError as error:  # a vote, or what FSDP2 sends
            return step, time.monotonic() - start, str(error)
        optimizer.step()
    return None
