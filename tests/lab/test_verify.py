"""`lionkit verify`: its problems have the constants they claim, its runs are Lion's, and its verdicts can fail."""

import dataclasses
import json
import math

import pytest
import torch
from typer.testing import CliRunner

from lionkit import LionK, theory
from lionkit_lab import verify
from lionkit_lab.cli import app
from lionkit_lab.verify import _fit, _known_problem, _noises, _run, _walk
from lionkit_lab.verify._cells import Cell
from lionkit_lab.verify._known_problem import GAP, NOISE, SMOOTHNESS
from lionkit_lab.verify._observe import observe
from lionkit_lab.verify._problems import PROBLEMS, WITHIN

TINY = verify.Effort(steps=(32, 100, 200, 400), dims=(8, 32, 128), seeds=4)


@pytest.fixture(scope="module")
def observations():
    torch.set_num_threads(1)
    return verify.measure(TINY, 1, lambda *_: None)


def hessian(problem, theta):
    return torch.autograd.functional.jacobian(lambda x: problem(x[None])[1][0], theta)


@pytest.mark.parametrize("dim", [8, 32, 512])
@pytest.mark.parametrize("name", WITHIN)
def test_problems_have_the_constants_they_claim(name, dim):
    problem = PROBLEMS[name](dim)
    assert problem(problem.start[None])[0].item() == pytest.approx(GAP, rel=1e-9)
    assert problem.start.abs().max() <= problem.radius
    points = torch.stack([problem.start, problem.radius * problem.uniform(dim), torch.zeros(dim).double()])
    x = points.clone().requires_grad_()
    value, claimed = problem(x)
    torch.testing.assert_close(torch.autograd.grad(value.sum(), x)[0], claimed.detach(), rtol=1e-10, atol=1e-14)
    if dim <= 32:
        curvature = max(torch.linalg.eigvalsh(hessian(problem, point)).abs().max().item() for point in points)
        assert curvature <= SMOOTHNESS * (1 + 1e-9)
        assert curvature > 0.15 * SMOOTHNESS


def test_the_smoothness_is_reached():
    cosines, logistic = PROBLEMS["cosines"](8), PROBLEMS["logistic"](8)
    assert torch.linalg.eigvalsh(PROBLEMS["quadratic"](8)._dense).max().item() == pytest.approx(SMOOTHNESS)
    assert hessian(cosines, cosines._center).diag().max().item() == pytest.approx(SMOOTHNESS)
    assert torch.linalg.eigvalsh(hessian(logistic, logistic.solution)).max().item() > 0.8 * SMOOTHNESS
    logistic = PROBLEMS["logistic"](128)
    assert torch.linalg.eigvalsh(hessian(logistic, logistic.start)).min().item() < 0  # and it is not convex


@pytest.mark.parametrize("name", [*WITHIN, "corners"])
def test_the_least_value_in_the_box_is_zero(name):
    """No point of the box that projected gradient descent finds from anywhere is below it."""
    problem = PROBLEMS[name](8)
    theta = problem.radius * problem.uniform(200, 8)
    best = torch.full((200,), torch.inf).double()
    for step in range(3000):
        loss, gradient = problem(theta)
        best = torch.minimum(best, loss)
        rate = 0.5 if name != "corners" else 1 / (1 + step)
        theta = (theta - rate * gradient).clamp(-problem.radius, problem.radius)
    assert best.min().item() > -1e-12
    assert best.min().item() < 1e-3
    if name == "quadratic":
        solution = problem.solution - torch.linalg.solve(problem._dense, problem.slope)
        assert problem(solution[None])[0].item() == pytest.approx(problem.lowest)
        assert problem.lowest < 0


def test_the_rotation_of_large_quadratics_is_the_dense_one():
    problem = PROBLEMS["quadratic"](128)
    x = problem.normal(3, 128)
    torch.testing.assert_close(problem._map(x, problem._values), x @ problem._dense, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", list(_noises.KINDS))
def test_noises_have_the_moments_they_claim(name):
    drawn = _noises.KINDS[name].draw(torch.Generator().manual_seed(3), (400, 50, 16)).double()
    mean, square = drawn.mean((0, 1)), drawn.square().sum(-1).mean()
    if _noises.KINDS[name].within:
        assert square.item() == pytest.approx(NOISE**2, rel=0.03)
        assert mean.abs().max().item() < 4 * NOISE / 4 / math.sqrt(400 * 50)
    elif name == "biased":
        assert mean.norm().item() == pytest.approx(0.5, rel=0.01)
    else:
        assert drawn.square().mean() > 2 * drawn[:4].square().mean()  # of infinite variance: it grows with the sample
        assert drawn.median().abs() <= drawn.abs().max() / 100


def test_rows_are_the_runs_of_single_optimizers():
    """All seeds at once, in two groups over views of one tensor, against one `LionK` for each of them."""
    problem, steps, seeds = PROBLEMS["cosines"](8), 25, 3
    arms = tuple(
        _run.Arm(theory.Settings(lr, betas, decay))
        for lr, betas, decay in ((0.02, (0.8, 0.95), problem.weight_decay), (0.01, (0.5, 0.9), 0.1))
    )
    found = _run.run(problem, arms, ("gaussian", "sparse"), steps, seeds, seed=7)
    noise = _noises.stream(("gaussian", "sparse"), seeds, 8, torch.Generator().manual_seed(7))
    noise = torch.stack([next(noise) for _ in range(steps)]).view(steps, 2, seeds, 8)
    for arm, by_kind in zip(arms, found, strict=True):
        for place, kind in enumerate(("gaussian", "sparse")):
            for seed in range(seeds):
                single = alone(problem, arm.settings, noise[:, place, seed])
                measured = by_kind[kind]
                for name in ("residual", "gradient", "tracking", "least_residual", "largest", "surplus"):
                    assert getattr(measured, name)[seed].item() == pytest.approx(single[name], rel=1e-12), name


def alone(problem, settings, noise):
    weight = torch.nn.Parameter(problem.start.clone())
    optimizer = LionK([weight], **vars(settings), momentum_init="gradient")
    records = []
    for added in noise:
        loss, full = (it[0] for it in problem(weight.data[None]))
        weight.grad = full + added
        old = optimizer.state[weight].get("exp_avg", weight.grad)
        c = settings.betas[0] * old + (1 - settings.betas[0]) * weight.grad
        residual = theory.kkt_residual(weight.data, full, settings.weight_decay)
        excess = loss.item() - residual / settings.weight_decay
        top = weight.abs().max().item() * settings.weight_decay
        records.append((residual, full.abs().sum().item(), (c - full).norm().item(), top, excess))
        optimizer.step()
    residual, gradient, tracking, top, excess = (list(column) for column in zip(*records, strict=True))
    mean = {"residual": residual, "gradient": gradient, "tracking": tracking}
    extremes = {"least_residual": min(residual), "largest": max(top), "surplus": max(excess)}
    return {name: sum(values) / len(values) for name, values in mean.items()} | extremes


def test_nothing_is_violated_and_every_statement_is_measured(observations):
    findings = {it.statement.key: it for it in verify.find(observations)}
    assert findings.keys() == {it.key for it in verify.STATEMENTS}
    for finding in findings.values():
        assert finding.holds, finding.statement
        assert finding.cells >= 9
    assert findings["theorem2"].ratio[0] > 0.005  # a bound in the same units as what it bounds
    assert findings["theorem2"].in_steps.low < -0.25
    assert findings["theorem2"].in_dim.low < 0.5


def test_a_violation_is_seen(observations):
    """With a fraction of its bound, each statement that has one is violated somewhere."""
    tight = [dataclasses.replace(it, bound=it.bound / 200) for it in observations if it.bound]
    for finding in verify.find(tight):
        assert not finding.holds, finding.statement
        assert finding.verdict.startswith("violated in ")


def test_noise_outside_of_the_assumptions_is_not_judged(observations):
    assert {it.noise for it in observations if it.within} == {"gaussian", "rademacher", "sparse"}
    assert {it.problem for it in observations if it.within} == set(WITHIN)


def test_the_corollaries_are_held_against_their_own_bound():
    cell = Cell("quadratic", 8, 100, ("gaussian",))
    found = {it.statement: it for it in observe(cell, seeds=2)}
    known = theory.Problem(8, SMOOTHNESS, NOISE, GAP)
    assert found["corollary3"].bound == pytest.approx(15 * math.sqrt(8) / 100**0.25 * known.scale)
    assert found["corollary5"].bound > found["corollary3"].bound  # f falls further outside of the box
    few = {it.statement for it in observe(Cell("quadratic", 8, 50, ("gaussian",)), seeds=2)}
    assert "corollary3" not in few  # it needs 75 steps
    assert "theorem2" in few


def test_every_assumption_has_its_counter_example(observations):
    found = verify.broken(observations)
    assert len({it.key for it in found}) == 8
    for it in found:
        assert it.shown, it.key


def test_the_whole_tensor_gate_is_not_monotone():
    gate, x, y = _walk.WholeTensorGate(nu=1.0), torch.tensor([3.0, 1.0]), torch.tensor([2.9, 0.9])
    assert torch.dot(gate.gradient(x) - gate.gradient(y), x - y) < 0


def test_checks_of_single_runs():
    for check in verify.checks(steps=5):
        assert check.holds, check
        assert check.cases >= 45


def test_exponents():
    points = [(k, 3 * k**-0.25) for k in (10, 100, 1000, 10000)]
    fit = _fit.exponent(points)
    assert (fit.value, fit.high - fit.low) == pytest.approx((-0.25, 0), abs=1e-9)
    bent = _fit.exponent([(k, value * (1.2 if k == 100 else 1)) for k, value in points])
    assert bent.high - bent.low > 0.05


@pytest.fixture
def tiny_effort(monkeypatch):
    monkeypatch.setitem(verify.EFFORTS, "quick", TINY)


def test_the_command(tmp_path, tiny_effort, open_page):
    result = CliRunner().invoke(app, ["verify", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    for text in ("Theorem 2 (ii)", "Lion-K, phase 2", "counter-examples", "All 13 statements hold wherever"):
        assert text in result.output
    page = open_page(tmp_path / "verify.html")
    assert page.complaints == []
    assert page.requests == [(tmp_path / "verify.html").as_uri()]
    counts = page.evaluate(
        "[...document.querySelectorAll('.chart')].map((c) => c.querySelectorAll('.trace.scatter path').length)"
    )
    assert len(counts) == 24
    assert min(counts) > 0


def test_json(tmp_path, tiny_effort):
    result = CliRunner().invoke(app, ["verify", "--quick", "--json", "--out", str(tmp_path)])
    found = json.loads(result.stdout)
    assert {it["key"] for it in found["statements"]} == {it.key for it in verify.STATEMENTS}
    assert all(it["shown"] for it in found["counter_examples"])
    assert len(found["cells"][0]["samples"]) == TINY.seeds


def test_a_violated_statement_is_an_error(tmp_path, tiny_effort, monkeypatch):
    monkeypatch.setattr(_known_problem, "GAP", 1.0)
    monkeypatch.setattr("lionkit_lab.verify._observe.SMOOTHNESS", 0.01)  # a claim that is not true
    result = CliRunner().invoke(app, ["verify", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith("error: Violated within its assumptions: ")


def test_an_unwritable_folder_is_one_line_before_anything_is_run(tmp_path):
    (tmp_path / "file").touch()
    error = CliRunner().invoke(app, ["verify", "--out", str(tmp_path / "file" / "x")]).stderr
    assert error.startswith("error: output folder ")
    assert error.count("\n") == 1


@pytest.mark.slow
def test_the_whole_grid(tmp_path):
    result = CliRunner().invoke(app, ["verify", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
