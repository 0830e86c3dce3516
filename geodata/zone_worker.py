"""The process that reads files of zones: one job a line, under limits, with four drivers of GDAL.

What lives here: what happens inside that process. What does not: starting, watching and ending it
(`zone_reading`). Whatever a file makes GDAL or GEOS do, it does it here: a crash is a refusal.
"""

import ctypes
import json
import os
import re
import resource
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

DRIVERS: Final = frozenset({"ESRI Shapefile", "GPKG", "GeoJSON", "OpenFileGDB"})
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
CPU_S_MAX: Final = 5
OPEN_FILES_MAX: Final = 128
WRITTEN_BYTES_MAX: Final = 250_000_000
JOB_BYTES_MAX: Final = 10_000

GDAL_OPTIONS: Final = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "CPL_VSIL_CURL_USE_HEAD": "NO",
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "SHAPE_RESTORE_SHX": "NO",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "50",
    "CPL_DEBUG": "OFF",
}
"""Beside the limits: nothing is fetched, nothing is loaded, nothing beside the file is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to read."""

    file: str
    folder: str
    extent: tuple[float, float, float, float]
    repair: bool
    assume_crs: str | None
    id_column: str


def main() -> None:
    """Get ready, say so, and answer jobs until standard input ends."""
    answers = _take_standard_output()
    _end_with_parent()
    close_other_drivers()
    _limit()
    _say(answers, {"drivers": registered_drivers()})
    while line := sys.stdin.buffer.readline(JOB_BYTES_MAX):
        _allow_cpu()
        raw = json.loads(line)
        _say(answers, _answer(Job(**{**raw, "extent": tuple(raw["extent"])})))


def _take_standard_output() -> IO[bytes]:
    """Keep standard output for answers: what libraries print there goes nowhere."""
    kept = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return kept


def _end_with_parent() -> None:
    """Let this process end when its parent does, also in the middle of a job."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(1.0)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _say(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


# -- GDAL -----------------------------------------------------------------------------------------


def close_other_drivers() -> None:
    """Take every driver out of GDAL but four; ends the process when that cannot be shown."""
    import pyogrio

    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    gdal = _loaded_gdal()
    drivers = [gdal.GDALGetDriver(place) for place in range(gdal.GDALGetDriverCount())]
    for driver in drivers:
        if gdal.GDALGetDriverShortName(driver).decode() not in DRIVERS:
            gdal.GDALDeregisterDriver(driver)
    left = set(registered_drivers())
    if left != DRIVERS or gdal.GDALGetDriverCount() != len(DRIVERS):
        raise SystemExit(f"GDAL still has other drivers: {sorted(left - DRIVERS)}")


def registered_drivers() -> list[str]:
    """Return the drivers that GDAL has, in order of their names."""
    import pyogrio

    return sorted(pyogrio.list_drivers())


def _loaded_gdal() -> ctypes.CDLL:
    """Return the very library that pyogrio has loaded."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    found = re.search(r"(/.*libgdal[^\n]*)", maps)
    if found is None:
        raise SystemExit("the GDAL of pyogrio is not found, so its drivers cannot be taken out")
    gdal = ctypes.CDLL(found[1])
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDriver.argtypes = [ctypes.c_int]
    gdal.GDALGetDriverShortName.restype = ctypes.c_char_p
    gdal.GDALGetDriverShortName.argtypes = [ctypes.c_void_p]
    gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    gdal.GDALDeregisterDriver.restype = None
    return gdal


# -- limits ---------------------------------------------------------------------------------------


def _load_text_columns() -> None:
    """Let pandas reserve now what its columns of texts take: address space, hardly any memory."""
    import pandas as pd

    texts = pd.Series(["a", None, "b"])
    texts.str.strip().fillna("").tolist()


def _limit() -> None:
    """Bound memory, open files and written bytes; what is needed has been loaded before."""
    import geodata.zone_checks
    import geodata.zone_import
    import geodata.zone_neighbours  # noqa: F401

    _load_text_columns()
    mapped, resident = _memory_bytes()
    most = mapped + max(0, MEMORY_BYTES_MAX - resident)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN_BYTES_MAX, WRITTEN_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _memory_bytes() -> tuple[int, int]:
    """Return bytes mapped and bytes resident."""
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()
    return int(pages[0]) * resource.getpagesize(), int(pages[1]) * resource.getpagesize()


def _allow_cpu() -> None:
    """Give the next job its seconds; the system ends the process when they are over."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(_cpu_s()) + 1 + CPU_S_MAX, hard))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# -- a job ----------------------------------------------------------------------------------------


def _answer(job: Job) -> dict[str, Any]:
    """Return zones and findings of one file."""
    from geodata.zone_findings import ZoneFileRefusedError, as_objects, error

    began_s = _cpu_s()
    try:
        answer = _read(job)
    except ZoneFileRefusedError as refused:
        answer = {"zones": [], "findings": as_objects([refused.finding])}
    except MemoryError:
        detail = f"reading it needs more than {MEMORY_BYTES_MAX // 2**20} MB"
        finding = error("TOO_LARGE", detail, "Export the zones alone, or simplify them")
        answer = {"zones": [], "findings": as_objects([finding])}
    return {**answer, "cpu_s": _cpu_s() - began_s, "peak_bytes": _peak_bytes()}


def _peak_bytes() -> int:
    """Return the most memory that this program had in use.

    What `getrusage` says may be the peak of the process that started it.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status tells no VmHWM")


def _read(job: Job) -> dict[str, Any]:
    from geodata.zone_archive import make_source
    from geodata.zone_checks import check_rows
    from geodata.zone_findings import FINDINGS_MAX, as_objects, has_errors
    from geodata.zone_import import ReadOptions, read_rows
    from geodata.zone_neighbours import neighbour_findings

    source = make_source(Path(job.file), Path(job.folder))
    options = ReadOptions(extent=job.extent, assume_crs=job.assume_crs, id_column=job.id_column)
    rows = read_rows(source, options)
    checked = check_rows(rows.rows, job.extent, repair=job.repair)
    findings = [*checked.findings, *neighbour_findings([z.zone for z in checked.zones])]
    findings.sort(key=lambda finding: finding.weight)
    return {
        "format": source.driver,
        "crs": rows.crs,
        "columns": rows.columns[:100],
        "n_features": len(rows.rows),
        "zones": [] if has_errors(findings) else [_zone_object(z) for z in checked.zones],
        "n_findings": len(findings),
        "findings": as_objects(findings[:FINDINGS_MAX]),
    }


def _zone_object(imported: Any) -> dict[str, Any]:
    import shapely

    zone = imported.zone
    return {
        "zone_id": zone.zone_id, "name": zone.name, "kind": zone.kind,
        "precedence": zone.precedence, "policy_id": zone.policy_id, "note": imported.note,
        "wkb": shapely.to_wkb(zone.geometry, hex=True),
    }  # fmt: skip


if __name__ == "__main__":
    main()
