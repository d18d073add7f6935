"""The documentation: what its examples print is what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

from pipeline.common.paths import ROOT

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
