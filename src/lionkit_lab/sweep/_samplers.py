"""Which learning rates an arm tries."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any, Protocol, final

from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from lionkit_lab.errors import UsageError
from lionkit_lab.sweep._arm import Arm

_EDGE = 0.05  # of the logarithmic range: how near its end a learning rate is no minimum
_STARTUP = 3  # learning rates that TPE draws at random before it infers anything: for one setting few are enough


class Sampler(Protocol):
    """Chooses learning rates; every arm gets as many."""

    def check(self, arms: Sequence[Arm]) -> None:
        """See that every arm of a recipe gets the same budget.

        Raises:
            UsageError: One does not, or cannot be sampled.
        """

    def num_trials(self, arm: Arm) -> int:
        """Return how many learning rates the arm tries."""
        ...

    def fixed(self, arm: Arm) -> tuple[float, ...]:
        """Return the learning rates that are known before any trial."""
        ...

    def accepts(self, arm: Arm, lr: float) -> bool:
        """Say whether a trial at ``lr`` belongs to the sweep."""
        ...

    def distribution(self, arm: Arm) -> FloatDistribution:
        """Return where the learning rates lie."""
        ...

    def proposer(self, study: str, rank: int) -> BaseSampler:
        """Return what proposes the learning rate of the trial after ``rank`` others."""
        ...

    def at_edge(self, arm: Arm, lr: float) -> bool:
        """Say whether ``lr`` is at an end of what was tried: beyond it there may be a better one."""
        ...

    def identity(self, arm: Arm) -> dict[str, Any]:
        """Return what tells trials apart from those of another sampler, as JSON."""
        ...


@final
class Grid:
    """Every learning rate of the recipe's tables."""

    def check(self, arms: Sequence[Arm]) -> None:
        """See that the lists are equally long.

        Raises:
            UsageError: They are not.
        """
        if len({len(arm.lrs) for arm in arms}) > 1:
            told = ", ".join(f"{arm.name} {len(arm.lrs)}" for arm in arms)
            raise UsageError(
                f'recipe "{arms[0].recipe.name}": budgets differ: {told} learning rates; '
                "give every optimizer as many, or use --sampler tpe"
            )

    def num_trials(self, arm: Arm) -> int:
        """Return the number of learning rates."""
        return len(arm.lrs)

    def fixed(self, arm: Arm) -> tuple[float, ...]:
        """Return all of them."""
        return arm.lrs

    def accepts(self, arm: Arm, lr: float) -> bool:
        """Say whether it is one of them."""
        return lr in arm.lrs

    def distribution(self, arm: Arm) -> FloatDistribution:
        """Return the range from the first to the last."""
        return FloatDistribution(arm.lrs[0], arm.lrs[-1])

    def proposer(self, study: str, rank: int) -> BaseSampler:
        """Return a sampler that is asked only by a process that comes too late, and whose proposal is dropped."""
        return RandomSampler(seed=rank)

    def at_edge(self, arm: Arm, lr: float) -> bool:
        """Say whether it is the first or the last."""
        return lr in (arm.lrs[0], arm.lrs[-1])

    def identity(self, arm: Arm) -> dict[str, Any]:
        """Name the sampler: a grid may gain learning rates later."""
        return {"name": "grid"}


@final
class TPE:
    """Tree-structured Parzen estimator, log-uniform between the arm's least and largest learning rate.

    Args:
        trials: Learning rates of each arm, at least 2.
    """

    def __init__(self, trials: int) -> None:
        self._trials = trials

    def check(self, arms: Sequence[Arm]) -> None:
        """See that every arm has a range.

        Raises:
            UsageError: One has not, or one that begins at 0.
        """
        for arm in arms:
            if not 0 < arm.lrs[0] < arm.lrs[-1]:
                told = ", ".join(f"{lr:g}" for lr in arm.lrs)
                raise UsageError(
                    f"{arm.title}: lrs = [{told}] is not allowed with --sampler tpe: must be two or more above 0"
                )

    def num_trials(self, arm: Arm) -> int:
        """Return the budget."""
        return self._trials

    def fixed(self, arm: Arm) -> tuple[float, ...]:
        """Return none: each depends on those before."""
        return ()

    def accepts(self, arm: Arm, lr: float) -> bool:
        """Say whether it lies in the range."""
        return arm.lrs[0] <= lr <= arm.lrs[-1]

    def distribution(self, arm: Arm) -> FloatDistribution:
        """Return the range, logarithmically uniform."""
        return FloatDistribution(arm.lrs[0], arm.lrs[-1], log=True)

    def proposer(self, study: str, rank: int) -> BaseSampler:
        """Return optuna's, seeded by study and rank: a sweep that was killed goes on with the same proposals."""
        seed = int.from_bytes(hashlib.sha256(f"{study} {rank}".encode()).digest()[:4])
        return TPESampler(seed=seed, n_startup_trials=_STARTUP)

    def at_edge(self, arm: Arm, lr: float) -> bool:
        """Say whether it is within a twentieth of the logarithmic range from an end."""
        low, high = arm.lrs[0], arm.lrs[-1]
        return not _EDGE <= math.log(lr / low) / math.log(high / low) <= 1 - _EDGE

    def identity(self, arm: Arm) -> dict[str, Any]:
        """Name the sampler and its range: it may get a larger budget later."""
        return {"name": "tpe", "low": arm.lrs[0], "high": arm.lrs[-1]}
