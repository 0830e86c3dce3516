"""No acknowledgement leaves before the write it speaks of is synced to disk: read from a trace."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.lengths import length
from tests.reliability.nursery import ANSWER_S_MAX, REPOSITORY
from tests.reliability.trace import Order, calls_of, order_of, traced, why_no_trace

WHY_NOT = why_no_trace()
needs_trace = pytest.mark.skipif(WHY_NOT is not None, reason=f"order of syncs: {WHY_NOT}")

OPERATIONS = length(6, 250)
THREADS = 4
PROCESS = """
import json, socket, sys
from tests.reliability.writing import acknowledge_on, write_on
options = json.loads(sys.argv[1])
told = socket.create_connection(("127.0.0.1", options["port"]))
write_on(options, acknowledge_on(told.fileno()))
"""


def order_in_a_trace(folder: Path, *, synchronous: str) -> tuple[Order, int]:
    """Return what a trace of a writing process says, and how many acknowledgements arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(ANSWER_S_MAX)
        options = {
            "location": str(folder / "store.sqlite"), "run": "0", "seed": 7, "threads": THREADS,
            "operations": OPERATIONS, "synchronous": synchronous,
            "port": listener.getsockname()[1], "operations_between": 3,
        }  # fmt: skip
        command = traced([sys.executable, "-c", PROCESS, json.dumps(options)], folder / "trace")
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, cwd=REPOSITORY) as process:
            told, _ = listener.accept()
            with told:
                told.settimeout(ANSWER_S_MAX)
                came = b"".join(iter(lambda: told.recv(65_536), b""))
            assert process.wait(ANSWER_S_MAX) == 0
    lines = (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    return order_of(calls_of(lines)), came.count(b"ack ")


@needs_trace
def test_no_acknowledgement_is_sent_before_its_write_is_synced(tmp_path: Path) -> None:
    order, arrived = order_in_a_trace(tmp_path, synchronous="FULL")
    assert order == Order(acknowledged=OPERATIONS * THREADS)
    assert arrived == OPERATIONS * THREADS


@needs_trace
@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_store_that_does_not_sync_each_write_is_found(tmp_path: Path, synchronous: str) -> None:
    order, _ = order_in_a_trace(tmp_path, synchronous=synchronous)
    assert (order.acknowledged, order.not_written) == (OPERATIONS * THREADS, ())
    assert len(order.too_early) > order.acknowledged // 2


LOG = "7</s.sqlite-wal>"
WRITTEN = f'1 pwrite64({LOG}, "..#0.0.1#..", 9, 0) = 9'
SYNCED = f"1 fdatasync({LOG}) = 0"
BEGUN, ENDED = f"1 fdatasync({LOG} <unfinished ...>", "1 <... fdatasync resumed>) = 0"
SAID = '2 write(3<TCP:[1]>, "ack 0.0.1\\n", 10) = 10'


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([WRITTEN, SYNCED, SAID], Order(acknowledged=1)),
        ([WRITTEN, SAID, SYNCED], Order(acknowledged=1, too_early=("0.0.1",))),
        ([SYNCED, WRITTEN, SAID], Order(acknowledged=1, too_early=("0.0.1",))),
        ([SYNCED, SAID], Order(acknowledged=1, not_written=("0.0.1",))),
        (
            [WRITTEN, SYNCED.replace("= 0", "= -1 EIO (Input/output error)"), SAID],
            Order(acknowledged=1, too_early=("0.0.1",)),
        ),
        ([WRITTEN, BEGUN, SAID, ENDED], Order(acknowledged=1, too_early=("0.0.1",))),
        ([WRITTEN, BEGUN, ENDED, SAID], Order(acknowledged=1)),
        ([BEGUN, WRITTEN, ENDED, SAID], Order(acknowledged=1, too_early=("0.0.1",))),
        (
            [WRITTEN.replace("0.0.1", "0.0.12"), SYNCED, SAID],
            Order(acknowledged=1, not_written=("0.0.1",)),
        ),
    ],
)
def test_a_trace_is_read_by_what_began_and_ended(lines: list[str], expected: Order) -> None:
    assert order_of(calls_of(lines)) == expected
