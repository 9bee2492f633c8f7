"""Where a run begins, when it does not begin with random weights."""

from lionkit_lab.recipe._section import Section
from lionkit_lab.recipe._tasks import Place


class Start(Section):
    """The weights of another training, as far as their shapes fit: fine-tuning."""

    checkpoint: Place
    """A run folder, a safetensors file, or a folder with ``model.safetensors`` in it, as a model hub has them."""
    new_head: bool = False
    """Draw the head of an image classifier anew even where the checkpoint's would fit: for as many, but other, classes.
    One for another number of classes is drawn anew in any case."""
    bring: str = ""
    """The command that brings it, said where it is missing."""
