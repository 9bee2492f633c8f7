"""Processes that agree on the direction of every step: `lionkit.distributed`, as a recipe asks for it."""

from torch import nn
from torch.optim import Optimizer

from lionkit import distributed
from lionkit_lab import optimizers
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Agreement, Recipe

_MODES: dict[Agreement, distributed.Mode] = {"vote": distributed.Vote(), "mean": distributed.Mean()}
_CHECK_EVERY = 100  # steps between two comparisons of all weights
_LARGE = 2**16  # the side of a matrix that every setting of an optimizer fits


def agree(agreement: Agreement, model: nn.Module, optimizer: Optimizer) -> distributed.Workers:
    """Let all processes decide the direction of every step together; all of them must call it.

    Args:
        agreement: The recipe's, not "none".
        model: In DDP.
        optimizer: Of its weights.

    Raises:
        UsageError: They cannot.
    """
    try:
        return distributed.agree(model, optimizer, _MODES[agreement], check_every=_CHECK_EVERY)
    except ValueError as error:
        raise _refused(agreement, str(error)) from error


def check_agreement(recipe: Recipe) -> None:
    """Refuse an optimizer that has no vote, before there are data and a model.

    Raises:
        UsageError: The recipe has processes agree, and its optimizer cannot.
    """
    agreement = recipe.engine.agreement
    if agreement == "none":
        return
    optimizer = optimizers.optimizer(recipe.optimizer, nn.Linear(_LARGE, _LARGE, device="meta"))
    for reason in distributed.optimizer_refusals(optimizer, _MODES[agreement]):
        raise _refused(agreement, f"optimizer {recipe.optimizer.name}: {reason}")


def bits_a_parameter(agreement: Agreement, workers: int) -> float:
    """Return the bits that a step sends for a parameter where no worker votes 0; float32 gradients would take 64.

    Args:
        agreement: The recipe's, not "none".
        workers: Processes that agree, at least 1.
    """
    return sum(distributed.wire_bits(_MODES[agreement], workers))


def _refused(agreement: Agreement, why: str) -> UsageError:
    return UsageError(f'engine.agreement: "{agreement}" is not allowed here: {why}')
