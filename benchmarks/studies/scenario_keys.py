"""Every key of a scenario file with what it may be: the one list that the reader goes by.

What lives here: the tables of keys. What does not: reading (`scenario_file`); defaults stand with
the nouns (`scenario`), and `docs/studies.md` has a row for each key, which a test holds.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.studies.scenario import Mode, Model, Posting, Spread
from benchmarks.studies.scenario_values import (
    Day,
    HourWeights,
    Key,
    Keys,
    Many,
    Number,
    OneOf,
    Place,
    Raw,
    Span,
    Text,
    Weekdays,
    Weights,
)

HOUR_S: Final = 3600
FILE: Final = Text("a path, relative to the scenario file; ${TANDEM_DATA} is filled in")
SECONDS: Final = Number(0, 24 * HOUR_S)
SOME_SECONDS: Final = Number(1, 24 * HOUR_S)
WHOLE_SECONDS: Final = Number(0, HOUR_S, whole=True)
SHARE: Final = Number(0, 1)
UNITS_MAX: Final = 2_000

TOP: Final[Keys] = {
    "name": Key(kind=Text(), needed=True, told="of the scenario, as reports show it"),
    "seed": Key(kind=Number(0, 2**63 - 1, whole=True), told="of everything that is drawn"),
    "attribution": Key(kind=Many(Text(), most=20), told="sources that the report names"),
}
STREETS: Final[Keys] = {
    "network": Key(kind=FILE, told="folder by `tandem network build`, or an OSM extract"),
    "driving": Key(kind=FILE, told="driving figures (TOML), as `tandem serve --driving` takes"),
    "closures": Key(kind=FILE, told="GeoJSON of closures that hold during all of the study"),
}
ZONE: Final[Keys] = {
    "release": Key(kind=FILE, told="release (TOML)"),
    "geojson": Key(kind=FILE, told="zones (GeoJSON) in place of the release's"),
    "hours": Key(kind=Span(), told="in place of the hours of every policy"),
    "mode": Key(kind=OneOf(Mode), told="in place of what a 911 call gets by policy"),
}
AREAS: Final[Keys] = {
    "file": Key(kind=FILE, needed=True, told="GeoJSON of areas"),
    "field": Key(kind=Text(), told="property that names each"),
}
UNITS: Final[Keys] = {
    "count": Key(kind=Number(0, UNITS_MAX, whole=True), told="units"),
    "posts": Key(
        kind=Raw('"pilot", "beats", a CSV file, or a list of {post_id, lon, lat, sector}'),
        told="where they stand, in turn",
    ),
    "sectors": Key(kind=Many(Text()), told="of the beats at which they stand"),
    "precinct": Key(kind=Text(), told="of the beats at which they stand"),
    "shifts": Key(
        kind=Raw('a list of hours such as "11:00-23:00", or of {hours, days, break_min}'),
        told="when they work",
    ),
    "crew": Key(kind=Number(1, 20, whole=True), told="persons in a unit"),
    "skills": Key(kind=Many(Text(), most=50), told="of each unit"),
    "posting": Key(kind=OneOf(Posting), told="where a unit waits after a call"),
}
SHIFT: Final[Keys] = {
    "hours": Key(kind=Span(), needed=True, told="from when to when"),
    "days": Key(kind=Weekdays(), told="on which it begins"),
    "break_min": Key(kind=Number(0, 240), told="minutes of one break in its middle"),
}
POST: Final[Keys] = {
    "post_id": Key(kind=Text(), needed=True, told="its name"),
    "lon": Key(kind=Number(-180, 180), needed=True, told="degrees, WGS 84"),
    "lat": Key(kind=Number(-90, 90), needed=True, told="degrees, WGS 84"),
    "sector": Key(kind=Text(), told="police sector"),
}
DEMAND: Final[Keys] = {
    "officer_share": Key(kind=SHARE, told="of CARE's calls, asked for by an officer on scene"),
    "screened_out_share": Key(kind=SHARE, told="of eligible calls, refused by the screening"),
}
PAST: Final[Keys] = {
    "calls": Key(kind=FILE, needed=True, told="CSV, GeoPackage or Parquet of past calls"),
    "mapping": Key(kind=FILE, told="TOML that says which columns are which"),
    "layer": Key(kind=Text(), told="of a GeoPackage with several"),
    "first_day": Key(kind=Day(), told="local day, included"),
    "last_day": Key(kind=Day(), told="local day, included"),
    "call_types": Key(kind=Many(Text(), most=500), told="texts of the types that count"),
    "assume_type": Key(kind=Text(), told="takes every call as of this type"),
    "rate_factor": Key(kind=Number(0.01, 100), told="calls are thinned or repeated by it"),
}
GENERATED: Final[Keys] = {
    "per_day": Key(kind=Number(0.001, 20_000), needed=True, told="mean calls of a day"),
    "hour_weights": Key(kind=HourWeights(), told="by local hour of the day or week"),
    "spread": Key(kind=OneOf(Spread), told="over what calls are spread"),
    "areas": Key(kind=Text(), told="geography of AREAS"),
    "area_weights": Key(kind=Weights(), told="weight of each area of AREAS"),
    "pattern": Key(kind=Raw("a table with the keys of past calls"), told="of PATTERN"),
    "inside": Key(kind=Text("ZONE or CITY"), told="how far it reaches"),
    "priorities": Key(
        kind=Many(Number(0, 1e6), 4, 4, distinct=False),
        told="weights of priority 1, 2, 3 and 4 of police jobs",
    ),
}
DURATIONS: Final[Keys] = {
    "dispatch_delay_s": Key(kind=SECONDS, told="queued to dispatched"),
    "turnout_care_s": Key(kind=WHOLE_SECONDS, told="dispatched to wheels rolling"),
    "turnout_spd_s": Key(kind=WHOLE_SECONDS, told="dispatched to wheels rolling"),
    "scene_safe_s": Key(kind=SECONDS, told="SPD on scene until it is safe"),
    "care_on_scene_s": Key(kind=SOME_SECONDS, told="CARE on scene"),
    "transport_share": Key(kind=SHARE, told="of calls with transport"),
    "facility_s": Key(kind=SECONDS, told="at the facility"),
    "facility": Key(kind=Place(), told="where it is"),
    "transport_drive_s": Key(kind=SECONDS, told="drive there where `facility` is not told"),
    "spd_without_care_s": Key(kind=SECONDS, told="SPD on scene without CARE"),
    "spd_units_without_care": Key(kind=Number(0, 10), told="SPD units without CARE"),
    "police_job_s": Key(kind=SOME_SECONDS, told="on scene, of background work"),
    "police_two_units_share": Key(kind=SHARE, told="of police jobs that take two units"),
    "shape": Key(kind=Number(0.1, 1_000), told="of the gamma distributions"),
    "speed_factor": Key(kind=Number(0.2, 5), told="times the drive times"),
}
WITHIN: Final = Many(Number(1, 4 * HOUR_S), most=20)
COVERAGE: Final[Keys] = {
    "within_s": Key(kind=WITHIN, told="seconds within which is reached"),
    "hours": Key(kind=Many(Number(0, 167, whole=True), most=168), told="hours of the week"),
    "by": Key(kind=Many(Text(), most=20), told="geographies"),
    "isochrones_s": Key(kind=WITHIN, told="seconds of the isochrones"),
    "recorded_positions": Key(kind=FILE, told="CSV of agency, unit_id, lon, lat, at"),
}
SITING: Final[Keys] = {
    "models": Key(kind=Many(OneOf(Model)), told="models tried"),
    "posts": Key(kind=Many(Number(1, 100, whole=True), most=100), told="numbers of posts tried"),
    "within_s": Key(kind=Number(1, 4 * HOUR_S), told="the standard"),
    "candidates": Key(kind=FILE, told="CSV of post_id, lon, lat"),
    "candidates_max": Key(kind=Number(1, 5_000, whole=True), told="of places tried"),
    "demand_points_max": Key(kind=Number(1, 20_000, whole=True), told="of places of demand"),
    "busy": Key(kind=Number(0, 0.99), told="busy probability of a CARE unit"),
    "seconds_max": Key(kind=Number(1, HOUR_S), told="wall clock of one model and number"),
}
SIMULATION: Final[Keys] = {
    "days": Key(kind=Number(1, 3_660, whole=True), told="days that count"),
    "warm_up_days": Key(kind=Number(0, 366, whole=True), told="days before them"),
    "replications": Key(kind=Number(1, 10_000, whole=True), told="independent repetitions"),
    "first_day": Key(kind=Day(), told="local day on which it begins"),
    "confidence": Key(kind=Number(0.5, 0.999), told="of the intervals"),
    "within_s": Key(
        kind=Number(1, 14_400), told="from dispatch to arrival: the standard of what is left behind"
    ),
}
VARIATION: Final[Keys] = {"name": Key(kind=Text(), needed=True, told="as the report shows it")}

TABLES: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "": TOP, "streets": STREETS, "zone": ZONE, "areas.NAME": AREAS,
        "units.CARE, units.SPD": UNITS, "shifts": SHIFT, "posts": POST, "demand": DEMAND,
        "past calls": PAST, "generated calls": GENERATED, "durations": DURATIONS,
        "coverage": COVERAGE, "siting": SITING, "simulation": SIMULATION,
        "variations": VARIATION,
    }
)  # fmt: skip
"""By the heading in `docs/studies.md`."""
NAMES_AT_TOP: Final = (
    "streets", "zone", "areas", "units", "demand", "durations", "coverage", "siting", "simulation",
    "variations",
)  # fmt: skip
