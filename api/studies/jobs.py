"""Studies in the background: a bounded line, one process at a time, its progress, its end.

What lives here: `StudyJobs`. What does not: what a study computes (`benchmarks/studies`, which the
service never imports: it starts `tandem study ...`), and HTTP (`api.routes.studies`).

    FOLDER/data/                what scenarios may name; the operator of the service fills it
    FOLDER/data/ID.toml         the scenario of a study, as it was sent
    FOLDER/studies/ID/job.json  what is known of it
    FOLDER/studies/ID/out/      its results, and the parts that are done

A study that a stop of the service interrupts is QUEUED again at the next start, and goes on with
the parts that it has kept.
"""

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from api.errors import ChangeRefused, InvalidRequest, KeyReused, NoSuchStudy, Overloaded, Problem
from api.whole_file import write_whole

NICENESS: Final = 15
"""Behind everything that answers calls."""
END_S_MAX: Final = 5.0
"""How long a process may take to end by itself before it is ended."""
FAULTS_MAX: Final = 200
LISTED_MAX: Final = 500
SCENARIO_BYTES_MAX: Final = 200_000
PAGE: Final = "report.html"
NAMED_MAX: Final = 20
COMMAND: Final = (sys.executable, "-c", "from api.cli import main; main()", "study")


class StudyKind(StrEnum):
    """What is asked; the commands of `tandem study`."""

    COVERAGE = "coverage"
    SITING = "siting"
    REPLAY = "replay"
    SIMULATE = "simulate"
    COMPARE = "compare"


class StudyState(StrEnum):
    """How far a study is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OVER: Final = frozenset({StudyState.DONE, StudyState.FAILED, StudyState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One study as it is known."""

    study_id: str
    kind: StudyKind
    created_at: str
    """Instant, UTC."""
    created_by: str
    """Id of the key or token that asked."""
    state: StudyState = StudyState.QUEUED
    stage: str = ""
    done: int = 0
    total: int = 0
    """0 where nobody knows."""
    in_short: tuple[str, ...] = ()
    faults: tuple[Mapping[str, object], ...] = ()
    """What is wrong with the scenario: file, line, where, message, remedy."""
    files: tuple[str, ...] = ()
    ended_at: str | None = None
    asked_as: str = ""
    """Digest of caller and Idempotency-Key, '' without one."""
    asked_for: str = ""
    """Digest of what was asked with it."""


class StudyJobs:
    """The studies of one service; safe to ask from any thread.

    Parameters
    ----------
    folder
        Where data, scenarios and results are.
    waiting_max
        Studies that may wait for the one that runs.
    workers
        Processes of one study.
    is_paused
        Whether all studies wait.
    """

    def __init__(
        self, folder: Path, *, waiting_max: int, workers: int, is_paused: bool = False
    ) -> None:
        self.folder = folder
        self._waiting_max = waiting_max
        self._workers = workers
        self._is_paused = is_paused
        self._lock = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._process: subprocess.Popen[str] | None = None
        self._running: str | None = None
        self._is_closing = False
        for made in (self.data, self.folder / "studies"):
            made.mkdir(parents=True, exist_ok=True)
        self._read()
        self._thread = threading.Thread(target=self._work, name="studies", daemon=True)
        self._thread.start()

    @property
    def data(self) -> Path:
        """Where the files are that a scenario may name."""
        return self.folder / "data"

    # -- asked by routes --------------------------------------------------------------------------

    def scenario_named(self, name: str) -> str:
        """Return the text of a scenario file in the folder of data.

        Raises
        ------
        InvalidRequest
            No scenario file has this name there, or it is none.
        """
        try:
            with (self.data / name).open("rb") as file:
                content = file.read(SCENARIO_BYTES_MAX + 1)
            if len(content) <= SCENARIO_BYTES_MAX:
                return content.decode()
            what = f"has more than {SCENARIO_BYTES_MAX} bytes"
        except OSError:
            what = "is no file in the folder of data"
        except UnicodeDecodeError:
            what = "is no text in UTF-8"
        there = sorted(file.name for file in self.data.glob("*.toml"))
        with self._lock:
            own = {f"{study_id}.toml" for study_id in self._jobs}
        names = [one for one in there if one not in own][:NAMED_MAX]
        raise _refused(
            code="SCENARIO_FILE_UNREADABLE",
            detail=what,
            remedy=f"There are: {', '.join(names) or 'none'}.",
            path="/scenario_file",
        )

    def add(self, kind: StudyKind, scenario: str, created_by: str, key: str | None = None) -> Job:
        """Put a study into the line; one that was asked for with the same key is answered again.

        Raises
        ------
        InvalidRequest
            The scenario is no TOML, or names a file outside the folder of data.
        KeyReused
            The key came with another study before.
        Overloaded
            As many studies wait as may.
        """
        _require_inside(scenario)
        job = Job(
            study_id=secrets.token_hex(8),
            kind=kind,
            created_at=_now(),
            created_by=created_by,
            asked_as="" if key is None else _digest(created_by, key),
            asked_for=_digest(kind, scenario),
        )
        with self._lock:
            earlier = self._asked_before(job)
            if earlier is not None:
                return earlier
            waiting = sum(one.state is StudyState.QUEUED for one in self._jobs.values())
            if waiting >= self._waiting_max:
                raise Overloaded(
                    f"{waiting} studies are waiting.", remedy="Ask again when one is over."
                )
            self._place(job).mkdir()
            self._scenario(job).write_text(scenario, encoding="utf-8")
            self._set(job)
            self._lock.notify_all()
        return job

    def _asked_before(self, job: Job) -> Job | None:
        """Return the study that the same key asked for."""
        same = (one for one in self._jobs.values() if job.asked_as and one.asked_as == job.asked_as)
        earlier = next(same, None)
        if earlier is not None and earlier.asked_for != job.asked_for:
            raise KeyReused(
                "The Idempotency-Key came with another study before.",
                remedy="Send a key of its own with each study.",
            )
        return earlier

    def all(self) -> list[Job]:
        """Return the studies, the newest first."""
        with self._lock:
            jobs = list(self._jobs.values())
        return sorted(jobs, key=lambda job: (job.created_at, job.study_id), reverse=True)[
            :LISTED_MAX
        ]

    def one(self, study_id: str) -> Job:
        """Return one study.

        Raises
        ------
        NoSuchStudy
            No study has this id.
        """
        with self._lock:
            found = self._jobs.get(study_id)
        if found is None:
            raise NoSuchStudy(
                "No study has this id.", remedy="GET /v1/studies lists those that there are."
            )
        return found

    def cancel(self, study_id: str) -> Job:
        """End a study that waits or runs; what it has kept stays.

        Raises
        ------
        NoSuchStudy
            No study has this id.
        ChangeRefused
            It is done or has failed.
        """
        with self._lock:
            job = self.one(study_id)
            if job.state is StudyState.CANCELLED:
                return job
            if job.state in OVER:
                raise ChangeRefused(f"The study is {job.state}.", remedy="Nothing is left to end.")
            if self._running == study_id and self._process is not None:
                _interrupt(self._process)
            job = replace(job, state=StudyState.CANCELLED, ended_at=_now())
            self._set(job)
            return job

    def file(self, study_id: str, name: str) -> Path:
        """Return where a result is.

        Raises
        ------
        NoSuchStudy
            No study has this id, or it has no such file.
        """
        job = self.one(study_id)
        if name not in job.files:  # never a path: only names that the study itself has told
            raise NoSuchStudy(
                "The study has no such file.",
                remedy=f"GET /v1/studies/{study_id} lists its files.",
            )
        return self._place(job) / "out" / name

    def close(self) -> None:
        """End the process that runs; its study is QUEUED again at the next start."""
        with self._lock:
            self._is_closing = True
            process = self._process
            if process is not None:
                _interrupt(process)
            self._lock.notify_all()
        self._thread.join()

    # -- the line ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._lock:
                job = self._next()
                while job is None and not self._is_closing:
                    self._lock.wait()
                    job = self._next()
                if self._is_closing or job is None:
                    return
                job = replace(job, state=StudyState.RUNNING)
                self._running = job.study_id
                self._set(job)
                process = self._process = self._begin(job)
            end = _follow(process, lambda line, job=job: self._tell(job.study_id, line))
            with self._lock:
                self._process = self._running = None
                self._end(job.study_id, end)

    def _next(self) -> Job | None:
        if self._is_paused:
            return None
        waiting = [job for job in self._jobs.values() if job.state is StudyState.QUEUED]
        return min(waiting, key=lambda job: (job.created_at, job.study_id), default=None)

    def _begin(self, job: Job) -> subprocess.Popen[str]:
        out = self._place(job) / "out"
        words = (
            *COMMAND, job.kind, str(self._scenario(job)), "--out", str(out),
            "--workers", str(self._workers), "--json-progress",
        )  # fmt: skip
        with (self._place(job) / "log.txt").open("a") as log:
            process = subprocess.Popen(  # noqa: S603  our own command, no shell
                words, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True,
                process_group=0,
            )  # fmt: skip
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        return process

    def _tell(self, study_id: str, line: Mapping[str, Any]) -> None:
        """Take what the process says of itself."""
        with self._lock:
            job = self._jobs[study_id]
            if job.state is not StudyState.RUNNING:
                return
            if "stage" in line:
                job = replace(job, stage=line["stage"], done=line["done"], total=line["total"])
                self._jobs[study_id] = job  # on the disk when it ends
            elif line.get("state") == StudyState.DONE:
                short, files = tuple(line["in_short"]), tuple(line["files"])
                self._jobs[study_id] = replace(job, in_short=short, files=files)
            elif line.get("state") == StudyState.FAILED:
                faults = line.get("faults") or [
                    {"message": line.get("detail", ""), "remedy": line.get("remedy", "")}
                ]
                self._jobs[study_id] = replace(job, faults=tuple(faults[:FAULTS_MAX]))

    def _end(self, study_id: str, code: int) -> None:
        job = self._jobs[study_id]
        if job.state is not StudyState.RUNNING:
            return
        if self._is_closing and code != 0:
            self._set(replace(job, state=StudyState.QUEUED))
            return
        faults = job.faults
        if code != 0 and not faults:
            said = f"The process of the study ended with code {code}."
            faults = ({"message": said, "remedy": "log.txt in its folder says more."},)
        state = StudyState.DONE if code == 0 and job.files else StudyState.FAILED
        self._set(replace(job, state=state, faults=faults, ended_at=_now()))

    # -- on the disk ------------------------------------------------------------------------------

    def _place(self, job: Job) -> Path:
        return self.folder / "studies" / job.study_id

    def _scenario(self, job: Job) -> Path:
        return self.data / f"{job.study_id}.toml"

    def _set(self, job: Job) -> None:
        """Keep what is known of a study, in memory and on the disk."""
        self._jobs[job.study_id] = job
        write_whole(self._place(job) / "job.json", json.dumps(asdict(job)).encode())

    def _read(self) -> None:
        """Take up what an earlier process has left; one that was running waits again."""
        for file in sorted((self.folder / "studies").glob("*/job.json")):
            with suppress(OSError, ValueError, TypeError, KeyError):
                told = json.loads(file.read_bytes())
                told |= {
                    "kind": StudyKind(told["kind"]), "state": StudyState(told["state"]),
                    **{key: tuple(told[key]) for key in ("in_short", "faults", "files")},
                }  # fmt: skip
                job = Job(**told)
                if job.state is StudyState.RUNNING:
                    job = replace(job, state=StudyState.QUEUED)
                self._jobs[job.study_id] = job


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Ask a study and its processes to end, and end those that do not."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    timer = threading.Timer(END_S_MAX, _kill, (process,))
    timer.daemon = True
    timer.start()


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _follow(process: subprocess.Popen[str], tell: Any) -> int:
    """Read what a process says until it ends; return its code."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    tell(told)
    return process.wait()


# -- what may be named ----------------------------------------------------------------------------


def _require_inside(scenario: str) -> None:
    """Refuse a scenario whose texts could name a file outside the folder of data."""
    try:
        told = tomllib.loads(scenario)
    except tomllib.TOMLDecodeError as problem:
        said = f"is no TOML: {problem}"
        raise _refused(code="SCENARIO_NOT_TOML", detail=said, remedy="docs/studies.md") from None
    for text in _texts(told):
        parts = text.replace("\\", "/").split("/")
        if text.startswith(("/", "~")) or ".." in parts or "${" in text or ":" in parts[0][1:2]:
            raise _refused(
                code="SCENARIO_FILE_OUTSIDE",
                detail=f"names {text[:80]!r}, which is or may be a file outside the folder of data",
                remedy="Name files by their path inside that folder, such as calls.csv.",
            )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []


def _refused(*, code: str, detail: str, remedy: str, path: str = "/scenario") -> InvalidRequest:
    problem = Problem(path=path, code=code, detail=detail, remedy=remedy)
    return InvalidRequest(f"{path} {detail}.", remedy=remedy, problems=(problem,))
