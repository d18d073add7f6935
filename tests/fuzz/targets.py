"""The readers under fuzz: for each the whole files to start from, and how a file is read."""

import gzip
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
from omegaconf import OmegaConf
from PIL import Image

from pipeline.characters import CLASSES, emnist, folder, nist36
from pipeline.characters.dataset import Characters, Splits
from pipeline.characters.npz import load_splits, read_npz, save_splits
from pipeline.common.errors import ConfigError
from pipeline.common.paths import ROOT
from pipeline.config import conf_files
from pipeline.config import schema as config
from pipeline.nn.checkpoint import load_checkpoint, save_checkpoint
from pipeline.nn.network import build_network, load_network, save_network
from pipeline.nn.options import ModelOptions
from pipeline.reading.language import load_language
from pipeline.reading.photo import count_pages, load_page, load_photo
from pipeline.synthesis.stroke_library import Glyph, load_library, save_library
from pipeline.train import SECTIONS


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        seeds: valid contents, each with the function that packs it into a file after it was damaged; this way damage
            also reaches what lies behind a compression or a checksum.
        read: takes the path of the damaged file.
    """

    seeds: list[tuple[bytes, Callable[[bytes], bytes]]]
    read: Callable[[Path], object]


def make_targets(workspace: Path) -> dict[str, Target]:
    """All readers; the files they need beside the damaged one are made in `workspace`."""
    return {
        "mat": _mat(workspace / "nist36"),
        "idx": _idx(workspace / "emnist"),
        "npz": _npz(),
        "splits": _splits(),
        "model": _model(),
        "checkpoint": _checkpoint(),
        "image": Target(_image_seeds(), folder.read_image),
        "photo": Target([seed for seed in _image_seeds() if not seed[0].startswith(b"P5")], load_photo),  # cameras write no PPM
        "pages": Target(_several_pages(), _read_all_pages),
        "language": _language(),
        "strokes": _strokes(),
        "conf": _conf(),
    }


def plain(content: bytes) -> bytes:
    """Packs nothing: the damage is in the file itself."""
    return content


def _mat(root: Path) -> Target:
    root.mkdir()
    files = {}
    for part in ("train", "valid", "test"):
        stream = io.BytesIO()
        scipy.io.savemat(stream, {f"{part}_data": np.ones((2, 1024)), f"{part}_labels": np.eye(36, dtype=np.uint8)[:2]})
        files[part] = stream.getvalue()
        (root / f"nist36_{part}.mat").write_bytes(files[part])

    def read(path: Path) -> Splits:
        (root / "nist36_train.mat").write_bytes(path.read_bytes())
        return nist36.read(root)

    def compress(element: bytes) -> bytes:
        packed = zlib.compress(element, 1)
        return struct.pack("<II", 15, len(packed)) + packed

    whole = files["train"]
    first = 8 + struct.unpack("<I", whole[132:136])[0]  # the data's element, tag included
    data, labels = whole[128 : 128 + first], whole[128 + first :]
    return Target(
        [
            (whole, plain),
            (whole[:128] + compress(data) + compress(labels), plain),
            (data, lambda damaged: whole[:128] + compress(damaged) + compress(labels)),
            (labels, lambda damaged: whole[:128] + compress(data) + compress(damaged)),
        ],
        read,
    )


def _idx(root: Path) -> Target:
    root.mkdir()
    (root / "emnist-balanced-mapping.txt").write_text("".join(f"{i} {ord(c)}\n" for i, c in enumerate(CLASSES)))
    labels = b"\0\0\x08\1\0\0\0\x48" + bytes(range(36)) * 2
    images = b"\0\0\x08\3\0\0\0\x48\0\0\0\4\0\0\0\4" + bytes(72 * 16)
    for part in ("train", "test"):
        (root / f"emnist-balanced-{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
        (root / f"emnist-balanced-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))

    def read(path: Path) -> Splits:
        (root / "emnist-balanced-train-images-idx3-ubyte.gz").write_bytes(path.read_bytes())
        return emnist.read(root, CLASSES, "balanced", valid_per_class=1, seed=0, download=False)

    return Target([(gzip.compress(images), plain), (images, lambda damaged: gzip.compress(damaged, 1))], read)


def _npz() -> Target:
    images, labels = np.zeros((3, 8, 8), np.uint8), np.arange(3)
    stored, deflated, member = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(stored, images=images, labels=labels)
    np.savez_compressed(deflated, images=images.astype(np.float32), labels=labels)
    np.save(member, images)

    def pack(damaged: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("images.npy", damaged)
            with archive.open("labels.npy", "w") as file:
                np.save(file, labels)
        return stream.getvalue()

    return Target([(stored.getvalue(), plain), (deflated.getvalue(), plain), (member.getvalue(), pack)], read_npz)


def _splits() -> Target:
    part = Characters(np.zeros((2, 32, 32), np.uint8), np.arange(2, dtype=np.uint8))
    with tempfile.TemporaryDirectory() as scratch:
        save_splits(Path(scratch) / "a.npz", Splits(part, part, part), {"alphabet": {"characters": CLASSES, "nothing": False}})
        content = (Path(scratch) / "a.npz").read_bytes()
    return Target([(content, plain), *_repacked(content)], load_splits)


def _model() -> Target:
    options = ModelOptions(
        name="mlp", hidden=[2], activation="relu", dropout=0.0, initializer="zeros", initial_value=0.0, channels=[2], kernel=5
    )
    network = build_network(options, (32, 32), 36, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as scratch:
        save_network(Path(scratch) / "a.npz", network, {"temperature": 1.0})
        content = (Path(scratch) / "a.npz").read_bytes()
    return Target([(content, plain), *_repacked(content)], load_network)


def _checkpoint() -> Target:
    arrays = {"weights": np.zeros((4, 3), np.float32), "step": np.zeros(1, np.int64)}
    with tempfile.TemporaryDirectory() as scratch:
        save_checkpoint(Path(scratch) / "a.npz", {"lr": 0.1}, {"rows": [[1, 0.5]]}, arrays)
        content = (Path(scratch) / "a.npz").read_bytes()
    return Target([(content, plain), *_repacked(content)], lambda path: load_checkpoint(path, {"lr": 0.1}, arrays))


def _language() -> Target:
    stream = io.BytesIO()
    np.savez(stream, keys=np.array([1, 2, 3], np.uint64), costs=np.array([3, 2, 1], np.uint8), order=np.array(3))
    return Target([(stream.getvalue(), plain), *_repacked(stream.getvalue())], load_language)


def _strokes() -> Target:
    glyphs = [Glyph(hand, label, False, [np.array([[0, 0], [0.5, 1]])]) for hand in range(3) for label in "01"]
    with tempfile.TemporaryDirectory() as scratch:
        save_library(Path(scratch) / "a.npz", ["a", "b", "c"], ["train", "valid", "test"], ["OFL"] * 3, glyphs)
        content = (Path(scratch) / "a.npz").read_bytes()
    return Target([(content, plain), *_repacked(content)], load_library)


def _conf() -> Target:
    seeds = [(file.read_bytes(), plain) for file in (ROOT / "conf/train/sgd.yaml", ROOT / "conf/data/strokes.yaml")]
    odd = b'lr: 1e-3\nseed: 0x7f\nepochs: 1:30:00\nroot: ${oc.env:HOME}\nsources: [{a: ["\\u2028"]}, ~, .nan]\n'
    seeds.append((odd, plain))

    def read(path: Path) -> None:
        conf_files.check_file(path)
        try:
            loaded = OmegaConf.load(path)
        except Exception:  # whatever Hydra meets while it composes, the shell prints as one line
            return
        for section in ("train", "data"):
            try:
                config.read(OmegaConf.create({section: loaded}), {section: SECTIONS[section]})
            except ConfigError as error:
                if "\n" in str(error):
                    raise

    return Target(seeds, read)


def _repacked(content: bytes) -> list[tuple[bytes, Callable[[bytes], bytes]]]:
    """Each member of an .npz as a seed of its own; the archive around the damaged one is made anew, uncompressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def pack(name: str, damaged: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as rebuilt:
            for other, data in members.items():
                rebuilt.writestr(other, damaged if other == name else data)
        return stream.getvalue()

    return [(data, lambda damaged, name=name: pack(name, damaged)) for name, data in members.items()]


def _image_seeds() -> list[tuple[bytes, Callable[[bytes], bytes]]]:
    grey = Image.fromarray(np.pad(np.full((20, 4), 255, np.uint8), ((6, 6), (14, 14))))
    ways = [
        ("PNG", "L", {}),
        ("PNG", "P", {}),
        ("PNG", "RGBA", {}),
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {"progressive": True}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("WEBP", "RGB", {"lossless": True}),
        ("PPM", "L", {}),
    ]
    seeds = []
    for format_, mode, options in ways:
        stream = io.BytesIO()
        grey.convert(mode).save(stream, format_, **options)
        seeds.append((stream.getvalue(), plain))
    return seeds + [(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", plain)]


def _several_pages() -> list[tuple[bytes, Callable[[bytes], bytes]]]:
    """PDFs of scans, and of drawing commands, and the pictures that may hold several pages."""
    grey = Image.fromarray(np.pad(np.full((20, 4), 255, np.uint8), ((6, 6), (14, 14))))
    seeds = []
    for format_, mode in (("PDF", "L"), ("PDF", "RGB"), ("PDF", "1"), ("TIFF", "L"), ("GIF", "P")):
        stream = io.BytesIO()
        grey.convert(mode).save(stream, format_, save_all=True, append_images=[grey.convert(mode).rotate(90)])
        seeds.append((stream.getvalue(), plain))
    drawn = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 40 40]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length 24>>stream\n5 5 m 30 30 l 10 20 l S \nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
    return [*seeds, (drawn, plain)]


def _read_all_pages(path: Path) -> None:
    for index in range(min(count_pages(path), 4)):
        load_page(path, index)
