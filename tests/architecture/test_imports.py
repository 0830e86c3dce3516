"""Imports go where DESIGN allows; a seeded violation of each contract is found and named."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import configuration
from importlinter.application import use_cases

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "benchmarks", "geodata", "routing")

configuration.configure()  # import-linter's own: it makes the kinds of contract known

ONE_WAY = "Imports go one way: api, then routing, then geodata"
BENCHMARKS = "Only api.cli imports benchmarks"
OSMNX = "Only geodata.osm_import imports osmnx and networkx"
GEOPANDAS = "Only geodata.zone_import imports geopandas"
MATPLOTLIB = "Only pictures, which commands draw, import matplotlib"
ORTOOLS = "Only routing.pairing_flow and routing.pairing_program import ortools"
JWT = "Only api.auth.tokens and api.auth.key_set import jwt and cryptography"
SQL = "Only the store and what keeps something in it import sqlalchemy and psycopg"
ALEMBIC = "Only api.store imports alembic"

VIOLATIONS = [
    (ONE_WAY, "geodata/seeded.py", "import routing"),
    (ONE_WAY, "geodata/seeded.py", "import api"),
    (ONE_WAY, "routing/seeded.py", "def late():\n    import api.routes"),
    (BENCHMARKS, "api/seeded.py", "import benchmarks"),
    (BENCHMARKS, "routing/seeded.py", "def late():\n    import benchmarks"),
    (BENCHMARKS, "geodata/seeded.py", "from benchmarks import *"),
    (OSMNX, "geodata/seeded.py", "import osmnx"),
    (OSMNX, "routing/seeded.py", "from networkx.algorithms import dag"),
    (GEOPANDAS, "geodata/seeded.py", "from geopandas import GeoDataFrame"),
    (GEOPANDAS, "api/routes/seeded.py", "import geopandas"),
    (MATPLOTLIB, "api/impact/page.py", "from matplotlib.figure import Figure"),
    (MATPLOTLIB, "api/routes/seeded.py", "import matplotlib"),
    (JWT, "api/auth/guard.py", "import jwt"),
    (
        JWT,
        "api/routes/seeded.py",
        "def late():\n    from cryptography.hazmat.primitives import hashes",
    ),
    (ORTOOLS, "routing/seeded.py", "from ortools.graph.python import min_cost_flow"),
    (ORTOOLS, "routing/assign.py", "import ortools"),
    (ORTOOLS, "api/cli.py", "import ortools"),
    (SQL, "api/routes/seeded.py", "from sqlalchemy import select"),
    (SQL, "api/operations.py", "def late():\n    import sqlalchemy.orm"),
    (SQL, "routing/seeded.py", "import psycopg"),
    (ALEMBIC, "api/commands/seeded.py", "from alembic import command"),
]
ALLOWED = [
    ("api/cli.py", "def late():\n    import benchmarks, benchmarks.seeded"),
    ("api/seeded.py", "import routing, geodata"),
    ("routing/seeded.py", "import geodata"),
    ("geodata/osm_import.py", "import networkx, osmnx"),
    ("geodata/zone_import.py", "import geopandas"),
    ("api/impact/pictures.py", "import matplotlib"),
    ("routing/pairing_flow.py", "from ortools.graph.python import min_cost_flow"),
    ("routing/pairing_program.py", "from ortools.linear_solver.python import model_builder_helper"),
    ("api/store/seeded.py", "import alembic, psycopg, sqlalchemy"),
    ("api/store/migrations/versions/seeded.py", "import alembic, sqlalchemy"),
    ("api/auth/tokens.py", "import jwt"),
    ("benchmarks/seeded.py", "import api, geopandas, networkx, ortools, osmnx"),
]


Capture = pytest.CaptureFixture[str]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packages that import-linter will find in place of the real ones."""
    for package in PACKAGES:
        for source in (REPOSITORY / package).rglob("*.py"):
            target = tmp_path / source.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        monkeypatch.delitem(sys.modules, package, raising=False)
    shutil.copyfile(REPOSITORY / "pyproject.toml", tmp_path / "pyproject.toml")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def add_line(tree: Path, module: str, line: str) -> None:
    with (tree / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def broken_contracts(capsys: Capture) -> set[str]:
    """Run what `lint-imports` runs, here in the tree, and read its verdict on every contract."""
    passed = use_cases.lint_imports(cache_dir=None, no_logo=True)
    shown = capsys.readouterr().out
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.*\))?$", shown, re.MULTILINE))
    assert set(verdicts) == contract_names(), shown
    broken = {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
    assert passed == (not broken)
    return broken


def contract_names() -> set[str]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_tree_keeps_every_contract() -> None:
    program = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "module", "line"), VIOLATIONS)
def test_a_seeded_violation_breaks_its_contract(
    tree: Path, capsys: Capture, contract: str, module: str, line: str
) -> None:
    add_line(tree, module, line)
    assert contract in broken_contracts(capsys)


def test_every_contract_has_a_seeded_violation() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == contract_names()


def test_each_library_may_be_imported_in_its_own_room(tree: Path, capsys: Capture) -> None:
    for module, line in ALLOWED:
        add_line(tree, module, line)
    assert broken_contracts(capsys) == set()


# What importing a package costs, before anything of it is used.


def imported_at_load(node: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported when a module is loaded, not when it is used."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif not is_loaded_later(node):
        for child in ast.iter_child_nodes(node):
            yield from imported_at_load(child)


def is_loaded_later(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test).endswith("TYPE_CHECKING")
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def file_of(module: str, tree: Path) -> Path | None:
    path = tree.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def heavy_imports(file: Path, tree: Path, seen: set[Path] | None = None) -> set[str]:
    """Return what a module loads, directly or through our own modules, beyond Python itself."""
    seen = set() if seen is None else seen
    if file in seen:
        return set()
    seen.add(file)
    heavy: set[str] = set()
    for module in imported_at_load(ast.parse(file.read_text(encoding="utf-8"))):
        top = module.partition(".")[0]
        own = file_of(module, tree) if top in PACKAGES else None
        if own is not None:
            heavy |= heavy_imports(own, tree, seen)
        elif top not in PACKAGES and top not in sys.stdlib_module_names:
            heavy.add(top)
    return heavy


def package_files(tree: Path) -> list[Path]:
    return [file for name in PACKAGES for file in (tree / name).rglob("__init__.py")]


def test_importing_a_package_loads_nothing_heavy() -> None:
    found = {str(f): heavy_imports(f, REPOSITORY) for f in package_files(REPOSITORY)}
    assert {file: heavy for file, heavy in found.items() if heavy} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np",
        "try:\n    from numpy import array\nexcept ImportError:\n    array = None",
        "class Late:\n    import numpy",
        "from geodata import seeded",
        "import geodata.seeded",
    ],
)
def test_a_heavy_package_is_found(tree: Path, line: str) -> None:
    add_line(tree, "geodata/seeded.py", "import numpy")
    add_line(tree, "routing/__init__.py", line)
    assert "numpy" in heavy_imports(tree / "routing" / "__init__.py", tree)


def test_a_late_import_is_not_heavy(tree: Path) -> None:
    late = "def __getattr__(name):\n    import numpy\nimport sys"
    typing = "if TYPE_CHECKING:\n    import numpy"
    (tree / "routing" / "__init__.py").write_text(f"{late}\n{typing}\n", encoding="utf-8")
    assert heavy_imports(tree / "routing" / "__init__.py", tree) == set()


def modules_that_load_benchmarks(tree: Path) -> list[str]:
    return [
        file.name
        for file in (tree / "api").rglob("*.py")
        for module in imported_at_load(ast.parse(file.read_text(encoding="utf-8")))
        if module.partition(".")[0] == "benchmarks"
    ]


def test_starting_the_service_or_a_command_does_not_load_benchmarks() -> None:
    assert modules_that_load_benchmarks(REPOSITORY) == []


def test_a_command_line_that_loads_benchmarks_is_found(tree: Path) -> None:
    add_line(tree, "api/cli.py", "import benchmarks")
    assert modules_that_load_benchmarks(tree) == ["cli.py"]
