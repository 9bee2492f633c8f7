"""A program of one worker: it votes, and ends in one of three ways."""

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import lionkit


def main(rank, workers, store, ending):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=workers)
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Sequential(*(nn.Linear(300, 300) for _ in range(4))), bucket_cap_mb=0.2)
    optimizer = lionkit.Lion(model.parameters(), lr=0.01, weight_decay=0.1)
    lionkit.distributed.agree(model, optimizer)
    for step in range(4):
        optimizer.zero_grad()
        model(torch.full((2, 300), 1.0 + rank + step)).sum().backward()
        if ending == "raises" and step == 3:
            raise KeyError("a mistake of the user's")
        optimizer.step()
    if ending == "destroys":
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
