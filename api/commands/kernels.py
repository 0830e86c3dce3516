"""`tandem kernels`: compile ahead, at install or image build time."""

from time import perf_counter

from api.commands.console import notes, out
from api.errors import StartError
from api.settings import Settings


def run_kernels() -> None:
    """Compile every kernel by deciding one call on the built-in streets, and say where they are."""
    from geodata.compiled import FOLDER

    if FOLDER is None:
        raise StartError(
            "No folder can be written for compiled kernels, so each start would compile anew.",
            remedy="Set TANDEM_CACHE_DIR to a folder that this user may write.",
        )
    from api.live_view import load_view

    began = perf_counter()
    with notes.status("Compiling the routing kernels (once, about a minute) ..."):
        load_view(Settings(network=None, release=None, zones=None), lambda _stage: None)
    files = sum(1 for _ in FOLDER.rglob("*.nbc"))
    out.print(f"{files} compiled kernels in {FOLDER}, after {perf_counter() - began:.1f} s")
