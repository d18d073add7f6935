"""Numeric matrices from MATLAB 5 files (`save -v6`, `-v7`, scipy.io.savemat), safe on hostile input.

`scipy.io.loadmat` reads every kind of variable, and can be made to crash the whole process by a damaged one. This reads real
numeric matrices only, in plain Python, and never takes more memory than `MAX_BYTES`.

Format: MathWorks, "MAT-File Format", chapter 1. A file is a 128-byte header and a row of elements; an element is a tag (type,
size) and data. A matrix is an element that holds four: flags, dimensions, name, numbers.
"""

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from pipeline.common.errors import DataError

MAX_BYTES = 2**29
"""Most bytes all elements of a file may hold once decompressed; the largest file of NIST36 holds 89 MB."""

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
NUMERIC_CLASSES = range(6, 16)  # double, single, (u)int8 to (u)int64; text, cells, structs, objects, sparse have others
COMPLEX = 0x0800


def read_matrices(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Read the real numeric matrices called `names`; skip all other variables.

    Returns:
        Arrays of the shapes and number types that the file holds, for those of `names` that are there.

    Raises:
        DataError: missing, damaged, oversized or foreign file, or a wanted variable that is not real and numeric.
    """
    found = {}
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES:,} bytes; get it again")
        content = path.read_bytes()
        order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
        if order is None or struct.unpack_from(order + "H", content, 124)[0] != 0x0100:
            raise DataError(f"{path}: not a MATLAB 5 file; save it with -v7, not -v7.3 or -v4")
        budget, at = MAX_BYTES, 128
        while at < len(content):
            kind, data, at = _element(content, at, order)
            if kind == COMPRESSED:
                stream = zlib.decompressobj()
                inflated = stream.decompress(data, budget)
                budget -= len(inflated)
                if budget <= 0:
                    raise DataError(f"{path}: decompresses to more than {MAX_BYTES:,} bytes; get it again")
                if not stream.eof:
                    raise ValueError("a compressed element ends too early")
                kind, data, _ = _element(inflated, 0, order)
            if kind == MATRIX:
                name, matrix = _matrix(data, order, names)
                if matrix is not None:
                    found[name] = matrix
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{path}: damaged ({error}); get it again") from error
    return found


def _element(content: bytes | memoryview, at: int, order: str) -> tuple[int, memoryview, int]:
    """Return type, data and the position after the element at `at`."""
    kind, size = struct.unpack_from(order + "II", content, at)
    if kind >> 16:  # small element: size and type share four bytes, the data are the next four
        size, kind, start, end = kind >> 16, kind & 0xFFFF, at + 4, at + 8
        if size > 4:
            raise ValueError(f"small element of {size} bytes")
    else:
        start = at + 8
        end = start + (size if kind == COMPRESSED else -(-size // 8) * 8)  # all but compressed ones are padded to 8 bytes
    if start + size > len(content):
        raise ValueError(f"ends before the {size:,} bytes of an element")
    return kind, memoryview(content)[start : start + size], end


def _matrix(data: memoryview, order: str, names: tuple[str, ...]) -> tuple[str, np.ndarray | None]:
    """Return name and numbers of a matrix element; None for the numbers if it is none of `names`."""
    _, flags, at = _element(data, 0, order)
    kind, dimensions, at = _element(data, at, order)
    _, characters, at = _element(data, at, order)
    name = bytes(characters).decode("latin-1")
    if name not in names:
        return name, None
    flag = struct.unpack_from(order + "I", flags)[0]
    if flag & 0xFF not in NUMERIC_CLASSES or flag & COMPLEX:
        raise ValueError(f"'{name}' is not a matrix of real numbers")
    if kind != 5 or len(dimensions) % 4:
        raise ValueError(f"'{name}' has no proper dimensions")
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    kind, numbers, _ = _element(data, at, order)
    if kind not in NUMBERS:
        raise ValueError(f"'{name}' holds elements of type {kind}, not numbers")
    dtype = np.dtype(order + NUMBERS[kind])
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f"'{name}' declares shape {shape} but holds {len(numbers):,} bytes")
    return name, np.frombuffer(numbers, dtype).reshape(shape, order="F")
