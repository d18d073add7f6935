"""The packages: which may import which, and what none may do."""

import ast
from pathlib import Path

import pytest

PIPELINE = Path(__file__).resolve().parent.parent / "pipeline"
MODULES = sorted(PIPELINE.rglob("*.py"))
OUTER = {"hydra", "omegaconf", "dvc", "mlflow", "matplotlib"}
CORE = {  # package -> the packages it may import: data flow one way
    "common": set(),
    "nn": {"common"},
    "characters": {"common", "nn"},
    "synthesis": {"common", "characters"},
    "seeing": {"common", "nn"},
    "reading": {"common", "characters", "nn", "seeing"},
    "output": {"common", "reading"},
    "forms": {"common", "characters", "nn", "seeing", "reading", "output"},
    "batch": {"common", "characters", "nn", "seeing", "reading", "output", "forms"},
}
AROUND = {  # the packages that know Hydra, DVC, MLflow and matplotlib
    "figures": {"common"},
    "tracking": {"common", "characters", "nn", "reading", "output", "config"},
    "config": {"common", "sweep"},
    "sweep": {"common", "config", "figures", "nn", "tracking", "train"},
}
PACKAGES = CORE | AROUND
COMMANDS = {
    "train": {"prepare"},
    "lattice": {"words"},
    "search": {"train"},
}  # what a stage or command imports of the other stages
SHORT = 20  # lines; a module of so few lines that only one other uses belongs into that one


def imports(module: Path) -> set[str]:
    """Dotted names of all modules a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


POSIX = {  # what Windows has not, or has with another meaning
    "os": {"uname", "fork", "kill", "killpg", "getuid", "geteuid", "setsid", "nice", "mkfifo", "sched_getaffinity"},
    "signal": {"SIGALRM", "SIGKILL", "SIGHUP", "SIGUSR1", "alarm", "setitimer"},
}
POSIX_MODULES = {"fcntl", "grp", "posix", "pwd", "resource", "termios"}


def test_nothing_needs_posix_that_python_has_for_every_system():
    """A function that asks `hasattr(os, ...)` or `hasattr(signal, ...)` first has another way."""
    for module in MODULES:
        assert not imports(module) & POSIX_MODULES, module
        tree = ast.parse(module.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        asks = {id(inner) for node in functions if "hasattr" in ast.dump(node) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in asks:
                assert node.attr not in POSIX.get(node.value.id, ()), f"{module}:{node.lineno}: {node.value.id}.{node.attr}"


def package_of(name: str) -> str:
    """`seeing` for `pipeline.seeing.ink`."""
    return name.split(".")[1]


def test_every_module_is_in_a_known_room_and_imports_what_the_room_may():
    modules = {module.stem for module in PIPELINE.glob("*.py")} - {"__init__"}
    for module in MODULES:
        path = module.relative_to(PIPELINE)
        if path == Path("__init__.py"):
            allowed = {"common"}
        elif len(path.parts) == 1:
            allowed = set(PACKAGES) | COMMANDS.get(module.stem, set()) | {module.stem}
        else:
            assert path.parts[0] in PACKAGES, f"{path}: say in CORE or AROUND what this package may import"
            allowed = PACKAGES[path.parts[0]] | {path.parts[0]}
        imported = {package_of(name) for name in imports(module) if name.startswith("pipeline.")} & (set(PACKAGES) | modules)
        assert imported <= allowed, f"{path} imports {sorted(imported - allowed)}"


@pytest.mark.parametrize("package", CORE)
def test_the_core_knows_nothing_of_the_tools_around_it(package):
    for module in (PIPELINE / package).rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(module)} & OUTER, module


def test_a_short_module_has_several_users():
    names = {".".join(module.relative_to(PIPELINE.parent).with_suffix("").parts): module for module in MODULES}
    imported = {name: imports(module) for name, module in names.items()}
    users = {name: [other for other in names if name in imported[other]] for name in names}
    for name, module in names.items():
        lines = len(module.read_text(encoding="utf-8").splitlines())
        entrance = module.name in ("__init__.py", "__main__.py") or module.parent == PIPELINE
        assert entrance or lines > SHORT or len(users[name]) > 1, f"{name}: {lines} lines, used by {users[name]} only"


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


def test_one_package_uses_mlflow_and_imports_it_late():
    users = [module for module in MODULES if any(name.split(".")[0] == "mlflow" for name in imports(module))]
    packages = {str(module.relative_to(PIPELINE).parts[0]) for module in users}
    assert packages == {"tracking"}
    late = [module for module in users if module.name != "serving.py"]  # what MLflow runs to load the model
    assert not [module for module in late if "mlflow" in top_level_imports(module)]


def test_one_package_uses_matplotlib():
    users = [module for module in MODULES if any(name.split(".")[0] == "matplotlib" for name in imports(module))]
    assert {module.parent.name for module in users} == {"figures"}


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
