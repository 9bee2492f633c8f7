"""Every member's step under torch.compile: as the eager one, elementwise, and not compiled anew for another lr.

In float32, since torch 2.13 loses what a compiled function writes to a 0-dim float64 tensor on a CPU: its own SGD and
AdamW then leave their momentum as it was.
"""

import pytest
import torch
from members import MEMBERS, closure_of, parameters, shapes_of
from torch._dynamo.testing import CompileCounterWithBackend

EPS = torch.finfo(torch.float32).eps
WITH_CLOSURE = {"MARSLion, exact", "LionVR"}
# Its decay is lr * lr, which the host multiplies.
RECOMPILES = {"corrected decay"}


def twins(name, backend, foreach, steps=5):
    """Step twins on the same gradients and lrs, the first one compiled; return them and the graphs after every step."""
    torch._dynamo.reset()
    runs, counts = [], []
    for compiled in (True, False):
        params, lr = parameters(shapes_of(name), torch.float32), torch.tensor(0.02)
        stepper = MEMBERS[name](params, lr=lr, weight_decay=0.3, foreach=foreach)
        next_batch = closure_of(stepper, params, noise=0.5)
        take = torch.compile(stepper.step, backend=backend) if compiled else stepper.step
        for _ in range(steps):
            step(take, next_batch(), name in WITH_CLOSURE)
            lr.mul_(0.7)
            counts += [backend.frame_count] if compiled and not isinstance(backend, str) else []
        runs.append((params, stepper))
    return runs, counts


def step(take, closure, asks):
    """Hand the closure over where the member needs two gradients."""
    if asks:
        take(closure)
    else:
        closure()
        take()


def assert_same(runs, atol):
    (params, compiled), (others, eager) = runs
    for param, other in zip(params, others, strict=True):
        pairs = {key: (value, eager.state[other][key]) for key, value in compiled.state[param].items()}
        assert pairs.keys() == eager.state[other].keys()
        for one, two in ((param.detach(), other.detach()), *pairs.values()):
            torch.testing.assert_close(one, two, rtol=0, atol=atol)


# Dynamo looks at the closure's loss once it has gone backward.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf Tensor")
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("foreach", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["forloop", "foreach"])
def test_a_compiled_step_is_the_eager_one_and_a_new_lr_does_not_recompile(name, foreach):
    backend = CompileCounterWithBackend("aot_eager")
    runs, counts = twins(name, backend, foreach)
    # Roundings of numbers around 1: torch 2.10 takes a traced _foreach_lerp apart, torch 2.13 does not.
    assert_same(runs, atol=4 * EPS)
    moved = [(p - q).abs().max() for p, q in zip(runs[0][0], parameters(shapes_of(name), torch.float32), strict=True)]
    assert min(moved) > 1e-3
    assert counts[0] > 0
    # The first step makes the state, the second finds it made.
    assert name in RECOMPILES or counts[1:] == [counts[1]] * 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")  # by torch's own inductor
@pytest.mark.parametrize(
    ("name", "atol"),
    # A rounding of the norm of a matrix turns up in every bfloat16 of the iteration: 2^-8 of lr at most of each step.
    [("Lion", 4 * EPS), ("CautiousLion", 4 * EPS), ("Muon", 5 * 0.02 * 2**-7)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_inductor_takes_the_same_steps(name, atol):
    runs, _ = twins(name, "inductor", None)
    assert_same(runs, atol)


def test_one_graph_for_all_is_refused_as_torchs_own_optimizers_do():
    """`fullgraph=True`: torch puts a graph break into every step that is wrapped for `differentiable`."""
    for optimizer in (MEMBERS["Lion"], torch.optim.AdamW):
        params = parameters(dtype=torch.float32)
        stepper = optimizer(params, lr=0.01)
        for param in params:
            param.grad = torch.ones_like(param)
        torch._dynamo.reset()
        with pytest.raises(torch._dynamo.exc.Unsupported, match="graph_break"):
            torch.compile(stepper.step, backend="eager", fullgraph=True)()
