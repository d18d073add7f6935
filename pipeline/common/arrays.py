"""Arrays in one `.npz` file, written whole or not at all, and read without trusting it: no pickle, no size taken on its word."""

import io
import math
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.common.errors import DataError
from pipeline.common.files import replacing

MAX_BYTES = 2**30
"""Most bytes that the arrays of one file may take in memory."""


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], compress: bool = True) -> None:
    """Write `arrays`; the same arrays give the same bytes, with every version of Python.

    The bytes of `numpy.savez` depend on the version: its members begin with an unknown size, which zipfile marks in several ways.
    Here, members are made first and written whole, with the time stamp 1980-01-01.

    Args:
        compress: useful for images; weights look like noise and do not get smaller.

    Raises:
        DataError: the file cannot be written; what was there before is intact.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
            # bytes, not `getbuffer()`: if the write fails, a view left as garbage crashes Python 3.12.1
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), method)


def load_arrays(path: Path, names: Sequence[str] | None = None, optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read the arrays called `names`, and those of `optional` that are there; None: all, in the order of the file.

    Raises:
        DataError: the file is missing, damaged, pickled or too large, or lacks an array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            names = list(members) if names is None else [*names, *(name for name in optional if name in members)]
            _check_members(path, members, names)
            return {name: _read_member(archive, members[name]) for name in names}
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder; give the .npz file") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    except Exception as error:  # zipfile, zlib and NumPy's header parser raise a dozen types on damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise DataError(
            f"{path}: damaged or not an .npz file ({reason}); get it again, or write it again with numpy.savez, "
            "without object arrays"
        ) from None


def _check_members(path: Path, members: Mapping[str, zipfile.ZipInfo], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in members]
    if missing:
        raise DataError(f"{path}: holds no array '{missing[0]}', only: {', '.join(map(ascii, sorted(members)[:9])) or 'nothing'}")
    size = sum(members[name].file_size for name in names)  # zipfile never inflates a member beyond this
    if size > MAX_BYTES:
        raise DataError(f"{path}: its arrays would take {size:,} bytes, more than {MAX_BYTES:,}; split the file")
    for name in names:
        if members[name].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{path}: {name[:40]!a} is compressed in an unusual way; write it with numpy.savez_compressed")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as stream:
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read_header[np.lib.format.read_magic(stream)](stream)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        # NumPy allocates what the array's own header declares: it has to agree with the archive's.
        if stream.tell() + math.prod(shape) * dtype.itemsize != info.file_size or min(shape, default=0) < 0:
            raise ValueError(f"the declared shape {shape} does not fit its size")
    with archive.open(info) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # reaching the end verifies the checksum
    if dtype.kind == "U" and array.size and array.reshape(-1).view(dtype.str[0] + "u4").max() > sys.maxunicode:
        raise ValueError("its text is damaged")  # Python would fail on it much later, with a SystemError
    return array
