"""What the query of an address asks for, read strictly: what is not understood is refused (400).

OGC API - Features, Part 1: a parameter that is not in the API description, or has a value that it
cannot have, is an error; a `limit` above the greatest is not.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from api.errors import BadParameter, Problem
from api.ogc.layers import Box, During
from api.ogc.systems import BY_URI, CRS84, Bounds, System

LIMIT: Final = 1_000
"""Features of a page for those who do not say how many."""
LIMIT_MAX: Final = 2_000
OFFSET_MAX: Final = 1_000_000_000
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

FORMAT: Final = "f"
JSON: Final = "json"
ITEM_PARAMETERS: Final = (FORMAT, "crs")
ITEMS_PARAMETERS: Final = (FORMAT, "limit", "offset", "bbox", "bbox-crs", "crs", "datetime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which features of a collection, how many of them, and in which system."""

    limit: int = LIMIT
    offset: int = 0
    box: Box | None = None
    during: During | None = None
    system: System = CRS84
    query: Mapping[str, str]
    """As it was sent; the links to other pages repeat it."""

    def page(self, offset: int) -> str:
        """Return the query of the page that begins at an offset."""
        return urlencode(dict(self.query) | {"offset": str(offset)})


def read_items_query(query: QueryParams) -> Asked:
    """Read the query of `/items`.

    Raises
    ------
    BadParameter
        A parameter is unknown, occurs twice or has a value that it cannot have.
    """
    given = known_parameters(query, ITEMS_PARAMETERS)
    if "bbox-crs" in given and "bbox" not in given:
        raise _bad("bbox-crs", "comes without bbox", "Send bbox with it, or leave it out.")
    of_box = _system(given, "bbox-crs")
    return Asked(
        limit=min(_whole(given, "limit", LIMIT, low=1), LIMIT_MAX),
        offset=min(_whole(given, "offset", 0, low=0), OFFSET_MAX),
        box=_box(given["bbox"], of_box) if "bbox" in given else None,
        during=read_during(given["datetime"]) if "datetime" in given else None,
        system=_system(given, "crs"),
        query=given,
    )


def read_item_query(query: QueryParams) -> System:
    """Read the query of one feature; it raises what `read_items_query` does."""
    return _system(known_parameters(query, ITEM_PARAMETERS), "crs")


def known_parameters(query: QueryParams, known: Collection[str]) -> dict[str, str]:
    """Return the parameters of a query, which may be these only, each once.

    Raises
    ------
    BadParameter
        There is another, or one twice, or a form that nothing is given in.
    """
    given: dict[str, str] = {}
    for name, value in query.multi_items():
        remedy = f"This address takes {', '.join(known) or 'none'}."
        if name not in known:
            raise BadParameter(
                "The address has a parameter that it does not take.",
                remedy=remedy,
                problems=(_problem("PARAMETER_UNKNOWN", "one of the parameters", "", remedy),),
            )
        if name in given:
            raise _bad(name, "occurs more than once", "Send it once.")
        given[name] = value
    if given.get(FORMAT, JSON) != JSON:
        raise _bad(FORMAT, "is not json", "Send f=json, or leave it out: all is JSON.")
    return given


def read_system(name: str, parameter: str) -> System:
    """Return the system of a URI, which may stand in angle brackets.

    Raises
    ------
    BadParameter
        It is none that is offered.
    """
    found = BY_URI.get(name.strip().removeprefix("<").removesuffix(">"))
    if found is None:
        raise _bad(
            parameter, "names no system that is offered", f"Send one of {', '.join(BY_URI)}."
        )
    return found


def read_during(text: str) -> During:
    """Read an instant, or two with a slash between them, of which one may be open ('..' or '').

    Raises
    ------
    BadParameter
        It is neither.
    """
    ends = text.split("/")
    if len(ends) == 1:
        at_s = _instant_s(text)
        return During(from_s=at_s, to_s=at_s)
    if len(ends) != 2:
        raise _bad_time()
    low, high = ends
    from_s = -math.inf if low in ("", "..") else _instant_s(low)
    to_s = math.inf if high in ("", "..") else _instant_s(high)
    if from_s > to_s or (from_s, to_s) == (-math.inf, math.inf):
        raise _bad_time()
    return During(from_s=from_s, to_s=to_s)


def _instant_s(text: str) -> float:
    """Return seconds since 1970 of an instant in RFC 3339."""
    if not _INSTANT.fullmatch(text):
        raise _bad_time()
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise _bad_time() from None


def _bad_time() -> BadParameter:
    remedy = "Send 2026-07-21T13:00:00Z, or 2026-07-21T00:00:00Z/.. for all from then on."
    return _bad("datetime", "is no instant and no interval in RFC 3339", remedy)


def _box(text: str, system: System) -> Box:
    numbers = [_number(part) for part in text.split(",")]
    if len(numbers) == 6:  # with heights, which nothing here has
        numbers = [numbers[i] for i in (0, 1, 3, 4)]
    if len(numbers) != 4:
        raise _bad_box()
    a, b, c, d = numbers
    bounds: Bounds = (b, a, d, c) if system.is_lat_first else (a, b, c, d)
    crosses = bounds[0] > bounds[2] and not system.is_projected
    if bounds[1] > bounds[3] or (bounds[0] > bounds[2] and not crosses):
        raise _bad_box()
    return Box(bounds=bounds, system=system if system.is_projected else CRS84)


def _number(text: str) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        raise _bad_box() from None
    if not math.isfinite(number):
        raise _bad_box()
    return number


def _bad_box() -> BadParameter:
    remedy = "Send bbox=-122.36,47.58,-122.30,47.62: two corners, least first, in bbox-crs."
    return _bad("bbox", "is not four numbers (or six), the least first", remedy)


def _whole(given: Mapping[str, str], name: str, default: int, *, low: int) -> int:
    if name not in given:
        return default
    text = given[name]
    number = int(text[:20]) if text.isascii() and text.isdigit() else low - 1
    if number < low:
        raise _bad(name, f"is no whole number from {low} up", f"Send {name}={max(low, 10)}.")
    return number


def _system(given: Mapping[str, str], name: str) -> System:
    return read_system(given[name], name) if name in given else CRS84


def _bad(name: str, detail: str, remedy: str) -> BadParameter:
    said = f"The parameter {name} {detail}."
    code = "PARAMETER_INVALID"
    return BadParameter(said, remedy=remedy, problems=(_problem(code, name, detail, remedy),))


def _problem(code: str, name: str, detail: str, remedy: str) -> Problem:
    said = f"{name} {detail}".strip() if detail else "is not known here"
    return Problem(path=f"?{name}" if detail else "", code=code, detail=said, remedy=remedy)
