"""What decisions rest on beside units and streets, as it was read from files.

What lives here: `KeptRelease` (a release file, with the zones and the beats beside it),
`KeptWeights` (how somebody drives, at which hour), `sources_of`, which takes them of the settings,
and `Shelf`, which yields them by name. What does not: what is made of them (`library`).

A name holds a digest of the content, so that a file that changed under the same `release_id` is
another release here, and what is read under a name is what was kept under it.
"""

import hashlib
import json
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol, TypeVar

import numpy as np
from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder
from numpy.typing import NDArray

from api.closures.closed_sets import KeptClosedSet
from api.errors import StartError
from api.live_view import BUILT_IN_PROFILES
from api.release_file import read_release
from api.replay.errors import NotKept
from api.replay.sealing import inflated
from api.settings import Settings
from geodata.closures import NO_CLOSURES, ClosedNow
from geodata.driving_file import read_profiles
from geodata.driving_time import (
    EMERGENCY,
    ROUTINE,
    DrivingProfile,
    EdgeTimes,
    bans_id,
    edge_times,
)
from geodata.network import HOURS_PER_WEEK, StreetNetwork
from geodata.pilot.area import pilot_release_file

DIGEST_DIGITS: Final = 16
_ENCODER: Final = Encoder()
Part = TypeVar("Part", bound=Struct)


class KeptRelease(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text of every file that a release is made of."""

    release_id: str
    """As answers name it."""
    text: str
    """The release file."""
    zones_file: str | None = None
    """The name of the file of zones beside it, where it names one."""
    zones_text: str | None = None
    other_zones: str | None = None
    """GeoJSON of the zones that are tried in place of those of the release."""
    beats: str | None = None
    """GeoJSON of the police beats."""

    @property
    def key(self) -> str:
        """Its name: `release_id`, `@` and a digest of all of it."""
        return f"{self.release_id}@{_digest(_ENCODER.encode(self))}"


class KeptWeights(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a weight set is made of a network."""

    weights_id: str
    profile: dict[str, Any]
    """The fields of a `DrivingProfile`."""
    hour: int
    """Of the week; the first of those that have these weights."""
    closed_edges: list[int] = []
    closure_id: str = "0"
    opened_lanes: list[int] = []

    def edge_times(self, network: StreetNetwork) -> EdgeTimes:
        """Return the weights.

        Raises
        ------
        NotKept
            They would have another name on these streets.
        """
        try:
            times = self._edge_times(network)
        except (TypeError, ValueError, LookupError) as error:
            raise NotKept(
                f"The weights {self.weights_id} cannot be made: {error}.",
                remedy="Replay with the version of Tandem that decided.",
            ) from None
        if times.weights_id != self.weights_id:
            raise NotKept(
                f"The weights {self.weights_id} would be {times.weights_id} now.",
                remedy="Replay with the network and the version of Tandem that decided.",
            )
        return times

    def _edge_times(self, network: StreetNetwork) -> EdgeTimes:
        figures: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.profile.items()
        }
        return edge_times(
            network,
            DrivingProfile(**figures),
            hour=self.hour,
            closed_edges=_marked(network, self.closed_edges),
            closure_id=self.closure_id,
            opened_lanes=_marked(network, self.opened_lanes),
        )


def _marked(network: StreetNetwork, edges: list[int]) -> NDArray[np.bool_] | None:
    if not edges:
        return None
    marks = np.zeros(network.n_edges, np.bool_)
    marks[edges] = True
    return marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that a service decides by between two changes of it."""

    release: KeptRelease
    weights: Mapping[str, KeptWeights]
    """By weights_id, those of every hour of both profiles."""
    network_digest: str
    profiles: Mapping[str, DrivingProfile]
    """How somebody drives, for weights that closures change; kept with what names them."""


def sources_of(settings: Settings, network: StreetNetwork) -> Sources:
    """Return what the settings name, read from its files once more.

    Raises
    ------
    StartError
        A file cannot be read.
    """
    profiles = read_profiles(settings.driving) if settings.driving else BUILT_IN_PROFILES
    return Sources(
        release=kept_release(settings),
        weights=weights_of(profiles, network),
        network_digest=network_digest(network),
        profiles=profiles,
    )


def kept_release(settings: Settings) -> KeptRelease:
    """Return the release of the settings as text.

    Raises
    ------
    StartError
        A file cannot be read, or the release cannot be used.
    """
    file = settings.release or pilot_release_file()
    release = read_release(file)
    text = _text_of(file)
    zones_file = _zones_file(text)
    return KeptRelease(
        release_id=release.release_id + ("" if settings.zones is None else "+zones"),
        text=text,
        zones_file=zones_file,
        zones_text=None if zones_file is None else _text_of(file.parent / zones_file),
        other_zones=None if settings.zones is None else _text_of(settings.zones),
        beats=None if settings.beats is None else _text_of(settings.beats),
    )


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, ValueError) as error:
        raise StartError(f"{file}: {error}.", remedy="It was there a moment ago.") from None


def _zones_file(text: str) -> str | None:
    name = tomllib.loads(text).get("zones_file")
    return name if isinstance(name, str) else None


def weights_of(
    profiles: Mapping[str, DrivingProfile],
    network: StreetNetwork,
    closed: ClosedNow | None = None,
) -> Mapping[str, KeptWeights]:
    """Return how the weights of every hour of the week are made, by their names."""
    found: dict[str, KeptWeights] = {}
    closure_id = NO_CLOSURES if closed is None else closed.closure_id
    opened: list[int] = [] if closed is None else np.flatnonzero(closed.opened_lanes).tolist()
    for name in (ROUTINE.name, EMERGENCY.name):
        profile, edges = profiles[name], _closed_edges(name, closed)
        for hour in range(HOURS_PER_WEEK):
            bans = bans_id(network, network.path_hours[:, hour])
            weights_id = profile.weights_id(hour, closure_id) + bans
            if weights_id not in found:
                found[weights_id] = KeptWeights(
                    weights_id=weights_id,
                    profile=asdict(profile),
                    hour=hour,
                    closed_edges=edges,
                    closure_id=closure_id,
                    opened_lanes=opened,
                )
    return MappingProxyType(found)


def _closed_edges(profile_name: str, closed: ClosedNow | None) -> list[int]:
    if closed is None:
        return []
    is_urgent = profile_name == EMERGENCY.name
    shut = closed.closed_emergency if is_urgent else closed.closed_routine
    edges: list[int] = np.flatnonzero(shut).tolist()
    return edges


def network_digest(network: StreetNetwork) -> str:
    """Return a digest of the streets: two builds may have the same `network_id`."""
    found = hashlib.sha256(json.dumps(network.names).encode())
    for name, column in sorted(network.columns().items()):
        found.update(f"{name} {column.dtype.str} {column.shape}".encode())
        found.update(np.ascontiguousarray(column).tobytes())
    return found.hexdigest()[:DIGEST_DIGITS]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST_DIGITS]


# -- where they are kept --------------------------------------------------------------------------


class Shelf(Protocol):
    """Releases and weight sets by their names."""

    def release(self, key: str) -> KeptRelease | None:
        """Return a release, or None when it is not kept."""

    def weights(self, weights_id: str) -> KeptWeights | None:
        """Return how a weight set is made, or None when it is not kept."""

    def closed_set(self, set_id: str) -> KeptClosedSet | None:
        """Return what was closed, or None when it is not kept."""


class MemoryShelf:
    """What is kept for one run."""

    def __init__(self, *kept: Sources) -> None:
        self.releases = {one.release.key: one.release for one in kept}
        self.weight_sets = {k: v for one in kept for k, v in one.weights.items()}
        self.closed_sets: dict[str, KeptClosedSet] = {}

    def release(self, key: str) -> KeptRelease | None:
        """Return a release, or None when it is not kept."""
        return self.releases.get(key)

    def weights(self, weights_id: str) -> KeptWeights | None:
        """Return how a weight set is made, or None when it is not kept."""
        return self.weight_sets.get(weights_id)

    def closed_set(self, set_id: str) -> KeptClosedSet | None:
        """Return what was closed, or None when it is not kept."""
        return self.closed_sets.get(set_id)


def to_bytes(kept: KeptRelease | KeptWeights | KeptClosedSet) -> bytes:
    """Return a release, a weight set or a set of closures as it is stored."""
    return zlib.compress(_ENCODER.encode(kept), 9)


def from_bytes(stored: bytes, kind: type[Part]) -> Part:
    """Return what was stored.

    Raises
    ------
    NotKept
        It is something else.
    """

    def refuse(what: str) -> NoReturn:
        raise NotKept(
            f"What is kept as a {kind.__name__} cannot be read: {what}.",
            remedy="Restore the store from a backup.",
        ) from None

    try:
        return Decoder(kind).decode(inflated(stored, refuse))
    except (MsgspecError, ValueError) as error:
        refuse(str(error))
