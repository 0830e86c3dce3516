"""A store on each engine, for what is done with its audit log."""

from collections.abc import Iterator

import pytest

from api.audit.pages import Pages
from api.store.database import Database
from api.store.writer import Writer
from tests.api.store.engines import DATABASES, new_location, opened


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest) -> Iterator[str]:
    """Location of an empty database, which ends with the test."""
    with new_location(request.param) as made:
        yield made


@pytest.fixture
def kept(location: str) -> Iterator[tuple[Database, Writer]]:
    """A database with its tables, and the writer of the instance `test`."""
    with opened(location) as made:
        yield made


@pytest.fixture
def pages(kept: tuple[Database, Writer]) -> Pages:
    """The chains of that database, read a few rows at a time."""
    return Pages(kept[0].reading, 7)
