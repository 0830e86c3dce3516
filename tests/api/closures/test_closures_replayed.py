"""What was decided under closures is decided again, byte for byte, from the store alone."""

import datetime as dt
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.store.closure_tables import closed_sets
from api.store.database import Database
from api.store.tables import weight_sets
from tests.api.builtin_view import builtin_view
from tests.api.call_story import NOW
from tests.api.claims.http_desk import served
from tests.api.closures.http_closures import Closing, block
from tests.api.requests_made import ROSTER


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Serve recommendations under changing closures, and return the store and what was closed."""
    file, told = tmp_path_factory.mktemp("replay") / "store.sqlite", []
    with served(str(file), builtin_view()) as desk:
        story = Closing(desk)
        assert desk.client.put("/v1/units", json={"units": list(ROSTER)}).status_code == 200

        def ask() -> None:
            answer = desk.ask()
            assert answer["recorded"], "nothing to decide again"
            told.append(f"{answer['basis']['closures_active']} {answer['inside_closure_m']}")

        ask()
        first = story.active(name="Water main", traffic="ALL_BUT_EMERGENCY")
        ask()
        # The same edges under another name are another answer.
        second = story.active(name="Fire", ends_at=(NOW + dt.timedelta(seconds=60)).isoformat())
        ask()
        story.step(first, "end")
        ask()
        ask()
        street = block(builtin_view().situation.network, 300)
        story.active(name="Parade", geometry=street)
        desk.clock.pass_by(61)
        ask()
        assert story.read(second)["closure"]["state"] == "EXPIRED"
    return file, told


def test_each_is_identical_after_a_restart(kept: tuple[Path, list[str]]) -> None:
    file, told = kept
    assert [one.split()[0] for one in told] == ["0", "1", "2", "1", "1", "1"]
    assert told[1].split()[1] != "None"
    done = CliRunner().invoke(app, ["replay", "--all", "--store", str(file)])
    assert done.exit_code == 0, done.output
    assert f"{len(told)} replayed: {len(told)} identical" in done.output


def test_a_set_of_closures_that_is_not_kept_is_named(kept: tuple[Path, list[str]]) -> None:
    file, _ = kept
    database = Database(str(file))
    with database.writing() as connection:
        gone = connection.execute(closed_sets.delete()).rowcount
    database.close()
    assert gone == 4
    done = CliRunner().invoke(app, ["replay", "--all", "--store", str(file)])
    assert done.exit_code == 1
    assert "set of closures" in done.output


def test_each_weight_set_is_kept_once(kept: tuple[Path, list[str]]) -> None:
    database = Database(str(kept[0]))
    with database.reading() as connection:
        names = connection.execute(weight_sets.select()).all()
    database.close()
    closed = {row.weights_id for row in names if not row.weights_id.endswith("-c0")}
    assert len(names) - len(closed) == 2
    assert len(closed) >= 4
