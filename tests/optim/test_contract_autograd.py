"""The step as something to look through (`differentiable`) and to compile."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch_database import FOREACH, LIONS, OPTIMIZERS, SETTINGS, assert_same, give_grads, momenta, parameters, run

LION, HALF_SQUARED_L2 = (info.optim_cls for info in LIONS)


def leaf(*values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def two_steps(optimizer, options):
    """Two steps as a function of everything that they depend on."""

    def stepped(param, grad1, grad2, momentum, lr):
        param = param.clone()
        stepper = optimizer([param], **{**SETTINGS, **options, "lr": lr}, differentiable=True)
        if momentum is not None:
            stepper.state[param]["exp_avg"] = momentum.clone()
        for grad in (grad1, grad2):
            param.grad = grad
            stepper.step()
        return param, stepper.state[param]["exp_avg"]

    return stepped


@OPTIMIZERS
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_gradcheck_through_two_steps(optimizer, maximize, dtype):
    param, momentum = leaf(0.5, -1.5, 2.0, dtype=dtype), leaf(-0.4, 0.3, 0.9, dtype=dtype)
    grads = leaf(0.7, 1.2, -0.8, dtype=dtype), leaf(-0.6, 1.1, 0.35, dtype=dtype)
    if dtype.is_complex:
        with torch.no_grad():
            for number, tensor in enumerate((param, momentum, *grads)):
                tensor.mul_(1 + (0.5 + number) * 1j)
    function = two_steps(optimizer, {"maximize": maximize})
    lr = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (param, *grads, momentum, lr))
    assert torch.autograd.gradcheck(lambda *inputs: function(*inputs, 0.1), (param, *grads, momentum))


@pytest.mark.parametrize("init", ["zeros", "gradient"])
@pytest.mark.parametrize("maximize", [False, True])
def test_gradcheck_from_the_first_momentum_on(init, maximize):
    """With m0 = g1 the step depends on g1 through m0 too."""
    function = two_steps(HALF_SQUARED_L2, {"momentum_init": init, "maximize": maximize})
    inputs = leaf(0.5, -1.5), leaf(0.7, 1.2), leaf(-0.6, 1.1)
    assert torch.autograd.gradcheck(lambda *given: function(*given, None, 0.1), inputs)


def test_what_autograd_sees_is_the_derivative_by_hand():
    param, grad, momentum = leaf(0.5), leaf(0.7), leaf(-0.4)
    stepped = param.clone()
    stepper = HALF_SQUARED_L2([stepped], lr=0.1, betas=(0.8, 0.9), weight_decay=0.5, differentiable=True)
    stepper.state[stepped]["exp_avg"] = momentum.clone()
    stepped.grad = grad
    stepper.step()
    by_hand = [0.95, -0.1 * 0.2, -0.1 * 0.8]  # 1 - lr * wd, -lr * (1 - beta1), -lr * beta1
    assert [value.item() for value in torch.autograd.grad(stepped, (param, grad, momentum))] == pytest.approx(by_hand)


@OPTIMIZERS
@FOREACH
def test_without_differentiable_no_graph_is_kept(optimizer, foreach):
    params = parameters()
    lr = torch.tensor(0.1, requires_grad=True)
    stepper = optimizer(params, **{**SETTINGS, "lr": lr}, foreach=foreach)
    for param in params:
        param.grad = torch.ones_like(param, requires_grad=True) * 2
    stepper.step()
    assert all(param.is_leaf and param.requires_grad for param in params)
    assert not any(momentum.requires_grad for momentum in momenta(stepper, params))


@OPTIMIZERS
def test_differentiable_equals_forloop(optimizer):
    results = []
    for differentiable in (False, True):
        params = [param.detach().clone().requires_grad_(not differentiable) for param in parameters()]
        stepper = optimizer(params, **SETTINGS, differentiable=differentiable, foreach=False)
        run(stepper, params)
        results.append([param.detach() for param in params] + momenta(stepper, params))
    assert_same(*results)


@OPTIMIZERS
@FOREACH
def test_a_compiled_step_equals_eager_and_a_new_lr_does_not_recompile(optimizer, foreach):
    torch._dynamo.reset()
    counter = CompileCounter()
    params, expected = parameters(), parameters()
    lr, lr_eager = torch.tensor(0.02), torch.tensor(0.02)
    stepper = optimizer(params, **{**SETTINGS, "lr": lr}, foreach=foreach)
    eager = optimizer(expected, **{**SETTINGS, "lr": lr_eager}, foreach=foreach)
    compiled = torch.compile(stepper.step, backend=counter)
    for step in range(6):
        for stepped, take in ((params, compiled), (expected, eager.step)):
            give_grads(stepped, seed=step)
            take()
        if step == 1:  # the first compiled one makes the momenta, the second finds them made
            warm = counter.frame_count
            assert warm > 0
        for value in (lr, lr_eager):
            value.mul_(0.7)
    assert counter.frame_count == warm
    assert counter.op_count > 0
    # Within roundings of numbers around 1: torch 2.10 takes a traced _foreach_lerp apart, torch 2.13 does not.
    for ours, theirs in zip(params + momenta(stepper, params), expected + momenta(eager, expected), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=4 * torch.finfo(ours.dtype).eps)
