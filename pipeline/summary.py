"""The summary at the end of `make repro`: results, time of each stage, places of the files, and the next commands."""

import json
from pathlib import Path
from typing import Any

import yaml

from pipeline.common import paths, processor


def read_json(path: Path) -> Any:
    """The JSON in a file, or None if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def summary() -> str:
    """The table as text."""
    train, test = read_json(paths.TRAIN_METRICS) or {}, read_json(paths.TEST_METRICS) or {}
    pages = read_json(paths.OCR_METRICS) or {"pages": {}}
    lines = ["", "  characters                            accuracy"]
    accuracies = {
        "validation, hands not trained on": train.get("valid/accuracy"),
        "test, hands never seen": test.get("test/accuracy"),
    }
    lines += [f"    {name:<34}{value:>12.4f}" for name, value in accuracies.items() if value is not None]
    lines += ["", f"  {'pages':<38}{'accuracy':>8}{'CER':>8}{'WER':>8}"]
    for name, row in [*pages["pages"].items(), ("total", pages.get("total"))]:
        if row:
            lines.append(f"    {name:<36}{row['character_accuracy']:>8.3f}{row['cer']:>8.3f}{row['wer']:>8.3f}")
    stages = yaml.safe_load((paths.ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    times = {stage: read_json(paths.TIMES / f"{stage}.json") for stage in stages}
    lines += [
        "",
        "  seconds a stage (when it last ran):  "
        + "  ".join(f"{stage} {seconds}" for stage, seconds in times.items() if seconds is not None),
        "",
        f"  kernels: {processor.kernels()}",
        "",
        f"  Figures: {paths.FIGURES}/    pages with what was read: {paths.READ_PAGES}/    model: {paths.MODEL}",
        "",
        "  Next:",
        "    make ui                                               compare runs on http://127.0.0.1:5000",
        "    make read PAGES=photo.jpg                             read your own photo",
        "    source .venv/bin/activate                             then:",
        "    python -m pipeline.train -m experiment=grid           sweep learning rate, batch and hidden size",
        "    python -m pipeline.promote && dvc repro               promote the best, reproduce it",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(summary())
