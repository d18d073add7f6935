"""Paths of all files that stages write, relative to the output folder (`hydra.run.dir`, by default the project's root)."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project: code, conf/, dvc.yaml."""

STORE_ROOT = Path(os.environ.get("DVC_ROOT", ROOT)).resolve()
"""Where mlflow.db and mlruns/ live. Differs from ROOT while DVC runs an experiment in a temporary copy."""

# prepare
CHARACTERS = Path("prepared/characters.npz")
PAGES = Path("prepared/pages")
FORMS = Path("prepared/forms")
PREPARED_CACHE = Path("outputs/prepared")
CONTACT_SHEET = Path("prepared/contact_sheet.png")
COUNTS = Path("reports/class_counts.csv")
# train
MODEL = Path("models/model.npz")
HISTORY = Path("reports/history.csv")
TRAIN_METRICS = Path("reports/metrics/train.json")
CHECKPOINT = Path("checkpoints/train.npz")
# ink
INK = Path("models/ink.npz")
INK_HISTORY = Path("reports/ink_history.csv")
INK_METRICS = Path("reports/metrics/ink.json")
INK_CHECKPOINT = Path("checkpoints/ink.npz")
# words
WORDS = Path("models/words.npz")
WORDS_HISTORY = Path("reports/words_history.csv")
WORDS_METRICS = Path("reports/metrics/words.json")
# lattice
LATTICE = Path("models/lattice.npz")
LATTICE_METRICS = Path("reports/metrics/lattice.json")
# evaluate
TEST_METRICS = Path("reports/metrics/evaluate.json")
PREDICTIONS = Path("reports/predictions.npz")
CONFUSION = Path("reports/confusion.csv")
CLASS_REPORT = Path("reports/classes.csv")
PAIRS = Path("reports/confused_pairs.csv")
# visualize, ocr
FIGURES = Path("reports/figures")
READ_PAGES = Path("reports/pages")
READ_FORMS = Path("reports/forms")
OCR_METRICS = Path("reports/metrics/ocr.json")
# wall time of each stage, for the summary: it differs every time, so it is no output for DVC
TIMES = Path("outputs/times")
