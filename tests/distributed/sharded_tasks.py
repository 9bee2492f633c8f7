"""What two processes do with shards beside stepping every member, each returning what the tests look at."""

from functools import partial

import torch
from members import SETTINGS
from sharded_members import CASES, Bowl, cut, kept, train, walk_all, whole
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from lionkit import kappa, optim


def everything(rank):
    """Do all of it: one start of the processes is a third of the time."""
    return walk_all(rank, list(CASES), (2,)), masked(), observed(), standing_still(), refused(), loaded()


def masked():
    """Walk the rounded members again, those of one device by torch's operators and without a norm."""
    mesh, ends = init_device_mesh("cpu", (2,)), []
    makes = {
        "mask": partial(optim.CautiousLion, betas=(0.8, 0.95), foreach=False),
        "exact": partial(optim.MARSLion, gamma=0.3, exact=True, max_norm=torch.inf),
    }
    for make in makes.values():
        bowls = Bowl(), cut(Bowl(), mesh)
        for bowl in bowls:
            train(make(bowl.parameters(), **SETTINGS), bowl, 6)
        ends += zip(*([whole(weight) for weight in bowl.weights] for bowl in bowls), strict=True)
    return ends


def observed():
    """Return what is observed of steps alone and cut, and what they end with, watched and not."""
    mesh, found = init_device_mesh("cpu", (2,)), []
    for bowl, watched in [(Bowl(), True), (cut(Bowl(), mesh), True), (cut(Bowl(), mesh), False)]:
        optimizer = optim.Lion(bowl.parameters(), **SETTINGS)
        seen = []
        if watched:
            optimizer.observe(2, seen.append)
        train(optimizer, bowl, 5)
        found.append((seen, [whole(weight) for weight in bowl.weights]))
    return found


def standing_still():
    """Return the counts of weights that cannot move, alone and cut, of a map of each kind."""
    mesh, counts = init_device_mesh("cpu", (2,)), []
    for kappa_ in (kappa.L1(), kappa.Lp(2.5)):
        bowls = Bowl(dtype=torch.bfloat16), cut(Bowl(dtype=torch.bfloat16), mesh)
        for bowl in bowls:
            optimizer = optim.LionK(bowl.parameters(), lr=1e-3, weight_decay=0.1, kappa=kappa_, foreach=False)
            optimizer._watch._done = True  # it would warn
            before = optimizer.check_numerics().total
            train(optimizer, bowl, 2)
            counts.append((before, optimizer.check_numerics().total))
    return counts


def refused():
    """Return what is said of parameters, options and seats that shards cannot serve."""
    mesh, said = init_device_mesh("cpu", (2,)), []

    def sharded(shape, dim=0):
        return [nn.Parameter(distribute_tensor(torch.zeros(shape), mesh, [Shard(dim)]))]

    for params, options in [
        (sharded((6, 5)), {"momentum_rank": 2}),
        (sharded((64, 65)), {"momentum_dtype": "int8"}),
        (sharded((65, 128)), {"momentum_dtype": "int4"}),
        (sharded((64, 128), 1), {"momentum_dtype": "int8"}),
        (sharded((6, 5)), {"direction": optim.CautiousMask(), "fused": True}),
        (sharded((64, 128)), {"momentum_dtype": "int8", "fused": True}),
        (sharded((6, 5)), {"kappa": kappa.Spectral(), "fused": True}),
    ]:
        try:
            said.append(optim.LionK(params, **options))
        except (RuntimeError, ValueError) as error:
            said.append(str(error))
    optimizer = optim.Lion(sharded((6, 5)), fused=True)
    optimizer.param_groups[0]["params"][0].grad = sharded((6, 5))[0].detach()
    optimizer.step()
    return said


def loaded():
    """Load states of one device into shards, and go on with both."""
    mesh, ends = init_device_mesh("cpu", (2,)), []
    for name in ("Lion", "LionIGT", "kahan", "int4, Lion"):
        options, make = CASES[name]
        bowls = Bowl(**options), cut(Bowl(**options), mesh)
        alone, sharded = (make(bowl.parameters(), **SETTINGS) for bowl in bowls)
        train(alone, bowls[0], 3)
        with torch.no_grad():
            for one, other in zip(*(bowl.weights for bowl in bowls), strict=True):
                other.copy_(distribute_tensor(one.detach(), mesh, [Shard(0)]))
        for _ in range(3):
            bowls[1].draw()
        sharded.load_state_dict(alone.state_dict())
        for bowl, optimizer in zip(bowls, (alone, sharded), strict=True):
            train(optimizer, bowl, 3)
        ends.append([kept(alone, bowls[0]), kept(sharded, bowls[1])])
    return ends
