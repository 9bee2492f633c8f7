"""What an optimizer is asked to do: one function a behaviour, True where it does it, None where it is not offered.

Every check is handed `make(params, **options)`, which builds the optimizer. It catches only the errors by which an
optimizer says no, and logs what they say; any other error stops the run.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch.nn import Parameter

from .run import GRADS, SETTINGS, START, Make, momentum, offers, own_errors, refused, run, step


def zero_gradient_stays_put(make: Make) -> bool:
    """Without decay, a coordinate whose gradient is zero stays, bit by bit, and the others move."""
    mask = torch.tensor([False, True, False, True, False, True])
    param, _ = run(make, grads=[grad * mask for grad in GRADS], weight_decay=0.0)
    return torch.equal(param != START, mask)


def lr_zero(make: Make) -> bool:
    """The constructor takes lr=0, and nothing moves."""
    try:
        param, _ = run(make, lr=0.0)
    except (ValueError, AssertionError) as error:
        return refused(error)
    return torch.equal(param, START)


def lr_tensor(make: Make) -> bool:
    """A 0-dimensional lr gives what the same float gives, and a value written into it later is used."""
    lr = torch.tensor(SETTINGS["lr"])
    param, optimizer = run(make, lr=lr)
    expected, control = run(make)
    lr.mul_(2)
    control.param_groups[0]["lr"] *= 2
    step(optimizer, param, GRADS)
    step(control, expected, GRADS)
    return torch.allclose(param, expected, rtol=1e-6, atol=0)


def gradient_kept(make: Make, dtype: torch.dtype = torch.float32, **options: Any) -> bool:
    """Neither the bits nor the version of p.grad change in two steps, with weight decay on."""
    grad = GRADS[0].to(dtype)
    param = Parameter(START.to(dtype))
    param.grad = grad.clone()
    optimizer = make([param], **SETTINGS, **options)
    kept = []
    for _ in range(2):  # each looked at: what is negated twice would look kept
        version = param.grad._version
        optimizer.step()
        kept.append(torch.equal(param.grad, grad) and param.grad._version == version)
    return all(kept)


def gradient_kept_bfloat16(make: Make) -> bool:
    """As `gradient_kept`, with weights and gradient in bfloat16."""
    return gradient_kept(make, torch.bfloat16)


def maximize(make: Make) -> bool | None:
    """`maximize` gives what negated gradients give, and p.grad is kept."""
    if not offers(make, "maximize"):
        return None
    expected, _ = run(make, grads=[-grad for grad in GRADS])
    return torch.equal(run(make, maximize=True)[0], expected) and gradient_kept(make, maximize=True)


def differentiable(make: Make) -> bool | None:
    """Autograd through a step finds d(new weight)/d(old weight) = 1 - lr * weight_decay."""
    if not offers(make, "differentiable"):
        return None
    leaf = START.clone().requires_grad_()
    param = leaf.clone()
    step(make([param], **SETTINGS, differentiable=True), param, GRADS[:1])
    (derivative,) = torch.autograd.grad(param.sum(), leaf)
    return torch.allclose(derivative, torch.full_like(START, 1 - SETTINGS["lr"] * SETTINGS["weight_decay"]))


def capturable(make: Make) -> bool | None:
    """`capturable` is an option; the capture itself cannot be tried on a CPU."""
    return True if offers(make, "capturable") else None


def foreach(make: Make) -> bool | None:
    """`foreach` gives what the loop over tensors gives."""
    if not offers(make, "foreach"):
        return None
    expected, _ = run(make, foreach=False)
    return torch.allclose(run(make, foreach=True)[0], expected, rtol=1e-6, atol=0)


def complex_as_pairs(make: Make) -> bool:
    """A complex parameter is stepped as the pairs of real numbers that it consists of."""
    start, grads = torch.view_as_complex(START.view(3, 2)), [torch.view_as_complex(g.view(3, 2)) for g in GRADS]
    expected, _ = run(make, START.view(3, 2), [grad.view(3, 2) for grad in GRADS])
    try:
        param, _ = run(make, start, grads)
    except (RuntimeError, TypeError, ValueError) as error:
        return refused(error)
    return torch.allclose(torch.view_as_real(param), expected, rtol=1e-6, atol=0)


def float32_momentum_survives_load(make: Make) -> bool:
    """A float32 momentum keeps its dtype and its bits when it is loaded beside bfloat16 weights, and serves a step."""
    wide, saved = run(make)
    narrow, loaded = run(make, START.bfloat16(), [grad.bfloat16() for grad in GRADS])
    loaded.load_state_dict(saved.state_dict())
    if not torch.equal(momentum(loaded, narrow), momentum(saved, wide)):
        return False
    step(loaded, narrow, [GRADS[0].bfloat16()])
    return momentum(loaded, narrow).dtype == torch.float32


def sparse_gradient(make: Make) -> bool:
    """A sparse gradient is refused by an error that says so, or counts as the dense one that it stands for."""
    grads = [grad * torch.tensor([0, 1, 0, 1, 0, 0]) for grad in GRADS]
    try:
        param, _ = run(make, grads=[grad.to_sparse() for grad in grads])
    except (RuntimeError, ValueError, *own_errors()) as error:
        refused(error)
        return "sparse" in str(error).lower()
    return torch.equal(param, run(make, grads=grads)[0])


def unknown_keyword_refused(make: Make) -> bool:
    """A misspelt option is an error."""
    try:
        run(make, weight_dekay=0.5)
    except TypeError as error:
        return not refused(error)
    return False


def nan_shows(make: Make) -> bool:
    """After a step with a nan gradient the weight is nan."""
    grad = GRADS[0].clone()
    grad[2] = torch.nan
    param, _ = run(make, grads=[grad])
    return torch.equal(param.isnan(), grad.isnan())


def empty_and_scalar(make: Make) -> bool:
    """Parameters without elements or dimensions step beside others; the scalar goes where it should."""
    params = [Parameter(tensor) for tensor in (torch.empty(0), torch.empty(0, 3), torch.tensor(1.0), START.clone())]
    optimizer = make(params, **SETTINGS)
    for param in params:
        param.grad = torch.ones_like(param)
    optimizer.step()
    by_hand = 1 - SETTINGS["lr"] * (1 + SETTINGS["weight_decay"])
    return params[2].shape == () and abs(params[2].item() - by_hand) < 1e-6


def group_options_checked(make: Make) -> bool:
    """lr=-1 in a group is refused as it is in the constructor's own argument."""
    try:
        make([{"params": [Parameter(START.clone())], "lr": -1.0}], **SETTINGS)
    except (ValueError, AssertionError, *own_errors()) as error:
        return not refused(error)
    return False


def state_loads_into_lion_pytorch(make: Make) -> bool | None:
    """lion-pytorch goes on from the state_dict, bit by bit as from the same momentum put in its hands."""
    if find_spec("lion_pytorch") is None:
        return None
    from lion_pytorch import Lion

    source, saved = run(make)
    expected, control = run(Lion, source.detach(), grads=[])
    control.state[expected]["exp_avg"] = momentum(saved, source).clone()
    step(control, expected, GRADS)
    param, loaded = run(Lion, source.detach(), grads=[], lr=1.0)
    try:
        loaded.load_state_dict(saved.state_dict())
        step(loaded, param, GRADS)
    except KeyError as error:
        return refused(error)
    return torch.equal(param, expected)
