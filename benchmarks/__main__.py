"""`make bench`: our kernel beside other libraries; `--all` adds the others."""

import argparse
import subprocess
import sys

from benchmarks import kernel
from benchmarks.streets import benchmark_network

OTHERS = (
    "benchmarks.decision",
    "benchmarks.batch",
    "benchmarks.interference",
    "benchmarks.interference_study",
    "benchmarks.roster",
    "benchmarks.replay",
    "benchmarks.scale",
    "benchmarks.service",
    "benchmarks.http",
    "benchmarks.recorded",
    "benchmarks.overload",
    "benchmarks.guard",
    "benchmarks.network_import",
    "benchmarks.siting",
    "benchmarks.posts_matrix",
    "benchmarks.beside_theory",
)


def main() -> None:
    """Print Markdown tables; each of the other benchmarks runs in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="also batches, scale, service, HTTP, import"
    )
    parser.add_argument("--runs", type=int, default=300, help="incidents for each figure")
    chosen = parser.parse_args()
    print(kernel.report(benchmark_network(), chosen.runs), flush=True)
    for module in OTHERS if chosen.all else ():
        subprocess.run([sys.executable, "-m", module], check=True)  # noqa: S603  our own modules


if __name__ == "__main__":
    main()
