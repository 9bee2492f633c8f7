"""Who hears of a run besides its records."""

from lionkit_lab.recipe._section import Section


class Tracking(Section):
    """Trackers of experiments; they change nothing of a run, and its hash leaves them out."""

    trackers: tuple[str, ...] = ()
    """Names of accelerate's trackers, such as "tensorboard", "mlflow" and "wandb"; their packages must be installed."""
    project: str = "lionkit"
    """What the runs belong to, where a tracker asks for it."""
