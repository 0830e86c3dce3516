"""The built-in view without a fixture, for tests that mutants of the code run by their name."""

from functools import cache

from api.live_view import LiveView, load_view
from api.settings import Settings


@cache
def builtin_view() -> LiveView:
    return load_view(Settings(network=None, zones=None, driving=None), lambda _stage: None)
