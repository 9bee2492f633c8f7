"""Samples on their way to the model."""

from torch import Tensor

from lionkit_lab.engine._precision import Precision
from lionkit_lab.tasks import Batch, Samples


class Fed:
    """A task's samples, on the device and in the precision of its model.

    Args:
        samples: The task's.
        precision: The run's.
    """

    def __init__(self, samples: Samples, precision: Precision) -> None:
        self._samples, self._precision = samples, precision

    def __len__(self) -> int:
        return len(self._samples)

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        """Return the samples of ``indices``."""
        return self._precision.batch(self._samples.batch(indices, epoch))
