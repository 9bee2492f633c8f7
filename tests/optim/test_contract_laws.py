"""Every law of the public check, for every entry of the database, on every backend and several dtypes."""

import pytest
import torch
from torch_database import CASES, FOREACH, SHAPES, build

from lionkit.testing._gradient_laws import reads_any_strides
from lionkit.testing._optimizer import LAWS
from lionkit.testing._step_laws import descends
from lionkit.testing._trial import Trial

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64], ids=str)


def trial_of(optimizer, options, foreach, dtype):
    """A bfloat16 weight would stand still under the lr that is the default."""
    return Trial(lambda params: build(optimizer, params, {"lr": 0.01, **options}, foreach=foreach), SHAPES, dtype)


@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
@CASES
@FOREACH
@DTYPES
def test_every_law_of_the_public_check(optimizer, options, foreach, dtype):
    """But that who maximises ascends."""
    trial = trial_of(optimizer, options, foreach, dtype)
    for law in LAWS:
        if law is descends and options.get("maximize"):
            with pytest.raises(AssertionError, match="the loss went from"):
                law(trial)
        else:
            law(trial)


@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
@CASES
@pytest.mark.parametrize("foreach", [False, True])
@DTYPES
def test_gradients_of_any_strides_give_the_very_bits(optimizer, options, foreach, dtype):
    """The kernel leaves them to another backend, whose roundings are not its own; these two have one road."""
    reads_any_strides(trial_of(optimizer, options, foreach, dtype), rounding=0)
