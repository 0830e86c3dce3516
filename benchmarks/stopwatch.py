"""How we measure: medians over many runs in one process, on a machine that is named."""

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

Argument = TypeVar("Argument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What n runs took, in seconds."""

    n: int
    p50_s: float
    p99_s: float

    @property
    def us(self) -> str:
        """The median for a person to read, microseconds or milliseconds."""
        return duration(self.p50_s)


def duration(seconds: float) -> str:
    """Return a time with three figures and the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def time_each(run: Callable[[Argument], object], arguments: Iterable[Argument]) -> Timing:
    """Return the timing of one call for each argument, after one call that is not counted."""
    arguments = list(arguments)
    run(arguments[0])
    took = []
    for argument in arguments:
        begin = time.perf_counter()
        run(argument)
        took.append(time.perf_counter() - begin)
    p50, p99 = np.percentile(took, [50, 99])
    return Timing(n=len(took), p50_s=float(p50), p99_s=float(p99))


def machine() -> str:
    """Return the processor, its number of cores and the version of Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line for line in lines if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def peak_memory_mb() -> float:
    """Return the most memory that this process has held at any time, in MB (Linux and macOS)."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1e6 if platform.system() == "Darwin" else 1e3)


def resident_memory_mb(process_id: int) -> float:
    """Return the memory that a process holds now, in MB (Linux)."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table with its title."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows)]
    return "\n".join((f"\n**{title}**\n", *lines))
