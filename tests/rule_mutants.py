"""Wrong implementations by the rule that each breaks, with the calls that must notice it.

Each row: the module, a piece of its text that occurs once, what stands there instead, and what must
notice it: the time of a call of the scenario book (`tandem scenarios`), or a test by its name.
"""

from tests.mutants import Mutant

BATCH = "tests.routing.test_recommend_batch:test_rule_10_"
INTERLOCK = "tests.routing.test_interlock:test_rule_5_"
CAD = "tests.api.test_cad_is_master:test_rule_11_"
RELEASE = "tests.api.test_one_release:test_rule_16_"
WHOLE = RELEASE + "a_release_is_checked_as_a_whole_and_refused_as_a_whole"
NAMED = RELEASE + "every_answer_names_the_release_that_it_rests_on"
SEALED = RELEASE + "other_zones_are_another_release_and_nothing_in_one_can_be_set"
UPDATES = "tests.routing.test_updates:test_rule_14_"
MEMORY = "tests.api.test_call_memory:test_rule_"

AUTH = "tests.api.auth.test_rule_17:test_rule_17_"
ASSERTS = AUTH + "a_key_asserts_the_operator_roles_that_it_declares"
OPENS = AUTH + "an_address_opens_to_its_roles_and_to_nobody_else"
LIVE = AUTH + "a_key_opens_with_its_secret_and_while_it_is_live"
TOKEN = AUTH + "a_token_is_of_the_provider_for_this_service_and_for_now"

NEVER = "        GateCode.WEAPON_REPORTED,\n        GateCode.VIOLENCE_REPORTED,\n"

ONE_OF_EACH_CALL_SIGN = """
    best: dict[str, int] = {}
    units = [unit.model_copy(update={"unit_id": unit.call_sign}) for unit in units]
"""

Row = tuple[str, str, str, str]


def _of(*rows: Row) -> list[tuple[Mutant, str]]:
    return [(Mutant(module=m, old=old, new=new), by) for m, old, new, by in rows]


MUTANTS: dict[int, list[tuple[Mutant, str]]] = {
    1: _of(
        ("routing.hours", "self.opens_at <= instant < self.closes_at",
         "self.opens_at < instant < self.closes_at", "1100"),
        ("routing.hours", "self.opens_at <= instant < self.closes_at",
         "self.opens_at <= instant <= self.closes_at", "2300"),
        ("geodata.wall_clock", "begins = datetime.combine(day, start, zone)",
         "begins = datetime.combine(day, start, zone).replace(tzinfo=UTC)", "0030"),
        ("routing.gates", "elif not zoned and all(", "elif False and all(", "1218"),
        ("routing.gates", "Role.DISPATCHER: frozenset({Role.DISPATCHER}),",
         "Role.DISPATCHER: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),", "1052"),
        ("routing.gates", "if call.rules is not None and gate not in call.rules.gates:",
         "if False:", "1302"),
        ("routing.gates", "code=GateCode.ACCEPTED_BEFORE_CLOSING,", "", "2300"),
        ("routing.gates", "last is not None and any(at is not None and last.holds(at)",
         "last is not None and any(at is not None", "2301"),
        ("routing.arrivals", "UNFREE if terms.urgent else -1", "-1", "2110"),
        ("routing.recommend", "if check.mode is not Mode.SPD_ADD:", "if check:", "2110"),
        ("routing.hold", "_nearest_busy(waiting) if waiting.urgent else ()", "()", "2112"),
    ),
    2: _of(
        ("routing.gates", NEVER,
         "        GateCode.VIOLENCE_REPORTED,\n", "1135"),
        ("routing.gates", NEVER,
         "        GateCode.WEAPON_REPORTED,\n", "1140"),
        ("routing.gates", "codes.append(GateCode.SCREENING_NOT_RECORDED)", "pass", "1157"),
        ("routing.gates", "if a is Answer.YES and q in rules.refuses_yes", "if False", "1140"),
        ("routing.gates", "if a is Answer.UNKNOWN and q in rules.refuses_unknown", "if False",
         "1203"),
        ("routing.outcomes", "return FIRE_DEPARTMENT if medical else None", "return None", "1146"),
        ("routing.outcomes", "in codes and not codes & harm", "in codes", "1148"),
    ),
    3: _of(
        ("routing.halves", "return Team(sought=sought, fixed=fixed)",
         "return Team(sought={a: h for a, h in sought.items() if h.complete}, fixed=fixed)",
         "1400"),
        ("routing.halves", "if incident.assigned and check.mode is not Mode.SPD_ADD:", "if False:",
         "1346"),
        ("routing.gates", "        and not _police_assigned(incident)\n", "        and False\n",
         "1311"),
        ("routing.recommend",
         "fixed_halves(situation, incident, target, terms) if incident.assigned else {}", "{}",
         "1302"),
    ),
    4: _of(
        ("routing.dispatch", "frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD})",
         "frozenset({Mode.CARE_ONLY_ADD})", "1104"),
        ("routing.dispatch", "frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD})",
         "frozenset({Mode.DUAL})", "1302"),
        ("routing.dispatch", "frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD})",
         "frozenset({Mode.DUAL, Mode.CARE_ONLY_ADD, Mode.SOLO})", "1402"),
        ("routing.dispatch", "safe = safe_at <= latest", "safe = True", "1251"),
        ("routing.dispatch", "safe = safe_at <= latest", "safe = False",
         "1305"),
        ("routing.staging", "least_s=max(0, spd_s - care_s)", "least_s=0", "1248"),
    ),
    5: _of(
        ("routing.interlock", "return there and incident.scene_safe_at is not None",
         "return incident.scene_safe_at is not None",
         INTERLOCK + "police_may_leave_when_the_scene_is_safe_and_care_is_there"),
        ("routing.interlock", "if unit.status in _GONE:", "if False:",
         INTERLOCK + "police_that_left_too_early_are_named_and_nothing_is_refused"),
        ("routing.interlock", "if may_leave(incident):", "if False:",
         INTERLOCK + "police_may_leave_when_the_scene_is_safe_and_care_is_there"),
    ),
    6: _of(
        ("routing.outcomes", "on_no_care is not OnNoCare.SEND_SPD",
         "on_no_care is OnNoCare.SEND_SPD", "1330"),
        ("routing.outcomes", "if police is None or not police.complete or", "if True or", "1045"),
        ("routing.outcomes", "if mode is Mode.DUAL and hold.missing == (Agency.SPD,):", "if False:",
         "1400"),
        ("routing.gates",
         "if has_taken(incident, OverrideAction.RELEASE_CARE_ALONE, Role.SPD_SERGEANT):",
         "if has_taken(incident, OverrideAction.RELEASE_CARE_ALONE, Role.SUPERVISOR):", "1403"),
        ("routing.hold", "else policy.escalate_after_s", "else 0", "1330"),
        ("routing.hold", "(waiting.incident.held_since or decided_at).astimezone(UTC)",
         "decided_at", "1349"),
        ("routing.hold", "clear_s = np.where(told, roster.expected_clear_s, clear_s)", "pass",
         "1330"),
        ("routing.recommend", "policy.on_no_spd is OnNoSpd.SOLO and", "False and", "1412"),
        ("api.call_memory", "held_since=None if found.hold is None else found.hold.held_since",
         "held_since=None", MEMORY + "6_a_hold_is_remembered_and_the_unit_sent_at_once_is_named"),
    ),
    7: _of(
        ("routing.candidates_kernel", "STATUS_NOT_AVAILABLE * (status != AVAILABLE)", "0", "1400"),
        ("routing.candidates_kernel", "SHIFT_ENDING * (shift_end_s > ends_s)", "0", "1931"),
        ("routing.candidates_kernel", "SHIFT_ENDING * (shift_end_s > ends_s)",
         "SHIFT_ENDING * (shift_end_s >= ends_s)", "1930"),
        ("routing.candidates_kernel", "CREW_BELOW_MINIMUM * (told & (crew < need[1]))", "0",
         "1500"),
        ("routing.candidates_kernel", "SKILL_MISSING * (need[2] & ~skills != 0)", "0", "1623"),
        ("routing.halves", "    if len(ordered) < count:\n", "    if False:\n", "2244"),
        ("routing.recommend", "(unit_id, EXCLUDED) for", "(unit_id, 0) for", "1509"),
        ("routing.recommend", "+ terms.policy.future_fix_s", "+ 1e9", "1530"),
        ("routing.candidates_kernel", "1 if age_s <= aged_s else 2", "1", "1539"),
        ("routing.placement", "if post is not None and post in homes.posts:", "if False:", "1533"),
    ),
    8: _of(
        ("routing.police", "if need.priority < own", "if need.priority <= own", "1552"),
        ("routing.police", "nearest[: need.units_needed]", "nearest[:0]", "1550"),
        ("routing.police", "nearest[: need.units_needed]", "nearest[:1]", "1554"),
        ("routing.police", "if kept and len(free) <= kept:", "if kept and len(free) < kept:",
         "1600"),
        ("routing.police", "if kept and len(free) <= kept:", "if kept:", "1604"),
        ("routing.police", "OverrideAction.USE_RESERVE, Role.SUPERVISOR)",
         "OverrideAction.USE_RESERVE, Role.SPD_SERGEANT)", "1602"),
        ("routing.police", "if _area(situation, policy, other) != own:", "if False:", "1610"),
        ("routing.police", "return situation.precinct_of.get(sector)", "return sector", "1612"),
        ("routing.eligibility", "] += worth_s", "] += 0", "1620"),
        ("routing.outcomes", "if HoldReason.RESERVE in hold.reasons:", "if False:", "1600"),
    ),
    9: _of(
        ("routing.candidates_kernel", "known and not since_s[row] >= since_s[other]", "False",
         "1512"),
        ("routing.candidates_kernel", "if arrive_s[row] != arrive_s[other]:", "if False:", "1104"),
        ("routing.candidates_kernel", "+ ms[i] + 500) // 1000", "+ 500) // 1000", "1240"),
        ("routing.eligibility", "policy.turnout_care_s, policy.turnout_spd_s",
         "policy.turnout_spd_s, policy.turnout_care_s", "1104"),
        ("routing.roster", "key=[unit.unit_id for unit in as_sent].__getitem__", "key=None",
         "1515"),
        ("routing.halves", "< muster.policy.min_gain_s", "< 0", "1518"),
        ("routing.halves", "< muster.policy.min_gain_s", "< 10**6", "1521"),
        ("api.call_memory", "for unit in going if not unit.already_assigned", "for unit in going",
         MEMORY + "9_units_that_were_named_are_told_and_those_on_the_call_are_not"),
    ),
    10: _of(
        ("routing.recommend_batch", "escalated=_is_escalated(one)", "escalated=False",
         BATCH + "a_call_past_its_escalation_comes_before_one_that_waits_less"),
        ("routing.recommend_batch", "is Mode.SPD_ADD else incident.priority",
         "is Mode.SPD_ADD else None",
         BATCH + "the_better_priority_is_served_and_the_other_is_told_who_has_the_units"),
        ("routing.recommend_batch", "priority=URGENT if one", "priority=incident.priority if one",
         "tests.routing.test_recommend_batch:"
         "test_rule_1_spd_add_takes_its_unit_before_any_priority"),
    ),
    11: _of(
        ("api.roster_operations", "return replace(change, removed=gone)", "return change",
         CAD + "a_snapshot_reconciles_the_roster_and_lists_the_differences"),
        ("api.roster_operations", "removed=list(written.removed),", "removed=[],",
         CAD + "a_snapshot_reconciles_the_roster_and_lists_the_differences"),
        ("api.roster_operations", "frozenset[UnitId]() if read.nameless else", "",
         CAD + "what_nobody_can_read_takes_no_unit_off_the_roster"),
        ("api.roster_operations", "return flagged(unit, found) if found else unit",
         "return kept.unit if found else unit",
         CAD + "a_status_report_is_a_fact_and_is_recorded_with_its_conflicts"),
        ("api.roster_operations", "self.conflicts += found", "pass",
         CAD + "a_status_report_is_a_fact_and_is_recorded_with_its_conflicts"),
        ("api.unit_records", "if not is_legal_step(kept.status, unit.status):", "if False:",
         CAD + "a_status_report_is_a_fact_and_is_recorded_with_its_conflicts"),
        ("api.roster_operations", "if kept is not None and is_older(unit, kept.unit):",
         "if False:", CAD + "a_report_that_is_older_changes_nothing_and_is_named"),
    ),
    12: _of(
        ("routing.arrivals", " and situation.rung in BY_STREET", "", "1242"),
        ("routing.recommend", "if situation.rung is Eta.BEAT_ORDER:", "if False:", "1244"),
        ("routing.outcomes", "degraded=eta is not Eta.ROAD or estimated", "degraded=estimated",
         "1243"),
        ("routing.cautions", "far = snapped.distance_m > policy.snap.refuse_m", "far = False",
         "1234"),
        ("api.read_request", "if unit.status not in _STATUSES", "if False", "1506"),
        ("api.read_request", "if at.part[0] == name and len(at.part) == 2}", "if False}",
         "1506"),
        ("api.operations", "if found is PlaceCheck.INSIDE:", "if True:", "1630"),
    ),
    13: _of(
        ("routing.explain", "else arrive_s - first_s", "else arrive_s", "1512"),
        ("routing.explain", "rules=rule_names(broken)", "rules=()", "1500"),
        ("routing.explain", "held_for=held_for.get(row)", "held_for=None", "1550"),
        ("routing.explain", "preference_s=0 if against is None else int(against[row])",
         "preference_s=0", "1620"),
        ("routing.candidates_kernel", "max(0, math.floor(age_s)) if known else -1",
         "0", "1536"),
    ),
    14: _of(
        ("routing.updates", "if reasons and coming:", "if False:",
         UPDATES + "care_without_police_gets_police_when_there_is_harm"),
        ("routing.updates", "if alone and (joined or not _NEEDS_POLICE.isdisjoint(reasons)):",
         "if alone and joined:",
         UPDATES + "care_without_police_gets_police_when_there_is_harm"),
        ("routing.updates", "if not care:", "if False:",
         UPDATES + "nothing_to_revoke_before_care_is_on_the_call"),
        ("routing.gates", "_let_pass(gate, GateCode.ALREADY_DISPATCHED)", "gate", "1442"),
        ("api.store.calls", "return told is None or not _said(change) <= _said(told)",
         "return True", MEMORY + "14_an_alert_is_raised_once_and_repeated"),
        ("api.store.calls", "next((one for one in reversed(self.alerts) if one.is_open), None)",
         "self.alerts[-1] if self.change else None",
         MEMORY + "14_an_alert_is_raised_once_and_repeated"),
        ("api.store.calls", "decided.mode or known.answering, known.alerts",
         "decided.mode, known.alerts",
         MEMORY + "14_care_that_went_alone_gets_police_even_after_a_refusal_in_between"),
        ("api.call_memory", "None if known is None else known.recommendation_id, alert",
         "None, alert", MEMORY + "14_each_recommendation_supersedes_the_last"),
    ),
    15: _of(
        ("geodata.zones", "return zone.kind is not ZoneKind.EXCLUDE, -zone.precedence,",
         "return -zone.precedence,", "1227"),
        ("geodata.zones", "ZoneKind.EXCLUDE, -zone.precedence, zone.zone_id",
         "ZoneKind.EXCLUDE, zone.precedence, zone.zone_id", "1230"),
        ("routing.gates", "zones=tuple([zone.zone_id for zone in hits])", "zones=(winner.zone_id,)",
         "1230"),
        ("routing.cautions", "if at.uncertainty_m > 0 and", "if False and", "1222"),
    ),
    16: _of(
        ("api.release_file", "policies = read_policies(part.policies, sectors, findings)",
         "policies = read_policies(part.policies, sectors, Findings())", WHOLE),
        ("api.release_file", "findings.problems(text))", "findings.problems(text)[:1])", WHOLE),
        ("routing.outcomes", "release_id=versions.release_id", "release_id=None", NAMED),
        ("routing.outcomes", "policy_version=versions.policy_version",
         "policy_version=None", NAMED),
        ("api.live_view", "release_id=release.release_id,", "release_id='pilot',", NAMED),
        ("api.live_view", 'release_id=f"{release.release_id}+zones"',
         "release_id=release.release_id", SEALED),
        ("routing.release", "@dataclass(frozen=True, slots=True", "@dataclass(slots=True", SEALED),
    ),
    17: _of(
        ("api.read_request", "    best: dict[str, int] = {}\n", ONE_OF_EACH_CALL_SIGN, "1254"),
        ("api.operations", "    if units is None:\n", "    if True:\n", "1104"),
        ("routing.roster", "unit_id=tuple(UnitId(u.unit_id) for u in sorted_units)",
         "unit_id=tuple(UnitId(u.call_sign) for u in sorted_units)", "1254"),
        ("api.asserted_roles", "if by.asserts is not None:", "if False:", ASSERTS),
        ("api.asserted_roles", 'yield "overrides/role", override.role', "pass", ASSERTS),
        ("api.auth.principal", "if role not in by.asserts", "if False", ASSERTS),
        ("api.auth.guard", "elif roles.isdisjoint(principal.roles):", "elif False:", OPENS),
        ("api.auth.guard", "if len(given) > 1 or", "if", OPENS),
        ("api.auth.guard", "is Match.FULL for route", "is None for route", OPENS),
        ("api.auth.ring", "if not compare_digest(sha256(text[_SECRET_AT]).digest(), digest):",
         "if False:", LIVE),
        ("api.auth.ring", "if self.now_s() >= ends_s:", "if False:", LIVE),
        ("api.auth.ring", "min(key.expires_at, key.revoked_at or key.expires_at)",
         "key.expires_at", LIVE),
        ("api.auth.tokens", "audience=self.rules.audience,", 'audience=["tandem", "payroll"],',
         TOKEN),
        ("api.auth.tokens", "leeway=LEEWAY_S,", "leeway=3_600,", TOKEN),
        ("api.auth.tokens", 'claims["exp"] - claims["iat"] > LIFETIME_S_MAX', "False", TOKEN),
    ),
}  # fmt: skip
"""By rule; the rules that are still to come have none (`test_rules.PENDING`)."""
