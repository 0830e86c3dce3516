"""All files of a finished study: the page, the tables, the manifest, each with its bytes.

What lives here: `result_files`, for whoever keeps them (`run_folder`). What does not: writing.
"""

import json
from collections.abc import Iterator
from typing import Final

from benchmarks.studies.report.page import page_of
from benchmarks.studies.report.table_files import column_kinds, files_of
from benchmarks.studies.tables import StudyResult

PAGE: Final = "report.html"
MANIFEST: Final = "manifest.json"
DEFINITIONS: Final = "definitions.json"


def result_files(result: StudyResult) -> Iterator[tuple[str, bytes]]:
    """Return name and bytes of every file, the page last."""
    tables = result.all_tables
    yield from files_of(tables)
    yield (
        DEFINITIONS,
        _json(
            {
                one.name: {
                    name: {"kind": kind, "definition": one.definitions[name]}
                    for name, kind in column_kinds(one).items()
                }
                for one in tables
            }
        ),
    )
    yield MANIFEST, _json({"assumptions": dict(result.assumptions), **result.manifest})
    yield PAGE, page_of(result).encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, default=str) + "\n").encode()
