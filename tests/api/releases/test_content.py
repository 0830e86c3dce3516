"""From a kept release to a draft and back: what is decided stays, and comments do too."""

import datetime as dt
import tomllib

import pytest

from api.errors import ChangeRefused, InvalidRequest
from api.releases.content import (
    Naming,
    content_of,
    is_same_policies,
    is_same_zones,
    policy_text,
    read_content,
    with_key,
    with_names,
    without_zones,
)
from api.replay.library import read_kept
from api.replay.sources import KeptRelease, kept_release
from api.settings import Settings
from tests.api.releases.drawn import TEXT

INLINE = """\
# The city's own words.
release_id = "city-1"    # its name
city_policy = "DAY"

[[zones]]
zone_id = "CORE"
precedence = 10
outline = [
[-122.34, 47.60],
  [-122.33, 47.60],
[-122.33, 47.61], [-122.34, 47.61],
]

[[zones]]   # a second one
zone_id = "NIGHT"
kind = "OVERLAY"
precedence = 20
outline = [[-122.338, 47.602], [-122.334, 47.602], [-122.334, 47.606], [-122.338, 47.606]]
policy_id = "DAY"

# Hours.
""" + TEXT.split("\n\n", 1)[1]

NAMING = Naming(
    release_id="rel-2026-07-21-2",
    effective_at=dt.datetime(2026, 7, 21, 20, tzinfo=dt.UTC),
    zone_version=7,
    policy_version=9,
)


def test_inline_zones_move_into_geojson_and_nothing_else_changes() -> None:
    kept = KeptRelease(release_id="city-1", text=INLINE)
    content = content_of(kept)
    before, after = read_kept(kept).release, read_content(content)
    assert is_same_zones(before, after)
    assert is_same_policies(before, after)
    assert "[[zones]]" not in content.text
    for comment in ("# The city's own words.", "# its name", "# Hours."):
        assert comment in content.text


def test_the_release_of_the_settings_becomes_a_draft_with_the_notes_of_its_zones() -> None:
    content = content_of(kept_release(Settings()))
    assert "Denny Way" in content.zones
    assert 'zones_file = "zones.geojson"' in content.text
    assert "*assumption*" in content.text


def test_what_is_published_has_the_names_that_it_was_given() -> None:
    content = content_of(kept_release(Settings()))
    made = with_names(content, NAMING, None)
    release = read_kept(made).release
    found = (release.release_id, release.zone_version, release.policy_version)
    assert found == ("rel-2026-07-21-2", 7, 9)
    assert release.effective_at == NAMING.effective_at
    before = read_kept(kept_release(Settings())).release
    assert is_same_zones(before, release)
    assert is_same_policies(before, release)
    assert with_names(content_of(made), NAMING, None) == made


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ('a = 1\nrelease_id = "x"\n[b]\nrelease_id = 2', "release_id", 'release_id = "new"\n[b]'),
        ("release_id = 'x' # why", "release_id", 'release_id = "new" # why'),
        ("effective_at = 2026-07-21 20:00:00Z", "effective_at", 'effective_at = "new"'),
        ("[b]\nrelease_id = 2", "release_id", 'release_id = "new"\n[b]'),
        ('release_id = "a # \\" b"', "release_id", 'release_id = "new"'),
        ("a = 1\r\nrelease_id = 5\r\n", "release_id", 'release_id = "new"\r\n'),
    ],
)
def test_a_key_is_set_on_its_line(text: str, key: str, said: str) -> None:
    made = with_key(text, key, '"new"')
    assert said in made
    assert tomllib.loads(made) == {**tomllib.loads(text), key: "new"}


@pytest.mark.parametrize(
    "text", ['"release_id" = 1', 'x = """\nrelease_id = 1\n"""', "release_id = [\n1]"]
)
def test_a_file_that_cannot_be_changed_by_lines_is_refused_and_not_spoilt(text: str) -> None:
    with pytest.raises(ChangeRefused):
        with_key(text, "release_id", '"new"')


def test_zones_written_in_another_way_are_refused_and_not_lost() -> None:
    with pytest.raises(ChangeRefused):
        without_zones('zones = [{ zone_id = "A", outline = [] }]')


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff", "SYNTAX"),
        (b"a = ", "SYNTAX"),
        (b"a = " + b"[" * 5_000, "SYNTAX"),
        (b"a." * 60_000 + b"a = 1", "SYNTAX"),
        (b"a = [{ 'b' . " + b"a." * 60_000 + b"a = 1 }]", "SYNTAX"),
        (b"[[zones]]\nzone_id = 'A'", "ZONES_APART"),
        (b"zones_file = '../other.geojson'", "ZONES_APART"),
    ],
)
def test_a_file_that_no_draft_can_have_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        policy_text(body)
    assert [one.code for one in refused.value.problems] == [code]
