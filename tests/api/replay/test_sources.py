"""What a release is made of, kept as text under a name that its content has a part in."""

import json
from dataclasses import replace as with_changes
from pathlib import Path

import pytest
from msgspec.structs import replace

from api.live_view import load_view
from api.operations import recommend_units
from api.replay.block import UnitBlocks
from api.replay.errors import NotKept
from api.replay.library import Library, Streets
from api.replay.record import seen_record
from api.replay.reproduce import reproduce
from api.replay.sources import (
    KeptRelease,
    KeptWeights,
    MemoryShelf,
    from_bytes,
    kept_release,
    network_digest,
    sources_of,
    to_bytes,
)
from api.settings import Settings
from geodata.pilot.area import pilot_release_file
from tests.api.builtin_view import builtin_view
from tests.api.replay.recorded import NOW, sources
from tests.api.requests_made import as_bytes, request

BOX = [[[-122.36, 47.59], [-122.32, 47.59], [-122.32, 47.62], [-122.36, 47.62], [-122.36, 47.59]]]


def areas(folder: Path, stem: str, **properties: str) -> Path:
    feature = {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": BOX},
    }
    file = folder / f"{stem}.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def test_zones_and_beats_of_files_are_kept_with_the_release(tmp_path: Path) -> None:
    settings = Settings(
        zones=areas(tmp_path, "zones", zone_id="TRIED", name="Tried"),
        beats=areas(tmp_path, "beats", beat="M1"),
        driving=tmp_path / "driving.toml",
    )
    assert settings.driving is not None
    settings.driving.write_text("[routine]\nsignal_s = 13\n")
    view = load_view(settings, lambda _stage: None)
    kept = sources_of(settings, view.situation.network)
    body = as_bytes(request(as_of=None))
    answered = recommend_units(view, body, now=lambda: NOW)
    record = seen_record(answered, body, kept, UnitBlocks())
    for file in (settings.zones, settings.beats, settings.driving):
        assert file is not None
        file.unlink()  # the record and what is kept are all there is
    library = Library(MemoryShelf(kept), Streets.loaded(None))
    assert b'"pilot-2023-10+zones"' in record.answer
    assert reproduce(record, library).identical
    plain = replace(kept.release, other_zones=None, beats=None)
    shelf = MemoryShelf(kept, with_changes(kept, release=plain))
    of_plain = replace(record, versions=replace(record.versions, release=plain.key))
    assert not reproduce(of_plain, Library(shelf, library.streets)).identical


def test_the_name_of_a_release_changes_with_any_file_of_it() -> None:
    kept = sources().release
    assert kept.key.startswith("pilot-2023-10@")
    assert kept.zones_file == "zone.geojson"
    others = {name: f"{getattr(kept, name)} " for name in ("text", "zones_text", "beats")}
    keys = {replace(kept, **{name: other}).key for name, other in others.items()}
    assert len(keys | {kept.key}) == 4
    assert kept_release(Settings()).key == kept.key
    assert kept.text == pilot_release_file().read_text(encoding="utf-8")


def test_releases_and_weights_come_back_from_their_bytes() -> None:
    kept = sources()
    assert from_bytes(to_bytes(kept.release), KeptRelease) == kept.release
    for weights in kept.weights.values():
        again = from_bytes(to_bytes(weights), KeptWeights)
        network = builtin_view().situation.network
        assert again.edge_times(network).weights_id == weights.weights_id
    with pytest.raises(NotKept):
        from_bytes(b"nothing of ours", KeptWeights)


def test_weights_whose_figures_do_not_fit_their_name_are_refused() -> None:
    weights = next(iter(sources().weights.values()))
    wrong = replace(weights, profile=weights.profile | {"signal_s": 11.0})
    with pytest.raises(NotKept, match="would be"):
        wrong.edge_times(builtin_view().situation.network)
    for nonsense in ({"figure": 1}, {"name": "R", "signal_s": -1}, {}):
        with pytest.raises(NotKept, match="cannot be made"):
            replace(weights, profile=nonsense).edge_times(builtin_view().situation.network)


def test_a_network_that_differs_in_one_number_has_another_digest() -> None:
    network = builtin_view().situation.network
    lengths = network.street_length_m.copy()
    lengths[0] += 1e-9
    assert network_digest(with_changes(network, street_length_m=lengths)) != network_digest(network)
