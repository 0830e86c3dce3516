"""What cannot be read of what was stored.

StartError
└── ReplayError             a recommendation cannot be replayed
├── DamagedBlock        a block of units is not what was written
├── DamagedRecord       a stored record is not what was written
└── NotKept             a release, weight set or network is not there
"""

from api.errors import StartError


class ReplayError(StartError):
    """A recommendation cannot be replayed."""

    code = "CANNOT_REPLAY"
    title = "The recommendation cannot be replayed"


class DamagedBlock(ReplayError):
    """A block of units is not what was written."""

    code = "BLOCK_DAMAGED"


class DamagedRecord(ReplayError):
    """A stored record is not what was written."""

    code = "RECORD_DAMAGED"


class NotKept(ReplayError):
    """What the recommendation was decided with is not there."""

    code = "NOT_KEPT"
