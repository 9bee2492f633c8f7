"""What is due after which step."""

from lionkit_lab.recipe import Recipe
from lionkit_lab.tasks import Task


class Calendar:
    """The recipe's periods as questions about a step.

    Args:
        recipe: The run's.
        task: The run's.
        total: Steps of the whole run.
    """

    def __init__(self, recipe: Recipe, task: Task, total: int) -> None:
        self._training, self._logging, self._total = recipe.training, recipe.logging, total
        every = recipe.logging.every
        self._period = task.steps_per_epoch if every == "epoch" else every

    def is_recorded(self, step: int) -> bool:
        """Whether the minibatch loss of the step is written down."""
        return step % self._logging.step_every == 0

    def is_observed(self, step: int) -> bool:
        """Whether the optimizer tells of the step."""
        every = self._logging.statistics_every
        return every is not None and step % every == 0

    def is_logged(self, step: int) -> bool:
        """Whether a logging epoch follows the step: the last one has one always."""
        return step % self._period == 0 or step == self._total

    def is_saved(self, step: int) -> bool:
        """Whether a checkpoint follows the step, by itself or after a logging epoch."""
        every = self._training.checkpoint_every
        return self.is_logged(step) or (every is not None and step % every == 0)

    def is_kept(self, step: int) -> bool:
        """Whether the weights after the step stay."""
        return step in self._training.kept_steps
