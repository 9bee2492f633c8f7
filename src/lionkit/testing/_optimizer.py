"""The contract of an optimizer: that of `torch.optim`, and what this library adds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from lionkit.testing import _gradient_laws, _state_laws, _step_laws
from lionkit.testing._checks import Report, run
from lionkit.testing._trial import SHAPES, Make, Trial

LAWS = (*_step_laws.LAWS, *_gradient_laws.LAWS, *_state_laws.LAWS)


def check_optimizer(
    make: Make, *, shapes: Sequence[tuple[int, ...]] = SHAPES, dtype: torch.dtype = torch.float32
) -> Report:
    """Check that an optimizer keeps torch's contract.

    It never writes to gradients, leaves what has none alone, returns what its closure does, refuses sparse gradients
    before anything is written, reads strides and groups right, goes on to the bit after a save that ``weights_only``
    loads, after a copy and after pickling, descends, and hides no nan.

    Args:
        make: Builds it on parameters. Not by defaults: take a weight decay above 0, and an lr at which 60 steps on half
            the squared distance to a point lower the loss.
        shapes: Of the parameters, those that it is for; the first is that of a matrix.
        dtype: Of the parameters, floating-point or complex.

    Returns:
        The names of the checks.

    Raises:
        AssertionError: with all that does not hold.

    Example:
        >>> import torch, lionkit
        >>> from lionkit import testing
        >>> report = testing.check_optimizer(lambda params: lionkit.Lion(params, lr=0.01, weight_decay=0.1))
        >>> len(report.passed)
        11
    """
    trial = Trial(make, shapes, dtype)
    return run(type(make(trial.parameters())).__name__, {law.__name__: partial(law, trial) for law in LAWS})
