"""A saved network is the network, and anything else on disk is said to be what it is."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from geodata.artifacts import (
    MANIFEST,
    NETWORK,
    ArtifactKind,
    Columns,
    describe_network,
    load_columns,
    load_network,
    save_columns,
    save_network,
)
from geodata.errors import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactMissingError,
    ArtifactVersionError,
)
from geodata.network import StreetFlag, StreetNetwork
from tests.geodata.raw_streets_builder import same_columns
from tests.street_drawing import draw

GRID = """
A---B-->C
|   ^   |
D---E---F
"""
ORDER = ArtifactKind(name="node-order", version=3, remedy="Order the nodes again.")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def network() -> StreetNetwork:
    pine = {"name": "Łódź Street", "flags": StreetFlag.BRIDGE}
    return draw(GRID, streets={"AB": pine}, bans=["ABA"]).network


@pytest.fixture
def saved(network: StreetNetwork, tmp_path: Path) -> Path:
    folder = tmp_path / "streets"
    save_network(network, folder)
    return folder


def column_file(folder: Path, name: str) -> Path:
    return next(folder.glob(f"columns-*/{name}.npy"))


def edit_manifest(folder: Path, **values: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("verify", [True, False])
def test_what_is_loaded_is_what_was_saved(
    network: StreetNetwork, saved: Path, verify: bool
) -> None:
    loaded = load_network(saved, verify=verify)
    assert same_columns(network, loaded) == []
    assert loaded.source == network.source
    assert loaded.bounds == network.bounds


def test_loaded_columns_are_mapped_from_disk_and_cannot_be_written(saved: Path) -> None:
    column = load_network(saved).point_lon
    assert isinstance(column.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 0.0


def test_a_network_without_bans_has_an_empty_column(tmp_path: Path) -> None:
    save_network(draw(GRID).network, tmp_path / "streets")
    assert load_network(tmp_path / "streets").banned_turns.shape == (0, 2)


def test_the_manifest_says_what_a_person_wants_to_know(
    network: StreetNetwork, tmp_path: Path
) -> None:
    at = datetime(2026, 7, 18, 20, tzinfo=UTC)
    manifest = save_network(network, tmp_path / "streets", created_at=at)
    assert manifest == json.loads((tmp_path / "streets" / MANIFEST).read_text())
    assert manifest["created_at"] == "2026-07-18T20:00:00+00:00"
    assert manifest["extra"]["counts"]["streets"] == 7
    assert manifest["extra"]["street_km"]["bridge"] == pytest.approx(0.1, abs=0.001)


def test_equal_networks_have_equal_checksums(network: StreetNetwork, tmp_path: Path) -> None:
    one, other = (save_network(network, tmp_path / name) for name in ("one", "other"))
    assert one["checksum"] == other["checksum"]
    third = save_network(draw(GRID).network, tmp_path / "third")
    assert third["checksum"] != one["checksum"]


def test_a_description_is_the_same_from_memory_and_from_a_folder(
    network: StreetNetwork, saved: Path
) -> None:
    told, read = describe_network(network), describe_network(saved)
    assert {key: read[key] for key in told} == told
    assert read["format_version"] == 1
    assert "names" not in told
    json.dumps(read)


def test_saving_again_replaces_the_old_network_and_leaves_nothing_else(saved: Path) -> None:
    old = load_network(saved)
    other = draw("A---B\n|   |\nC---D").network
    save_network(other, saved)
    assert same_columns(load_network(saved), other) == []
    assert sorted(path.name[:8] for path in saved.iterdir()) == ["columns-", MANIFEST[:8]]
    assert [path.name for path in saved.parent.iterdir()] == ["streets"]
    assert old.street_length_m.sum() > 0  # whoever mapped the old one may go on with it


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("name", ["edge_head", "point_lon", "street_flags"])
def test_one_changed_byte_is_found(saved: Path, name: str, place: str) -> None:
    path = column_file(saved, name)
    data = bytearray(path.read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": -1}[place]] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactDamagedError, match=rf"{name}.npy .*tandem network build"):
        load_network(saved)


@pytest.mark.parametrize("verify", [True, False])
def test_a_truncated_or_missing_column_is_found(saved: Path, verify: bool) -> None:
    path = column_file(saved, "edge_head")
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(ArtifactDamagedError, match=r"edge_head.npy has"):
        load_network(saved, verify=verify)
    path.unlink()
    with pytest.raises(ArtifactDamagedError, match="tandem network build"):
        load_network(saved, verify=verify)


def test_a_changed_manifest_is_found(saved: Path) -> None:
    text = (saved / MANIFEST).read_text()
    (saved / MANIFEST).write_text(text.replace("A map drawn", "A city drawn"))
    with pytest.raises(ArtifactDamagedError, match="does not fit its checksum"):
        load_network(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "tandem-columns"}', "\x00"])
def test_a_garbled_manifest_is_found(saved: Path, text: str) -> None:
    (saved / MANIFEST).write_text(text)
    with pytest.raises(ArtifactDamagedError, match="not a manifest"):
        load_network(saved)


@pytest.mark.parametrize("key", ["files", "checksum", "columns_folder"])
def test_a_manifest_without_a_key_is_damaged(saved: Path, key: str) -> None:
    edit_manifest(saved, **{key: None})
    with pytest.raises(ArtifactDamagedError):
        load_network(saved)


@pytest.mark.parametrize("key", ["format_version", "kind_version"])
@pytest.mark.parametrize("version", [0, 3, "1"])
def test_another_version_says_how_to_build_again(saved: Path, key: str, version: object) -> None:
    edit_manifest(saved, **{key: version})
    with pytest.raises(ArtifactVersionError, match="tandem network build"):
        load_network(saved)


def test_a_network_saved_before_there_were_banned_paths_is_refused(saved: Path) -> None:
    edit_manifest(saved, kind_version=1)
    with pytest.raises(ArtifactVersionError, match=r"content version 1.*tandem network build"):
        load_network(saved)


def test_a_network_whose_columns_are_not_ours_is_of_another_version(tmp_path: Path) -> None:
    extra = {"source": {"dropped": [], "notes": []}, "names": []}
    save_columns(tmp_path / "odd", NETWORK, {"edge_colour": np.arange(3)}, extra)
    with pytest.raises(ArtifactVersionError, match="edge_colour"):
        load_network(tmp_path / "odd")


def test_a_place_without_a_network_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match="no such folder"):
        load_network(tmp_path / "nowhere")
    with pytest.raises(ArtifactMissingError, match=r"no manifest.json in it"):
        load_network(tmp_path)
    save_columns(tmp_path / "order", ORDER, {"rank": np.arange(3)}, {})
    with pytest.raises(ArtifactMissingError, match="node-order"):
        load_network(tmp_path / "order")


def test_other_columns_are_saved_and_loaded_the_same_way(tmp_path: Path) -> None:
    columns: Columns = {
        "rank": np.arange(5, dtype=np.int32),
        "cells": np.zeros((0, 2), np.int16),
    }
    save_columns(tmp_path / "order", ORDER, columns, {"made_of": "abc"})
    bundle = load_columns(tmp_path / "order", ORDER)
    assert bundle.extra == {"made_of": "abc"}
    np.testing.assert_array_equal(bundle.columns["rank"], columns["rank"])
    assert bundle.columns["cells"].shape == (0, 2)


def test_objects_are_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_columns(tmp_path / "order", ORDER, {"rank": np.array([{}, "x"], object)}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["photo.jpg", "columns.txt"])
def test_a_foreign_folder_is_never_overwritten(
    network: StreetNetwork, tmp_path: Path, name: str
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / name).write_text("mine")
    with pytest.raises(ArtifactError, match="nothing was overwritten"):
        save_network(network, tmp_path / "home")
    assert (tmp_path / "home" / name).read_text() == "mine"


def test_another_kind_and_a_plain_file_are_never_overwritten(
    network: StreetNetwork, tmp_path: Path
) -> None:
    save_columns(tmp_path / "order", ORDER, {"rank": np.arange(3)}, {})
    (tmp_path / "file").write_text("mine")
    for name in ("order", "file"):
        with pytest.raises(ArtifactError, match="nothing was overwritten"):
            save_network(network, tmp_path / name)
    assert len(load_columns(tmp_path / "order", ORDER).columns) == 1


@pytest.mark.parametrize("harm", ["column", "manifest", "version", "no manifest"])
def test_a_damaged_or_old_network_can_be_built_again_in_place(
    network: StreetNetwork, saved: Path, harm: str
) -> None:
    if harm == "column":
        column_file(saved, "edge_head").write_bytes(b"")
    elif harm == "manifest":
        (saved / MANIFEST).write_text("{")
    elif harm == "version":
        edit_manifest(saved, format_version=0)
    else:
        (saved / MANIFEST).unlink()
    save_network(network, saved)
    assert same_columns(load_network(saved), network) == []


SAVE_FOR_EVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from geodata.artifacts import load_network, save_network
network = load_network(sys.argv[1])
print("ready", flush=True)
while True:
    save_network(network, sys.argv[2])
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_save_that_is_killed_leaves_a_whole_network(
    network: StreetNetwork, saved: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    target = tmp_path / "target"
    save_network(network, target)
    for pause_s in (0.003, 0.011, 0.024, 0.042):
        with subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, str(saved), str(target)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(pause_s)
            child.send_signal(ending)
        assert same_columns(load_network(target), network) == []


def test_work_left_behind_by_a_killed_save_is_removed_later(
    network: StreetNetwork, saved: Path
) -> None:
    old, fresh = (saved.parent / f".streets.{number}.part" for number in (1, 2))
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (1, 1))
    save_network(network, saved)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_whoever_loads_while_it_is_replaced_gets_a_whole_network(
    network: StreetNetwork, saved: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    save_network(network, target)
    with subprocess.Popen(
        [sys.executable, "-c", SAVE_FOR_EVER, str(saved), str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            for _ in range(60):
                assert load_network(target).n_streets == 7
        finally:
            child.kill()
