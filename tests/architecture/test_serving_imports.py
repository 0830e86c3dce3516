"""The serving process stays light: a real one is started, asked, and asked what it has imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("osmnx", "networkx", "geopandas", "pandas", "matplotlib", "osmium", "pyogrio",
         "ortools.sat", "requests", "benchmarks")  # fmt: skip

PROGRAM = """
import json, sys
from starlette.testclient import TestClient
from api.app import make_app
from api.settings import Settings
from geodata.pilot.area import pilot_demo_calls
from threading import Event

def answer():
    app = make_app(Settings(log_level="error"))
    with TestClient(app) as client:
        for _ in range(3000):
            if client.get("/readyz").status_code == 200:
                break
            Event().wait(0.1)
        for call in pilot_demo_calls():
            assert client.post("/v1/recommend-units", json=call.request).status_code == 200
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/metrics").status_code == 200

answer()
{extra}
print(json.dumps(sorted(sys.modules)))
"""


def heavy_modules_after(extra: str = "") -> set[str]:
    program = PROGRAM.replace("{extra}", extra)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    return {h for h in HEAVY for name in loaded if name == h or name.startswith(f"{h}.")}


def test_the_serving_process_imports_nothing_heavy() -> None:
    assert heavy_modules_after() == set()


@pytest.mark.parametrize("module", ["networkx", "ortools.sat.python.cp_model"])
def test_a_heavy_import_is_found(module: str) -> None:
    assert heavy_modules_after(f"import {module}")
