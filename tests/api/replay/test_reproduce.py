"""A record decided again: the same bytes, or the difference by its name."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from api.ladder import always_answering
from api.replay.differences import DIFFERENCES_MAX, Why, differences_of
from api.replay.library import Library, Streets
from api.replay.record import PastKind, SeenRecord, decode, encode
from api.replay.reproduce import reproduce
from api.replay.sources import MemoryShelf
from api.store.calls import Decided, KnownCall, MemoryCalls, OnCall
from routing.codes import Agency, Eta, Status
from routing.model import Recommendation, Situation
from routing.recommend import recommend
from routing.updates import SafetyChange
from tests.api.builtin_view import builtin_view
from tests.api.replay.recorded import NOW, library, recorded, sources, streets
from tests.api.requests_made import CARE_2, SPD_1, SPD_2, request, request_about


def why(record: SeenRecord, shelf: Library | None = None) -> list[Why]:
    return [one.why for one in reproduce(record, shelf or library()).differences]


def test_an_answer_is_made_again_byte_by_byte() -> None:
    replayed = reproduce(decode(encode(recorded())), library())
    assert (replayed.identical, replayed.verified, replayed.differences) == (True, False, ())
    assert replayed.answer_bytes == len(recorded().answer)


def test_a_changed_answer_is_named_by_its_path_and_both_values() -> None:
    record = recorded()
    answer = record.answer.replace(b'"outcome":"DISPATCH"', b'"outcome":"HOLD"')
    (found,) = reproduce(replace(record, answer=answer), library()).differences
    assert (found.why, found.path) == (Why.ANSWER, "/outcome")
    assert (found.recorded, found.replayed) == ('"HOLD"', '"DISPATCH"')


def test_a_hold_keeps_since_when_and_an_earlier_unit_is_kept() -> None:
    calls, later = MemoryCalls(), NOW + dt.timedelta(minutes=4)
    recorded(request(CARE_2, as_of=None), calls=calls)
    held = recorded(request(CARE_2, as_of=None), calls=calls, at=later)
    assert json.loads(held.answer)["hold"]["held_since"] == "2026-07-21T20:05:02.120Z"
    assert reproduce(held, library()).identical
    assert held.pasts[0].known is not None
    forgot = replace(held.pasts[0], known=replace(held.pasts[0].known, held_since=None))
    found = reproduce(replace(held, pasts=(forgot,)), library()).differences
    assert {one.path for one in found} >= {"/hold/held_since", "/hold/escalate_at"}


def test_a_safety_alert_is_raised_again_with_its_id() -> None:
    calls = MemoryCalls()
    recorded(request(as_of=None), calls=calls)
    made = request_about(
        version=4,
        assigned=[{"unit_id": "CARE2#a", "agency": "CARE", "status": "ENROUTE"}],
        screening=request()["incident"]["screening"] | {"weapon": "YES"},
    )
    record = recorded(made | {"as_of": None}, calls=calls)
    assert json.loads(record.answer)["safety_changed"]["alert_id"].startswith("alert_")
    assert reproduce(record, library()).identical


def test_claims_on_units_of_the_request_are_remembered() -> None:
    view = builtin_view().with_claims(["2M1#b", "CARE2#a", "elsewhere"])
    record = recorded(request(as_of=None), view=view)
    assert record.claimed == ("2M1#b", "CARE2#a")
    assert json.loads(record.answer)["assign"][0]["unit_id"] == "2K3#b"
    assert reproduce(record, library()).identical
    assert Why.ANSWER in why(replace(record, claimed=("2M1#b",)))


def test_a_unit_that_was_reported_on_the_call_counts_as_assigned_again() -> None:
    calls = MemoryCalls()
    recorded(request(as_of=None), calls=calls)
    unit = OnCall(unit_id="2M1#b", agency=Agency.SPD, status=Status.ON_SCENE)
    calls.put_facts("2026000214377", (unit,), NOW)
    record = recorded(request(as_of=None), calls=calls)
    assert json.loads(record.answer)["assign"][0]["already_assigned"] is True
    assert reproduce(record, library()).identical
    assert record.pasts[0].known is not None
    alone = replace(record.pasts[0], known=replace(record.pasts[0].known, on_call=()))
    assert Why.ANSWER in why(replace(record, pasts=(alone,)))


def test_a_call_that_changed_while_it_was_decided_tells_the_same_alert() -> None:
    class Changed(MemoryCalls):
        def record(self, decided: Decided) -> KnownCall | None:
            harm = SafetyChange(reasons=(), orders=(), message="meanwhile")
            super().record(replace(decided, change=harm, recommendation_id="rec_other"))
            return super().record(decided)

    record = recorded(request(as_of=None), calls=Changed())
    assert json.loads(record.answer)["safety_changed"]["alert_id"] == "alert_other"
    assert record.pasts[0].kind is PastKind.CHANGED
    assert reproduce(record, library()).identical


def test_a_version_that_was_overtaken_meanwhile_tells_the_same() -> None:
    class Overtaken(MemoryCalls):
        def record(self, decided: Decided) -> KnownCall | None:
            super().record(replace(decided, version=decided.version + 2))
            return super().record(decided)

    record = recorded(request(as_of=None), calls=Overtaken())
    assert b"INCIDENT_VERSION_OLD" in record.answer
    assert record.pasts[0].kind is PastKind.OVERTAKEN
    assert reproduce(record, library()).identical


@pytest.mark.parametrize("broken", [{Eta.ROAD}, {Eta.ROAD, Eta.STRAIGHT_LINE}])
def test_an_answer_of_a_lower_rung_is_made_on_that_rung(broken: set[Eta]) -> None:
    def decide(situation: Situation, *asked: Any, **how: Any) -> Recommendation:
        if situation.rung in broken:
            raise ArithmeticError
        return recommend(situation, *asked, **how)

    record = recorded(decide=always_answering(decide, lambda _fault, _rung: None))
    assert record.versions.rung not in {Eta.ROAD, *broken}
    assert reproduce(record, library()).identical
    by_road = replace(record, versions=replace(record.versions, rung=Eta.ROAD))
    assert Why.ANSWER in why(by_road)


def test_a_call_far_from_any_street_is_no_lower_rung() -> None:
    record = recorded(request_about(location={"lon": -122.3425, "lat": 47.5940}))
    assert json.loads(record.answer)["basis"]["eta"] == "STRAIGHT_LINE"
    assert record.versions.rung is Eta.ROAD
    assert reproduce(record, library()).identical


def test_a_release_that_is_not_kept_is_named() -> None:
    record = recorded()
    gone = replace(record, versions=replace(record.versions, release="rel-2020@0"))
    (found,) = reproduce(gone, library()).differences
    assert (found.why, found.said) == (Why.NOT_KEPT, "The release rel-2020@0 is not kept.")


def test_weights_and_streets_that_are_not_kept_are_named() -> None:
    record = recorded()
    for name in ("weights_id", "emergency_weights_id", "network_id", "network_digest"):
        gone = replace(record, versions=replace(record.versions, **{name: "other"}))
        assert why(gone) == [Why.NOT_KEPT]
    assert "other" in reproduce(gone, library()).differences[0].said


def test_a_release_that_changed_under_its_name_is_not_taken_for_it() -> None:
    shelf, kept = MemoryShelf(sources()), sources().release
    shelf.releases[kept.key] = replace(
        kept, text=kept.text.replace("min_gain_s = 30", "min_gain_s = 31")
    )
    assert why(recorded(), Library(shelf, streets())) == [Why.NOT_KEPT]


def test_another_version_of_the_software_is_a_remark_unless_something_differs() -> None:
    record = recorded()
    old = replace(record.versions, software="0.0.9")
    older = replace(
        record,
        versions=old,
        answer=record.answer.replace(b'"software":"0.1.0"', b'"software":"0.0.9"'),
    )
    assert older.answer != record.answer
    replayed = reproduce(older, library())
    assert replayed.identical
    assert replayed.remarks == ("software 0.0.9 recorded, this is 0.1.0",)
    wrong = replace(older, answer=older.answer.replace(b"DISPATCH", b"HOLD", 1))
    assert why(wrong)[0] is Why.SOFTWARE


def test_a_damaged_block_and_a_refused_request_are_named() -> None:
    record = recorded(request(units=None, as_of=None))
    assert why(replace(record, units=record.units[:-3])) == [Why.DAMAGED]
    assert why(replace(recorded(), body=b"{")) == [Why.REFUSED]


def test_the_order_of_units_does_not_matter_but_the_bytes_of_the_request_do() -> None:
    one = recorded(request(CARE_2, SPD_1, SPD_2))
    assert reproduce(one, library()).identical
    other = recorded(request(CARE_2, SPD_2))
    assert why(replace(one, body=other.body))[0] is Why.ANSWER


def test_the_streets_are_the_same_when_they_are_loaded_again() -> None:
    again = Streets.loaded(None)
    assert again.digest == streets().digest
    assert reproduce(recorded(), Library(MemoryShelf(sources()), again)).identical


def test_differences_are_bounded_and_written_otherwise_is_one_too() -> None:
    many = json.dumps(list(range(500))).encode()
    none = json.dumps([None] * 500).encode()
    assert len(differences_of(many, none)) == DIFFERENCES_MAX
    (spaces,) = differences_of(b'{"a":1}', b'{"a": 1}')
    assert (spaces.why, spaces.path) == (Why.BYTES, "")
    assert differences_of(b"[1]", b"[1.0]")[0].why is Why.ANSWER
    assert differences_of(b'{"a/b":1}', b"{}")[0].path == "/a~1b"


def test_every_word_for_a_difference_is_described() -> None:
    page = (Path(__file__).parents[3] / "docs" / "replay.md").read_text(encoding="utf-8")
    assert [word for word in Why if f"| `{word}` |" not in page] == []
