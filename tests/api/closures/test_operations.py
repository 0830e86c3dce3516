"""What may be done with a closure, step by step, on both engines."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from api.closures import features, operations
from api.closures.closure_rows import closures_since, list_closures, read_closure
from api.closures.records import ClosureState, KeptClosure
from api.errors import ClosureRefused, InvalidRequest, NoSuchClosure
from api.store.changes import changes_after
from api.store.closure_tables import closures
from api.store.database import Database
from api.store.tables import to_us
from api.store.writer import Transaction, Writer
from tests.api.closures.closure_story import LINE, NOW, content, feature

BY = "D417"


class Story:
    """Writes closures at instants of the test's own."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database, self.writer = database, writer
        self.at = NOW
        writer.now = lambda: self.at

    def pass_by(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)

    def do(self, step: Any, *given: Any) -> Any:
        return self.writer.call(lambda tx: step(tx, *given))

    def propose(self, **fields: Any) -> KeptClosure:
        found: KeptClosure = self.do(operations.propose, content(**fields), BY)
        return found

    def activate(self, **fields: Any) -> KeptClosure:
        made = self.propose(**fields)
        found: KeptClosure = self.do(
            operations.activate, made.closure_id, made.version, "S9", {"edges": 2}
        )
        return found

    def listed(self, state: ClosureState | None = None) -> list[str]:
        with self.database.reading() as connection:
            found = list_closures(connection, state=state, at=self.at, most=100)
        return [one.closure_id for one in found]

    def held_since(self, seconds: float) -> list[str]:
        with self.database.reading() as connection:
            found = closures_since(connection, self.at + dt.timedelta(seconds=seconds))
        return [one.closure_id for one in found]


@pytest.fixture
def story(durable: tuple[Database, Writer]) -> Any:
    database, writer = durable
    before = writer.now
    yield Story(database, writer)
    writer.now = before


def refusal(story: Story, step: Any, *given: Any) -> str:
    with pytest.raises(ClosureRefused) as found:
        story.do(step, *given)
    return found.value.problems[0].code


def test_a_proposal_closes_nothing_and_may_be_changed_and_deleted(story: Story) -> None:
    made = story.propose()
    assert (made.state, made.version, made.holds_from) == (ClosureState.PROPOSED, 1, None)
    assert story.held_since(0) == []
    after = story.do(operations.replace_proposed, made.closure_id, content(name="Parade"), "G1")
    assert (after.content.name, after.version, after.changed_by) == ("Parade", 2, "G1")
    story.do(operations.delete_proposed, made.closure_id, BY)
    assert story.listed() == []
    with pytest.raises(NoSuchClosure):
        story.do(operations.delete_proposed, made.closure_id, BY)


def test_an_active_closure_is_not_changed_or_deleted_but_ended(story: Story) -> None:
    made = story.activate()
    for step in (
        (operations.replace_proposed, made.closure_id, content(), BY),
        (operations.delete_proposed, made.closure_id, BY),
        (operations.activate, made.closure_id, made.version, BY, {}),
    ):
        assert refusal(story, *step) == "CLOSURE_NOT_PROPOSED"
    story.pass_by(60)
    ended = story.do(operations.end, made.closure_id, BY, "over", None)
    assert (ended.state, ended.holds_until) == (ClosureState.ENDED, story.at)
    again = story.do(operations.end, made.closure_id, "X1", "", None)
    assert again == ended


def test_what_was_looked_at_is_what_is_activated(story: Story) -> None:
    made = story.propose()
    story.do(operations.replace_proposed, made.closure_id, content(name="Parade"), BY)
    step = (operations.activate, made.closure_id, 1, BY, {})
    assert refusal(story, *step) == "CLOSURE_CHANGED"
    assert story.do(operations.activate, made.closure_id, 2, BY, {}).version == 3


def test_a_closure_expires_by_itself_and_holds_from_its_activation(story: Story) -> None:
    made = story.activate(
        starts_at=NOW - dt.timedelta(hours=1), ends_at=NOW + dt.timedelta(seconds=10)
    )
    assert made.holds_from == NOW
    story.pass_by(9.999)
    assert story.listed(ClosureState.ACTIVE) == [made.closure_id]
    story.pass_by(0.001)
    assert story.listed(ClosureState.ACTIVE) == story.listed() == []
    assert story.listed(ClosureState.EXPIRED) == [made.closure_id]
    assert story.held_since(-5) == [made.closure_id]
    assert story.held_since(0) == []


def test_nothing_is_proposed_or_activated_that_is_over(story: Story) -> None:
    passed = content(ends_at=NOW - dt.timedelta(seconds=1))
    assert refusal(story, operations.propose, passed, BY) == "CLOSURE_OVER"
    made = story.propose(ends_at=NOW + dt.timedelta(seconds=1))
    story.pass_by(1)
    step = (operations.activate, made.closure_id, 1, BY, {})
    assert refusal(story, *step) == "CLOSURE_OVER"


def test_an_end_may_be_moved_to_a_later_instant_only(story: Story) -> None:
    made = story.activate(ends_at=NOW + dt.timedelta(hours=1))
    later = NOW + dt.timedelta(hours=3)
    assert story.do(operations.end, made.closure_id, BY, "", later).content.ends_at == later
    step = (operations.end, made.closure_id, BY, "", NOW - dt.timedelta(seconds=1))
    assert refusal(story, *step) == "CLOSURE_OVER"
    assert refusal(story, operations.end, story.propose().closure_id, BY, "", None) == (
        "CLOSURE_NOT_ACTIVE"
    )


def test_what_somebody_ended_is_not_read_again_when_it_is_long_over(story: Story) -> None:
    made = story.activate()
    story.do(operations.end, made.closure_id, BY, "", None)
    with story.database.reading() as connection:
        ends_at = connection.execute(select(closures.c.ends_at)).scalar_one()
    assert ends_at == to_us(story.at), "a store of ten years is read with every change"


def test_of_more_than_are_listed_the_latest_are(story: Story) -> None:
    made = list[str]()
    for _ in range(3):
        story.pass_by(1)
        made.append(story.propose().closure_id)
    with story.database.reading() as connection:
        found = list_closures(connection, state=None, at=story.at, most=2)
    assert [one.closure_id for one in found] == made[1:]


def test_so_many_closures_and_no_more_are_in_use(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "IN_USE_MAX", 2)
    story.propose()
    soon = story.activate(ends_at=NOW + dt.timedelta(seconds=1))
    assert refusal(story, operations.propose, content(), BY) == "CLOSURES_FULL"
    story.pass_by(1)
    assert story.propose().closure_id != soon.closure_id


def test_every_step_is_audited_with_its_person_and_announced(story: Story) -> None:
    with story.database.reading() as connection:
        before = len(changes_after(connection, 0))
    noted: list[Any] = []

    def watched(tx: Transaction) -> None:
        made = operations.propose(tx, content(), BY)
        operations.activate(tx, made.closure_id, 1, "S9", {"edges": 2})
        operations.end(tx, made.closure_id, "D2", "over", None)
        noted.extend(tx.notes)

    story.writer.call(watched)
    kinds = [(note.kind, note.said["person"]) for note in noted]
    assert kinds == [
        ("CLOSURE_PROPOSED", BY), ("CLOSURE_ACTIVATED", "S9"), ("CLOSURE_ENDED", "D2"),
    ]  # fmt: skip
    with story.database.reading() as connection:
        told = changes_after(connection, 0)[before:]
    assert {one.topic for one in told} == {"closure"}
    assert [one.said["state"] for one in told] == ["PROPOSED", "ACTIVE", "ENDED"]


# -- features -------------------------------------------------------------------------------------


def test_a_drawn_feature_is_proposed_changed_and_deleted(story: Story) -> None:
    closure_id = story.do(features.propose, feature(windows="sat,sun 10:00-02:00"), BY)
    with story.database.reading() as connection:
        (found,) = features.list_features(connection, at=story.at)
    assert (found["id"], found["geometry"]) == (closure_id, LINE)
    assert found["properties"]["state"] == "PROPOSED"
    assert found["properties"]["windows"] == "sat,sun 10:00-02:00"
    moved = {"type": "Point", "coordinates": [-122.33, 47.6]}
    story.do(features.update_proposed, closure_id, {"geometry": moved}, BY)
    story.do(features.update_proposed, closure_id, {"properties": {"name": "Fair"}}, BY)
    with story.database.reading() as connection:
        after = features.read_feature(connection, closure_id, story.at)
        kept = read_closure(connection, closure_id)
    assert (after["geometry"], after["properties"]["name"]) == (moved, "Fair")
    assert kept is not None
    assert kept.content.windows[0].days == (5, 6)
    assert kept.version == 3
    story.do(features.delete_proposed, closure_id, BY)
    assert story.listed() == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"traffic": "BUSES"}, "/properties/traffic"),
        ({"starts_at": "tomorrow"}, "/properties/starts_at"),
        ({"windows": "mon 9-5"}, "/properties/windows"),
        ({"name": 7}, "/properties/name"),
    ],
)
def test_a_feature_that_is_no_closure_is_refused_by_member(
    story: Story, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidRequest) as found:
        story.do(features.propose, feature(**changes), BY)
    assert [one.path for one in found.value.problems] == [path]


def test_a_feature_without_a_place_or_beyond_the_earth_is_refused(story: Story) -> None:
    for geometry in (None, {"type": "Point", "coordinates": [1e9, 0]}, {"type": "Circle"}, 7):
        with pytest.raises(InvalidRequest):
            story.do(features.propose, feature() | {"geometry": geometry}, BY)
    assert story.listed() == []
