"""Rule 16 as far as it is built: a release is whole or refused, immutable, and always named."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.live_view import LiveView, load_release
from api.operations import recommend_units
from api.release_errors import ReleaseFileError
from api.settings import Settings
from geodata.pilot.area import pilot_zone_features
from tests.api.builtin_view import builtin_view
from tests.api.release_texts import SMALL, changed, read_text
from tests.api.requests_made import as_bytes, request, request_about

BAD_POLICY = ("turnout_spd_s = 30", "turnout_spd_s = -30")
BAD_ZONE = ("[[-122.338, 47.602], [-122.336, 47.602], [-122.336, 47.604]]", "[]")
BAD_STATUS = ('MEAL = "OUT_OF_SERVICE"', 'MEAL = "EATING"')


def refused(text: str) -> list[str]:
    """Return where a release file is wrong; nothing when it is taken."""
    with TemporaryDirectory() as folder:
        try:
            read_text(text, Path(folder))
        except ReleaseFileError as error:
            return [one.path for one in error.found]
    return []


def test_rule_16_a_release_is_checked_as_a_whole_and_refused_as_a_whole() -> None:
    assert refused(SMALL) == []
    one_by_one = [refused(changed(*bad)) for bad in (BAD_POLICY, BAD_ZONE, BAD_STATUS)]
    assert all(len(found) == 1 for found in one_by_one), one_by_one
    text = SMALL
    for old, new in (BAD_POLICY, BAD_ZONE, BAD_STATUS):
        text = text.replace(old, new)
    assert sorted(refused(text)) == sorted(path for found in one_by_one for path in found)


def basis_of(view: LiveView, made: Any) -> tuple[str, dict[str, Any]]:
    """Return the outcome of a request and what it rests on."""
    answer = json.loads(recommend_units(view, as_bytes(made)).body)
    return answer["outcome"], answer["basis"]


def test_rule_16_every_answer_names_the_release_that_it_rests_on() -> None:
    view, outcomes = builtin_view(), set()
    armed = request()["incident"]["screening"] | {"weapon": "YES"}
    unsafe = request_about(screening=armed)
    for made in (request(), request() | {"units": []}, unsafe):
        outcome, basis = basis_of(view, made)
        outcomes.add(outcome)
        assert (basis["release_id"], basis["zone_version"], basis["policy_version"]) == (
            view.release.release_id, view.release.zone_version, view.release.policy_version,
        )  # fmt: skip
    assert basis["release_id"]
    assert outcomes == {"DISPATCH", "HOLD", "NOT_ELIGIBLE"}


def test_rule_16_other_zones_are_another_release_and_nothing_in_one_can_be_set() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "zones.geojson"
        file.write_text(json.dumps(pilot_zone_features()), encoding="utf-8")
        other = load_release(Settings(zones=file))
    built_in = load_release(Settings(zones=None))
    assert other.release_id != built_in.release_id
    for name in ("release_id", "city_policy", "zones"):
        try:
            setattr(built_in, name, getattr(other, name))
        except FrozenInstanceError:
            continue
        raise AssertionError(f"{name} was set")
