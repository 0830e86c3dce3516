"""The command `tandem` as a person runs it: real processes, one clear message for each mistake."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.auth.opening import require_reach
from api.commands.serve import require_one_worker
from api.errors import StartError
from api.settings import Settings
from geodata.pilot.area import pilot_zone_features
from tests.api.release_texts import SMALL
from tests.api.requests_made import as_bytes, request, request_about
from tests.api.waiting import wait_until

TANDEM = [sys.executable, "-c", "from api.cli import main; main()"]
TIMEOUT_S = 120


def tandem(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*TANDEM, *arguments], input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False,
        env=os.environ | {"COLUMNS": "120", "NO_COLOR": "1"},
    )  # fmt: skip
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def assert_clear_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr.replace("\n", " ")


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a real service on a free port; it is ended whatever happens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*TANDEM, "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: process.poll() is not None or status(port) == 200, "ready")
        yield process, port
    finally:
        process.kill()
        process.communicate()


def status(port: int) -> int:
    try:
        return exchange(port, "GET", "/readyz")[0]
    except OSError:
        return 0


def exchange(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_the_demo_prints_a_pair_its_arrivals_and_reasons() -> None:
    done = tandem("demo")
    assert done.returncode == 0, done.stderr
    assert "schematic" in done.stdout
    for word in ("DISPATCH", "HOLD", "NOT ELIGIBLE", "CARE", "SPD", "stages at", "Time:"):
        assert word in done.stdout


def test_a_real_service_answers_and_stops_when_told_to() -> None:
    with served() as (process, port):
        code, body = exchange(port, "POST", "/v1/recommend-units", as_bytes(request()))
        assert code == 200
        assert json.loads(body)["outcome"] == "DISPATCH"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, -signal.SIGTERM}
        _, said = process.communicate()
        lines = [json.loads(line) for line in said.splitlines()]
        assert lines[0]["address"] == f"http://127.0.0.1:{port}"
        assert "47.61" not in said.decode()


def test_a_body_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_BODY_READ_S_MAX", "0.2")
    with served() as (_, port), socket.create_connection(("127.0.0.1", port), 60) as half:
        head = "POST /v1/recommend-units HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        half.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert half.recv(4096).startswith(b"HTTP/1.1 408")
        assert exchange(port, "GET", "/healthz")[0] == 200


def test_a_caller_who_goes_away_harms_nobody() -> None:
    with served() as (_, port):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), 60) as gone:
                gone.sendall(b"POST /v1/recommend-units HTTP/1.1\r\nHost: x\r\nContent-Type: ")
        assert exchange(port, "POST", "/v1/recommend-units", as_bytes(request()))[0] == 200


def test_a_port_in_use_is_told_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = tandem("serve", "--port", str(taken.getsockname()[1]))
    assert_clear_error(done, "in use", "--port 0")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "dispatch.example.org"])
def test_other_machines_are_kept_out_unless_insisted_on(host: str) -> None:
    settings = Settings(host=host, dev=False)
    with pytest.raises(StartError, match="--allow-remote"):
        require_reach(settings, allow_remote=False)
    require_reach(settings, allow_remote=True)


@pytest.mark.parametrize("allow_remote", [True, False])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "dispatch.example.org"])
def test_development_mode_is_for_this_machine_alone(host: str, allow_remote: bool) -> None:
    with pytest.raises(StartError, match="development mode"):
        require_reach(Settings(host=host, dev=True), allow_remote=allow_remote)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_may_always_be_served(host: str) -> None:
    require_reach(Settings(host=host, dev=True), allow_remote=False)
    require_reach(Settings(host=host, dev=False), allow_remote=False)


def test_more_than_one_worker_is_refused_because_the_roster_is_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("memory of one process", "--workers 1")
    assert_clear_error(tandem("serve", "--port", "0", "--workers", "2"), "--workers 2", *words)
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert_clear_error(tandem("serve", "--port", "0"), "WEB_CONCURRENCY=4", *words)


@pytest.mark.parametrize(
    ("workers", "environment"), [(None, None), (1, None), (None, "1"), (None, ""), (1, "4")]
)
def test_one_worker_is_served(workers: int | None, environment: str | None) -> None:
    require_one_worker(workers, environment)


@pytest.mark.parametrize(
    ("workers", "environment"), [(2, None), (0, None), (None, "two"), (4, "1"), (None, "0")]
)
def test_any_other_number_of_workers_is_refused(
    workers: int | None, environment: str | None
) -> None:
    with pytest.raises(StartError, match="exactly one worker"):
        require_one_worker(workers, environment)


def test_a_request_from_a_file_is_answered_as_text(tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_bytes(as_bytes(request()))
    done = tandem("recommend", str(file))
    assert done.returncode == 0, done.stderr
    assert "Dispatch" in done.stdout
    assert "schematic" in done.stderr


def test_a_request_from_standard_input_is_answered_as_json() -> None:
    done = tandem("recommend", "-", "--json", stdin=as_bytes(request()))
    assert json.loads(done.stdout)["outcome"] == "DISPATCH"


def test_a_map_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "call.png"
    done = tandem("recommend", "-", "--map", str(picture), stdin=as_bytes(request()))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000


def test_a_request_that_cannot_be_understood_is_one_message() -> None:
    made = request_about(location={"lon": 47.61, "lat": -122.33})
    assert_clear_error(tandem("recommend", "-", stdin=as_bytes(made)), "swapped", "Exchange")


def test_the_release_of_the_pilot_is_shown_and_is_a_start_for_another(tmp_path: Path) -> None:
    shown = tandem("release", "show")
    assert shown.returncode == 0, shown.stderr
    for word in ("PILOT_CORE", "9.67", "every day 11:00-23:00", "1 x crew 2+", "turnout_spd_s"):
        assert word in shown.stdout
    text = tandem("release", "show", "--text").stdout.replace('"11:00"', '"12:00"')
    (tmp_path / "zone.geojson").write_text(json.dumps(pilot_zone_features()), encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    checked = tandem("release", "check", str(tmp_path / "mine.toml"))
    assert checked.returncode == 0
    assert checked.stdout.startswith("OK: ")
    assert "every day 12:00-23:00" in checked.stdout


def test_problems_of_a_release_are_all_printed_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    text = SMALL.replace("MEAL =", "BUSY =").replace("_crew = 2", "_crw = 2")
    file.write_text(text, encoding="utf-8")
    checked = tandem("release", "check", str(file))
    assert checked.returncode == 1
    told = re.findall(r"^│ +(\d+) │", checked.stdout, re.MULTILINE)
    lines = enumerate(text.splitlines(), start=1)
    assert told == [str(n) for n, line in lines if "BUSY =" in line or "_crw" in line]


@pytest.mark.parametrize(
    "arguments",
    [("recommend", "nowhere.json"), ("network", "info", "nowhere"),
     ("network", "build", "--out", "x"), ("recommend", "-", "--network", "nowhere"),
     ("recommend", "-", "--zones", "nowhere.geojson"),
     ("network", "build", "nowhere.osm", "--out", "x"), ("serve", "--network", "nowhere"),
     ("serve", "--release", "nowhere.toml"), ("release", "show", "nowhere.toml")],
)  # fmt: skip
def test_a_mistake_is_one_clear_message(arguments: tuple[str, ...]) -> None:
    assert_clear_error(tandem(*arguments, stdin=as_bytes(request())), "Error:")


def test_the_calls_of_the_book_are_listed_as_the_rules_demand_them() -> None:
    done = tandem("scenarios")
    assert done.returncode == 0, done.stdout
    assert "11:04" in done.stdout
    assert "DIFFERS" not in done.stdout
    shown = tandem("scenarios", "11:04")
    for word in ("why", "expected", "Dispatch 2M1 and CARE1 now", "behind, 16 s", "OK"):
        assert word in shown.stdout


def test_a_call_of_the_book_can_be_sent_as_it_stands() -> None:
    printed = tandem("scenarios", "11:04", "--request")
    done = tandem("recommend", "-", "--json", stdin=printed.stdout.encode())
    assert json.loads(done.stdout)["message"].startswith("Dispatch 2M1 and CARE1 now.")


def test_a_call_that_is_not_in_the_book_is_one_clear_message() -> None:
    assert_clear_error(tandem("scenarios", "nowhere"), "No scenario", "tandem scenarios lists")


@pytest.mark.parametrize(
    "command",
    ["demo", "serve", "recommend", "scenarios", "kernels", "network build", "network info",
     "release check", "release show", "zones check", "zones import", "zones export"],
)  # fmt: skip
def test_help_has_examples(command: str) -> None:
    done = tandem(*command.split(), "--help")
    assert done.returncode == 0
    assert "Examples" in done.stdout
    assert f"tandem {command}" in done.stdout
