"""The optimizer and the schedule that a recipe names."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

import lionkit
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import (
    SGD,
    AdamW,
    Constant,
    KappaSettings,
    LionK,
    Muon,
    OptimizerSettings,
    ScheduleSettings,
)

_KAPPAS = {
    "l1": lionkit.kappa.L1,
    "half_squared_l2": lionkit.kappa.HalfSquaredL2,
    "lp": lionkit.kappa.Lp,
    "linf": lionkit.kappa.LInf,
    "top_k": lionkit.kappa.TopK,
    "group_l2": lionkit.kappa.GroupL2,
    "huber": lionkit.kappa.Huber,
    "truncated_l1": lionkit.kappa.TruncatedL1,
    "relativistic": lionkit.kappa.Relativistic,
    "entropy": lionkit.kappa.Entropy,
    "arctan": lionkit.kappa.Arctan,
}
_MEMBERS = {
    "lion": lionkit.Lion,
    "sign_sgd": lionkit.SignSGD,
    "signum": lionkit.Signum,
    "tiger": lionkit.Tiger,
    "rlion": lionkit.RLion,
    "clion": lionkit.CLion,
    "cautious_lion": lionkit.CautiousLion,
    "mars_lion": lionkit.MARSLion,
    "lion_vr": lionkit.LionVR,
    "lion_igt": lionkit.LionIGT,
    "sto_sign_sgd": lionkit.StoSignSGD,
    "mlorc_lion": lionkit.MLorcLion,
}


def optimizer(settings: OptimizerSettings, model: nn.Module, seed: int = 0) -> Optimizer:
    """Build the optimizer: the settings are its own arguments, by the names that they have there.

    Args:
        settings: The recipe's.
        model: What it trains.
        seed: Of the noise of those that draw some, at least 0.

    Raises:
        UsageError: A setting does not fit the model's parameters, as a rank above the smaller side of a matrix.
    """
    arguments = settings.model_dump(exclude={"name"})
    try:
        return _build(settings, model, arguments, seed)
    except ValueError as error:
        raise UsageError(f"optimizer {settings.name}: {error}") from error


def _build(settings: OptimizerSettings, model: nn.Module, arguments: dict[str, Any], seed: int) -> Optimizer:
    params = model.parameters()
    match settings:
        case AdamW():
            return torch.optim.AdamW(params, **arguments)
        case SGD():
            return torch.optim.SGD(params, **arguments)
        case Muon():
            return _muon(settings, model, arguments, seed)
        case LionK():
            arguments["kappa"] = _kappa(settings.kappa)
            return lionkit.LionK(params, **arguments, seed=seed)
        case _:
            return _MEMBERS[settings.name](params, **arguments, seed=seed)


def _muon(settings: Muon, model: nn.Module, arguments: dict[str, Any], seed: int) -> Optimizer:
    ratio = arguments.pop("fallback_lr_ratio")
    shared = {name: arguments[name] for name in ("weight_decay", "weight_decay_mode", "momentum_dtype")}
    return lionkit.for_model(
        model,
        options={**arguments, "seed": seed},
        fallback_options={**shared, "lr": ratio * settings.lr, "seed": seed},
        verbose=False,
    )


def _kappa(settings: KappaSettings) -> lionkit.kappa.Kappa:
    return _KAPPAS[settings.name](**settings.model_dump(exclude={"name"}))


def schedule(settings: ScheduleSettings, optimizer: Optimizer, total: int, steps_per_epoch: int = 1) -> LRScheduler:
    """Build the schedule over ``total`` steps from torch's own.

    Args:
        settings: The recipe's.
        optimizer: Whose learning rates it sets.
        total: Steps of the run, more than those of the warm-up.
        steps_per_epoch: Batches in a training epoch, at least 1, for a warm-up in epochs.
    """
    if isinstance(settings, Constant):
        return ConstantLR(optimizer, factor=1.0, total_iters=0)
    warmup = settings.warmup(steps_per_epoch)
    if not warmup:
        return CosineAnnealingLR(optimizer, T_max=total)
    # The first step of the warm-up already moves: lr / (warmup + 1), and the top after `warmup` steps.
    rising = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    falling = CosineAnnealingLR(optimizer, T_max=total - warmup)
    return SequentialLR(optimizer, [rising, falling], milestones=[warmup])


def scale_lr(schedule: LRScheduler, factor: float) -> None:
    """Multiply the present and every later learning rate of a schedule by ``factor``, above 0."""
    for group in schedule.optimizer.param_groups:
        group["lr"] *= factor
        group["initial_lr"] *= factor
    _scale_bases(schedule, factor)


def _scale_bases(schedule: LRScheduler, factor: float) -> None:
    schedule.base_lrs = [lr * factor for lr in getattr(schedule, "base_lrs", [])]
    for part in getattr(schedule, "_schedulers", []):  # of a SequentialLR, which has no public way to them
        _scale_bases(part, factor)
