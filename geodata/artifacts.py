"""Versioned, checksummed folders of arrays: saved at once or not at all, loaded by mapping.

What lives here: `save_columns` / `load_columns` for any bundle of arrays (the hierarchy's node
order is kept beside a network), and `save_network`, `load_network` and `describe_network` on them.

A folder holds `manifest.json` and the folder `columns-*` it names, with a `.npy` file per array. A
first save appears by one rename. A later save adds its own columns folder and then replaces the
manifest, which is one step too: whoever loads, at any instant, gets the old or the new. Nothing is
ever pickled.
"""

import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geodata.errors import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    ArtifactVersionError,
)
from geodata.network import Source, StreetFlag, StreetNetwork
from geodata.on_disk import sync

FORMAT: Final = "tandem-columns"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 64 * 2**20
LOAD_ATTEMPTS_MAX: Final = 20
"""How often loading starts afresh because somebody replaces the artifact meanwhile."""
PART_AGE_MAX_S: Final = 3600.0
"""A work folder older than this was left behind by a save that was killed."""
DISTRIBUTION: Final = "tandem-dispatch"

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKind:
    """What a folder of columns is: its name, the version of its content and how to make it anew."""

    name: str
    version: int
    remedy: str


NETWORK: Final = ArtifactKind(
    name="street-network",
    version=2,
    remedy="Build it again with: tandem network build SOURCE --out FOLDER",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Loaded columns (read-only, mapped from disk) with the manifest they were saved with."""

    columns: dict[str, NDArray[Any]]
    extra: dict[str, Any]
    manifest: dict[str, Any]


def save_columns(
    folder: str | Path,
    kind: ArtifactKind,
    columns: Columns,
    extra: Mapping[str, Any],
    *,
    created_at: datetime | None = None,
) -> dict[str, Any]:
    """Save arrays and JSON values as one artifact and return its manifest.

    Parameters
    ----------
    folder
        Made anew, or replaced when it already holds an artifact of this kind.
    extra
        Values that JSON can hold.
    created_at
        Instant for the manifest; now unless given.

    Raises
    ------
    ArtifactError
        The folder exists and is something else.
    """
    folder = Path(folder)
    _check_replaceable(folder, kind)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = folder.parent / f".{folder.name}.{os.getpid()}.part"
    _remove_left_behind(folder)
    shutil.rmtree(work, ignore_errors=True)
    try:
        (work / "columns").mkdir(parents=True)
        files = {name: _write(work / "columns", name, array) for name, array in columns.items()}
        manifest = _manifest(kind, files, dict(extra), created_at or datetime.now(UTC))
        (work / "columns").rename(work / manifest["columns_folder"])
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        _write_text(work / MANIFEST, text)
        sync(work)
        _publish(work, folder, manifest["columns_folder"])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    saved: dict[str, Any] = json.loads(text)
    return saved


def _remove_left_behind(folder: Path) -> None:
    """Remove the work folders of saves to this folder that were killed long ago."""
    for part in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):
        try:
            old = time.time() - part.stat().st_mtime > PART_AGE_MAX_S
        except OSError:
            continue
        if old:
            shutil.rmtree(part, ignore_errors=True)


def _check_replaceable(folder: Path, kind: ArtifactKind) -> None:
    """Raise `ArtifactError` when saving would overwrite anything but an artifact of this kind.

    One of an older version, or a damaged one, may be replaced: that is the remedy we name.
    """
    if not folder.exists():
        return
    ours = folder.is_dir() and all(
        path.name == MANIFEST
        or path.name.startswith("columns-")
        or (path / MANIFEST).is_file()  # another artifact of ours, kept within this one
        for path in folder.iterdir()
    )
    found = "other files"
    if ours and (folder / MANIFEST).exists():
        try:
            found = read_manifest(folder, kind, any_version=True)["kind"]
        except ArtifactDamagedError:
            found = kind.name
        except ArtifactMissingError:
            found = "another artifact"
    elif ours:
        found = kind.name
    if found != kind.name:
        raise ArtifactError(
            f"{folder} exists and holds {found}, no {kind.name}; nothing was overwritten. "
            "Choose another folder or remove this one yourself."
        )


def _write(folder: Path, name: str, array: NDArray[Any]) -> dict[str, Any]:
    """Write one array and return its entry in the manifest."""
    path = folder / f"{name}.npy"
    with path.open("xb") as stream:
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }


def _manifest(
    kind: ArtifactKind, files: dict[str, Any], extra: dict[str, Any], created_at: datetime
) -> dict[str, Any]:
    checksum = _checksum(kind.name, kind.version, files, extra)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": kind.name,
        "kind_version": kind.version,
        "software": f"{DISTRIBUTION} {software_version()}",
        "created_at": created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "checksum": checksum,
        "columns_folder": f"columns-{secrets.token_hex(4)}",
        "extra": extra,
        "files": files,
    }


def _checksum(kind: str, version: int, files: dict[str, Any], extra: dict[str, Any]) -> str:
    """Return one SHA-256 over all that a reader relies on, files by their own SHA-256."""
    text = json.dumps([kind, version, files, extra], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _publish(work: Path, folder: Path, columns_folder: str) -> None:
    """Make the finished work folder visible in one step, and forget what it replaces."""
    if not folder.exists() or not any(folder.iterdir()):
        work.replace(folder)
        sync(folder.parent)
        return
    (work / columns_folder).rename(folder / columns_folder)
    sync(folder)
    (work / MANIFEST).replace(folder / MANIFEST)
    sync(folder)
    for old in folder.glob("columns-*"):
        if old.name != columns_folder:
            shutil.rmtree(old, ignore_errors=True)


def _write_text(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def software_version() -> str:
    """Return the installed version of this software, '0' when it runs uninstalled."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0"


def read_manifest(
    folder: str | Path, kind: ArtifactKind, *, any_version: bool = False
) -> dict[str, Any]:
    """Return the manifest of an artifact without touching its columns.

    Raises
    ------
    ArtifactMissingError
        No folder, no manifest, or an artifact of another kind.
    ArtifactVersionError
        Another format or content version (not with `any_version`).
    ArtifactDamagedError
        The manifest is cut short or garbled.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        what = "no such folder" if not Path(folder).exists() else f"no {MANIFEST} in it"
        raise ArtifactMissingError(f"{folder}: {what}; expected a {kind.name}. {kind.remedy}")
    try:
        with path.open("rb") as stream:
            manifest: dict[str, Any] = json.loads(stream.read(MANIFEST_BYTES_MAX))
        found = manifest["format"], manifest["format_version"], manifest["kind"]
        version, _ = manifest["kind_version"], manifest["extra"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactDamagedError(f"{path}: not a manifest ({error}). {kind.remedy}") from error
    if found[0] != FORMAT or found[2] != kind.name:
        raise ArtifactMissingError(
            f"{folder} holds a {found[2]} ({found[0]}), expected a {kind.name}. {kind.remedy}"
        )
    if not any_version and (found[1], version) != (FORMAT_VERSION, kind.version):
        raise ArtifactVersionError(
            f"{folder} has format {found[1]} and content version {version}; this software reads "
            f"{FORMAT_VERSION} and {kind.version}. {kind.remedy}"
        )
    return manifest


def load_columns(folder: str | Path, kind: ArtifactKind, *, verify: bool = True) -> Bundle:
    """Map the columns of an artifact into memory, read-only.

    Parameters
    ----------
    verify
        Compare every file with its checksum (tens of milliseconds for a city). Without it only
        sizes, types and shapes are compared.

    Raises
    ------
    ArtifactError
        As `read_manifest`; `ArtifactDamagedError` also for a file that is missing or changed.
    """
    for attempt in range(LOAD_ATTEMPTS_MAX):
        manifest = read_manifest(folder, kind)
        try:
            return _load(Path(folder), kind, manifest, verify=verify)
        except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
            fresh = read_manifest(folder, kind)
            replaced = fresh.get("columns_folder") != manifest.get("columns_folder")
            if not replaced or attempt == LOAD_ATTEMPTS_MAX - 1:
                raise ArtifactDamagedError(f"{folder}: damaged: {error}. {kind.remedy}") from error
    raise AssertionError("the last attempt returns or raises")


def _load(folder: Path, kind: ArtifactKind, manifest: dict[str, Any], *, verify: bool) -> Bundle:
    """Map what one manifest names; any other error than ours tells how the folder differs."""
    files, extra = manifest["files"], manifest["extra"]
    place = folder / re.sub(r"[^\w-]", "", manifest["columns_folder"])
    if _checksum(kind.name, kind.version, files, extra) != manifest["checksum"]:
        raise ValueError(f"the content of {MANIFEST} does not fit its checksum")
    columns = {
        name: _map(place / f"{name}.npy", entry, verify=verify) for name, entry in files.items()
    }
    return Bundle(columns=columns, extra=extra, manifest=manifest)


def _map(path: Path, entry: dict[str, Any], *, verify: bool) -> NDArray[Any]:
    """Map one file, or raise `ValueError` saying how it differs from its entry in the manifest."""
    n_bytes = path.stat().st_size
    if n_bytes != entry["bytes"]:
        raise ValueError(f"{path.name} has {n_bytes} bytes, expected {entry['bytes']}")
    if verify and file_sha256(path) != entry["sha256"]:
        raise ValueError(f"{path.name} does not fit its checksum")
    empty = 0 in entry["shape"]
    array = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    if array.dtype.str != entry["dtype"] or list(array.shape) != entry["shape"]:
        raise ValueError(f"{path.name} is {array.dtype.str} {list(array.shape)}, not as saved")
    plain: NDArray[Any] = np.asarray(array)
    plain.setflags(write=False)
    return plain


def save_network(
    network: StreetNetwork, folder: str | Path, *, created_at: datetime | None = None
) -> dict[str, Any]:
    """Save a network as one artifact and return its manifest; errors as `save_columns`."""
    extra = _network_extra(network)
    return save_columns(folder, NETWORK, network.columns(), extra, created_at=created_at)


def _network_extra(network: StreetNetwork) -> dict[str, Any]:
    """Return what a network's manifest holds beside the columns."""
    flags = network.street_flags
    named = {flag.name.lower(): (flags & flag) != 0 for flag in StreetFlag if flag.name}
    length_km = network.street_length_m / 1000
    return {
        "source": asdict(network.source),
        "bounds": list(network.bounds),
        "counts": {
            "junctions": network.n_junctions,
            "streets": network.n_streets,
            "edges": network.n_edges,
            "points": len(network.point_lon),
            "names": len(network.names) - 1,
            "banned_turns": len(network.banned_turns),
            "banned_paths": network.n_paths,
        },
        "street_km": {
            "all": round(float(length_km.sum()), 3),
            "directed_without_limit": round(float(network.edge_unposted_m.sum()) / 1000, 3),
            **{name: round(float(length_km[has].sum()), 3) for name, has in named.items()},
        },
        "names": list(network.names),
    }


def load_network(folder: str | Path, *, verify: bool = True) -> StreetNetwork:
    """Return a saved network, its columns mapped from disk; errors as `load_columns`."""
    bundle = load_columns(folder, NETWORK, verify=verify)
    source = dict(bundle.extra["source"])
    source["dropped"] = tuple((reason, count) for reason, count in source["dropped"])
    source["notes"] = tuple(source["notes"])
    wanted = {field.name for field in fields(StreetNetwork)} - {"source", "names"}
    if wanted != set(bundle.columns):
        odd = ", ".join(sorted(wanted ^ set(bundle.columns)))
        raise ArtifactVersionError(f"{folder}: columns missing or unknown: {odd}. {NETWORK.remedy}")
    return StreetNetwork(
        source=Source(**source), names=tuple(bundle.extra["names"]), **bundle.columns
    )


def describe_network(network: StreetNetwork | str | Path) -> dict[str, Any]:
    """Return what a person wants to know of a network, as JSON values in a fixed order.

    Of a folder only the manifest is read, and its format, checksum, software and instant are told
    too. Lengths are km of drawn streets; `directed_without_limit` alone counts each direction.

    Raises
    ------
    ArtifactError
        As `read_manifest`, for a folder.
    """
    if isinstance(network, StreetNetwork):
        return _describe(_network_extra(network))
    manifest = read_manifest(network, NETWORK)
    saved = ("format", "format_version", "kind_version", "software", "created_at", "checksum")
    n_bytes = sum(entry["bytes"] for entry in manifest["files"].values())
    return _describe(manifest["extra"]) | {key: manifest[key] for key in saved} | {"bytes": n_bytes}


def _describe(extra: dict[str, Any]) -> dict[str, Any]:
    """Return the described part of a manifest's `extra`, without the long list of names."""
    source = extra["source"]
    told = ("network_id", "description", "kind", "extract_date", "licence", "schematic")
    return {
        **{key: source[key] for key in told},
        "bounds_west_south_east_north": extra["bounds"],
        "counts": extra["counts"],
        "street_km": extra["street_km"],
        "dropped": dict(source["dropped"]),
        "notes": list(source["notes"]),
    }
