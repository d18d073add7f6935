"""dvc.yaml against the code: a stage depends on exactly the packages that it imports."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
FRAME = {"config", "sweep", "tracking"}
"""Packages no output depends on: they hand a stage its configuration (the values themselves are tracked), record what it did,
and run it many times. What they import is no concern of the stage either."""


@cache
def imported(module: str) -> frozenset[str]:
    """The project's modules that one of them imports, anywhere in it, and the packages they lie in."""
    file = path_of(module)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: an import relative to its own package"
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return frozenset(name for name in found if name.split(".")[0] == "pipeline" and path_of(name).exists())


def path_of(module: str) -> Path:
    """The file of a module, or of a package's `__init__`."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def closure(module: str) -> set[str]:
    """The module with all that it imports, directly or not; the frame is not entered."""
    seen: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        if name not in seen and not FRAME & set(name.split(".")[1:2]):
            seen.add(name)
            waiting |= imported(name)
    return seen


def as_dependency(module: str) -> str:
    """A package is one dependency; modules at the top are their own."""
    _, *package = module.split(".")[:2]
    folder = ROOT.joinpath("pipeline", *package)
    return str((folder if package and folder.is_dir() else path_of(module)).relative_to(ROOT))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_code_it_imports(stage):
    assert STAGES[stage]["cmd"] == f"python -m pipeline.{stage}"
    listed = {dependency for dependency in STAGES[stage]["deps"] if dependency.startswith("pipeline/")}
    assert listed == {as_dependency(module) for module in closure(f"pipeline.{stage}")}
