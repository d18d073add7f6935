"""Arrays in one .npz file, written whole or not at all, and read without trusting it."""

import math
import os
import zipfile
from pathlib import Path

import numpy as np

from pipeline.errors import DataError
from pipeline.files import replacing


def write_archive(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` uncompressed; same arrays, same bytes. DataError, and the previous file as it was, if that fails."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that `write_archive` wrote, in order. DataError for anything else.

    Nothing is unpickled. Nothing is compressed, so that no array can be larger than the file: what an array declares is
    checked before memory is taken for it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > os.path.getsize(path):
                raise ValueError("its arrays are larger than the file")
            return {member.filename.removesuffix(".npy"): _read_array(archive, member) for member in members}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except Exception as error:  # zipfile and NumPy's header parser raise a dozen types on damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise DataError(f"{path}: cannot be read, damaged, or not a file of this program ({reason})") from None


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read_header[np.lib.format.read_magic(file)](file)
        if dtype.hasobject or min(shape, default=0) < 0 or file.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename} declares {dtype} {shape}"[:120])
    with archive.open(member) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
        file.read(1)  # reaching the end verifies the checksum
    return array
