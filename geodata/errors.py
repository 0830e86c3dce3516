"""What can go wrong while places are read, built, saved and loaded.

    GeodataError
    ├── StreetDataError          the content of a street source
    │   ├── StreetFileError      a file that cannot be read as what it claims to be
    │   ├── NoStreetsError       nothing in it that a car could drive in a connected network
    │   └── CoordinateError      a position outside the world, or not in degrees
    ├── ClosurePlaceError        a place that stands for no streets, or not clearly for which
    ├── MapServiceError          Overpass or Nominatim gave no usable answer
    └── ArtifactError            a folder of saved columns
        ├── ArtifactMissingError     no such folder, or not one of ours
        ├── ArtifactVersionError     written by another format version
        └── ArtifactDamagedError     truncated or changed since it was written

Every message says what was found, where, and what to do about it.
"""


class GeodataError(Exception):
    """Root of every error that the package `geodata` raises on purpose."""


class StreetDataError(GeodataError):
    """A street source whose content cannot become a network."""


class StreetFileError(StreetDataError):
    """A file that cannot be read as what its name claims."""


class NoStreetsError(StreetDataError):
    """No connected network of streets for cars."""


class CoordinateError(StreetDataError):
    """A position that is not longitude and latitude in degrees."""


class ClosurePlaceError(GeodataError):
    """A place of a closure that stands for no streets, or for which is not clear."""


class MapServiceError(GeodataError):
    """A map service that could not be reached or understood."""


class ArtifactError(GeodataError):
    """A folder of saved columns that cannot be used."""


class ArtifactMissingError(ArtifactError):
    """There is no artifact of the wanted kind at this place."""


class ArtifactVersionError(ArtifactError):
    """The artifact was written in a format that this version does not read."""


class ArtifactDamagedError(ArtifactError):
    """The artifact is not what was written."""
