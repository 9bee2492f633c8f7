"""Two replicas of two processes that are set up or used wrongly, or diverge: what each process is told."""

import pytest
import torch
from replica_voting import Large, cut, loss_of, make, mesh_of
from torch import nn
from torch.distributed._composable.replicate_with_fsdp import replicate
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from voting import SETTINGS

import lionkit
from lionkit.distributed import agree


def layers(sparse=False):
    torch.manual_seed(1)
    return nn.Sequential(nn.Embedding(5, 3, sparse=sparse), nn.Linear(3, 2))


def lion(model, **options):
    return lionkit.Lion(model.parameters(), **SETTINGS, **options)


def shards(mesh, net=None, **options):
    return fully_shard(layers() if net is None else net, mesh=mesh["shard"], **options)


def plain(rank, mesh):
    return layers(), mesh["replica"]


def wrapped(rank, mesh):
    return DistributedDataParallel(layers()), mesh["replica"]


def alone(rank, mesh):
    return shards(mesh), None


def alone_on_one(rank, mesh):
    return shards(mesh), (None if rank == 3 else mesh["replica"])


def native(rank, mesh):
    return fully_shard(layers(), mesh=mesh), mesh["replica"]


def both_dims(rank, mesh):
    return shards(mesh), mesh


def a_group(rank, mesh):
    return shards(mesh), mesh["replica"].get_group()


def the_other_dim(rank, mesh):
    return shards(mesh), mesh["shard"]


def half_cut(rank, mesh):
    net = layers()
    return shards(mesh, net, ignored_params={net[1].bias}), mesh["replica"]


def two_meshes(rank, mesh):
    net = layers()
    fully_shard(net[0], mesh=mesh["replica"])
    return shards(mesh, net), mesh["replica"]


def copied(rank, mesh):
    return replicate(layers(), mesh=mesh["shard"]), mesh["replica"]


def frozen(rank, mesh):
    return shards(mesh, layers().requires_grad_(False)), mesh["replica"]


def twice(rank, mesh):
    model = shards(mesh)
    agree(model, lion(model), replicas=mesh["replica"])
    return model, mesh["replica"]


def sparse(rank, mesh):
    return shards(mesh, layers(sparse=True)), mesh["replica"]


def other_lr(rank, mesh):
    model = shards(mesh)
    return model, mesh["replica"], {"lr": 0.02 if rank == 3 else 0.01}


def other_weights(rank, mesh):
    model = shards(mesh)
    if rank == 2:
        model[1].weight.detach().to_local()[0, 1] += 1e-6
    return model, mesh["replica"]


MESSAGES = {
    plain: "rank 0: Invalid model: a Sequential, it must be cut by fully_shard where there are replicas",
    wrapped: "rank 0: Invalid model: a DistributedDataParallel, it must be cut by fully_shard where there are replicas",
    alone: 'rank 0: Invalid replicas: None, of a model that is cut they must be a DeviceMesh, as mesh["replica"]',
    alone_on_one: "rank 3: Invalid replicas: None, of a model that is cut they must be a DeviceMesh, as "
    'mesh["replica"]',
    native: "rank 0: Invalid 0.weight: cut over a mesh of 2 dims, it must be over one: fully_shard(..., "
    'mesh=mesh["shard"]) and replicas=mesh["replica"]',
    both_dims: 'rank 0: Invalid replicas: a mesh of 2 dims, they must be a DeviceMesh of one, as mesh["replica"]',
    a_group: 'rank 0: Invalid replicas: a ProcessGroup, they must be a DeviceMesh of one, as mesh["replica"]',
    the_other_dim: "Invalid replicas: rank 1 has shard 1, rank 0 has 0, those that vote together must hold the same "
    "shard",
    half_cut: "rank 0: Invalid 1.bias: not a DTensor, it must be cut by fully_shard where there are replicas",
    two_meshes: "rank 0: Invalid model: it is cut over several meshes, it must be over one where there are replicas",
    copied: "rank 0: Invalid 0.weight: its placement is R, it must be a Shard where there are replicas",
    frozen: "rank 0: Invalid model: all of its parameters are frozen, some must be trained",
    twice: "rank 0: Invalid 0.weight: its gradients have a hook already, they must have none: agree() once, on a new "
    "model",
    sparse: "rank 0: Invalid model: the gradients of 0 are sparse, they must be dense: sparse=False",
    other_lr: "Invalid lr of group 0: rank 3 has 0.02, rank 0 has 0.01",
    other_weights: "Invalid weights: rank 2 starts from others than most: the first is 1.weight",
}


def refusals(rank):
    mesh, found = mesh_of((2, 2)), {}
    for case in MESSAGES:
        model, replicas, *options = case(rank, mesh)
        optimizer = lionkit.Lion(model.parameters(), **(SETTINGS | dict(*options)))
        found[case.__name__] = told(lambda: agree(model, optimizer, replicas=replicas), ValueError)  # noqa: B023
    return found


def in_part(rank):
    """Let two processes of four vote on their own."""
    mesh = DeviceMesh("cpu", torch.tensor([[0], [1]]), mesh_dim_names=("replica", "shard"))
    if rank > 1:
        return None
    model = shards(mesh)
    return told(lambda: agree(model, lion(model), replicas=mesh["replica"]), ValueError)


def told(act, kind=RuntimeError):
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value)


def voters(kind=Large, **options):
    mesh = mesh_of((2, 2))
    model = cut(make(kind), mesh)
    optimizer = lion(model)
    agree(model, optimizer, replicas=mesh["replica"], **options)
    return model, optimizer


def misuse(rank):
    """Go on after each refusal."""
    model, optimizer = voters(check_every=1)
    loss = lambda step: loss_of(model, rank, rank // 2, step, 0, torch.float32)  # noqa: E731
    found = {}
    loss(0).backward()
    found["forward"] = told(lambda: loss(1))
    with torch.no_grad():
        loss(1)
    optimizer.step()
    optimizer.zero_grad()
    first, second = loss(2), loss(3)
    first.backward()
    found["backward"] = told(second.backward)
    optimizer.zero_grad()
    loss(4).backward()
    optimizer.step()
    return found


def diverge(rank):
    model, optimizer = voters(check_every=4)
    for step in range(8):
        optimizer.zero_grad()
        loss_of(model, rank, rank // 2, step, 0, torch.float32).backward()
        if step == 5 and rank == 3:  # one bit of one weight, no rounding of the next step away
            model.wide.weight.detach().to_local().view(torch.int32)[3, 5] ^= 1 << 12
        try:
            optimizer.step()
        except RuntimeError as error:
            return step, str(error)
    return None


def everything(rank):
    return refusals(rank), in_part(rank), misuse(rank), diverge(rank)
