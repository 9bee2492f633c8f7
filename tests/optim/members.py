"""Every member, made with settings that are nobody's default, and what two runs of them share."""

from functools import partial

import torch
from torch import nn

from lionkit import optim

SETTINGS = {"lr": 0.01, "weight_decay": 0.3}
MEMBERS = {
    "Lion": partial(optim.Lion, betas=(0.8, 0.95)),
    "LionK": partial(optim.LionK, betas=(0.8, 0.95)),
    "SignSGD": optim.SignSGD,
    "Signum": partial(optim.Signum, beta=0.8),
    "Tiger": partial(optim.Tiger, beta=0.7),
    "RLion": partial(optim.RLion, betas=(0.8, 0.95), alpha=3.0),
    "CLion, tensor": partial(optim.CLion, nu=2e-3),
    "CLion, model": partial(optim.CLion, nu=5e-4, gate="model"),
    "CLion, coordinate": partial(optim.CLion, nu=0.2, gate="coordinate"),
    "CautiousLion": partial(optim.CautiousLion, betas=(0.8, 0.95)),
    "CautiousLion, eps": partial(optim.CautiousLion, normalisation="eps"),
    "cautious decay": partial(optim.Lion, weight_decay_mode="cautious"),
    "absolute decay": partial(optim.Lion, weight_decay_mode="absolute"),
    "corrected decay": partial(optim.Lion, weight_decay_mode="corrected"),
    "MARSLion": partial(optim.MARSLion, beta=0.9, gamma=0.1),
    "MARSLion, exact": partial(optim.MARSLion, beta=0.9, gamma=0.3, exact=True, max_norm=2.0),
    "LionVR": partial(optim.LionVR, betas=(0.8, 0.9)),
    "LionIGT": partial(optim.LionIGT, beta=0.7),
    "StoSignSGD": partial(optim.StoSignSGD, beta=0.8, seed=5),
    "MLorcLion": partial(optim.MLorcLion, rank=2, seed=5),
    "Muon": partial(optim.Muon, momentum=0.9),
}
MATRICES = [(5, 3), (4, 6)]
SHAPES = [(5, 3), (7,), (2, 3, 2, 2), ()]


def shapes_of(name):
    return MATRICES if name == "Muon" else SHAPES


def parameters(shapes=SHAPES, dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)) for shape in shapes]


def quadratic(params, seed=4, noise=0.0):
    """A loss with curvatures from 0.1 to 10 around a point, and what draws its noise."""
    generator = torch.Generator().manual_seed(seed)
    points = [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.dtype) for p in params]
    steepness = [
        10 ** (2 * torch.rand(p.shape, generator=generator, dtype=torch.float64).to(p.dtype) - 1) for p in params
    ]
    draws = torch.Generator().manual_seed(seed + 1)

    def draw():
        return [noise * torch.randn(p.shape, generator=draws, dtype=torch.float64).to(p.dtype) for p in params]

    def loss(shifts):
        terms = zip(params, points, steepness, shifts, strict=True)
        return sum((k * (p - x).square() / 2 + s * p).sum() for p, x, k, s in terms)

    return loss, draw


def closure_of(optimizer, params, noise=0.0):
    """A closure that sees the same batch each time it is called in a step; call ``next_batch`` before."""
    loss_of, draw = quadratic(params, noise=noise)
    batch = []

    def closure():
        optimizer.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        return loss

    def next_batch():
        batch[:] = draw()
        return closure

    return next_batch


def train(optimizer, params, steps=20, noise=0.5):
    next_batch = closure_of(optimizer, params, noise)
    return [optimizer.step(next_batch()).item() for _ in range(steps)]


def sign_mismatches(ours, theirs, lr):
    """Count the coordinates that stand apart by more than a flipped sign leaves."""
    return sum(int(((a - b).abs() > lr / 2).sum()) for a, b in zip(ours, theirs, strict=True))
