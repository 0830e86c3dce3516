"""A publisher, clients that ask meanwhile, and whether each answer is wholly of one release."""

import datetime as dt
import json
import re
import threading
import time
from typing import Any

from tests.api.call_story import told
from tests.api.loopback import Served

PERSON = {"operator": {"id": "eva", "role": "SUPERVISOR"}}
VALID = re.compile(r"valid_for_s = \d+")


class Kinds:
    """What every release that was ever published is like, told by its publisher."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[int, int, str, int]] = {}
        """By release_id: zone_version, policy_version, zone_id, valid_for_s."""

    def differs(self, answer: Any) -> str | None:
        """Return what in an answer is not of the release that it names, or None."""
        basis = answer["basis"]
        expected = self.of.get(basis["release_id"])
        found = (basis["zone_version"], basis["policy_version"], *behaviour(answer))
        return None if found == expected else f"{basis['release_id']}: {found}, not {expected}"


def behaviour(answer: Any) -> tuple[str, float]:
    """Return the zone that took a call, and for how many seconds the answer is valid."""
    zone = next(gate for gate in answer["gates"] if gate["gate"] == "ZONE")
    instants = (answer["valid_until"], answer["decided_at"])
    until, since = (dt.datetime.fromisoformat(one) for one in instants)
    return zone["value"], (until - since).total_seconds()


class Publisher:
    """Publishes over and over: each time another zone_id and another validity, at once."""

    def __init__(self, service: Served, kinds: Kinds) -> None:
        self.service = service
        self.kinds = kinds
        self.first = self._ask("GET", "/v1/releases/live")
        self.kinds.of[self.first["release_id"]] = (
            self.first["zone_version"], self.first["policy_version"], "PILOT_CORE", 60,
        )  # fmt: skip

    def _ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, answer = self.service.ask(method, path, body, **headers)
        assert status < 300, answer
        return answer

    def publish(self, turn: int) -> str:
        """Publish and return the key; what it is like is told before it can be live."""
        draft = self._ask("PUT", "/v1/drafts/next", {})
        zones, policy = draft["zones"], draft["policy"]
        feature = zones["features"][0]
        feature["properties"]["zone_id"] = feature["id"] = f"ZONE_{turn}"
        self._ask("PUT", "/v1/drafts/next/zones", zones)
        valid_for_s = 30 + turn
        text = VALID.sub(f"valid_for_s = {valid_for_s}", policy)
        status, answer = put_text(self.service, text)
        assert status == 200, answer
        match = {"if-match": f'"next-v{answer["draft"]["version"]}"'}
        self._ask("POST", "/v1/drafts/next/approve", PERSON, **match)
        # Numbers have no gaps, so the names are known beforehand: a client may be quicker.
        number = (self._ask("GET", "/v1/releases")["publications"] or [{"number": 1}])[0]["number"]
        since = number + 1 - 1
        expected = (self.first["zone_version"] + since, self.first["policy_version"] + since)
        release_id = f"rel-{dt.date(2026, 7, 21)}-{number + 1}"
        self.kinds.of[release_id] = (*expected, f"ZONE_{turn}", valid_for_s)
        made = self._ask("POST", "/v1/drafts/next/publish", {"reason": "load"}, **match)
        key = str(made["publication"]["release_key"])
        assert key.partition("@")[0] == release_id
        return key

    def roll_back(self) -> str:
        """Go back one release and return its key."""
        made = self._ask("POST", "/v1/releases/rollback", {"reason": "load"})
        return str(made["publication"]["release_key"])


def put_text(service: Served, text: str) -> tuple[int, Any]:
    """Put a release file into the draft."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    kind = {"content-type": "application/toml"}
    connection.request("PUT", "/v1/drafts/next/policy", text.encode(), kind)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def seconds_until_live(service: Served, key: str, since_s: float) -> float:
    """Return how long after an instant a service decides by a release."""
    while True:
        status, live = service.ask("GET", "/v1/releases/live")
        if status == 200 and live["release_key"] == key:
            return time.monotonic() - since_s
        assert time.monotonic() < since_s + 30, f"never live: {key}, but {live}"


class Client(threading.Thread):
    """Asks for recommendations until it is told to stop, and judges each answer."""

    def __init__(self, service: Served, name: str, kinds: Kinds) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.label = name
        self.kinds = kinds
        self.answers = 0
        self.seen = set[str]()
        """Releases that answers named."""
        self.wrong: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Ask without a pause."""
        while not self.over.is_set():
            call = told(1, incident_id=f"{self.label}-{self.answers}")
            status, answer = self.service.ask("POST", "/v1/recommend-units", call)
            self.answers += 1
            if status != 200:
                self.wrong.append(f"{status}: {answer}")
                continue
            self.seen.add(answer["basis"]["release_id"])
            differs = self.kinds.differs(answer)
            if differs is not None:
                self.wrong.append(differs)
