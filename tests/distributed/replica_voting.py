"""What a process of several replicas does in a test, each replica cut over some processes."""

import contextlib

import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from voting import SETTINGS, wrapped
from worker_tasks import VOCABULARY, Net, batch_of

import lionkit
from lionkit.distributed import _replica_votes, agree

_replica_votes._FIRST_BUCKET, _replica_votes._BUCKET = 64, 400  # bytes


class Large(Net):
    """With a matrix that is coded, of whole blocks a shard; and a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 64)
        self.wide = nn.Linear(64, 128, bias=False)
        self.hidden = nn.Linear(128, 13)
        self.twice = nn.Linear(13, 13)

    def forward(self, tokens, detour):
        x = torch.tanh(self.hidden(self.wide(self.embedding(tokens))))
        x = self.twice(torch.tanh(self.twice(x)))
        return self.out(x + self.sometimes(x) if detour else x).squeeze(-1)


def make(kind=Net, dtype=torch.float32):
    torch.manual_seed(5)
    return kind().to(dtype)


def mesh_of(shape):
    return init_device_mesh("cpu", shape, mesh_dim_names=("replica", "shard"))


def cut(net, mesh, **options):
    """Cut some layers on their own, the rest with the model."""
    for name in ("hidden", "wide", "twice", "sometimes"):
        if hasattr(net, name):
            fully_shard(getattr(net, name), mesh=mesh["shard"], **options)
    return fully_shard(net, mesh=mesh["shard"], **options)


def loss_of(model, member, replica, step, micro, dtype):
    """The loss of one process; which way it takes must be the same in all of a replica."""
    tokens, targets, _ = batch_of(member, step, micro, dtype)
    return (model(tokens, (replica + step) % 3 == 0) - targets).square().mean()


def gradients(shards):
    """Return the means over the members of a replica, for `algorithm1.train`."""

    def of(model, replica, step, micros):
        dtype, means = next(model.parameters()).dtype, {}
        for member in range(replica * shards, (replica + 1) * shards):
            model.zero_grad()
            for micro in range(micros):
                loss_of(model, member, replica, step, micro, dtype).backward()
            for name, param in model.named_parameters():
                if param.grad is not None:
                    means[name] = means[name] + param.grad if name in means else param.grad.clone()
        return {name: total / shards for name, total in means.items()}

    return of


def train(
    rank,
    shape,
    mode,
    steps,
    *,
    kind=Net,
    micros=1,
    dtype=torch.float32,
    same=False,
    make_optimizer=lionkit.Lion,
    **more,
):
    """Train a model that is cut, or by DDP where the shape is None; return weights and momenta, whole, and traffic.

    With ``same``, all members of a replica have the batches of the first worker that has the replica's number.
    """
    net, shards = make(kind, dtype), 1 if shape is None else shape[1]
    mesh = None if shape is None else mesh_of(shape)
    model = wrapped(net) if mesh is None else cut(net, mesh)
    optimizer = make_optimizer(net.named_parameters(), **SETTINGS, **more)
    workers = agree(model, optimizer, mode, replicas=None if mesh is None else mesh["replica"], check_every=5)
    replica = rank // shards
    for step in range(steps):
        optimizer.zero_grad()
        for micro in range(micros):
            with kept_back(model) if micro < micros - 1 else contextlib.nullcontext():
                loss_of(model, replica if same else rank, replica, step, micro, dtype).backward()
        optimizer.step()
    return *kept(net, optimizer), workers.traffic


@contextlib.contextmanager
def kept_back(model):
    """Accumulate, as each of the wrappers has it."""
    if not hasattr(model, "set_requires_gradient_sync"):
        with model.no_sync():
            yield
        return
    model.set_requires_gradient_sync(False)
    yield
    model.set_requires_gradient_sync(True)


def kept(net, optimizer):
    """Return weights and, decoded, momenta."""
    weights, momenta = {}, {}
    for name, param in net.named_parameters():
        weights[name] = whole(param)
        state = optimizer.state[param]
        momenta[name] = whole(lionkit.momentum.decode_state(state, param)) if state else None
    return weights, momenta


def whole(tensor):
    tensor = tensor.detach()
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor.clone()


def many(rank, cases):
    return [train(rank, *args, **options) for args, options in cases]


def counted(rank):
    """Count the bytes of three steps."""
    torch.manual_seed(3)
    mesh = mesh_of((2, 2))
    net = fully_shard(nn.Linear(500, 400), mesh=mesh["shard"])
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS)
    workers = agree(net, optimizer, replicas=mesh["replica"])
    for step in range(3):
        optimizer.zero_grad()
        generator = torch.Generator().manual_seed(100 * step + rank)
        net(torch.randn(8, 500, generator=generator)).square().sum().backward()
        optimizer.step()
    return workers.traffic


def early(rank):
    """Return how many votes have left when the second of four layers gets its gradient, step by step."""
    mesh, left = mesh_of((2, 2)), []
    torch.manual_seed(4)
    net = nn.Sequential(*(nn.Linear(9, 9) for _ in range(4)))
    for layer in net:
        fully_shard(layer, mesh=mesh["shard"])
    fully_shard(net, mesh=mesh["shard"])
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS)
    workers = agree(net, optimizer, replicas=mesh["replica"])
    vote, voted = workers.vote, []
    workers.vote = lambda bucket: voted.append(bucket) or vote(bucket)
    net[1].weight.register_post_accumulate_grad_hook(lambda _: left.append(len(voted)))
    for step in range(3):
        optimizer.zero_grad()
        voted.clear()
        net(torch.full((2, 9), 1.0 + rank - step)).sum().backward()
        optimizer.step()
    return left


def narrow(rank):
    """Train where the second process of a replica has no number at all; return the weights."""
    mesh = mesh_of((2, 2))
    torch.manual_seed(6)
    net = fully_shard(nn.Linear(3, 1), mesh=mesh["shard"])
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS)
    agree(net, optimizer, replicas=mesh["replica"], check_every=1)
    for step in range(3):
        optimizer.zero_grad()
        net(torch.full((2, 3), 1.0 + rank - step)).square().sum().backward()
        optimizer.step()
    return [whole(param) for param in net.parameters()]


def mixed(rank):
    """Return the gradients and what was agreed of a process, of a model that computes in another precision."""
    mesh, raw = mesh_of((2, 2)), {}
    net = cut(make(), mesh, mp_policy=MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32))
    optimizer = lionkit.Lion(net.parameters(), **SETTINGS)
    agree(net, optimizer, replicas=mesh["replica"])
    for name, param in net.named_parameters():
        param.register_post_accumulate_grad_hook(lambda it, name=name: raw.update({name: it.grad.to_local().clone()}))
    loss_of(net, rank, 0, 0, 0, torch.float32).backward()
    agreed = {name: it.grad.to_local() for name, it in net.named_parameters() if it.grad is not None}
    optimizer.step()
    return raw, agreed


def resumed(rank, folder):
    """Return what a run ends with, and what one ends with that goes on from its checkpoints, one a replica."""
    mesh = mesh_of((2, 2))
    parallel = {"process_group": mesh["shard"].get_group(), "checkpoint_id": folder / str(rank // 2)}

    def begin():
        net = make(Large)
        net.never.requires_grad_(False)  # a checkpoint has no state of what was never stepped, and torch asks for it
        cut(net, mesh)
        return net, lionkit.Lion(net.parameters(), **SETTINGS, momentum_dtype="int8", foreach=False)

    def go_on(net, optimizer, steps):
        for step in steps:
            optimizer.zero_grad()
            loss_of(net, rank, rank // 2, step, 0, torch.float32).backward()
            optimizer.step()

    net, optimizer = begin()
    agree(net, optimizer, replicas=mesh["replica"])
    go_on(net, optimizer, range(4))
    weights, state = get_state_dict(net, optimizer)
    dcp.save({"weights": weights, "state": state}, **parallel)
    go_on(net, optimizer, range(4, 8))
    other, again = begin()
    weights, state = get_state_dict(other, again)
    found = {"weights": weights, "state": state}
    dcp.load(found, **parallel)
    set_state_dict(other, again, model_state_dict=found["weights"], optim_state_dict=found["state"])
    agree(other, again, replicas=mesh["replica"], check_every=1)
    go_on(other, again, range(4, 8))
    return kept(net, optimizer), kept(other, again)
