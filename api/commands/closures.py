"""`tandem closures`: propose, activate, list and end closures of a running service."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from api.closures.windows import DAYS, windows_of
from api.commands.console import notes, out
from api.commands.remote import Remote, in_path
from api.errors import StartError

CLOSURES: Final = "/v1/closures"
GEOMETRY_BYTES_MAX: Final = 1_000_000


def run_add(
    fields: dict[str, Any], *, place: Sequence[Any], url: str | None, accept_cut_off: bool,
    activate: bool,
) -> None:  # fmt: skip
    """Propose a closure and show what it would do; activate it where that was asked for."""
    service = Remote(url)
    body = {name: value for name, value in fields.items() if value is not None}
    body |= _place(*place)
    body["windows"] = _windows(body.get("windows"))
    answer = service.send("POST", CLOSURES, body).said
    closure_id = answer["closure"]["closure_id"]
    _tell_effect(answer["effect"])
    if activate:
        told = {"version": answer["closure"]["version"], "accept_cut_off": accept_cut_off}
        service.send("POST", f"{CLOSURES}/{closure_id}/activate", told)
    else:
        notes.print(f"Proposed. It closes nothing until: tandem closures activate {closure_id}")
    out.print(closure_id)


def run_activate(closure_id: str, *, url: str | None, accept_cut_off: bool) -> None:
    """Have a proposed closure close its streets."""
    service = Remote(url)
    path = f"{CLOSURES}/{in_path(closure_id)}"
    seen = service.get(path).said
    _tell_effect(seen["effect"])
    told = {"version": seen["closure"]["version"], "accept_cut_off": accept_cut_off}
    answer = service.send("POST", f"{path}/activate", told).said
    _tell_state(answer["closure"])


def run_end(closure_id: str, *, url: str | None, reason: str, at: datetime | None) -> None:
    """Open the streets of a closure, now or at an instant."""
    path = f"{CLOSURES}/{in_path(closure_id)}/end"
    told = {"reason": reason, "at": None if at is None else instant_text(at)}
    answer = Remote(url).send("POST", path, told).said
    _tell_state(answer["closure"])


def run_list(*, url: str | None, state: str | None, as_json: bool) -> None:
    """Show the closures that are proposed or active, or those of one state."""
    query = "" if state is None else f"?state={in_path(state.upper())}"
    found = Remote(url).get(CLOSURES + query).said["closures"]
    if as_json:
        out.print_json(json.dumps(found))
        return
    table = Table("closure", "name", "state", "closed now", "for", "from", "until", box=None)
    for one in found:
        closed = "yes" if one["is_closed_now"] else "no"
        table.add_row(
            one["closure_id"], one["name"], one["state"], closed, one["traffic"],
            one["starts_at"] or "activation", one["ends_at"] or "ended by hand",
        )  # fmt: skip
    out.print(table)


def instant_text(told: datetime) -> str:
    """Return an instant with its offset; a time without one is this machine's wall clock."""
    return told.astimezone().isoformat(timespec="seconds")


def _place(
    geometry: Path | None,
    point: tuple[float, float] | None,
    street: tuple[str, str, str] | None,
) -> dict[str, Any]:
    given = [one for one in (geometry, point, street) if one is not None]
    if len(given) != 1:
        raise StartError(
            "The place of the closure is not clear.",
            remedy="Give one of --geometry FILE, --at LON LAT, or --street NAME FROM TO.",
        )
    if street is not None:
        name, first, last = street
        return {"street": name, "from_street": first, "to_street": last}
    if point is not None:
        return {"geometry": {"type": "Point", "coordinates": list(point)}}
    assert geometry is not None, "a place of no kind"
    return {"geometry": _geometry(geometry)}


def _geometry(file: Path) -> Any:
    """Return the geometry of a file: GeoJSON of a geometry, a feature, or one feature alone."""
    remedy = "Give GeoJSON of one Point, LineString or Polygon."
    try:
        if file.stat().st_size > GEOMETRY_BYTES_MAX:
            raise StartError(f"{file}: more than {GEOMETRY_BYTES_MAX:,} bytes.", remedy=remedy)
        told = json.loads(file.read_text(encoding="utf-8"))
        if told.get("type") == "FeatureCollection":
            (told,) = told["features"]
        return told["geometry"] if told.get("type") == "Feature" else told
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise StartError(f"{file}: {error}.", remedy=remedy) from None


def _windows(text: str | None) -> list[dict[str, Any]]:
    try:
        found = windows_of(text or "")
    except ValueError as error:
        raise StartError(
            f"--windows: {error}.", remedy="Write them like 'mon,tue 17:30-23:00; sat 10:00-02:00'."
        ) from None
    return [
        {"days": [DAYS[day] for day in one.days], "start": one.start, "end": one.end}
        for one in found
    ]


def _tell_effect(effect: dict[str, Any] | None) -> None:
    if effect is None:
        notes.print("Nobody can say what it does: its place is none on the streets of the service.")
        return
    share = 100 * effect["network_share"]
    names = ", ".join(effect["streets"][:5])
    notes.print(f"Closes {effect['length_m']:,.0f} m ({share:.2g} % of the network): {names}")
    cut = effect["cut_off"]
    if cut is not None:
        posts = f" and the posts {', '.join(cut['posts'])}" if cut["posts"] else ""
        notes.print(f"[bold]Cuts off[/bold] {cut['street_count']} streets{posts}.")


def _tell_state(closure: dict[str, Any]) -> None:
    now = "closed" if closure["is_closed_now"] else "open"
    change = closure["next_change_at"]
    then = f"; changes at {change}" if change else ""
    out.print(f"{closure['closure_id']}: {closure['state']}, streets {now}{then}", soft_wrap=True)
