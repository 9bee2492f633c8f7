"""The full gradient against plain autograd on all samples at once, and the traces it must not leave."""

import copy
import math
import random

import numpy
import pytest
import torch
from torch import nn

from lionkit import probes

WEIGHT_DECAY = 0.4


class Net(nn.Module):
    """Everything that could leave a trace: batch norm, dropout, a tied weight, a frozen and an unused one."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(0.5)
        self.tied = nn.Linear(8, 6, bias=False)
        self.tied.weight = nn.Parameter(self.first.weight.detach().T.contiguous())
        self.again = self.tied
        self.frozen = nn.Linear(6, 6)
        self.frozen.requires_grad_(False)
        self.unused = nn.Parameter(torch.ones(5))
        self.to(dtype)

    def forward(self, x):
        return self.frozen(self.again(self.dropout(torch.tanh(self.norm(self.first(x))))))


def mean_loss(model, batch):
    x, y = batch
    return (model(x) - y).square().mean()


def data(num_samples=23, batch_size=5):
    generator = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, num_samples, 6, generator=generator, dtype=torch.float64)
    return list(zip(x.split(batch_size), y.split(batch_size), strict=True)), (x, y)


def by_plain_autograd(model, batches, batch_norm):
    """The second implementation: one graph over all samples, then ordinary `backward` on a copy."""
    model = copy.deepcopy(model).eval()
    if batch_norm == "batch":
        model.norm.train()
    count = sum(len(x) for x, _ in batches)
    total = sum(mean_loss(model, batch) * len(batch[0]) / count for batch in batches)
    total.backward()
    gradient = {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    return total.item(), gradient


@pytest.mark.parametrize("batch_norm", ["batch", "running"])
def test_equals_plain_autograd(batch_norm):
    model, (batches, _) = Net(), data()
    measured = probes.full_gradient(model, mean_loss, batches, weight_decay=WEIGHT_DECAY, batch_norm=batch_norm)
    loss, gradient = by_plain_autograd(model, batches, batch_norm)
    assert measured.loss == pytest.approx(loss, rel=1e-12)
    assert measured.num_samples == 23
    assert measured.gradient.keys() == gradient.keys()
    for name, expected in gradient.items():
        torch.testing.assert_close(measured.gradient[name], expected, rtol=1e-12, atol=1e-15)

    g = torch.cat([part.flatten() for part in gradient.values()])
    theta = torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad])
    total = measured.total
    assert total.dim == theta.numel() == 6 * 8 + 8 + 2 * 8 + 48 + 5
    assert total.l1 == pytest.approx(g.abs().sum().item(), rel=1e-12)
    assert total.l2 == pytest.approx(g.square().sum().sqrt().item(), rel=1e-12)
    assert total.ratio == pytest.approx((g.abs().sum() / g.norm()).item(), rel=1e-12)
    assert total.ratio_over_sqrt_dim == pytest.approx(total.ratio / math.sqrt(theta.numel()), rel=1e-12)
    residual = g.abs().sum() + WEIGHT_DECAY * theta.dot(g)
    assert total.kkt_residual == pytest.approx(residual.item(), rel=1e-12)


def test_batches_are_weighted_by_their_samples():
    """With running statistics the result does not depend on how 23 samples fall into batches."""
    model, (batches, everything) = Net(), data()
    options = {"weight_decay": WEIGHT_DECAY, "batch_norm": "running"}
    split = probes.full_gradient(model, mean_loss, batches, **options)
    whole = probes.full_gradient(model, mean_loss, [everything], **options)
    assert split.loss == pytest.approx(whole.loss, rel=1e-12)
    assert split.total.l1 == pytest.approx(whole.total.l1, rel=1e-12)


def everything_of(model):
    return {
        "parameters": {name: p.detach().clone() for name, p in model.named_parameters()},
        "buffers": {name: b.clone() for name, b in model.named_buffers()},
        "gradients": {name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()},
        "versions": {name: p._version for name, p in model.named_parameters()},
        "modes": {name: module.training for name, module in model.named_modules()},
        "rng": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": numpy.random.get_state()[1].copy(),
    }


def assert_same(before, after):
    for key, value in before.items():
        if isinstance(value, dict):
            assert_same(value, after[key])
        elif isinstance(value, torch.Tensor):
            assert value.equal(after[key]), key
        elif isinstance(value, numpy.ndarray):
            assert (value == after[key]).all(), key
        else:
            assert value == after[key], key


def drawing(batches):
    """Batches whose making draws from every global generator, as augmentation and a DataLoader do."""
    for batch in batches:
        torch.rand(3)
        random.random()
        numpy.random.rand()
        yield batch


@pytest.mark.parametrize("batch_norm", ["batch", "running"])
@pytest.mark.parametrize("raises", [False, True])
def test_leaves_no_trace(batch_norm, raises):
    model, (batches, _) = Net(), data()
    model.train()
    model.frozen.eval()  # a mixed mode must come back mixed
    mean_loss(model, batches[0]).backward()
    before = everything_of(model)

    def loss(model, batch):
        if raises and len(batch[0]) < 5:
            raise ZeroDivisionError
        return mean_loss(model, batch)

    if raises:
        with pytest.raises(ZeroDivisionError):
            probes.full_gradient(model, loss, drawing(batches), batch_norm=batch_norm)
    else:
        probes.full_gradient(model, loss, drawing(batches), batch_norm=batch_norm)
    assert_same(before, everything_of(model))


def test_a_frozen_batch_norm_stays_frozen():
    """In fine-tuning the training step normalises by running statistics: so must the measurement."""
    model, (batches, _) = Net().train(), data()
    model.norm.eval()
    batch, running = (
        probes.full_gradient(model, mean_loss, batches, batch_norm=batch_norm) for batch_norm in ("batch", "running")
    )
    assert batch.loss == running.loss
    model.eval()  # as a whole: then "batch" speaks of the model's training mode
    assert probes.full_gradient(model, mean_loss, batches, batch_norm="batch").loss != running.loss


def test_a_buffer_that_is_bound_anew_comes_back():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls = self.calls + 1
            return x @ self.weight

    model = Counter()
    calls = model.calls
    probes.full_gradient(model, lambda model, x: model(x).mean(), [torch.ones(3, 2)] * 4)
    assert model.calls is calls
    assert calls == 0


def test_measures_under_no_grad():
    model, (batches, _) = Net(), data()
    with torch.no_grad():
        measured = probes.full_gradient(model, mean_loss, batches)
    assert measured.total.l1 > 0
    assert measured.total.kkt_residual == measured.total.l1  # no decay


def test_decay_by_name_and_the_box():
    model = nn.Linear(3, 1, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, -2.5, 0.3]]))  # on, outside, inside of the box of 1 / 0.5
        model.bias.fill_(7.0)
    batches = [torch.ones(4, 3, dtype=torch.float64)]
    measured = probes.full_gradient(model, lambda m, x: m(x).mean(), batches, weight_decay={"weight": 0.5})
    weight, bias = measured.per_parameter["weight"], measured.per_parameter["bias"]
    assert (weight.box_excess, weight.box_share) == (0.25, pytest.approx(2 / 3))
    assert (bias.box_excess, bias.box_share, bias.kkt_residual) == (0.0, 0.0, 1.0)
    assert weight.kkt_residual == pytest.approx(3 + 0.5 * (2.0 - 2.5 + 0.3))
    assert (measured.total.box_excess, measured.total.box_share) == (0.25, 0.5)


def test_half_precision_is_summed_in_float32():
    model = nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    batches = [torch.ones(1, 1, dtype=torch.bfloat16)] * 1000  # in bfloat16 the sum would stall at 256
    measured = probes.full_gradient(model, lambda m, x: m(x).mean(), batches)
    assert measured.gradient["weight"].dtype == torch.float32
    assert measured.total.l1 == 1.0


def test_the_box_of_half_precision_weights_is_exact():
    model = nn.Linear(2, 1, bias=False, dtype=torch.bfloat16)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[10.0, 9.9375]]))  # 1 / 0.1 and the number below it in bfloat16
    batches = [torch.ones(1, 2, dtype=torch.bfloat16)]
    measured = probes.full_gradient(model, lambda m, x: m(x).mean(), batches, weight_decay=0.1)
    assert (measured.total.num_on_box, measured.total.box_excess) == (1, 0.0)


def test_complex_parameters_count_as_pairs():
    weight = nn.Parameter(torch.tensor([3 + 4j, 1j]))
    module = nn.Module()
    module.weight = weight
    measured = probes.full_gradient(module, lambda m, x: m.weight.abs().square().sum(), [torch.ones(2)])
    assert measured.total.dim == 4
    assert measured.total.l1 == pytest.approx(6 + 8 + 2)


def test_zero_gradient_has_no_ratio():
    model = nn.Linear(2, 1)
    measured = probes.full_gradient(model, lambda m, x: (m(x) * 0).mean(), [torch.ones(3, 2)])
    assert measured.total.l1 == 0
    assert math.isnan(measured.total.ratio)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batches": []}, "batches held no sample"),
        ({"loss": lambda model, batch: model(batch[0]).sum(1)}, r"loss returned shape \(5,\)"),
        ({"batch_norm": "frozen"}, "Invalid batch_norm: 'frozen'"),
        ({"weight_decay": -0.1}, "Invalid weight_decay of 'unused': -0.1"),
        ({"weight_decay": {"wieght": 0.1}}, "no trainable parameter is named 'wieght'"),
    ],
)
def test_bad_input(change, message):
    arguments = {"model": Net(), "loss": mean_loss, "batches": data()[0], **change}
    with pytest.raises(ValueError, match=message):
        probes.full_gradient(**arguments)


def test_a_model_without_trainable_parameters():
    with pytest.raises(ValueError, match="no parameter that requires a gradient"):
        probes.full_gradient(Net().requires_grad_(False), mean_loss, data()[0])


@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: (x, None), lambda x: {"input": x}], ids=["bare", "pair", "dict"]
)
def test_a_sample_is_a_row_of_the_first_tensor(wrap):
    model = nn.Linear(2, 1)
    assert probes.full_gradient(model, lambda m, _: m.weight.sum(), [wrap(torch.ones(7, 2))]).num_samples == 7
