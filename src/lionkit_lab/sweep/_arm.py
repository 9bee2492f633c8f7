"""What is swept: the arms of a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lionkit_lab import settings
from lionkit_lab.errors import UsageError, nearest
from lionkit_lab.recipe import Recipe


@dataclass(frozen=True)
class Arm:
    """An optimizer with all its settings but the learning rate.

    Attributes:
        recipe: What to train; its learning rate is one of ``lrs``.
        name: As its folder bears it, unique in the recipe.
        lrs: The learning rates of the recipe's tables, at least 0, rising.
    """

    recipe: Recipe
    name: str
    lrs: tuple[float, ...]

    @property
    def title(self) -> str:
        """Recipe and arm, such as ``moby-dick/lion``."""
        return f"{self.recipe.name}/{self.name}"

    def run(self, lr: float, seed: int) -> Recipe:
        """Return the recipe of one run."""
        optimizer = self.recipe.optimizer.model_copy(update={"lr": lr})
        return self.recipe.model_copy(update={"optimizer": optimizer, "seed": seed})

    def folder(self, out: Path, lr: float, seed: int) -> Path:
        """Return the folder of one run."""
        return out / self.recipe.name / self.name / f"lr{settings.text(lr)}" / f"seed{seed}"


def arms_of(recipe: Recipe, only: Sequence[str] = ()) -> list[Arm]:
    """Return the arms of the recipe's ``[[compare]]`` tables, in their order.

    Args:
        recipe: The recipe.
        only: Names of arms, or of optimizers for all of their arms; every arm when empty.

    Raises:
        UsageError: The recipe has nothing to compare, or no such arm.
    """
    if not recipe.compare:
        raise UsageError(f'recipe "{recipe.name}" has nothing to compare: it needs a [[compare]] list')
    arms = [
        Arm(recipe.model_copy(update={"optimizer": entries[0], "compare": ()}), name, tuple(it.lr for it in entries))
        for name, entries in recipe.arms().items()
    ]
    known = list(dict.fromkeys(name for arm in arms for name in (arm.recipe.optimizer.name, arm.name)))
    for name in only:
        if name not in known:
            hint = nearest(name, known)
            raise UsageError(f'--only "{name}" is not in recipe "{recipe.name}"{hint}; known: {", ".join(known)}')
    return [arm for arm in arms if not only or {arm.name, arm.recipe.optimizer.name} & set(only)]
