"""The folder of a study: results that are whole, and parts that are kept when it is interrupted.

What lives here: `RunFolder`. What does not: what the parts are (`work`) and what the files say.

    FOLDER/report.html, *.csv, *.parquet, study.gpkg, manifest.json     the results, all or none
    FOLDER/.parts/                                                      what was done so far
    FOLDER/.study.json                                                  whose parts these are
    FOLDER/.unfinished/, FOLDER/.finished/                              results on their way

Results are written apart (`.unfinished`), and when all are on the disk they take the place of the
former ones (`.finished`), the report last. Whatever ends a run before that leaves the former
results as they were, or none. A power failure while files take their place leaves no report, and
whoever opens the folder next puts the others in place first: a report stands in it only while every
file beside it is of the same run.
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
from geodata.on_disk import sync

IDENTITY: Final = ".study.json"
PARTS: Final = ".parts"
UNFINISHED: Final = ".unfinished"
FINISHED: Final = ".finished"
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
        opened.finish()
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
        if there is not None and not fresh and self._holds_anything():
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

    def _holds_anything(self) -> bool:
        return any((self.folder / PARTS).iterdir()) or bool(self._earlier())

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
        """Put the results into the folder in place of former ones, all or none; return the paths.

        Raises
        ------
        FolderError
            There is no room, or something else stands where a file is to be; the former results
            are as they were.
        """
        apart = self.folder / UNFINISHED
        self._clear(apart)
        try:
            names = self._write_apart(apart, files)
            apart.rename(self.folder / FINISHED)
        except BaseException:
            shutil.rmtree(apart, ignore_errors=True)
            raise
        try:
            self.finish()
        except KeyboardInterrupt:
            self.finish()
            raise
        return [self.folder / name for name in names]

    def _write_apart(self, apart: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
        names = []
        for name, content in files:
            if (self.folder / name).is_dir():
                raise FolderError(
                    f"{self.folder / name} is a folder, and a result has this name.",
                    remedy="Move it away, or name another with --out; what was done is kept.",
                )
            _write(apart / name, content)
            names.append(name)
        _write(apart / FILES, json.dumps(names).encode())
        return names

    def finish(self) -> None:
        """Let finished results, if there are any, take the place of former ones."""
        done = self.folder / FINISHED
        if not done.exists():
            return
        try:
            self._take_place(done)
        except OSError as problem:
            raise FolderError(
                f"{problem.filename}: {problem.strerror}.",
                remedy="Correct this; the same command puts the finished results in place.",
            ) from None

    def _take_place(self, done: Path) -> None:
        names = _names(done / FILES)
        former = self._earlier()
        if names:
            for name in (PAGE, MANIFEST, *former):
                if (done / name).exists() or name not in names:
                    (self.folder / name).unlink(missing_ok=True)
        for name in sorted(names, key=lambda one: one == PAGE):
            if name == PAGE:
                sync(self.folder)
            if (done / name).exists():
                (done / name).replace(self.folder / name)
        if names:
            (done / FILES).replace(self.folder / FILES)
            sync(self.folder)
        shutil.rmtree(done)

    def _clear(self, apart: Path) -> None:
        try:
            shutil.rmtree(apart, ignore_errors=True)
            apart.mkdir(exist_ok=True)
        except OSError as problem:
            raise FolderError(
                f"{apart}: {problem.strerror}.", remedy="Name another folder with --out."
            ) from None

    def _earlier(self) -> list[str]:
        return _names(self.folder / FILES)


def _names(file: Path) -> list[str]:
    """Return the names that a list of files has; damaged, it has none."""
    try:
        told = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return []
    if not isinstance(told, list):
        return []
    return [name for name in told if isinstance(name, str) and Path(name).name == name]


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
    if len(keys) > 1:
        keys = [key for key in keys if key != "parameters"]  # they follow from the others
    return ", ".join(f"{key} is {str(old.get(key))[:60]!r} there" for key in keys[:3])
