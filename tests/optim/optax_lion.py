"""optax's Lion, run by itself: jax warns of every fork of its process, and other tests fork.

``python optax_lion.py FILE``: reads weights and gradients from FILE, an npz, and settings from standard input; adds
FILE.MODE.npz for each mode, with weights and momenta after every step.
"""

import json
import sys

import jax
import numpy as np
import optax


def path_of(mode, settings, arrays):
    """Return the weights and momenta after every step, by name."""
    lion = optax.chain(
        optax.scale_by_lion(*settings["betas"], **mode),
        optax.add_decayed_weights(settings["weight_decay"]),
        optax.scale_by_learning_rate(settings["lr"]),
    )
    update, num_params, path = jax.jit(lion.update), settings["num_params"], {}
    weights = [jax.numpy.asarray(arrays[f"weight {i}"]) for i in range(num_params)]
    state = lion.init(weights)
    for step in range(settings["steps"]):
        moves, state = update([arrays[f"gradient {i} of {step}"] for i in range(num_params)], state, weights)
        weights = optax.apply_updates(weights, moves)
        for i in range(num_params):
            path[f"weight {i} after {step}"], path[f"momentum {i} after {step}"] = weights[i], state[0].mu[i]
    return path


def main(file):
    """Run every mode."""
    settings, arrays = json.load(sys.stdin), np.load(file)
    with jax.enable_x64(True):
        for mode in settings["modes"]:
            np.savez(f"{file}.{mode['mode']}.npz", **path_of(mode, settings, arrays))


if __name__ == "__main__":
    main(sys.argv[1])
