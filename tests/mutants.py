"""The project's own modules with one piece of their text changed: do the checks notice?

What lives here: `bites`, which runs a check on the code as it is, where it must pass, and on the
code with the change, where it must fail. Nothing is patched: the changed module and all that import
it, tests included, are made anew from their text beside the real ones, which are back in place
afterwards. A mutated kernel runs as plain Python, and so do a few that call it (`RUN_PLAIN`).
"""

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "geodata", "routing", "tests")
KERNELS = {"numba", "geodata.compiled.njit"}
"""What a module with compiled kernels imports."""
NJIT = "from geodata.compiled import njit"

Code = Callable[[str], Any]
"""Returns a module by its name: the real one, or the one of the mutant."""
Check = Callable[[Code], None]
"""Raises AssertionError where the code does not do what it should."""


RUN_PLAIN = {"routing.call_kernel"}
"""Kernels above others that may run as plain Python: they loop over the units of a call only."""
PLAIN = "def njit(function): return function"


class NotNoticed(AssertionError):
    """A check passes although the code is wrong, so it checks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong implementation."""

    module: str
    old: str
    """Occurs exactly once in the module's text."""
    new: str

    def __str__(self) -> str:
        return f"{self.module.rpartition('.')[2]}: {' '.join(self.new.split())[:50] or 'nothing'}"

    def text(self) -> str:
        """Return the changed text of the module."""
        real = file_of(self.module).read_text(encoding="utf-8")
        found = real.count(self.old)
        assert found == 1, f"{self.old!r} occurs {found} times in {self.module}; expected once"
        return real.replace(self.old, self.new).replace(NJIT, PLAIN)


def bites(mutant: Mutant, check: Check) -> None:
    """Run a check on the code as it is and on a mutant.

    Raises
    ------
    NotNoticed
        The mutant passes.
    """
    check(importlib.import_module)
    with installed(mutant) as code:
        try:
            check(code)
        except AssertionError:
            return  # and no other error: a mutant that merely crashes proves nothing
    raise NotNoticed(f"{mutant} passes")


@contextmanager
def installed(mutant: Mutant) -> Iterator[Code]:
    """Put a mutant and fresh copies of what imports it in the place of the real modules."""
    text = mutant.text()
    names = [mutant.module, *sorted(dependents(mutant.module))]
    kernels = [name for name in names[1:] if KERNELS & imports(name)]
    assert set(kernels) <= RUN_PLAIN, f"{kernels} hold compiled kernels; mutate above them"
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    outer = {name: _taken_off(name) for name in names}
    try:
        _make(mutant.module, text, f"<{mutant}>")
        for name in kernels:
            _make(name, file_of(name).read_text(encoding="utf-8").replace(NJIT, PLAIN), name)
        yield importlib.import_module
    finally:
        for name in names:
            sys.modules.pop(name, None)
            _taken_off(name)
        sys.modules.update(kept)
        for name, module in outer.items():
            _put_on(name, module)


def _make(name: str, text: str, told_as: str) -> None:
    """Put a module made of a text into the place of the real one."""
    made = ModuleType(name)
    made.__file__ = str(file_of(name))
    sys.modules[name] = made
    exec(compile(text, told_as, "exec"), made.__dict__)
    _put_on(name, made)


def _taken_off(name: str) -> ModuleType | None:
    """Take a module off its package, where `from package import module` would find it."""
    package, _, last = name.rpartition(".")
    holder = sys.modules.get(package)
    module = vars(holder).pop(last, None) if holder else None
    return module if isinstance(module, ModuleType) else None


def _put_on(name: str, module: ModuleType | None) -> None:
    package, _, last = name.rpartition(".")
    holder = sys.modules.get(package)
    if holder is not None and module is not None:
        setattr(holder, last, module)


# -- who imports whom -----------------------------------------------------------------------------


def file_of(module: str) -> Path:
    return REPOSITORY.joinpath(*module.split(".")).with_suffix(".py")


@cache
def modules() -> frozenset[str]:
    """Return the names of the project's modules, packages themselves apart."""
    files = (file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py"))
    names = (file.relative_to(REPOSITORY).with_suffix("").parts for file in files)
    return frozenset(".".join(parts) for parts in names if parts[-1] != "__init__")


@cache
def imports(module: str) -> frozenset[str]:
    """Return what a module imports when it runs, whenever that is."""
    tree = ast.parse(file_of(module).read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in _running(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield nodes, but for what stands under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _running(child)


@cache
def dependents(module: str) -> frozenset[str]:
    """Return every module that imports this one, directly or not."""
    found: set[str] = set()
    new = {module}
    while new:
        new = {name for name in modules() - found if not new.isdisjoint(imports(name))}
        found |= new
    return frozenset(found - {module})
