"""Export: all that is written for a page that was read."""

import json
from pathlib import Path

import numpy as np

from pipeline.common.files import replacing, write_text
from pipeline.output.annotation import annotate
from pipeline.output.markup import to_alto, to_hocr
from pipeline.output.pdf import to_pdf
from pipeline.reading.page import Page, whole


def export(page: Page, image: np.ndarray, stem: Path, name: str) -> list[Path]:
    """Write `stem`.txt, .json, .hocr, .xml (ALTO), .pdf and .png, each whole or not at all.

    Args:
        image: (H, W, 3) uint8, the photo that was read.
        name: the photo's file name, for the files that refer to it.
    """
    name = name.encode("utf-8", "replace").decode("utf-8")  # a name on disk may be no valid text
    texts = {".txt": page.text + "\n", ".json": to_json(page, name), ".hocr": to_hocr(page, name), ".xml": to_alto(page, name)}
    for suffix, text in texts.items():
        write_text(_beside(stem, suffix), text)
    with replacing(_beside(stem, ".pdf")) as temporary:
        temporary.write_bytes(to_pdf(page, image))
    with replacing(_beside(stem, ".png")) as temporary:
        annotate(page, image).save(temporary, "PNG")
    return [_beside(stem, suffix) for suffix in (*texts, ".pdf", ".png")]


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)  # not with_suffix: a stem may hold a dot


def to_json(page: Page, name: str) -> str:
    """Lines > words > characters; boxes are x0, y0, x1, y1 in whole pixels of the upright photo, confidences 0..1."""
    lines = [
        {
            "text": line.text,
            "box": whole(line.box),
            "words": [
                {
                    "text": word.text,
                    "box": whole(word.box),
                    "confidence": round(word.confidence, 4),
                    "characters": [
                        {"text": c.text, "box": whole(c.box), "confidence": round(c.confidence, 4), "rejected": c.rejected}
                        for c in word.characters
                    ],
                }
                for word in line.words
            ],
        }
        for line in page.lines
    ]
    value = {
        "image": name,
        "width": page.width,
        "height": page.height,
        "rotation": round(page.rotation, 2),
        "text": page.text,
        "lines": lines,
    }
    return json.dumps(value, indent=1) + "\n"
