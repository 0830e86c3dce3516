"""What the queue writes is judged by what is kept when it is written."""

from api.queue.keeping import keep_left
from api.queue.waiting import LeftWhy, Waiting, read_waiting
from tests.api.claims.desk_story import DeskStory, desk_story


def waiting(desk: DeskStory) -> Waiting:
    with desk.database.reading() as connection:
        return read_waiting(connection, ["A"])["A"]


def test_what_was_seen_before_a_claim_is_no_word_on_the_call_after_it() -> None:
    with desk_story("sqlite", quick=True) as desk:
        desk.units("C1", "S1")
        asked = desk.recommend("A", "S1", "C1")
        seen = waiting(desk)
        desk.confirm(asked)
        assert not desk.do(lambda tx: keep_left(tx, seen, LeftWhy.AGED_OUT))
        now = waiting(desk)
        assert desk.do(lambda tx: keep_left(tx, now, LeftWhy.AGED_OUT))
