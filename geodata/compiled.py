"""How our numba kernels are compiled and where the machine code is kept between starts.

numba decides whether its cached code is fresh by looking at the file of one function alone, so an
edited callee in another module would still run its old code. Therefore the folder's name holds a
hash of every module that has kernels, of numba's version and of the processor: any edit is a new
folder. `TANDEM_CACHE_DIR` moves it; a folder that cannot be written means compiling at each start.
"""

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

KERNEL_MODULES: Final = (
    "geodata/compiled.py",
    "geodata/earth.py",
    "geodata/snap.py",
    "geodata/zone_edges.py",
    "routing/node_order.py",
    "routing/hierarchy.py",
    "routing/places.py",
    "routing/route_walk.py",
    "routing/stretch_kernel.py",
    "routing/candidates_kernel.py",
    "routing/call_kernel.py",
    "benchmarks/studies/simulation/run_columns.py",
    "benchmarks/studies/simulation/event_heap.py",
    "benchmarks/studies/simulation/fleet_kernel.py",
    "benchmarks/studies/simulation/choice_kernel.py",
    "benchmarks/studies/simulation/event_loop.py",
)

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel_hash(root: Path) -> str:
    """Return 12 hex digits that change with any kernel module, numba or the kind of processor."""
    digest = hashlib.sha256()
    for name in KERNEL_MODULES:
        path = root / name
        digest.update(name.encode())
        digest.update(path.read_bytes() if path.exists() else b"")
    versions = (numba.__version__, platform.machine(), platform.python_version())
    digest.update(" ".join(versions).encode())
    return digest.hexdigest()[:12]


def cache_folder() -> Path | None:
    """Return the folder for compiled kernels, made if need be, or None where none can be written.

    Only a folder of this user's own is taken, because what lies in it is executed.
    """
    wanted = os.environ.get("TANDEM_CACHE_DIR")
    root = Path(wanted) if wanted else _user_caches() / "tandem"
    folder = root / f"kernels-{kernel_hash(Path(__file__).resolve().parents[1])}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _user_caches() -> Path:
    """Return the user's folder for caches (XDG base directories), even when HOME is not set."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}"


FOLDER: Final = cache_folder()
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]  # made at import


def njit(function: Function) -> Function:
    """Compile a kernel: no interpreter lock held, no parallel threads, kept between starts."""
    compile_ = numba.njit(nogil=True, cache=FOLDER is not None, error_model="numpy")
    return cast(Function, compile_(function))
