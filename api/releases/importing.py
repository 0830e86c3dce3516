"""A GIS file that was uploaded into a draft: read in the process of `geodata.zone_reading`.

What lives here: the one reader of a service, the file that it is handed, and what is answered. What
does not: reading it, which happens in no process of ours that decides.
"""

import tempfile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from api.errors import Overloaded
from api.releases.checks import found_of_zones
from api.releases.content import zone_as_feature
from api.releases.drafts import zones_text
from api.releases.schemas import found_part

if TYPE_CHECKING:  # pyproj comes with them, which no start should wait for
    from geodata.zone_crs import Extent
    from geodata.zone_reading import ImportOptions, ZoneImport, ZoneReader

FILE_BYTES_MAX: Final = 20_000_000
FINDINGS_TOLD_MAX: Final = 200


class FileReading:
    """Reads one uploaded file at a time; the process is started when first needed."""

    def __init__(self) -> None:
        self._reader: ZoneReader | None = None
        self._turn = Lock()

    def read(self, body: bytes, options: "ImportOptions") -> "ZoneImport":
        """Return the zones of a file, or why it is refused.

        Raises
        ------
        Overloaded
            Another file is being read.
        """
        from geodata.zone_reading import ZoneReader

        if not self._turn.acquire(blocking=False):
            raise Overloaded("Another file is being read.", remedy="Send it again in a moment.")
        try:
            if self._reader is None:
                self._reader = ZoneReader()
            with tempfile.TemporaryDirectory(prefix="tandem-upload-") as folder:
                file = Path(folder) / "upload"
                file.write_bytes(body)
                return self._reader.read(file, options)
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process."""
        if self._reader is not None:
            self._reader.close()


def options_of(extent: "Extent", query: Any) -> "ImportOptions":
    """Return what the parameters of an address ask of an import."""
    from geodata.zone_reading import ImportOptions

    return ImportOptions(
        extent=extent,
        repair=query.get("repair", "false").lower() == "true",
        assume_crs=query.get("assume_crs"),
        id_column=query.get("id_field", "zone_id"),
    )


def zones_of(read: "ZoneImport") -> str | None:
    """Return the zones of a file as a draft keeps them; None of one that is refused."""
    if not read.is_accepted:
        return None
    return zones_text([zone_as_feature(one.zone, one.note) for one in read.zones])


def said_of(read: "ZoneImport") -> dict[str, Any]:
    """Return what is answered of a file, but for the draft."""
    return {
        "accepted": read.is_accepted,
        "zones": len(read.zones),
        "format": read.format,
        "crs": read.crs,
        "findings": [found_part(found_of_zones(one)) for one in read.findings[:FINDINGS_TOLD_MAX]],
    }
