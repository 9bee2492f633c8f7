"""The optimizer and the schedule that a recipe names."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

import lionkit
from lionkit_lab.recipe import AdamW, Constant, Lion, OptimizerSettings, ScheduleSettings


def optimizer(settings: OptimizerSettings, params: Iterable[nn.Parameter]) -> Optimizer:
    """Build the optimizer: the settings are its own arguments, by the names that they have there."""
    arguments = settings.model_dump(exclude={"name"})
    if isinstance(settings, Lion):
        return lionkit.Lion(params, **arguments)
    if isinstance(settings, AdamW):
        return torch.optim.AdamW(params, **arguments)
    return torch.optim.SGD(params, **arguments)


def schedule(settings: ScheduleSettings, optimizer: Optimizer, total: int) -> LRScheduler:
    """Build the schedule over ``total`` steps from torch's own."""
    if isinstance(settings, Constant):
        return ConstantLR(optimizer, factor=1.0, total_iters=0)
    warmup = settings.warmup_steps
    if not warmup:
        return CosineAnnealingLR(optimizer, T_max=total)
    # The first step of the warm-up already moves: lr / (warmup + 1), and the top after `warmup` steps.
    rising = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    falling = CosineAnnealingLR(optimizer, T_max=total - warmup)
    return SequentialLR(optimizer, [rising, falling], milestones=[warmup])
