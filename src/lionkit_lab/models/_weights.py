"""The weights of an earlier training, from wherever they are."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lionkit_lab.errors import RunError, UsageError

_FILE, _POINTER, _INDEX, _CONFIG = "model.safetensors", "checkpoint.json", "model.safetensors.index.json", "config.json"
_EXPECTED = f"a run folder, a safetensors file, or a folder with {_FILE} in it"


@dataclass(frozen=True)
class Weights:
    """Files of weights that are there.

    Attributes:
        name: What they are called.
        files: The safetensors files.
        hub_folder: The folder as a model hub has it, with the network's own settings; None without them.
    """

    name: str
    files: tuple[Path, ...]
    hub_folder: Path | None = None

    def sha256(self) -> str:
        """Return the hash of the file, or of several files' hashes."""
        hashes = [_sha256(path) for path in self.files]
        return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()

    def tensors(self, model: nn.Module) -> dict[str, Tensor]:
        """Return every tensor that the files have, on the CPU, by its name in networks of ``model``'s class.

        Raises:
            RunError: A file is damaged, or the folder is another network's.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            if self.hub_folder and hasattr(model, "from_pretrained"):
                # Hubs have weights by older names, too, which the library translates.
                return _pretrained(model, self.hub_folder)
            return {name: tensor for path in self.files for name, tensor in load_file(path).items()}
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            what = str(error).partition("\n")[0]
            raise RunError(f"checkpoint {self.files[0]}: does not load ({what}); expected {_EXPECTED}") from error


def find_weights(place: Path, bring: str = "") -> Weights:
    """Find the weights of a run folder, a safetensors file, or a folder with ``model.safetensors`` in it.

    Args:
        place: Where to look.
        bring: The command that brings them, for the error.

    Raises:
        UsageError: There is nothing.
        RunError: There is something else, or a part is missing.
    """
    if not place.exists():
        advice = f"bring it by: {bring}" if bring else f"expected {_EXPECTED}"
        raise UsageError(f"checkpoint {place}: not found; {advice}; or give another by --set start.checkpoint=PATH")
    if place.is_file():
        return Weights(place.name, (place,), _hub_folder(place.parent) if place.name == _FILE else None)
    if (place / _POINTER).exists():
        return Weights(place.name, _present(place, [f"{_json(place / _POINTER).get('folder')}/{_FILE}"]))
    hub_folder = _hub_folder(place)
    if (place / _INDEX).exists():
        parts = sorted(set(dict(_json(place / _INDEX).get("weight_map", {})).values()))
        return Weights(place.name, _present(place, parts), hub_folder)
    return Weights(place.name, _present(place, [_FILE]), hub_folder)


def _hub_folder(folder: Path) -> Path | None:
    return folder if (folder / _CONFIG).exists() else None


def _present(folder: Path, names: list[str]) -> tuple[Path, ...]:
    for name in names or [_FILE]:
        if not (folder / name).exists():
            held = ", ".join(sorted(entry.name for entry in folder.iterdir())[:5]) or "nothing"
            raise RunError(f"checkpoint {folder}: found {held}, and no {name}; expected {_EXPECTED}")
    return tuple(folder / name for name in names)


def _pretrained(model: nn.Module, folder: Path) -> dict[str, Tensor]:
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        loader: Any = type(model)
        loaded, info = loader.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
        )
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
    # What the files do not have, or have in another shape, was drawn at random.
    for name, found, expected in sorted(info["mismatched_keys"]):
        raise ValueError(f"{name} has the shape {tuple(found)}; {_CONFIG} makes it {tuple(expected)}")
    return {name: tensor for name, tensor in loaded.state_dict().items() if name not in info["missing_keys"]}


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise RunError(f"checkpoint {path}: does not parse ({error}); expected JSON") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
