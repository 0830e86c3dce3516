"""Zones of a draft, one by one, as a GIS client edits them."""

from typing import Any

import pytest

from api.errors import ChangeRefused, InvalidRequest, NoSuchDraft, NoSuchZone, NotYours
from api.releases.draft_rows import list_drafts, read_draft
from api.releases.draft_writes import approve_draft, create_draft, remove_draft, require_draft
from api.releases.draft_zones import (
    create_zone,
    delete_zone,
    replace_zone,
    update_zone,
    zone_collection,
    zone_features,
)
from api.releases.drafts import Content
from api.store.database import Database
from api.store.writer import Writer
from tests.api.releases.drawn import CORE, TEXT, collection, new_draft, square

Durable = tuple[Database, Writer]


def features(durable: Durable) -> dict[str, dict[str, Any]]:
    with durable[0].reading() as connection:
        draft = read_draft(connection, "night")
    assert draft is not None
    return {one["id"]: one for one in zone_features(draft)}


def test_a_draft_is_read_back_as_it_was_made(durable: Durable) -> None:
    made = new_draft(durable[1])
    with durable[0].reading() as connection:
        assert read_draft(connection, "night") == made
        assert [one.name for one in list_drafts(connection)] == ["night"]
        assert read_draft(connection, "day") is None


def test_a_zone_is_added_and_gets_an_id_where_it_brings_none(durable: Durable) -> None:
    new_draft(durable[1])
    make = durable[1].call
    given = make(lambda tx: create_zone(tx, "night", square(-122.3, 47.6), "ed"))
    told = make(lambda tx: create_zone(tx, "night", square(-122.2, 47.6, zone_id="EAST"), "ed"))
    assert told == "EAST"
    assert set(features(durable)) == {"CORE", "EAST", given}
    assert features(durable)["EAST"]["properties"]["kind"] == "BASE"


def test_an_edit_of_the_outline_keeps_the_attributes_and_the_reverse(durable: Durable) -> None:
    new_draft(durable[1])
    moved = square(-122.33, 47.60)["geometry"]
    durable[1].call(lambda tx: update_zone(tx, "night", "CORE", {"geometry": moved}, "ed"))
    renamed = {"properties": {"name": "Heart", "note": "moved"}}
    durable[1].call(lambda tx: update_zone(tx, "night", "CORE", renamed, "ed"))
    found = features(durable)["CORE"]
    assert found["properties"]["name"] == "Heart"
    assert min(lon for lon, _ in found["geometry"]["coordinates"][0]) == -122.33


def test_a_zone_is_replaced_and_taken_out(durable: Durable) -> None:
    new_draft(durable[1])
    other = square(-122.3, 47.5, zone_id="CORE", kind="EXCLUDE")
    durable[1].call(lambda tx: replace_zone(tx, "night", "CORE", other, "ed"))
    assert features(durable)["CORE"]["properties"]["kind"] == "EXCLUDE"
    durable[1].call(lambda tx: delete_zone(tx, "night", "CORE", "ed"))
    assert features(durable) == {}


CROSSED = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"properties": {"kind": "ROUND"}}, "WRONG_VALUE"),
        ({"properties": {"precedence": 1.5}}, "WRONG_VALUE"),
        ({"properties": {"name": "x" * 201}}, "WRONG_VALUE"),
        ({"properties": {"name": ["x"]}}, "WRONG_VALUE"),
        ({"geometry": {"type": "Point", "coordinates": [0, 0]}}, "NOT_A_POLYGON"),
        ({"geometry": CROSSED}, "INVALID_OUTLINE"),
        ({"geometry": {"type": "Polygon", "coordinates": "no"}}, "NO_GEOMETRY"),
        ({"geometry": {"type": "Polygon"}}, "NO_GEOMETRY"),
        ({"geometry": None}, "NO_GEOMETRY"),
        ({"properties": {"zone_id": "OTHER"}}, "ZONE_ID_DIFFERS"),
    ],
)
def test_what_is_no_zone_is_refused_and_changes_nothing(
    durable: Durable, patch: dict[str, Any], code: str
) -> None:
    made = new_draft(durable[1])
    with pytest.raises(InvalidRequest) as refused:
        durable[1].call(lambda tx: update_zone(tx, "night", "CORE", patch, "ed"))
    assert [one.code for one in refused.value.problems] == [code]
    with durable[0].reading() as connection:
        assert read_draft(connection, "night") == made


@pytest.mark.parametrize("zone_id", [".", "..", " .. "])
def test_a_zone_id_that_no_address_can_name_is_refused(durable: Durable, zone_id: str) -> None:
    new_draft(durable[1])
    step = square(-122.3, 47.5, zone_id=zone_id)
    with pytest.raises(InvalidRequest) as refused:
        durable[1].call(lambda tx: create_zone(tx, "night", step, "ed"))
    assert [one.code for one in refused.value.problems] == ["WRONG_VALUE"]


def test_only_its_owner_changes_a_draft(durable: Durable) -> None:
    new_draft(durable[1])
    with pytest.raises(NotYours):
        durable[1].call(lambda tx: delete_zone(tx, "night", "CORE", "eva"))
    with pytest.raises(NotYours):
        durable[1].call(lambda tx: remove_draft(tx, require_draft(tx, "night"), "eva"))
    assert set(features(durable)) == {"CORE"}


def test_a_zone_or_draft_that_is_not_there_is_named(durable: Durable) -> None:
    new_draft(durable[1])
    with pytest.raises(NoSuchZone):
        durable[1].call(lambda tx: delete_zone(tx, "night", "EAST", "ed"))
    with pytest.raises(NoSuchDraft):
        durable[1].call(lambda tx: delete_zone(tx, "day", "CORE", "ed"))
    with pytest.raises(ChangeRefused):
        durable[1].call(lambda tx: create_zone(tx, "night", CORE, "ed"))


def test_an_editor_has_one_draft_and_a_name_is_taken_once(durable: Durable) -> None:
    new_draft(durable[1])
    for name, by in (("day", "ed"), ("night", "eva")):
        with pytest.raises(ChangeRefused):
            durable[1].call(
                lambda tx, name=name, by=by: create_draft(  # type: ignore[misc]
                    tx, name, Content(text=TEXT, zones="{}"), by=by, base_key=""
                )
            )


def test_any_change_of_content_voids_an_approval_and_a_second_person_gives_it(
    durable: Durable,
) -> None:
    new_draft(durable[1])
    with pytest.raises(NotYours):
        durable[1].call(lambda tx: approve_draft(tx, require_draft(tx, "night"), "ed"))
    approved = durable[1].call(lambda tx: approve_draft(tx, require_draft(tx, "night"), "eva"))
    assert approved.is_approved
    renamed = {"properties": {"name": "Heart"}}
    durable[1].call(lambda tx: update_zone(tx, "night", "CORE", renamed, "ed"))
    with durable[0].reading() as connection:
        changed = read_draft(connection, "night")
    assert changed is not None
    assert (changed.is_approved, changed.version) == (False, 2)


def test_every_write_of_a_draft_is_in_the_audit_and_in_the_feed(durable: Durable) -> None:
    from sqlalchemy import select

    from api.store.tables import audit, changes

    new_draft(durable[1])
    durable[1].call(lambda tx: delete_zone(tx, "night", "CORE", "ed"))
    durable[1].call(lambda tx: approve_draft(tx, require_draft(tx, "night"), "eva"))
    durable[1].call(lambda tx: remove_draft(tx, require_draft(tx, "night"), "ed"))
    with durable[0].reading() as connection:
        kinds = connection.execute(select(audit.c.kind).order_by(audit.c.number)).scalars().all()
        keys = connection.execute(select(changes.c.topic, changes.c.key)).all()
    assert kinds == ["DRAFT_CREATED", "DRAFT_ZONES_CHANGED", "DRAFT_APPROVED", "DRAFT_DELETED"]
    assert keys == [("draft", "night")] * 4


def test_all_problems_of_a_collection_are_told_at_once() -> None:
    bad = square(-122.3, 47.6, zone_id="A", kind="ROUND")
    with pytest.raises(InvalidRequest) as refused:
        zone_collection(collection(CORE, bad, CORE, square(0, 0)))
    assert [(one.path, one.code) for one in refused.value.problems] == [
        ("/features/1", "WRONG_VALUE"),
        ("/features/3", "ID_MISSING"),
        ("/features", "ID_REPEATED"),
    ]
