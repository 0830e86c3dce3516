"""Ids sort by time, never meet, and have no letters that are read wrongly."""

import datetime as dt
import re

from api.ids import new_recommendation_id

NOON = dt.datetime(2026, 7, 21, 12, tzinfo=dt.UTC)


def test_an_id_is_a_ulid_in_crockfords_base_32() -> None:
    assert re.fullmatch(r"rec_[0-9A-HJKMNP-TV-Z]{26}", new_recommendation_id(NOON))


def test_the_time_is_in_its_first_ten_letters() -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert new_recommendation_id(epoch).startswith("rec_0000000000")
    # The example of the ULID specification.
    known = epoch + dt.timedelta(milliseconds=1469918176385)
    assert new_recommendation_id(known).startswith("rec_01ARYZ6S41")


def test_later_ids_sort_later_and_equal_instants_differ() -> None:
    ids = [new_recommendation_id(NOON + dt.timedelta(milliseconds=i)) for i in range(100)]
    assert ids == sorted(ids)
    assert new_recommendation_id(NOON) != new_recommendation_id(NOON)
