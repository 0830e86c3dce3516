"""A second process that writes the roster of a store: `python -m tests.api.other_process LOCATION`.

For each line of its input, `UNIT_ID STATUS`, it writes that status and answers the instant of the
commit, in seconds since 1970.
"""

import datetime as dt
import sys
import time
from dataclasses import replace

from api.store.contract import RosterChange
from api.store.records import StoredUnit
from api.store.sql_roster import SqlRoster
from routing.codes import Status
from routing.roster import UnitId
from tests.api.store.engines import opened


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(location: str) -> None:
    with opened(location, "second") as (database, writer):
        roster = SqlRoster(database, writer)
        say("ready")
        for line in sys.stdin:
            unit_id, status = line.split()
            kept: StoredUnit = roster.read([unit_id]).units[UnitId(unit_id)].unit
            told = replace(kept, status=Status(status), version=(kept.version or 0) + 1)
            written = roster.write(RosterChange(at=dt.datetime.now(dt.UTC), units=(told,)))
            assert written.changed == (unit_id,)
            say(str(time.time()))


if __name__ == "__main__":
    main(sys.argv[1])
