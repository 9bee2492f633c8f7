"""What every section of a recipe is built from."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator


class Section(BaseModel):
    """A part of a recipe: immutable, without unknown keys, without infinite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


Count = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]


def _word_or_count(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        # Pydantic reports one error for each member of the union; a reader needs one for the key.
        word = error.errors()[0].get("ctx", {}).get("expected")
        raise ValueError(f"{value!r} is not allowed: must be {word} or an integer of at least 1") from error


WordOrCount = WrapValidator(_word_or_count)
