"""Distributed Lion in one process and plain torch, written from Algorithm 1 of arXiv 2404.00438.

A worker without a gradient for a parameter abstains: it sends 0, and its momentum stands.
"""

import torch
from worker_tasks import batch_of, loss_of


def majority(deltas):
    return torch.sign(torch.stack(deltas).sum(0))


def average(deltas):
    return torch.stack(deltas).sum(0) / len(deltas)


def gradients(model, worker, step, micros):
    """Return what a worker's batches of a step add up to, by name; nothing of a parameter that it has not used."""
    dtype = next(model.parameters()).dtype
    model.zero_grad()
    for micro in range(micros):
        loss_of(model, batch_of(worker, step, micro, dtype)).backward()
    return {name: param.grad for name, param in model.named_parameters() if param.grad is not None}


def train(
    model, workers, steps, *, micros, lr, betas, weight_decay, server=majority, sign=torch.sign, gradients=gradients
):
    """Train the model in place, all workers one after the other; return the momenta of each."""
    x = dict(model.named_parameters())
    m = [{name: torch.zeros_like(param) for name, param in x.items()} for _ in range(workers)]
    for t in range(steps):
        delta = [local_step(m[i], gradients(model, i, t, micros), betas, sign) for i in range(workers)]
        for name in x:
            sent = [delta[i].get(name) for i in range(workers)]
            if any(one is not None for one in sent):
                zero = torch.zeros_like(x[name])
                agreed = server([zero if one is None else one for one in sent])
                with torch.no_grad():
                    x[name].add_(torch.add(agreed, x[name], alpha=weight_decay), alpha=-lr)
    return m


def local_step(m, grads, betas, sign):
    delta = {}
    for name, grad in grads.items():
        delta[name] = sign(torch.lerp(m[name], grad, 1 - betas[0]))
        m[name].lerp_(grad, 1 - betas[1])
    return delta
