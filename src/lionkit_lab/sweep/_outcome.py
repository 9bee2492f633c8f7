"""What a sweep keeps of a run: enough for its table, wherever the run folder is."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from lionkit_lab.record import Run


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    Attributes:
        seed: Its seed.
        status: ``finished``, ``diverged`` or ``stopped``.
        values: The losses (in nats) and metrics of the last logging epoch, by name; empty where it did not finish.
        metric: The test metric of the task: ``key``, ``label`` and ``higher_is_better``.
        num_parameters: Trained weights.
        state_bytes: Of the optimizer's state; None where not recorded.
        optimizer_ms: Milliseconds of the optimizer in a step; None where not recorded.
        step_ms: Milliseconds of a whole training step; None where not recorded.
    """

    seed: int
    status: str
    values: dict[str, float]
    metric: dict[str, Any]
    num_parameters: int
    state_bytes: int | None
    optimizer_ms: float | None
    step_ms: float | None

    @classmethod
    def of(cls, run: Run) -> Self:
        """Take it from the record of a run."""
        last = run.logs[-1] if run.status == "finished" else {}
        values = {key: value for key, value in last.items() if key.endswith("_loss") or key.startswith("test_")}
        return cls(
            seed=run.seed,
            status=run.status,
            values={key: value for key, value in values.items() if math.isfinite(value)},
            metric=run.task["metric"],
            num_parameters=run.task["num_parameters"],
            state_bytes=run.state_bytes,
            optimizer_ms=run.optimizer_ms,
            step_ms=run.step_ms,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for the database."""
        return asdict(self)
