"""An emptied durable store on each engine, shared by all tests of a run."""

import pytest

from api.store.database import Database
from api.store.writer import Writer
from tests.api.store.engines import DATABASES, SHARED


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Name of an engine."""
    return str(request.param)


@pytest.fixture
def durable(kind: str) -> tuple[Database, Writer]:
    """A database with its tables and no rows, and the writer of one instance."""
    return SHARED.of(kind)
