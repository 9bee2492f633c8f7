"""What a manifest and a record must hold to be read; whatever else they hold is kept as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lionkit_lab.errors import RunError

FORMAT = 1

Count = Annotated[int, Field(ge=0)]
Measured = float | Literal["nan", "inf", "-inf"]
"""A number; JSON has no name for the last three."""
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Object(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Metric(_Object):
    key: str
    label: str
    higher_is_better: bool


class _Task(_Object):
    name: str
    title: str
    model: str
    num_parameters: Annotated[int, Field(ge=1)]
    num_train: Count
    num_logged: Count
    num_test: Count
    unit: str
    metric: _Metric
    residual_weight_decay: Finite | None = None


class _Optimizer(_Object):
    name: str
    lr: Finite
    weight_decay: Finite = 0.0


class _Recipe(_Object):
    optimizer: _Optimizer


class _DataFile(_Object):
    name: str
    sha256: str
    source: str
    license: str


class Manifest(_Object):
    """``manifest.json``."""

    format: Literal[1]
    name: str
    recipe: _Recipe
    recipe_sha256: str
    task: _Task
    data: list[_DataFile]
    versions: dict[str, Any]
    machine: dict[str, Any]
    seed: int
    commit: str | None
    created: str


class _Step(_Object):
    kind: Literal["step"]
    step: Count
    loss: Measured


class _Log(_Object):
    kind: Literal["log"]
    step: Count
    train_loss: Measured
    ratio: Measured
    ratio_over_sqrt_dim: Measured
    kkt_residual: Measured
    box_excess: Measured


class _End(_Object):
    kind: Literal["end"]
    step: Count
    status: Literal["finished", "diverged", "stopped"]
    state_bytes: Count | None = None


class _Warning(_Object):
    kind: Literal["warning"]
    step: Count
    text: str


class _Other(_Object):
    kind: str
    step: Count


class _Timing(_Object):
    kind: str
    seconds: Finite
    steps: Count | None = None
    optimizer_seconds: Finite | None = None


MANIFEST: TypeAdapter[Any] = TypeAdapter(Manifest)
RECORD: TypeAdapter[Any] = TypeAdapter(Annotated[_Step | _Log | _End, Field(discriminator="kind")])
WARNING: TypeAdapter[Any] = TypeAdapter(_Warning)
OTHER: TypeAdapter[Any] = TypeAdapter(_Other)
TIMING: TypeAdapter[Any] = TypeAdapter(_Timing)
KINDS = ("step", "log", "end")
"""Of the records that everything here relies on; those of other kinds may hold what they like beside their step."""


def record_schema(value: Any) -> TypeAdapter[Any]:
    """Return the schema of a record's kind."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "warning":
        return WARNING
    return OTHER if isinstance(kind, str) and kind not in KINDS else RECORD


def check(value: Any, schema: TypeAdapter[Any], where: str) -> dict[str, Any]:
    """Return ``value`` if it holds what ``schema`` asks for.

    Args:
        value: What JSON gave.
        schema: One of this module's.
        where: The file, and the line in it; starts the message.

    Raises:
        RunError: It does not; one line names the first key that is wrong, and what is expected.
    """
    try:
        schema.validate_python(value)
    except ValidationError as error:
        raise RunError(f"{where}{_complaint(error)}") from error
    return value


def check_format(value: Any, path: Path) -> None:
    """Refuse a manifest that is no object, or of another format.

    Raises:
        RunError: It is.
    """
    if not isinstance(value, dict):
        raise RunError(f'manifest "{path}" holds a {type(value).__name__}; expected an object with "format": {FORMAT}')
    found = value.get("format")
    if found != FORMAT:
        raise RunError(f'manifest "{path}" has format {found!r}; this version reads format {FORMAT}')


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    # A discriminated union puts the kind of the record in front, which is no key of it.
    place = ".".join(str(part) for part in first["loc"] if part not in KINDS or first["loc"][-1] == part)
    message = " ".join(first["msg"].split())
    return f': "{place}": {message}' if place else f": {message}"
