"""The model as MLflow loads and serves it: code, the weights of both networks and the language table, nothing pickled.

`mlflow.pyfunc.load_model(uri).predict(images)` classifies images `(N, H, W)` float32, values 0 to 255, bright ink on 0.
A picture file (JPEG, PNG, ...) comes base64-encoded as a parameter, beside any image, which is then ignored:
`page` for a photo of a page, `character` for a picture of one character, dark or bright ink.

    (printf '{"inputs": [[[0]]], "params": {"page": "'; base64 < photo.jpg | tr -d '\n'; printf '"}}') |
        curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d @-

What cannot be read is answered with status 400 and one line that says why; where nothing is written, the text is empty. This
file is both what logs the model and, copied into it, the model's own code.
"""

import base64
import binascii
import io
import json
import sys
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import yaml
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel

from pipeline.characters import SIZE
from pipeline.characters.classifier import load_classifier
from pipeline.characters.folder import read_image
from pipeline.characters.normalise import normalise_all
from pipeline.common import paths
from pipeline.common.errors import BlankError, DataError, PageError, UserError
from pipeline.output.export import to_json
from pipeline.reading.models import load_models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Page
from pipeline.reading.photo import load_photo
from pipeline.reading.reader import read

NEEDS = ("mlflow", "numpy", "pillow", "pyyaml", "scikit-image", "scipy", "threadpoolctl")
"""What reading needs, pinned in the model as it is installed here."""

WITHOUT_INK = (
    f"handprint: this model was logged without {paths.INK}: it takes all that is darker than the paper for writing; "
    "run `dvc pull ink` or `dvc repro ink`, then promote again"
)


class Picture(io.BytesIO):
    """A picture file that came base64-encoded; `str` gives its name in messages."""

    def __init__(self, encoded: str, name: str) -> None:
        try:
            super().__init__(base64.b64decode(encoded.partition("base64,")[2] or encoded, validate=True))
        except binascii.Error:
            raise DataError(f"{name}: not base64; send the picture file encoded, on one line") from None
        self.name = name

    def __str__(self) -> str:
        return self.name


class CharacterReader(PythonModel):
    """Characters and pages to text."""

    def load_context(self, context: Any) -> None:
        """Read the weights, the fitted parts and the reader's options that lie in the model."""
        weights, language = (Path(context.artifacts[key]) for key in ("weights", "language"))
        lattice, ink = (Path(context.artifacts[key]) if key in context.artifacts else None for key in ("lattice", "ink"))
        self.models, self.reason = None, "this model was logged without a line model"
        if lattice:
            try:
                self.models = load_models(weights, lattice, language, ink)
            except DataError as error:  # the line model of another alphabet, until the stage has run: it reads characters
                self.reason = str(error).replace(f"{lattice.parent}/", "").replace(f"{weights.parent}/", "").partition("; run")[0]
        self.classifier = self.models.characters if self.models else load_classifier(weights)
        ocr = yaml.safe_load(Path(context.artifacts["ocr"]).read_text(encoding="utf-8"))
        self.options = OcrOptions(**{field.name: ocr[field.name] for field in fields(OcrOptions)})
        self.lacks_ink = "ink" not in context.artifacts and ocr["ink"] != "none"

    def predict(self, context: Any, model_input: np.ndarray, params: dict | None = None) -> dict[str, Any]:
        """Classify images, or read the picture in `params`.

        Returns:
            `text`; for characters also `characters`, a list of N, "" where nothing is written, and `probabilities` (N, K) in
            the order of the model's alphabet; for a page also what `pipeline.ocr` writes as JSON: its lines, words,
            characters with boxes and confidences.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE, with one line that says what cannot be read, and why. MLflow
                answers any other exception without its message.
        """
        params = params or {}
        try:
            if params.get("page"):
                return self._page(Picture(params["page"], "page"))
            if params.get("character"):
                return self._characters(read_image(Picture(params["character"], "character"))[None])  # (1, 64, 64)
            if not np.isfinite(model_input).all():
                raise DataError("inputs: not all numbers are finite; send brightness from 0 to 255, the ink bright")
            return self._characters(np.clip(np.rint(model_input), 0, 255).astype(np.uint8))  # (N, H, W)
        except BlankError:
            return self._characters(np.zeros((1, SIZE, SIZE), np.uint8))
        except UserError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None

    def _page(self, picture: Picture) -> dict[str, Any]:
        """The text on a photo. With the first one, a line says if pages are read differently from the stage `ocr`."""
        if self.models is None:
            raise DataError(f"page: {self.reason}; run `dvc repro lattice`, then promote it again")
        if self.lacks_ink:
            print(WITHOUT_INK, file=sys.stderr, flush=True)
            self.lacks_ink = False
        photo = load_photo(picture, "page")
        try:
            page = read(photo, self.models, self.options)
        except PageError:  # nothing is written
            page = Page(photo.shape[1], photo.shape[0], 0.0, [])
        return json.loads(to_json(page, "page"))

    def _characters(self, images: np.ndarray) -> dict[str, Any]:
        """The characters on images (N, H, W) uint8; an image without ink gives "" and equal probabilities."""
        written = images.min(axis=(1, 2)) < images.max(axis=(1, 2))  # (N,)
        probabilities = self._unknown(len(images))
        if written.any():
            probabilities[written] = self.classifier.predict(normalise_all(images[written]))
        names = self.classifier.alphabet.characters
        best = probabilities[:, : len(names)].argmax(axis=1)
        characters = [names[label] if ink else "" for label, ink in zip(best, written)]
        return {"text": "".join(characters), "characters": characters, "probabilities": probabilities}

    def _unknown(self, n: int) -> np.ndarray:
        """Equal probabilities (N, K) float32."""
        classes = self.classifier.alphabet.classes
        return np.full((n, classes), 1 / classes, np.float32)


def reader_files() -> dict[str, Path]:
    """conf/ocr/pages.yaml and the files that it names, outputs of stages only if they exist."""
    ocr = paths.ROOT / "conf/ocr/pages.yaml"
    options = yaml.safe_load(ocr.read_text(encoding="utf-8"))
    files = {"ocr": ocr, "language": paths.ROOT / options["language"]}
    made = {"ink": paths.ROOT / (options["ink"] or paths.INK), "lattice": paths.ROOT / (options["lattice"] or paths.LATTICE)}
    return files | {name: file for name, file in made.items() if file.exists()}


def log_model(run_id: str, weights: Path) -> str:
    """Log the model of a run, with `reader_files`; return its URI."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec

    images = np.zeros((1, SIZE, SIZE), np.float32)
    images[0, 4:28, 15:18] = 255  # an I
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    return Model.log(
        None,
        mlflow.pyfunc,
        name="model",
        run_id=run_id,
        python_model=str(Path(__file__).resolve()),
        code_paths=[str(paths.ROOT / "pipeline")],
        artifacts={name: file.resolve().as_uri() for name, file in {"weights": weights, **reader_files()}.items()},
        pip_requirements=[f"{package}=={version(package)}" for package in NEEDS],
        signature=ModelSignature(
            inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, -1, -1))]),
            outputs=Schema(
                [
                    TensorSpec(np.dtype(str), (-1,), "characters"),
                    TensorSpec(np.dtype(np.float32), (-1, load_classifier(weights).alphabet.classes), "probabilities"),
                ]
            ),
            params=ParamSchema([ParamSpec("page", "string", ""), ParamSpec("character", "string", "")]),
        ),
        input_example=images,
    ).model_uri


mlflow.models.set_model(CharacterReader())
