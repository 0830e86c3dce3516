"""The folder of a study: results that are whole, and parts that are kept when it is interrupted.

What lives here: `RunFolder`. What does not: what the parts are (`work`) and what the files say.

    FOLDER/report.html, *.csv, *.parquet, study.gpkg, manifest.json     the results, all or none
    FOLDER/.parts/                                                      what was done so far
    FOLDER/.study.json                                                  whose parts these are

A report stands in the folder only while every file beside it is of the same run.
"""

import fcntl
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from api.whole_file import write_whole
from benchmarks.studies.errors import StudyError
from benchmarks.studies.report.result_files import MANIFEST, PAGE

IDENTITY: Final = ".study.json"
PARTS: Final = ".parts"
LOCK: Final = ".lock"
FILES: Final = ".files.json"
"""Names of the result files, so that those of an earlier run are removed."""


class FolderError(StudyError):
    """A folder that a study cannot be written to."""


@contextmanager
def open_folder(
    folder: Path, identity: Mapping[str, object], *, fresh: bool = False
) -> Iterator["RunFolder"]:
    """Take a folder for one run; it is made where it is not there.

    Parameters
    ----------
    identity
        What the parts depend on: study, scenario, data and software. Parts of another identity are
        never taken.
    fresh
        Whether to throw away what an earlier run has kept.

    Raises
    ------
    FolderError
        It cannot be written to, another run has it, or it holds another study.
    """
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as problem:
        raise FolderError(
            f"{folder}: {problem.strerror or problem}.", remedy="Name another with --out."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderError(
                f"Another study is running in {folder}.",
                remedy="Wait for it, or name another folder with --out.",
            ) from None
        opened = RunFolder(folder)
        opened.take(identity, fresh=fresh)
        yield opened


class RunFolder:
    """A folder that this process alone writes to; by `open_folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, identity: Mapping[str, object], *, fresh: bool) -> None:
        """Make sure that what is kept here belongs to a study, or is nothing."""
        told = json.dumps(identity, indent=1, sort_keys=True, default=str)
        file = self.folder / IDENTITY
        there = file.read_text(encoding="utf-8") if file.exists() else None
        if there == told and not fresh:
            return
        if there is not None and not fresh:
            raise FolderError(
                f"{self.folder} holds another study: {_difference(there, told)}.",
                remedy="Name another folder with --out, or start over in this one with --fresh.",
            )
        if there is None and any(not one.name.startswith(".") for one in self.folder.iterdir()):
            raise FolderError(
                f"{self.folder} holds files of something else.",
                remedy="Name an empty folder, or one that is not there yet, with --out.",
            )
        shutil.rmtree(self.folder / PARTS)
        (self.folder / PARTS).mkdir()
        _write(file, told.encode())

    # -- parts ------------------------------------------------------------------------------------

    def part(self, key: str) -> bytes | None:
        """Return what is kept of a part, or None; damaged bytes count as none."""
        try:
            content = (self.folder / PARTS / key).read_bytes()
        except OSError:
            return None
        digest, body = content[:32], content[32:]
        return body if sha256(body).digest() == digest else None

    def keep_part(self, key: str, content: bytes) -> None:
        """Keep a part: on the disk when this returns, whole or not at all."""
        _write(self.folder / PARTS / key, sha256(content).digest() + content)

    # -- results ----------------------------------------------------------------------------------

    def write(self, files: Iterable[tuple[str, bytes]]) -> list[Path]:
        """Put the results into the folder, the report last; return the paths.

        Until the report is there, the folder has none.
        """
        made = list(files)
        names = [name for name, _ in made]
        for name in {*self._earlier(), *names} & {PAGE, MANIFEST}:
            (self.folder / name).unlink(missing_ok=True)
        for name in set(self._earlier()) - set(names):
            (self.folder / name).unlink(missing_ok=True)
        _write(self.folder / FILES, json.dumps(names).encode())
        for name, content in made:
            _write(self.folder / name, content)
        return [self.folder / name for name in names]

    def _earlier(self) -> list[str]:
        file = self.folder / FILES
        if not file.exists():
            return []
        return [name for name in json.loads(file.read_bytes()) if Path(name).name == name]


def _write(target: Path, content: bytes) -> None:
    try:
        write_whole(target, content)
    except OSError as problem:
        raise FolderError(
            f"{target}: {problem.strerror or problem}.",
            remedy="Make room, or name another folder with --out; what was done is kept.",
        ) from None


def _difference(there: str, wanted: str) -> str:
    """Return what differs between two identities, in words."""
    try:
        old = json.loads(there)
    except ValueError:
        return "its description is damaged"
    new = json.loads(wanted)
    keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    return ", ".join(f"{key} is {str(old.get(key))[:60]!r} there" for key in keys[:3])
