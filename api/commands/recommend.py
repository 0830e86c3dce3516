"""`tandem recommend`: one answer without a service, as text, as JSON or as a picture."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from api.commands.console import notes, out
from api.commands.serve import settings_with
from api.errors import StartError

STDIN: Final = Path("-")


def run_recommend(
    file: Path, chosen: Mapping[str, Any], *, as_json: bool, map_file: Path | None
) -> None:
    """Answer the request in a file, and draw it when asked to."""
    settings = settings_with(chosen)
    body = read_request_file(file, settings.body_bytes_max)
    from api.dispatcher_text import answer_panel
    from api.live_view import load_view
    from api.operations import recommend_units

    with notes.status("Starting") as status:
        view = load_view(settings, lambda stage: status.update(stage[:1].upper() + stage[1:]))
    answered = recommend_units(view, body, always_route=map_file is not None)
    if as_json:
        sys.stdout.buffer.write(answered.body + b"\n")
    else:
        answer = json.loads(answered.body)
        out.print(answer_panel(answer, f"Call {answer['incident_id']}"))
        _say_schematic(schematic=view.schematic)
    if map_file is not None:
        from api.map_data import map_data
        from api.map_picture import draw_map

        draw_map(map_data(view, answered.request, answered.found), map_file)
        notes.print(f"Drawn: {map_file}", markup=False)


def _say_schematic(*, schematic: bool) -> None:
    if schematic:
        notes.print(
            "The built-in streets are a schematic, drawn from facts and not surveyed. For real "
            "drive times: tandem network build, then --network.",
            style="dim",
        )


def read_request_file(file: Path, bytes_max: int) -> bytes:
    """Return the bytes of a request.

    Raises
    ------
    StartError
        The file cannot be read or is larger than a request may be.
    """
    try:
        stream = sys.stdin.buffer if file == STDIN else file.open("rb")
        with stream:
            body = stream.read(bytes_max + 1)
    except OSError as error:
        raise StartError(
            f"{file}: {error.strerror or error}.",
            remedy="Give a file with one request as JSON, or '-' for standard input.",
        ) from None
    if len(body) > bytes_max:
        raise StartError(
            f"{file}: more than {bytes_max:,} bytes.",
            remedy="Send the units on duty only, or raise TANDEM_BODY_BYTES_MAX.",
        )
    return body
