"""The next situation after a change: other weights, other units, or units that moved.

A situation is one reference that is swapped whole: whoever holds the old one goes on reading it,
and nothing in it changes. Everything that belongs together (weights and the labels made with them,
roster and positions) is made anew together here; only units that changed are placed and labelled.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from geodata.driving_time import EdgeTimes
from geodata.snap import COLUMN_TYPES, Positions
from routing.model import Situation, place_units
from routing.placement import Placement, move_units
from routing.release import Release
from routing.roster import UnitColumns
from routing.roster_change import Rows, merge_of, with_changes, with_claimed, with_fixes
from routing.unit_fields import FixLike

if TYPE_CHECKING:
    from routing.travel_time import TravelTimes, UnitLabels

Combine = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
"""From a column before and its values for the units that changed to the column after."""


def with_weights(situation: Situation, edge_times: EdgeTimes) -> Situation:
    """Return the situation with the weights of an hour or of closures, units relabelled."""
    assert situation.travel_times is not None, "no drive times are loaded"
    return with_travel_times(situation, situation.travel_times.reweighed(edge_times))


def with_travel_times(situation: Situation, times: "TravelTimes") -> Situation:
    """Return the situation with other drive times of its streets, units relabelled."""
    labels = times.unit_labels(situation.placement.positions)
    placement = replace(situation.placement, labels=labels)
    return replace(situation, travel_times=times, placement=placement)


def with_release(
    situation: Situation, release: Release, *, has_own_zones: bool = True
) -> Situation:
    """Return the situation after a change of everything that the city decides, as one.

    Parameters
    ----------
    has_own_zones
        Whether the zones are those of its version; answers tell none of zones that are tried.
    """
    versions = replace(
        situation.versions,
        release_id=release.release_id,
        zone_version=release.zone_version if has_own_zones else None,
        policy_version=release.policy_version,
    )
    return replace(
        situation,
        zones=release.zones,
        policy=release.city_policy,
        zone_policies=release.zone_policies,
        precinct_of=release.precinct_of,
        versions=versions,
    )


def with_roster(situation: Situation, roster: UnitColumns) -> Situation:
    """Return the situation with other units, or the same units elsewhere, snapped and labelled."""
    return replace(situation, roster=roster, placement=_placed(situation, roster))


def with_units(
    situation: Situation, changed: UnitColumns, removed: Collection[str] = ()
) -> Situation:
    """Return the situation with some units added or changed and others removed."""
    merge = merge_of(situation.roster, changed, removed)
    roster = with_changes(situation.roster, changed, merge)
    if merge.source is None:
        placement = move_units(situation.placement, roster, merge.fresh, situation)
    else:
        placement = _combined(
            situation.placement, _placed(situation, changed), merge.column, situation.travel_times
        )
    return replace(situation, roster=roster, placement=placement)


def with_claims(situation: Situation, unit_ids: Collection[str]) -> Situation:
    """Return the situation with these units claimed and no others; nothing is placed anew."""
    roster = with_claimed(situation.roster, unit_ids)
    return situation if roster is situation.roster else replace(situation, roster=roster)


def with_moves(situation: Situation, rows: Rows, fixes: Sequence[FixLike]) -> Situation:
    """Return the situation with other fixes of some units; only these are placed anew.

    Parameters
    ----------
    rows
        (n_moved,) rows of the roster in rising order, one for each fix.
    """
    if not len(rows):
        return situation
    roster = with_fixes(situation.roster, rows, fixes)
    return replace(
        situation, roster=roster, placement=move_units(situation.placement, roster, rows, situation)
    )


def _placed(situation: Situation, roster: UnitColumns) -> Placement:
    return place_units(
        roster,
        network=situation.network,
        streets=situation.streets,
        travel_times=situation.travel_times,
        homes=situation.homes,
    )


def _combined(
    before: Placement, changed: Placement, combine: Combine, times: "TravelTimes | None"
) -> Placement:
    """Return a placement of the units before and of those that changed, column by column."""
    positions = Positions(
        **{
            name: combine(getattr(before.positions, name), getattr(changed.positions, name))
            for name in COLUMN_TYPES
        }
    )
    plain = {
        field.name: combine(getattr(before, field.name), getattr(changed, field.name))
        for field in fields(Placement)
        if field.init and field.name not in ("positions", "labels")
    }
    labels = _combined_labels(before.labels, changed.labels, positions, combine, times)
    return Placement(**plain, positions=positions, labels=labels)


def _combined_labels(
    before: "UnitLabels | None",
    changed: "UnitLabels | None",
    positions: Positions,
    combine: Combine,
    times: "TravelTimes | None",
) -> "UnitLabels | None":
    if before is None or changed is None or times is None:
        return None
    assert before.weights_id == changed.weights_id, "labels of other weights"
    return times.labels_of(
        positions, combine(before.rows, changed.rows), combine(before.bases, changed.bases)
    )
