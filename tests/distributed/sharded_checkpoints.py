"""What a run writes in the middle by `torch.distributed.checkpoint`, and runs of any number of processes that go on."""

import torch.distributed.checkpoint as dcp
from members import SETTINGS
from sharded_members import CASES, Bowl, cut, kept, train
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh

BEFORE, AFTER = 3, 4


def write(rank, names, folder):
    """Train two processes, write each case in the middle, and return what they end with."""
    mesh, ends = init_device_mesh("cpu", (2,)), {}
    for name in names:
        bowl, optimizer = begin(name, mesh)
        train(optimizer, bowl, BEFORE)
        weights, state = get_state_dict(bowl, optimizer)
        dcp.save({"weights": weights, "state": state}, checkpoint_id=folder / name)
        train(optimizer, bowl, AFTER)
        ends[name] = kept(optimizer, bowl)
    return ends


def go_on(rank, names, folder, shape=None):
    """Load each case where it was written, on a mesh or, without one, on a single device, and return the ends."""
    mesh, ends = (None if shape is None else init_device_mesh("cpu", shape)), {}
    for name in names:
        bowl, optimizer = begin(name, mesh)
        weights, state = get_state_dict(bowl, optimizer)
        found = {"weights": weights, "state": state}
        dcp.load(found, checkpoint_id=folder / name)
        set_state_dict(bowl, optimizer, model_state_dict=found["weights"], optim_state_dict=found["state"])
        for _ in range(BEFORE):
            bowl.draw()
        train(optimizer, bowl, AFTER)
        ends[name] = kept(optimizer, bowl)
    return ends


def begin(name, mesh):
    options, make = CASES[name]
    bowl = Bowl(**options)
    if mesh is not None:
        cut(bowl, mesh)
    return bowl, make(bowl.parameters(), **SETTINGS)
