"""Checkpoints: the state of a training run on disk. A run that continues from one ends with the same weights, bit for bit."""

import json
from pathlib import Path

import numpy as np

from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import ConfigError, DataError

Array = np.ndarray


def save_checkpoint(path: Path, configuration: dict, history: dict, arrays: dict[str, Array]) -> None:
    """Write `arrays` (weights, best weights, optimiser state) and two dictionaries that JSON can hold, whole or not at all."""
    description = json.dumps({"configuration": configuration, "history": history}, sort_keys=True)
    save_arrays(path, {"description": np.array(description), **arrays}, compress=False)


def load_checkpoint(path: Path, configuration: dict, arrays: dict[str, Array]) -> dict | None:
    """Copy the stored arrays into `arrays` and return the stored history, or None if there is no such file.

    Raises:
        ConfigError: the checkpoint belongs to another configuration; the message names the keys that differ.
        DataError: the file is damaged.
    """
    if not Path(path).exists():
        return None
    stored = load_arrays(path)
    try:
        description = json.loads(str(stored.pop("description")))
        old, new = _flat(description["configuration"]), _flat(json.loads(json.dumps(configuration)))
        history = dict(description["history"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: not a checkpoint of this program ({error}); delete it to start again") from None
    different = [f"{key} was {old.get(key)}, is {new.get(key)}" for key in sorted(old | new) if old.get(key) != new.get(key)]
    if different:
        raise ConfigError(f"{path}: checkpoint of another configuration ({'; '.join(different)}); delete it to start again")
    for name, array in arrays.items():
        if name not in stored or stored[name].shape != array.shape or stored[name].dtype != array.dtype:
            raise DataError(f"{path}: damaged ({name} is missing or has a wrong shape); delete it to start again")
    for name, array in arrays.items():
        array[:] = stored[name]
    return history


def _flat(tree: dict, prefix: str = "") -> dict:
    """{"train": {"lr": 1}} -> {"train.lr": 1}"""
    flat: dict[str, object] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
