"""Constants against the truth on problems where it is known, and intervals against their rate."""

import math

import pytest
import scipy.stats
import torch
from test_full_gradient import Net, assert_same, everything_of, mean_loss
from test_full_gradient import data as net_data
from torch import nn

from lionkit import probes
from lionkit.probes._constants_estimate import student_quantile

DIM = 12
EIGENVALUES = torch.logspace(-1, 0.5, DIM, dtype=torch.float64)


class Weights(nn.Module):
    """A vector of weights, cut into two parameters."""

    def __init__(self, values):
        super().__init__()
        self.first, self.second = nn.Parameter(values[:3].clone()), nn.Parameter(values[3:].clone())

    def forward(self):
        return torch.cat([self.first, self.second])


class Quadratic:
    """Half a rotated quadratic form around a centre, with Gaussian noise of a known size in its gradient."""

    def __init__(self, seed=0, eigenvalues=EIGENVALUES, noise=0.7):
        self.generator = torch.Generator().manual_seed(seed)
        self.dim, self.noise = len(eigenvalues), noise
        rotation = torch.linalg.qr(self.randn(self.dim, self.dim)).Q
        self.matrix = rotation @ eigenvalues.diag() @ rotation.T
        self.center = self.randn(self.dim)

    def randn(self, *shape):
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def batches(self, count, size=2):
        """Rows of which each has the noise of one sample: a batch of ``size`` has 1 / size of its variance."""
        return (self.noise * math.sqrt(size / self.dim) * self.randn(count * size, self.dim)).split(size)

    def __call__(self, model, batch):
        offset = model() - self.center
        return offset @ self.matrix @ offset / 2 + (batch @ offset).mean()

    def value(self, weights):
        return ((weights - self.center) @ self.matrix @ (weights - self.center) / 2).item()


def point_of(values):
    return {"first": values[:3], "second": values[3:]}


def measured(problem, count=64, **options):
    start = problem.center + problem.randn(problem.dim)
    options.setdefault("path", [point_of(start)])
    found = probes.constants(Weights(problem.center), problem, problem.batches(count), **options)
    return found, problem.value(start)


def test_known_constants():
    problem = Quadratic(seed=3)
    found, gap = measured(problem, count=256)
    assert found.dim == DIM
    assert found.noise_sq.value == pytest.approx(0.7**2, rel=0.1)
    assert found.noise == pytest.approx(0.7, rel=0.1)
    assert found.smoothness.value == pytest.approx(EIGENVALUES.max().item(), rel=1e-9)
    assert found.gap.value == pytest.approx(gap, rel=0.1)
    assert found.path_smoothness <= found.smoothness.value
    assert found.noise_exponent.low < -1 < found.noise_exponent.high
    assert found.noise_exponent.value == pytest.approx(-1, abs=0.15)
    assert "falls with the batch to the power -" in str(found)


def test_few_products_bound_the_smoothness_from_both_sides():
    truth = EIGENVALUES.max().item()
    covered = []
    for seed in range(100):
        eigenvalues = EIGENVALUES if seed % 2 else -EIGENVALUES  # of either sign: it is a norm
        problem = Quadratic(seed, eigenvalues)
        found, _ = measured(problem, count=8, products=9, path=(), seed=seed)
        assert found.smoothness.num_samples == 9
        assert found.smoothness.value == pytest.approx(truth, rel=0.1)
        covered.append(found.smoothness.low <= truth * (1 + 1e-12) and truth <= found.smoothness.high)
    assert sum(covered) >= 95


@pytest.mark.parametrize(("confidence", "least", "most"), [(0.95, 89, 100), (0.6, 46, 74)])
def test_noise_intervals_cover_the_truth_at_their_rate(confidence, least, most):
    """Of 100 repetitions; fewer than ``least`` or more than ``most`` is a chance of less than 1 in 100."""
    covered = 0
    for seed in range(100):
        found, _ = measured(Quadratic(seed), count=32, path=(), products=1, confidence=confidence)
        covered += found.noise_sq.low <= 0.7**2 <= found.noise_sq.high
    assert least <= covered <= most


def test_intervals_of_gap_and_exponent_cover_the_truth():
    gap, exponent = 0, 0
    for seed in range(100):
        found, truth = measured(Quadratic(seed, EIGENVALUES[::3]), count=24, products=4, confidence=0.95)
        gap += found.gap.low <= truth <= found.gap.high
        exponent += found.noise_exponent.low <= -1 <= found.noise_exponent.high
    assert gap >= 89
    assert exponent >= 89


def test_student_quantile():
    for freedom in (1, 2, 3, 4, 7, 30, 1000):
        for confidence in (0.5, 0.9, 0.95, 0.99):
            exact = scipy.stats.t.ppf((1 + confidence) / 2, freedom)
            assert student_quantile(confidence, freedom) == pytest.approx(exact, rel=1e-11)


def test_noise_that_does_not_fall_is_seen():
    """Batches in pairs that are alike: what a sorted or repeated data set does."""
    problem = Quadratic(seed=5)
    batches = [batch for batch in problem.batches(128) for _ in range(2)]
    batches = batches[1:] + batches[:1]
    found = probes.constants(Weights(problem.center), problem, batches)
    assert found.noise_exponent.low > -1


def test_path_takes_the_largest():
    """Of 1 - cos the curvature is largest at the centre, and there the path has been."""

    def loss(model, batch):
        return (2 * (1 - torch.cos(model()))).sum() + (batch @ model()).mean() * model().square().sum().sqrt()

    noise = Quadratic().batches(32)
    far = torch.full((DIM,), 1.2, dtype=torch.float64)
    near = probes.constants(Weights(0.01 * far), loss, noise)
    both = probes.constants(Weights(far), loss, noise, path=[point_of(0.01 * far)])
    alone = probes.constants(Weights(far), loss, noise)
    assert alone.smoothness.value < 0.7 * near.smoothness.value
    assert both.smoothness.value == pytest.approx(near.smoothness.value)
    assert both.noise_sq.value == pytest.approx(alone.noise_sq.value)
    assert both.noise_sq.value > 10 * near.noise_sq.value
    assert both.radius == pytest.approx(1.2)


def test_the_gap_is_open_above_where_the_loss_falls_on():
    def loss(model, batch):
        return -model().square().sum() + 0 * batch.sum()

    ones = torch.ones(DIM, dtype=torch.float64)
    batches = Quadratic().batches(8)
    found = probes.constants(Weights(2 * ones), loss, batches, path=[point_of(ones)])
    assert found.gap.value == pytest.approx(3 * DIM)
    assert found.gap.high == math.inf
    bounded = probes.constants(Weights(2 * ones), loss, batches, path=[point_of(ones)], lowest=-60.0)
    assert bounded.gap.high == pytest.approx(-DIM + 60)
    assert found.smoothness.value == pytest.approx(2)  # the curvature is negative


def test_leaves_no_trace():
    model, (batches, _) = Net(), net_data(num_samples=44)
    model.train()
    model.frozen.eval()
    mean_loss(model, batches[0]).backward()
    before = everything_of(model)
    pointers = {name: p.data_ptr() for name, p in model.named_parameters()}
    path = [{name: p.detach() + 0.1 for name, p in model.named_parameters()}]
    probes.constants(model, mean_loss, batches, path=path, products=3)
    with pytest.raises(ZeroDivisionError):
        probes.constants(model, lambda *_: 1 / 0, batches, path=path)
    assert_same(before, everything_of(model))
    assert pointers == {name: p.data_ptr() for name, p in model.named_parameters()}


def test_attention_has_a_hessian():
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    batches = torch.randn(8, 2, 5, 8)
    found = probes.constants(model, lambda model, x: model(x, x, x, need_weights=False)[0].square().mean(), batches)
    assert found.smoothness.value > 0


def test_a_loss_that_draws_at_random_is_refused():
    problem = Quadratic()

    def loss(model, batch):
        return problem(model, batch) * (1 + 0.1 * torch.rand(()))

    with pytest.raises(ValueError, match=r"^loss is not deterministic: .* on the same batch"):
        probes.constants(Weights(problem.center + 1), loss, problem.batches(8))


def test_a_gradient_or_a_hessian_that_is_not_finite_is_refused():
    def root(model, batch):
        return (model() - 1).abs().sqrt().sum() + 0 * batch.sum()

    def power(model, batch):
        return (model() - 1).abs().pow(1.5).sum() + 0 * batch.sum()

    ones, batches = Weights(torch.ones(DIM, dtype=torch.float64)), Quadratic().batches(8)
    with pytest.raises(ValueError, match=r"^gradient of the loss is not finite"):
        probes.constants(ones, root, batches)
    with pytest.raises(ValueError, match=r"^the Hessian of the loss is not finite"):
        probes.constants(ones, power, batches)


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [
        (5, {}, "too few samples: 5 batches of one size, at least 8 are needed: 3 more"),
        (16, {"within": 0.05}, "noise_sq is known within .* not 5%: about [0-9]+ more batches are needed"),
        (
            8,
            {"within": 0.05, "products": 6, "noise": 0.0},
            "smoothness is known within .* not 5%: about 6 more products",
        ),
        (8, {"confidence": 1.0}, r"Invalid confidence: 1.0, it must be in \(0, 1\)"),
        (8, {"within": 0.0}, "Invalid within: 0.0, it must be above 0"),
        (8, {"products": 0}, "Invalid products: 0, it must be at least 1"),
        (8, {"batch_norm": "none"}, "Invalid batch_norm: 'none'"),
        (8, {"path": [{"first": torch.ones(3)}]}, r"Invalid path: 'second' is missing, it must have shape \(9,\)"),
    ],
)
def test_refusals(count, options, message):
    problem = Quadratic(noise=options.pop("noise", 0.7))
    with pytest.raises(ValueError, match=message):
        measured(problem, count, **options)


def test_as_many_more_samples_as_it_says_are_enough():
    problem = Quadratic()
    with pytest.raises(ValueError, match="about") as refusal:
        measured(problem, 64, within=0.1)
    more = int(str(refusal.value).split("about ")[1].split()[0])
    found, _ = measured(problem, 64 + int(1.6 * more), within=0.1)
    assert found.noise_sq.relative <= 0.1


def test_the_last_batch_may_be_smaller():
    problem = Quadratic()
    batches = problem.batches(32)
    whole = probes.constants(Weights(problem.center), problem, batches)
    more = probes.constants(Weights(problem.center), problem, [*batches, 50 * batches[0][:1]])
    assert more.noise_sq == whole.noise_sq
    assert more.num_batches == 33
