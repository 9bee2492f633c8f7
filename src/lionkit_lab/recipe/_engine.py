"""How a recipe is computed: precision, micro-batches, sharding."""

from typing import Literal

from pydantic import model_validator

from lionkit_lab.recipe._section import Count, Section

Precision = Literal["float32", "float64", "bfloat16", "float16"]


class EngineSettings(Section):
    """Settings that change at least the last bits of a run, as does the number of processes, which the manifest has."""

    precision: Precision = "float32"
    """What the model computes in. "bfloat16" and "float16" keep weights, momentum and full gradient in float32 and
    autocast the model, "float16" with a scaled loss; "float64" is all in float64, to tell rounding from mistakes."""
    accumulate: Count = 1
    """Micro-batches that a step's batch is cut into, one after the other, at least 1 and at most the batch size."""
    sharding: Literal["none", "fsdp2"] = "none"
    """Whether each of several processes holds the whole model ("none": DDP) or a part of it ("fsdp2")."""

    @model_validator(mode="after")
    def _scaling_is_whole(self) -> "EngineSettings":
        if (self.precision, self.sharding) == ("float16", "fsdp2"):
            raise ValueError(
                'precision "float16" is not allowed with sharding "fsdp2": its scale would differ from shard to shard; '
                'take "bfloat16"'
            )
        return self
