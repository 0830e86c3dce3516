"""Every code that an answer can carry, each with its meaning: what an integrator may rely on.

Codes are stable: one may be added, none changes its meaning. What lives here: the enumerations and
nothing else, so that every other module may import them.
"""

from enum import IntFlag, StrEnum


class Agency(StrEnum):
    """Who sends the unit; `code` in a roster column is the place in this order."""

    CARE = "CARE"
    SPD = "SPD"


class Status(StrEnum):
    """Status of a unit as the CAD reports it; only AVAILABLE is recommended."""

    OFF_DUTY = "OFF_DUTY"
    AVAILABLE = "AVAILABLE"
    DISPATCHED = "DISPATCHED"
    ENROUTE = "ENROUTE"
    STAGED = "STAGED"
    ON_SCENE = "ON_SCENE"
    TRANSPORTING = "TRANSPORTING"
    AT_FACILITY = "AT_FACILITY"
    BUSY = "BUSY"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"


class Mode(StrEnum):
    """Who answers a call.

    BY_POLICY: (asked only) the policy of the zone decides.
    DUAL: a CARE and an SPD unit together.
    CARE_ONLY_ADD: an SPD unit is there already, CARE is added.
    SPD_ADD: CARE is on scene and needs police.
    SOLO: CARE alone by policy.
    SPD_ONLY: (answered only) a dispatcher chose police.
    REFER: (answered only) no unit of ours; the service to call is named.
    """

    BY_POLICY = "BY_POLICY"
    DUAL = "DUAL"
    CARE_ONLY_ADD = "CARE_ONLY_ADD"
    SPD_ADD = "SPD_ADD"
    SOLO = "SOLO"
    SPD_ONLY = "SPD_ONLY"
    REFER = "REFER"


class Outcome(StrEnum):
    """DISPATCH: send these now. HOLD: wait or override. NOT_ELIGIBLE: the normal response plan."""

    DISPATCH = "DISPATCH"
    HOLD = "HOLD"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"


class NextStep(StrEnum):
    """What the dispatcher does with the answer.

    CONFIRM: confirm the units. WAIT_OR_OVERRIDE: wait for `hold`, or use an override.
    NORMAL_RESPONSE_PLAN: answer the call as if this software did not exist.
    REFER: call the service in `refer_to`. NONE: nothing, all units are assigned already.
    """

    CONFIRM = "CONFIRM"
    WAIT_OR_OVERRIDE = "WAIT_OR_OVERRIDE"
    NORMAL_RESPONSE_PLAN = "NORMAL_RESPONSE_PLAN"
    REFER = "REFER"
    NONE = "NONE"


class Role(StrEnum):
    """Who may override; NONE is nobody."""

    DISPATCHER = "DISPATCHER"
    SUPERVISOR = "SUPERVISOR"
    SPD_SERGEANT = "SPD_SERGEANT"
    NONE = "NONE"


class Gate(StrEnum):
    """The six tests of a call, in the order in which they are listed."""

    LOCATION = "LOCATION"
    ZONE = "ZONE"
    TIME_WINDOW = "TIME_WINDOW"
    CALL_TYPE = "CALL_TYPE"
    SCREENING = "SCREENING"
    MODE = "MODE"


class GateOutcome(StrEnum):
    """NOT_EVALUATED: there was nothing to test against, and `code` says why."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    NOT_EVALUATED = "NOT_EVALUATED"


class GateCode(StrEnum):
    """Why a gate failed, was not evaluated, or passed in a way worth a word.

    LOCATION_NOT_FINITE, LOCATION_ZERO, LOCATION_SWAPPED, LOCATION_NOT_DEGREES, LOCATION_OUTSIDE:
    the place is no place of this street network; SWAPPED would be one with lon and lat exchanged.
    NO_LOCATION: not evaluated, because the place cannot be a place.
    OUTSIDE_ALL_ZONES: in no zone; `nearest` and `edge_m` say how far.
    EXCLUDED_ZONE: in a zone that excludes calls; it beats every other zone.
    NO_ZONE: not evaluated, because no zone means no policy to test against.
    BEFORE_OPENING: the window opens later the same day, at `opens_at`; the call is held.
    OUTSIDE_WINDOW: the window is closed and does not open again today (or too late to wait for).
    ACCEPTED_BEFORE_CLOSING: (with PASS) closed now, but the call came in while it was open.
    CALL_TYPE_NOT_MAPPED: nobody has said what this text means.
    CALL_TYPE_NOT_ELIGIBLE: its meaning is known and is not among the eligible ones.
    WEAPON_REPORTED, VIOLENCE_REPORTED, MEDICAL_REPORTED, ENFORCEMENT_NEEDED, DRUG_USE_REPORTED:
    the call taker's answer is YES and the policy does not take such calls.
    SCREENING_NOT_RECORDED: no `completed_at`.
    WEAPON_UNKNOWN ... DRUG_USE_UNKNOWN: the answer is UNKNOWN and the policy wants to know.
    MODE_NOT_ALLOWED: the policy of the zone does not have this mode.
    NOT_IN_MODE: not evaluated, because this mode does not ask for it.
    WHOLE_CITY: (with PASS) in no zone, and the mode is offered in the whole city.
    NO_SPD_ON_CALL: CARE is asked for as an addition, and no police unit is on the call.
    OVERRIDDEN: (with PASS) a person with the role for it let the call pass; `further_codes` say
    what failed.
    RELEASED_BY_SERGEANT: (with PASS) a police sergeant lets CARE go alone.
    ALREADY_DISPATCHED: (with PASS) CARE is on the call, which hours and call type cannot revoke;
    `further_codes` say what would have failed.
    """

    LOCATION_NOT_FINITE = "LOCATION_NOT_FINITE"
    LOCATION_ZERO = "LOCATION_ZERO"
    LOCATION_SWAPPED = "LOCATION_SWAPPED"
    LOCATION_NOT_DEGREES = "LOCATION_NOT_DEGREES"
    LOCATION_OUTSIDE = "LOCATION_OUTSIDE"
    NO_LOCATION = "NO_LOCATION"
    OUTSIDE_ALL_ZONES = "OUTSIDE_ALL_ZONES"
    EXCLUDED_ZONE = "EXCLUDED_ZONE"
    NO_ZONE = "NO_ZONE"
    BEFORE_OPENING = "BEFORE_OPENING"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    ACCEPTED_BEFORE_CLOSING = "ACCEPTED_BEFORE_CLOSING"
    CALL_TYPE_NOT_MAPPED = "CALL_TYPE_NOT_MAPPED"
    CALL_TYPE_NOT_ELIGIBLE = "CALL_TYPE_NOT_ELIGIBLE"
    WEAPON_REPORTED = "WEAPON_REPORTED"
    VIOLENCE_REPORTED = "VIOLENCE_REPORTED"
    MEDICAL_REPORTED = "MEDICAL_REPORTED"
    ENFORCEMENT_NEEDED = "ENFORCEMENT_NEEDED"
    DRUG_USE_REPORTED = "DRUG_USE_REPORTED"
    SCREENING_NOT_RECORDED = "SCREENING_NOT_RECORDED"
    WEAPON_UNKNOWN = "WEAPON_UNKNOWN"
    VIOLENCE_UNKNOWN = "VIOLENCE_UNKNOWN"
    MEDICAL_UNKNOWN = "MEDICAL_UNKNOWN"
    ENFORCEMENT_UNKNOWN = "ENFORCEMENT_UNKNOWN"
    DRUG_USE_UNKNOWN = "DRUG_USE_UNKNOWN"
    MODE_NOT_ALLOWED = "MODE_NOT_ALLOWED"
    NOT_IN_MODE = "NOT_IN_MODE"
    WHOLE_CITY = "WHOLE_CITY"
    NO_SPD_ON_CALL = "NO_SPD_ON_CALL"
    OVERRIDDEN = "OVERRIDDEN"
    RELEASED_BY_SERGEANT = "RELEASED_BY_SERGEANT"
    ALREADY_DISPATCHED = "ALREADY_DISPATCHED"


class UnitRule(IntFlag):
    """What keeps a unit from being chosen; a unit may break several.

    ALREADY_ASSIGNED: it is on this call already.
    EXCLUDED: the request excludes it.
    STATUS_NOT_AVAILABLE: its status is another than AVAILABLE.
    CLAIMED: a confirmed recommendation holds it.
    CREW_BELOW_MINIMUM: fewer people than the policy wants.
    CREW_UNKNOWN: nobody said how many, and the policy wants more than one.
    SKILL_MISSING: it lacks a required skill.
    SHIFT_ENDING: its shift ends within the guard, or is over; offered as LAST_RESORT only.
    NOT_REACHABLE: no way by road from where it stands to the call.
    OUT_OF_SCOPE: the policy takes police of the call's sector or precinct only.
    HELD_FOR_HIGHER_PRIORITY: a more urgent need of its sector has it first; `held_for` names it.
    RESERVE: its sector keeps it back; a supervisor may use it all the same.
    TAKEN_IN_BATCH: another call of the same batch has it; `held_for` names it.
    """

    ALREADY_ASSIGNED = 1
    EXCLUDED = 2
    STATUS_NOT_AVAILABLE = 4
    CLAIMED = 8
    CREW_BELOW_MINIMUM = 16
    CREW_UNKNOWN = 32
    SKILL_MISSING = 64
    SHIFT_ENDING = 128
    NOT_REACHABLE = 256
    OUT_OF_SCOPE = 512
    HELD_FOR_HIGHER_PRIORITY = 1024
    RESERVE = 2048
    TAKEN_IN_BATCH = 4096


class Verdict(StrEnum):
    """SELECTED, BEHIND (`behind_s` on its own arrival), REMOVED (`rules`), or LAST_RESORT.

    LAST_RESORT: offered only because every other unit of its kind is gone, and not the first.
    """

    SELECTED = "SELECTED"
    BEHIND = "BEHIND"
    REMOVED = "REMOVED"
    LAST_RESORT = "LAST_RESORT"


class PositionBasis(StrEnum):
    """What is known of where a unit is, best first.

    AVL: a fix of at most 60 s. AVL_AGED: at most 300 s. LAST_KNOWN: older, or of unknown age.
    HOME_POST, BEAT_CENTRE: no usable fix, its post or the centre of its beat stands in.
    UNKNOWN: none of these; a set drive time stands in (`Policy.unknown_position_drive_s`).
    ON_SCENE: an assigned unit that has arrived; no position is needed.
    """

    AVL = "AVL"
    AVL_AGED = "AVL_AGED"
    LAST_KNOWN = "LAST_KNOWN"
    HOME_POST = "HOME_POST"
    BEAT_CENTRE = "BEAT_CENTRE"
    UNKNOWN = "UNKNOWN"
    ON_SCENE = "ON_SCENE"


class Approach(StrEnum):
    """How a unit drives up: to the call, or to a point short of it until the scene is safe."""

    PROCEED = "PROCEED"
    STAGE_UNTIL_SCENE_SAFE = "STAGE_UNTIL_SCENE_SAFE"


class SelectedBecause(StrEnum):
    """Why this unit.

    FASTEST_CARE, FASTEST_SPD: first to arrive of those that qualify (then longest available, then
    unit_id). PREFERRED_SKILL: another is faster, by less than a skill of this one is worth.
    BEST_TOGETHER: another is faster for this call, and the calls of the batch are served better so.
    KEPT: named earlier, and another would gain less than `min_gain_s`.
    LAST_RESORT: only units near the end of their shift were left. ALREADY_ASSIGNED: it is on the
    call.
    """

    FASTEST_CARE = "FASTEST_CARE"
    FASTEST_SPD = "FASTEST_SPD"
    PREFERRED_SKILL = "PREFERRED_SKILL"
    BEST_TOGETHER = "BEST_TOGETHER"
    KEPT = "KEPT"
    LAST_RESORT = "LAST_RESORT"
    ALREADY_ASSIGNED = "ALREADY_ASSIGNED"


class HoldReason(StrEnum):
    """Why there is no pair now.

    NO_UNIT_IN_ROSTER: no unit of the missing kind was given at all.
    NO_UNIT_AVAILABLE: there are some, none AVAILABLE and unclaimed.
    NO_UNIT_QUALIFIED: some are AVAILABLE, each removed by another rule.
    TOO_FEW_UNITS: some qualify, fewer than the mode sends.
    RESERVE: only the reserve of their sectors keeps units back.
    HELD_FOR_HIGHER_PRIORITY: those that could go are held for more urgent needs.
    OUT_OF_SCOPE: those that could go belong to another sector or precinct.
    TAKEN_IN_BATCH: those that could go have another call of the same batch.
    WINDOW_NOT_OPEN: the programme's hours have not begun.
    """

    NO_UNIT_IN_ROSTER = "NO_UNIT_IN_ROSTER"
    NO_UNIT_AVAILABLE = "NO_UNIT_AVAILABLE"
    NO_UNIT_QUALIFIED = "NO_UNIT_QUALIFIED"
    TOO_FEW_UNITS = "TOO_FEW_UNITS"
    RESERVE = "RESERVE"
    HELD_FOR_HIGHER_PRIORITY = "HELD_FOR_HIGHER_PRIORITY"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    TAKEN_IN_BATCH = "TAKEN_IN_BATCH"
    WINDOW_NOT_OPEN = "WINDOW_NOT_OPEN"


class EstimateBasis(StrEnum):
    """Where the instant in a HOLD comes from; the weakest basis among the units it needs."""

    CAD_EXPECTED_CLEAR = "CAD_EXPECTED_CLEAR"
    MEAN_SERVICE_TIME = "MEAN_SERVICE_TIME"
    WINDOW_OPENS = "WINDOW_OPENS"


class ResolveOn(StrEnum):
    """What makes it worth asking again: a unit changed, or an instant passed."""

    UNIT_CHANGE = "UNIT_CHANGE"
    TIMER = "TIMER"


class OverrideAction(StrEnum):
    """What a person may do instead.

    USE_OTHER_UNIT: confirm other units than the named ones.
    RELEASE_CARE_ALONE: a police sergeant lets CARE go without police.
    DIVERT_UNIT: take a unit off its present work.
    SEND_SPD_ONLY: answer with police alone, recorded as SPD_ONLY.
    OVERRIDE_GATE: let the call pass the named gate.
    USE_RESERVE: take a unit that its sector keeps back.
    """

    USE_OTHER_UNIT = "USE_OTHER_UNIT"
    RELEASE_CARE_ALONE = "RELEASE_CARE_ALONE"
    DIVERT_UNIT = "DIVERT_UNIT"
    SEND_SPD_ONLY = "SEND_SPD_ONLY"
    OVERRIDE_GATE = "OVERRIDE_GATE"
    USE_RESERVE = "USE_RESERVE"


class SafetyAction(StrEnum):
    """What units of a call have to do at once because something became known (rule 14).

    STOP_AND_STAGE: CARE under way stops short of the call. WITHDRAW: CARE on scene leaves it.
    SEND_SPD: police have to come, and none are on the call.
    """

    STOP_AND_STAGE = "STOP_AND_STAGE"
    WITHDRAW = "WITHDRAW"
    SEND_SPD = "SEND_SPD"


class ReasonCode(StrEnum):
    """Why a person overrides; OTHER says why in a text of at most 200 characters."""

    OFFICER_KNOWLEDGE = "OFFICER_KNOWLEDGE"
    UNIT_CLOSER = "UNIT_CLOSER"
    POSITION_WRONG = "POSITION_WRONG"
    UNIT_NOT_READY = "UNIT_NOT_READY"
    SKILL_NEEDED = "SKILL_NEEDED"
    SUPERVISOR_ORDER = "SUPERVISOR_ORDER"
    SAFETY = "SAFETY"
    SYSTEM_SLOW = "SYSTEM_SLOW"
    OTHER = "OTHER"


class WarningCode(StrEnum):
    """What the dispatcher or the sender of the data should know; none stops the answer.

    SNAP_DISTANT: the call lies far from its street. SNAP_FAR: so far that no street was used and
    all arrivals are straight-line estimates.
    ZONE_UNCERTAIN: the call's uncertainty circle crosses the edge of a zone.
    NO_STREET_TIMES: no drive times are loaded; all arrivals are straight-line estimates.
    FIX_DISCARDED: a unit's fix is (0, 0), outside the network or in the future, and was not used.
    UNIT_SNAP_FAR: a chosen unit lies far from any street; its arrival is a straight-line estimate.
    POSITION_AGED: a chosen unit's fix is old.
    POSITION_ASSUMED: a chosen unit has no usable fix, another place stands in.
    SHIFT_ENDING: a chosen unit is within its shift-end guard, as a last resort.
    FINISH_AFTER_SHIFT: a chosen unit would by the mean service time finish after its shift.
    ASSIGNED_ARRIVAL_UNKNOWN: a unit on the call has no position, so the pair has no time.
    SPD_MAY_LEAVE: the scene is safe and CARE is there, so police may leave (advice, rule 5).
    RELEASED_BEFORE_SCENE_SAFE: police left CARE's call before that; recorded, never refused.
    SPD_NOT_NAMED: an officer asks for CARE, and the request does not say which police are there.
    SECTOR_UNKNOWN: the policy looks at sectors, and the call's is not known, so it did not.
    OVERRIDE_NOT_APPLIED: an override was asserted whose role does not allow it, or that had
    nothing to override.
    NOT_EMERGENCY_TIMES: no drive times with lights and sirens are loaded; routine ones were used.
    INSIDE_CLOSURE: the call lies on a closed street, or on one that closures cut off, and is
    reached over so many metres of closed street from the nearest open end; or a chosen unit stands
    on one and drives out.
    LOWER_RUNG: times do not come from live routing: the service was told so, or it failed.
    """

    SNAP_DISTANT = "SNAP_DISTANT"
    SNAP_FAR = "SNAP_FAR"
    ZONE_UNCERTAIN = "ZONE_UNCERTAIN"
    NO_STREET_TIMES = "NO_STREET_TIMES"
    FIX_DISCARDED = "FIX_DISCARDED"
    UNIT_SNAP_FAR = "UNIT_SNAP_FAR"
    POSITION_AGED = "POSITION_AGED"
    POSITION_ASSUMED = "POSITION_ASSUMED"
    SHIFT_ENDING = "SHIFT_ENDING"
    FINISH_AFTER_SHIFT = "FINISH_AFTER_SHIFT"
    ASSIGNED_ARRIVAL_UNKNOWN = "ASSIGNED_ARRIVAL_UNKNOWN"
    SPD_MAY_LEAVE = "SPD_MAY_LEAVE"
    RELEASED_BEFORE_SCENE_SAFE = "RELEASED_BEFORE_SCENE_SAFE"
    SPD_NOT_NAMED = "SPD_NOT_NAMED"
    SECTOR_UNKNOWN = "SECTOR_UNKNOWN"
    OVERRIDE_NOT_APPLIED = "OVERRIDE_NOT_APPLIED"
    NOT_EMERGENCY_TIMES = "NOT_EMERGENCY_TIMES"
    INSIDE_CLOSURE = "INSIDE_CLOSURE"
    LOWER_RUNG = "LOWER_RUNG"


class ClosureTouch(StrEnum):
    """What of an answer lies on a closed street.

    INCIDENT: the street of the call. CARE, SPD: the street of a unit that is named.
    """

    INCIDENT = "INCIDENT"
    CARE = "CARE"
    SPD = "SPD"


class Answer(StrEnum):
    """A call taker's answer to one screening question."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


class Question(StrEnum):
    """What the call taker asks, in order of weight."""

    WEAPON = "WEAPON"
    VIOLENCE = "VIOLENCE"
    MEDICAL = "MEDICAL"
    ENFORCEMENT = "ENFORCEMENT"
    DRUG_USE = "DRUG_USE"


class Place(StrEnum):
    """What kind of place the call is at."""

    STREET = "STREET"
    RESIDENCE = "RESIDENCE"
    BUSINESS = "BUSINESS"
    ENCAMPMENT = "ENCAMPMENT"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class Origin(StrEnum):
    """Who asked."""

    CALL_911 = "CALL_911"
    OFFICER = "OFFICER"
    ON_VIEW = "ON_VIEW"


class Explain(StrEnum):
    """How many units are explained: none, the nearest of each kind, or all."""

    NONE = "NONE"
    NEAREST = "NEAREST"
    ALL = "ALL"


class Eta(StrEnum):
    """How arrivals were found: the rungs of the ladder, best first (rule 12).

    ROAD: by the streets, with the weights of now. LAST_GOOD: by the streets, with the last weights
    that could be made. STRAIGHT_LINE: a straight line times a detour factor, from the unit's fix.
    BEAT_ORDER: the same from the unit's post or the centre of its beat, fixes not used.
    """

    ROAD = "ROAD"
    LAST_GOOD = "LAST_GOOD"
    STRAIGHT_LINE = "STRAIGHT_LINE"
    BEAT_ORDER = "BEAT_ORDER"


class UnitSource(StrEnum):
    """Where the units came from."""

    REQUEST = "REQUEST"
    ROSTER = "ROSTER"
