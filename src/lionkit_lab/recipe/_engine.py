"""How a recipe is computed: precision, micro-batches, and what several processes share."""

from typing import Literal

from pydantic import model_validator

from lionkit_lab.recipe._section import Count, Section

Precision = Literal["float32", "float64", "bfloat16", "float16"]
Agreement = Literal["none", "vote", "mean"]


class EngineSettings(Section):
    """Settings that change at least the last bits of a run, as does the number of processes, which the manifest has."""

    precision: Precision = "float32"
    """What the model computes in. "bfloat16" and "float16" keep weights, momentum and full gradient in float32 and
    autocast the model, "float16" with a scaled loss; "float64" is all in float64, to tell rounding from mistakes."""
    accumulate: Count = 1
    """Micro-batches that a step's batch is cut into, one after the other, at least 1 and at most the batch size."""
    sharding: Literal["none", "fsdp2"] = "none"
    """Whether each of several processes holds the whole model ("none": DDP) or a part of it ("fsdp2")."""
    agreement: Agreement = "none"
    """What several processes make a step of: the mean of their gradients ("none"), or the directions that each has
    from a momentum of its own, by majority ("vote") or on average ("mean"): `lionkit.distributed`."""
    momenta: Literal["refuse", "average", "restart"] = "refuse"
    """With which momenta another number of processes goes on than has agreed until then: the mean of theirs
    ("average"), or zeros ("restart"). May differ from that of the run so far."""

    @model_validator(mode="after")
    def _scaling_is_whole(self) -> "EngineSettings":
        if (self.precision, self.sharding) == ("float16", "fsdp2"):
            raise ValueError(
                'precision "float16" is not allowed with sharding "fsdp2": its scale would differ from shard to shard; '
                'take "bfloat16"'
            )
        return self

    @model_validator(mode="after")
    def _momenta_are_of_voters(self) -> "EngineSettings":
        if self.agreement == "none" and self.momenta != "refuse":
            raise ValueError(
                f'momenta "{self.momenta}" is not allowed with agreement "none": all have the same momenta'
            )
        return self

    @model_validator(mode="after")
    def _agreement_is_among_wholes(self) -> "EngineSettings":
        for name, value, why in (
            ("precision", "float16", 'its gradients are scaled; take "bfloat16"'),
            ("sharding", "fsdp2", 'each process votes on whole weights; take "none"'),
        ):
            if self.agreement != "none" and getattr(self, name) == value:
                raise ValueError(f'{name} "{value}" is not allowed with agreement "{self.agreement}": {why}')
        return self
