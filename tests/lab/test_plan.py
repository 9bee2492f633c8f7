"""`lionkit plan`, from numbers and from a recipe."""

import json

import pytest
from typer.testing import CliRunner

from lionkit import theory
from lionkit_lab.cli import app

NUMBERS = {"dim": 1000, "smoothness": 2.0, "noise": 3.0, "gap": 5.0, "steps": 100_000}


def invoke(*arguments, code=0, **changed):
    numbers = {name: value for name, value in (NUMBERS | changed).items() if value is not None}
    options = [text for name, value in numbers.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    result = CliRunner().invoke(app, ["plan", *map(str, arguments), *options])
    assert result.exit_code == code, result.output
    return result


def test_from_numbers():
    expected = theory.plan(theory.Problem(1000, 2.0, 3.0, 5.0), 100_000, weight_decay=0.1, start=0.5, radius=1.5)
    assert invoke(weight_decay=0.1, start=0.5, radius=1.5).stdout == f"{expected}\n"
    found = json.loads(invoke("--json", weight_decay=0.1, start=0.5, radius=1.5).stdout)
    assert found["options"] == json.loads(json.dumps(expected.options))
    assert found["total"] == expected.bound.total
    assert [term["value"] for term in found["bound"]["terms"]] == [term.value for term in expected.bound.terms]
    assert found["constants"] is None


def test_warnings_are_printed():
    assert "warning: Too few steps" in invoke(steps=3, noise=0.5).stdout


NONE = dict.fromkeys(NUMBERS)


def test_from_a_recipe(tiny):
    result = invoke(tiny, "--pilot", 8, "--products", 3, "--json", **NONE)
    found = json.loads(result.stdout)
    constants = found["constants"]
    assert found["problem"]["dim"] == constants["dim"] > 1000
    assert found["problem"]["noise"] ** 2 == pytest.approx(constants["noise_sq"]["value"])
    assert found["problem"]["gap"] == pytest.approx(constants["gap"]["value"])
    assert found["problem"]["smoothness"] == constants["smoothness"]["value"] > 0
    assert constants["gap"]["high"] < 3  # a cross-entropy of 10 classes, at least 0
    assert constants["path_smoothness"] <= constants["smoothness"]["value"] * 1.01
    assert (found["steps"], found["settings"]["weight_decay"]) == (12, 0.3)


def test_what_is_given_stands_before_what_is_measured(tiny):
    found = invoke(tiny, "--pilot", 2, "--products", 1, **NONE | {"steps": 5000, "noise": 0.5})
    assert "intervals of 95%" in found.stdout
    expected = json.loads(
        invoke(tiny, "--pilot", 2, "--products", 1, "--json", **NONE | {"steps": 5000, "noise": 0.5}).stdout
    )
    assert (expected["steps"], expected["problem"]["noise"]) == (5000, 0.5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"smoothness": -2.0}, "error: Invalid smoothness: -2.0, it must be finite and above 0\n"),
        ({"gap": 0.0}, "error: Invalid gap: 0.0, it must be finite and above 0\n"),
        ({"noise": 0.0}, "error: Invalid noise: 0.0, Corollary 3 divides by it: it must be above 0\n"),
        ({"dim": 0}, "error: Invalid dim: 0, it must be a count: a whole number, at least 1\n"),
        ({"steps": 0}, "error: Invalid steps: 0, it must be a count: a whole number, at least 1\n"),
        ({"weight_decay": -1.0}, "error: Invalid weight_decay: -1.0, it must be finite and at least 0\n"),
        ({"radius": 0.0}, "error: Invalid radius: 0.0, it must be finite and above 0\n"),
        ({"noise": None, "gap": None}, "error: --noise, --gap missing: give a recipe, or all of --dim, "),
        ({"weight_decay": 1e9}, "error: Invalid lr * weight_decay: "),
        ({"batches": 4}, "--batches"),
    ],
)
def test_bad_input_is_one_line(changed, message):
    error = invoke(code=2, **changed).stderr
    assert message in error
    assert error.count("\n") == 1


def test_an_unknown_recipe_is_one_line():
    assert invoke("moby-dock", code=2, **NONE).stderr.startswith('error: recipe "moby-dock"')
