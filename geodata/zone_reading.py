"""Files of zones read safely: in a process of its own, which is ended when it takes too long.

What lives here: starting, asking, watching and ending that process, and what an import answers.
What does not: what happens inside (`zone_worker`). Nothing here imports GDAL or geopandas, so the
service may import it.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import shapely
from shapely.geometry import mapping

from geodata.errors import GeodataError
from geodata.zone_checks import ImportedZone
from geodata.zone_crs import Extent
from geodata.zone_findings import Finding, error, from_object, has_errors
from geodata.zone_worker import DRIVERS
from geodata.zones import Zone, ZoneKind, ZoneMap, ZoneMapError

WALL_S_MAX: Final = 15.0
"""Seconds by the clock for one file, on a busy machine too; 5 s of work end it before."""
START_S_MAX: Final = 60.0
ANSWER_BYTES_MAX: Final = 100_000_000
FILES_PER_PROCESS_MAX: Final = 2_000
"""After so many the process is made anew, whatever the libraries have kept."""
COMMAND: Final = (sys.executable, "-m", "geodata.zone_worker")


class ZoneReaderError(GeodataError):
    """The reader of files of zones cannot start on this machine."""


class _GoneError(Exception):
    """The process ended or took too long; its text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What is asked of an import."""

    extent: Extent
    """Of the streets: west, south, east, north in degrees."""
    repair: bool = False
    """Take outlines that had to be mended; each is reported."""
    assume_crs: str | None = None
    """The coordinate system of a file that names none."""
    id_column: str = "zone_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneImport:
    """What became of a file: its zones, or none and the errors."""

    zones: tuple[ImportedZone, ...]
    findings: tuple[Finding, ...]
    n_findings: int
    """Of them all; `findings` is cut off at `FINDINGS_MAX`."""
    n_features: int = 0
    format: str = ""
    """Name of GDAL's driver."""
    crs: str = ""
    """In which the file was."""
    columns: tuple[str, ...] = ()
    cpu_s: float = 0.0
    peak_bytes: int = 0
    """Most memory that the reader has had until then."""

    @property
    def is_accepted(self) -> bool:
        """Whether the zones can be used."""
        return not has_errors(self.findings)

    def as_geojson(self) -> dict[str, Any]:
        """Return the zones in WGS 84, as `ZoneMap.from_geojson` and `--zones` take them."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {
                        "zone_id": z.zone.zone_id, "name": z.zone.name, "kind": str(z.zone.kind),
                        "precedence": z.zone.precedence, "policy_id": z.zone.policy_id,
                        "note": z.note,
                    },
                    "geometry": mapping(z.zone.geometry),
                }
                for z in self.zones
            ],
        }  # fmt: skip


@dataclass(slots=True)
class ZoneReader:
    """Reads one file after another in a process that is made again when one has ended it."""

    command: Sequence[str] = COMMAND
    wall_s_max: float = WALL_S_MAX
    _process: "subprocess.Popen[bytes] | None" = None
    _files: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, file: Path, options: ImportOptions) -> ZoneImport:
        """Return the zones of a file, or why it is refused.

        Raises
        ------
        ZoneReaderError
            The process does not start at all.
        """
        with self._lock, tempfile.TemporaryDirectory(prefix="tandem-zones-") as folder:
            process = self._started()
            try:
                answer = self._ask(process, _job(file, folder, options))
            except _GoneError as gone:
                self._end()
                remedy = "Open it in the GIS and export it again, with the zones alone"
                return _refused(error("READER_ENDED", f"reading it {gone}", remedy))
        return _import_of(answer)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._files >= FILES_PER_PROCESS_MAX or (
            self._process is not None and self._process.poll() is not None
        ):
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=_environment(),
            )  # fmt: skip
            try:
                ready = _read_line(self._process, START_S_MAX)
            except _GoneError as gone:
                self._end()
                raise ZoneReaderError(
                    f"The process that reads files of zones {gone} at its start. Is GDAL there "
                    "(python -c 'import pyogrio') and /proc mounted?"
                ) from None
            if ready.get("drivers") != sorted(DRIVERS):
                self._end()
                raise ZoneReaderError(
                    f"The process that reads files of zones has other drivers of GDAL: {ready}"
                )
        self._files += 1
        return self._process

    def _ask(self, process: "subprocess.Popen[bytes]", job: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise _GoneError("could not begin") from None
        return _read_line(process, self.wall_s_max)

    def _end(self) -> None:
        process, self._process, self._files = self._process, None, 0
        if process is not None:
            process.kill()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.close()
            with suppress(OSError):  # a job that was never taken
                process.stdin.close()
            process.wait()


def _environment() -> dict[str, str]:
    """Return a small environment: no setting, key or proxy of the service goes to the reader."""
    package = str(Path(__file__).resolve().parents[1])
    kept = {name: os.environ[name] for name in ("TANDEM_CACHE_DIR", "HOME") if name in os.environ}
    return kept | {
        "PATH": os.defpath, "PYTHONPATH": package, "LANG": "C.UTF-8", "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "GDAL_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


def _job(file: Path, folder: str, options: ImportOptions) -> dict[str, Any]:
    return {
        "file": str(file.absolute()), "folder": folder, "extent": list(options.extent),
        "repair": options.repair, "assume_crs": options.assume_crs,
        "id_column": options.id_column,
    }  # fmt: skip


def _read_line(process: "subprocess.Popen[bytes]", seconds: float) -> dict[str, Any]:
    """Return the next answer of the process."""
    assert process.stdout is not None
    pipe, ends_s, pieces, size = process.stdout.fileno(), monotonic() + seconds, [b""], 0
    while not pieces[-1].endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, ends_s - monotonic()))
        if not ready:
            raise _GoneError(f"took more than {seconds:g} s")
        pieces.append(os.read(pipe, 1 << 20))
        size += len(pieces[-1])
        if not pieces[-1]:
            raise _GoneError("ended the process that reads files")
        if size > ANSWER_BYTES_MAX:
            raise _GoneError("gave more than can be answered")
    try:
        answer = json.loads(b"".join(pieces))
    except ValueError:
        raise _GoneError("gave no answer that can be read") from None
    if not isinstance(answer, dict):
        raise _GoneError("gave no answer that can be read")
    return answer


def _refused(finding: Finding) -> ZoneImport:
    return ZoneImport(zones=(), findings=(finding,), n_findings=1)


def _import_of(answer: dict[str, Any]) -> ZoneImport:
    """Return an answer of the process as values, the zones once more judged by `ZoneMap`."""
    findings = [from_object(raw) for raw in answer["findings"]]
    zones = tuple(_zone_of(raw) for raw in answer["zones"])
    try:
        ZoneMap([imported.zone for imported in zones])
    except ZoneMapError as problem:
        remedy = "Mend it in the GIS and export it again"
        findings += [error("CANNOT_BE_USED", text, remedy) for text in problem.problems]
        zones = ()
    return ZoneImport(
        zones=zones,
        findings=tuple(findings),
        n_findings=max(answer.get("n_findings", 0), len(findings)),
        n_features=answer.get("n_features", 0),
        format=answer.get("format", ""),
        crs=answer.get("crs", ""),
        columns=tuple(answer.get("columns", ())),
        cpu_s=answer["cpu_s"],
        peak_bytes=answer["peak_bytes"],
    )


def _zone_of(raw: dict[str, Any]) -> ImportedZone:
    zone = Zone(
        zone_id=raw["zone_id"], name=raw["name"], kind=ZoneKind(raw["kind"]),
        precedence=raw["precedence"], policy_id=raw["policy_id"],
        geometry=shapely.from_wkb(raw["wkb"]),
    )  # fmt: skip
    return ImportedZone(zone=zone, note=raw["note"])
