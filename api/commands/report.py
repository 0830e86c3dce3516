"""`tandem report daily`: what the programme measures of one day."""

import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.commands.console import out
from api.commands.opened import opened
from api.errors import StartError
from api.settings import read_settings


def run_daily(store: str | None, day: str | None, zone: str, *, as_json: bool) -> None:
    """Print the measures of a day; without one, of yesterday."""
    import msgspec

    from api.measures.report import as_lines, assumption_of, read_day

    chosen = _day(day, zone)
    with opened(store) as database:
        found = read_day(database, chosen, zone, assumption_of(read_settings()))
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return
    for line in as_lines(found):
        out.print(line, markup=False, soft_wrap=True)


def _day(said: str | None, zone: str) -> date:
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise StartError(
            "--zone is no time zone.", remedy="Give one such as America/Los_Angeles."
        ) from None
    if said is None:
        return datetime.now(UTC).astimezone(local).date() - timedelta(days=1)
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise StartError("--date is no day.", remedy="Give one such as 2026-07-21.") from None
