"""The smoothed signs of optax's Lion, elementwise in float64."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from members import parameters

from lionkit import kappa, optim

SETTINGS = {"lr": 0.02, "betas": (0.8, 0.95), "weight_decay": 0.3}
STEPS = 100
SHAPES = [(13, 7), (31,), (), (2, 3, 2, 2)]
MODES = {
    "hard": (kappa.L1(), {}),
    "smooth": (kappa.Entropy(0.4), {"smooth_beta": 2.5}),
    "refined": (kappa.Huber(1.0), {}),
}


def gradients():
    """One list a step, of all sizes from the linear part of a smoothed sign to far beyond it."""
    generator = torch.Generator().manual_seed(4)

    def draw(shape):
        return 3 * torch.randn(shape, generator=generator, dtype=torch.float64)

    return [[draw(shape) for shape in SHAPES] for _ in range(STEPS)]


@pytest.fixture(scope="module")
def by_optax(tmp_path_factory):
    """Weights and momenta after every step, of each mode."""
    file = tmp_path_factory.mktemp("optax") / "given.npz"
    arrays = {f"weight {i}": param.detach().numpy() for i, param in enumerate(parameters(SHAPES))}
    for step, grads in enumerate(gradients()):
        arrays |= {f"gradient {i} of {step}": grad.numpy() for i, grad in enumerate(grads)}
    np.savez(file, **arrays)
    modes = [{"mode": mode, **more} for mode, (_, more) in MODES.items()]
    settings = {**SETTINGS, "steps": STEPS, "num_params": len(SHAPES), "modes": modes}
    child = [sys.executable, Path(__file__).with_name("optax_lion.py"), file]
    subprocess.run(child, input=json.dumps(settings), text=True, check=True)
    return {mode: np.load(f"{file}.{mode}.npz") for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("foreach", [False, True, None], ids=["forloop", "foreach", "native"])
def test_equals_optax_over_100_steps(by_optax, mode, foreach):
    params, theirs = parameters(SHAPES), by_optax[mode]
    ours = optim.LionK(params, **SETTINGS, foreach=foreach, kappa=MODES[mode][0])
    for step, grads in enumerate(gradients()):
        for param, grad in zip(params, grads, strict=True):
            param.grad = grad
        ours.step()
        for i, param in enumerate(params):
            # In float64, or dtypes would differ; one flipped sign of a hard step would show as 2 * lr.
            weight, momentum = (torch.from_numpy(theirs[f"{name} {i} after {step}"]) for name in ("weight", "momentum"))
            torch.testing.assert_close(param.detach(), weight, rtol=0, atol=1e-13)
            torch.testing.assert_close(ours.state[param]["exp_avg"], momentum, rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["smooth", "refined"])
def test_a_smoothed_sign_sees_its_linear_part_and_its_ends(mode):
    """Else the comparison would be one of signs, or of gradients."""
    geometry, _ = MODES[mode]
    first = torch.cat([(1 - SETTINGS["betas"][0]) * grad.flatten() for grad in gradients()[0]])
    sizes = geometry.gradient(first).abs()
    assert (sizes < 0.5).sum() > 10
    assert (sizes > 0.9).sum() > 10
