"""Who watches what: the recipe's settings turned into watchers."""

from collections.abc import Iterator

from lionkit_lab.recipe import Recipe
from lionkit_lab.watch._epoch_rise import EpochRise
from lionkit_lab.watch._loss_rise import LossRise
from lionkit_lab.watch._non_finite import NonFinite
from lionkit_lab.watch._post import Post
from lionkit_lab.watch._spike import Spike
from lionkit_lab.watch._too_many import TooMany
from lionkit_lab.watch._watcher import Watcher


def posts(recipe: Recipe) -> list[Post]:
    """Return the watchers of a run that are not off."""
    settings, found = recipe.watch, []
    for name, watcher in _watchers(recipe):
        action = getattr(settings, name).action
        if action != "off":
            found.append(Post(name, watcher, action))
    return found


def _watchers(recipe: Recipe) -> Iterator[tuple[str, Watcher]]:
    settings = recipe.watch
    yield "non_finite", NonFinite()
    yield "loss_spike", Spike(settings.loss_spike, "loss", "minibatch loss", logarithmic=False)
    yield "gradient_spike", Spike(settings.gradient_spike, "grad_l2", "l2 norm of the gradient", logarithmic=True)
    yield "loss", LossRise(settings.loss)
    yield "train_loss", EpochRise(settings.train_loss, "train_loss", "train loss")
    yield "kkt_residual", EpochRise(settings.kkt_residual, "kkt_residual", "KKT residual")
    on_box = (("log", "box_share"), ("statistics", "saturation"))
    yield "saturation", TooMany(settings.saturation, on_box, "lie on the box")
