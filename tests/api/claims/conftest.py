"""A desk of each engine for the tests of claims."""

from collections.abc import Iterator

import pytest

from tests.api.claims.desk_story import DeskStory, desk_story
from tests.api.store.engines import DATABASES


@pytest.fixture(params=DATABASES)
def desk(request: pytest.FixtureRequest) -> Iterator[DeskStory]:
    with desk_story(request.param) as made:
        yield made
