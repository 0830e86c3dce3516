"""The words of a report: what each count is, and what is assumed. One place for JSON and page."""

from typing import Final

DEFINITIONS: Final = (
    (
        "call",
        "One row of the table of past calls that could be used, at the instant that the table has.",
    ),
    (
        "in area",
        "The call lies in a zone that takes calls, edges included, or the policy's mode is "
        "offered in the whole city. Any hour, any type.",
    ),
    (
        "in hours",
        "In area, and the hours of its zone's policy are open at its instant.",
    ),
    (
        "eligible",
        "In hours, and the policy takes its type in a mode that it has. Screening is not in "
        "the table: every call is taken as screened, with NO to every question.",
    ),
    (
        "waits",
        "Would be eligible but for the hour, and the hours begin later the same day: it would "
        "be held until then. Not among the eligible.",
    ),
    (
        "gained",
        "Counts under the draft and not under the live release.",
    ),
    (
        "lost",
        "Counts under the live release and not under the draft.",
    ),
    (
        "moved",
        "Counts under both, in another zone.",
    ),
    (
        "per week",
        "The count by the weeks of the period: its whole local days, first and last included, "
        "by seven.",
    ),
    (
        "land",
        "Square kilometres that a zone wins: what no zone before it has. Water counts where a "
        "zone is drawn over it.",
    ),
    (
        "streets",
        "Metres of the centre lines on which an incident can be: no motorway, ramp, tunnel or "
        "gated lane. A street along the edge of a zone is inside.",
    ),
    (
        "coverage",
        "Share of the calls, of the streets or of the land of a release's own area that a unit "
        "reaches within some minutes of its dispatch. The pair has arrived when both have. "
        "Land counts where a street is within 100 m.",
    ),
    (
        "p50, p90",
        "Minutes within which half, and nine tenths, of it are reached.",
    ),
    (
        "workload",
        "Unit hours a week = sum over eligible calls of (arrival of the nearest CARE post + "
        "mean_service_s of the policy) / 3600 / weeks. Busy units = unit hours / open hours a "
        "week. Utilisation = busy units / CARE units.",
    ),
    (
        "what if",
        "Every call of the period in the area of either release, decided by the service's own "
        "rules under both. Units stand at posts, all free for every call.",
    ),
)

ASSUMPTIONS: Final = (
    "A unit is free at every post for every call. Coverage is therefore the most that these "
    "posts can do, not a forecast.",
    "Arrival = turnout + start and park + drive, without lights and sirens, by the network's "
    "drive times of a Tuesday at 13:00; the what-if takes those of each call's hour.",
    "Every eligible call gets CARE, once, and CARE stays for the policy's mean_service_s after "
    "it arrives. Transport and travel back are not counted.",
    "Demand is that of the past period: nothing is added for growth, and a new zone does not "
    "change who calls.",
    "Units of the what-if have whatever crew and skills the policies ask for.",
)

PROXY: Final = (
    "A proxy: these rows are not a record of calls that were judged eligible for CARE. Read "
    "them for where and when calls are, not for how many CARE would get."
)
NO_TYPES: Final = (
    "The table has no call types, so that nobody can say which calls are eligible: only area "
    "and hours are counted."
)
