"""What is tuned for."""

from dataclasses import dataclass

from lionkit_lab import tasks
from lionkit_lab.errors import UsageError, nearest
from lionkit_lab.recipe import Recipe


@dataclass(frozen=True)
class Goal:
    """The metric by which the best learning rate is chosen, and over which seeds.

    Attributes:
        metric: Its name in the records of logging epochs; the last one counts.
        higher_is_better: Which way it points.
        seeds: The seeds of every learning rate.
    """

    metric: str
    higher_is_better: bool
    seeds: tuple[int, ...]

    @property
    def worst(self) -> float:
        """The value of a run that diverged."""
        return -float("inf") if self.higher_is_better else float("inf")


def goal_of(recipe: Recipe, metric: str, num_seeds: int) -> Goal:
    """Return the goal of a sweep of ``recipe``; its own seed is the first.

    Raises:
        UsageError: The task does not measure ``metric``, or its data cannot be had.
    """
    own = tasks.build(recipe).describe()["metric"]
    known = list(dict.fromkeys(["train_loss", "test_loss", own["key"]]))
    if metric not in known:
        hint = nearest(metric, known)
        raise UsageError(f'--metric "{metric}" is not measured in "{recipe.name}"{hint}; known: {", ".join(known)}')
    higher = metric == own["key"] and own["higher_is_better"]
    return Goal(metric, higher, tuple(range(recipe.seed, recipe.seed + num_seeds)))
