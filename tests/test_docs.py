"""The documentation: its examples print what they say, its numbers are those of the reports, its links lead somewhere."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from pipeline.common.paths import ROOT
from scripts.update_docs import documents, updated

WITH_EXAMPLES = [
    ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for module in sorted((ROOT / "pipeline").rglob("*.py"))
    if ">>> " in module.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed


def test_the_mnist_example(tmp_path, monkeypatch, capsys):
    """The Python of docs/reference/nn.md learns small pictures in the layout of mnist.npz."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 700)
    images = rng.integers(0, 60, (700, 28, 28), np.uint8)
    images[np.arange(700), 2 * labels + 4, 4:24] = 255  # class k: a line in row 2 k + 4
    np.savez(tmp_path / "mnist.npz", x_train=images[:500], y_train=labels[:500], x_test=images[500:], y_test=labels[500:])
    monkeypatch.chdir(tmp_path)
    page = Path(ROOT / "docs/reference/nn.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {"__name__": "mnist"})
    accuracies = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert len(accuracies) == 5 and accuracies[-1] > 0.9


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 700


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_the_numbers_are_those_of_the_reports(document):
    text = document.read_text(encoding="utf-8")
    assert updated(text) == text, "run: python -m scripts.update_docs"


@pytest.mark.parametrize("document", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda path: path.name)
def test_links_lead_to_files_and_modules_that_are_there(document):
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if not target.startswith(("http", "mailto"))]
    missing = [target for target in targets if not (document.parent / target).exists()]
    named = re.findall(r"`((?:pipeline|conf|scripts|tests|docs|benchmarks)/[\w/.-]+)`", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    named = re.findall(r"`(pipeline(?:\.\w+)+)`", text)
    missing += [name for name in named if not _is_module_or_in_one(name)]
    assert not missing


def _is_module_or_in_one(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    inside = path.parent if (path.parent / "__init__.py").exists() else path.parent.with_suffix(".py")
    found = path.with_suffix(".py").exists() or (path / "__init__.py").exists()
    return found or inside.exists() and path.name in (inside / "__init__.py" if inside.is_dir() else inside).read_text()


@pytest.mark.parametrize("document", [*documents(), ROOT / "CONTRIBUTING.md"], ids=lambda path: path.stem)
def test_modules_that_are_named_are_there(document):
    names = {path.name for folder in ("pipeline", "scripts", "tests") for path in (ROOT / folder).rglob("*.py")}
    named = re.findall(r"`[\w/]*?(\w+\.py)`", document.read_text(encoding="utf-8"))
    assert not set(named) - names
