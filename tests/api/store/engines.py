"""The engines of the store that the tests of its contract run on."""

from collections.abc import Callable

from api.store.calls import CallStore, MemoryCalls
from api.store.contract import RosterStore
from api.store.memory import MemoryRoster

ENGINES: dict[str, Callable[[int], RosterStore]] = {"memory": MemoryRoster}
"""By name: makes an empty store that takes so many units."""

CALL_ENGINES: dict[str, Callable[[int], CallStore]] = {"memory": MemoryCalls}
"""By name: makes an empty memory of so many calls."""
