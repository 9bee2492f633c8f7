"""The decay seat: by how much a step shrinks the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

WeightDecayMode = Literal["lr", "absolute", "corrected", "cautious"]
MODES: tuple[str, ...] = get_args(WeightDecayMode)
_OF_THE_FIRST_LR = "absolute", "corrected"


def decay_rate(group: Mapping[str, Any]) -> float:
    r"""Return the decay :math:`\lambda_k` of a step that shrinks weights by :math:`1 - \eta_k \lambda_k`.

    With :math:`\eta_0` the lr that the group began with and :math:`\lambda` its ``weight_decay``:

    - "lr" and "cautious": :math:`\lambda`, as in AdamW.
    - "absolute": :math:`\lambda / \eta_0`, so that at the first lr a step shrinks weights by :math:`1 - \lambda`
      whatever that lr is, and the box has half-width :math:`\eta_0 / \lambda` for every point of the schedule.
    - "corrected": :math:`\lambda \eta_k / \eta_0`, so that the box widens as the lr falls.
    """
    rate, mode = group["weight_decay"], group["weight_decay_mode"]
    if mode == "absolute":
        return rate / group["reference_lr"]
    if mode == "corrected":
        return rate * float(group["lr"]) / group["reference_lr"]
    return rate


def remember_lr(group: dict[str, Any]) -> None:
    """Keep the lr that the decay of a group refers to, where it does.

    Raises:
        ValueError: there is none above 0, or an absolute decay is above 1.
    """
    mode = group["weight_decay_mode"]
    if mode not in _OF_THE_FIRST_LR:
        return
    if group["reference_lr"] is None:
        group["reference_lr"] = float(group["lr"])
    if not group["reference_lr"] > 0:
        raise ValueError(
            f"Invalid learning rate: {group['reference_lr']}, it must be above 0 at first with "
            f"weight_decay_mode={mode!r}; start a warm-up from 0 by a scheduler"
        )
    if mode == "absolute" and group["weight_decay"] > 1:
        raise ValueError(
            f"Invalid weight_decay value: {group['weight_decay']}, it must be at most 1 with "
            "weight_decay_mode='absolute': it is the share of a weight that a step takes"
        )
