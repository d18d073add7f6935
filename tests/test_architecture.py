"""The rooms and their doors: who may import whom, and what no one may do."""

import ast
from pathlib import Path

import pytest

PIPELINE = Path(__file__).resolve().parent.parent / "pipeline"
MODULES = sorted(PIPELINE.rglob("*.py"))
OUTER = {"hydra", "omegaconf", "dvc", "mlflow", "matplotlib"}
SHELL = {"config", "tracking", "figures", "prepare", "train", "evaluate", "visualize", "ocr", "promote", "sweep"}


def imports(module: Path) -> set[str]:
    """Dotted names of all modules a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", ["nn", "characters", "synthesis", "reading", "output", "forms", "batch"])
def test_the_core_knows_nothing_of_the_tools_around_it(room):
    for module in (PIPELINE / room).glob("*.py"):
        names = imports(module)
        assert not {name.split(".")[0] for name in names} & OUTER, module
        assert not {name.split(".")[1] for name in names if name.startswith("pipeline.")} & SHELL, module


@pytest.mark.parametrize(
    "room, later",
    [
        ("nn", ("characters", "synthesis", "reading", "output")),
        ("characters", ("synthesis", "reading", "output")),
        ("synthesis", ("nn", "reading", "output")),
        ("reading", ("synthesis", "output", "forms", "batch")),
        ("output", ("synthesis", "forms", "batch")),
        ("forms", ("synthesis", "batch")),
    ],
)
def test_data_flow_one_way(room, later):
    for module in (PIPELINE / room).glob("*.py"):
        assert not [name for name in imports(module) if name.startswith(tuple(f"pipeline.{other}" for other in later))], module


def test_the_network_is_numpy_only():
    allowed = set(
        "abc collections concurrent contextlib copy dataclasses functools hashlib io itertools json math numpy os "
        "pathlib pipeline struct tempfile threadpoolctl threading time tokenize typing warnings zipfile zlib".split()
    )
    for module in (PIPELINE / "nn").glob("*.py"):
        assert {name.split(".")[0] for name in imports(module)} <= allowed, module


def top_level_imports(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {
        name.split(".")[0]
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }


def test_one_door_to_mlflow_and_it_opens_late():
    doors = [module for module in MODULES if any(name.split(".")[0] == "mlflow" for name in imports(module))]
    rooms = {str(door.relative_to(PIPELINE).parts[0]) for door in doors}
    assert rooms == {"tracking"}
    late = [door for door in doors if door.name != "serving.py"]  # what MLflow runs to load the model
    assert not [door for door in late if "mlflow" in top_level_imports(door)]


def test_one_door_to_matplotlib():
    doors = [module for module in MODULES if any(name.split(".")[0] == "matplotlib" for name in imports(module))]
    assert {door.parent.name for door in doors} == {"figures"}


def test_nothing_unpickles_or_evaluates():
    for module in MODULES:
        names = imports(module)
        assert not names & {"pickle", "cloudpickle", "joblib.load", "dill", "shelve", "marshal"}, module
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"eval", "exec", "compile", "__import__"}, module
