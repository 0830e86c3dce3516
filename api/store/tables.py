"""The tables of the durable store, the same on SQLite and on PostgreSQL.

Instants are whole microseconds since 1970 in UTC (`to_us`), so that both engines keep and compare
them exactly. What only our own code reads whole is one JSON or binary column; what is searched,
counted or made unique has a column of its own. `api.store.migrations` makes them.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
TABLES: Final = MetaData(naming_convention=NAMES)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return an instant as whole microseconds since 1970, UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return the instant, in UTC, of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


# -- the roster -----------------------------------------------------------------------------------

units: Final = Table(
    "units",
    TABLES,
    Column("unit_id", String, primary_key=True),
    Column("agency", String, nullable=False),
    Column("status", String, nullable=False),
    Column("body", Text, nullable=False),  # StoredUnit as JSON
)

positions: Final = Table(
    "positions",
    TABLES,
    Column("unit_id", String, ForeignKey("units.unit_id", ondelete="CASCADE"), primary_key=True),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("fixed_at", BigInteger),
    Column("received_at", BigInteger, nullable=False),
    Column("heading_deg", Float(53)),
    Column("speed_mps", Float(53)),
    Column("accuracy_m", Float(53)),
)

position_history: Final = Table(
    "position_history",
    TABLES,
    Column("unit_id", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("fixed_at", BigInteger),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Index("ix_position_history_received_at", "received_at"),
    Index("ix_position_history_unit_id", "unit_id", "received_at"),
)

roster_state: Final = Table(
    "roster_state",
    TABLES,
    Column("one", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("version", BigInteger, nullable=False),
)

status_events: Final = Table(
    "status_events",
    TABLES,
    Column("event_id", String, primary_key=True),
    Column("unit_id", String, nullable=False),
    Column("incident_id", String),
    Column("status", String, nullable=False),
    Column("at", BigInteger, nullable=False),  # as the CAD says
    Column("received_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # conflicts, operator, what was displaced
    Index("ix_status_events_received_at", "received_at"),
    Index("ix_status_events_incident_id", "incident_id"),
    Index("ix_status_events_unit_id", "unit_id", "received_at"),
)

# -- calls ----------------------------------------------------------------------------------------

incidents: Final = Table(
    "incidents",
    TABLES,
    Column("incident_id", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Column("is_pending", Boolean, nullable=False, server_default=text("false")),
    Column("pending_since", BigInteger),  # of a call that is, or was last
    Column("body", Text, nullable=False),  # KnownCall as JSON
    Column("request", LargeBinary),  # the last request, as it was sent; a HOLD is solved again
    Index("ix_incidents_touched_at", "touched_at"),
    Index("ix_incidents_is_pending", "is_pending", "pending_since"),
)

alerts: Final = Table(
    "alerts",
    TABLES,
    Column("alert_id", String, primary_key=True),
    Column(
        "incident_id",
        String,
        ForeignKey("incidents.incident_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("is_open", Boolean, nullable=False),
    Index("ix_alerts_incident_id", "incident_id"),
    Index("ix_alerts_is_open", "is_open"),
)

recommendations: Final = Table(
    "recommendations",
    TABLES,
    Column("recommendation_id", String, primary_key=True),
    Column("incident_id", String, nullable=False),
    Column("incident_version", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    Column("mode", String),
    Column("answer", LargeBinary, nullable=False),  # the bytes that were sent
    Column("seen", LargeBinary, nullable=False),  # api.replay.record
    Index("ix_recommendations_incident_id", "incident_id", "decided_at"),
    Index("ix_recommendations_decided_at", "decided_at"),
)

# -- claims and assignments -----------------------------------------------------------------------

claims: Final = Table(
    "claims",
    TABLES,
    Column("claim_id", String, primary_key=True),
    Column("incident_id", String, nullable=False),
    Column("recommendation_id", String),
    Column("state", String, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("body", Text, nullable=False),
    Index("ix_claims_incident_id", "incident_id"),
    Index("ix_claims_state", "state", "expires_at"),
)

claim_units: Final = Table(
    "claim_units",
    TABLES,
    Column("claim_id", String, ForeignKey("claims.claim_id"), nullable=False),
    Column("unit_id", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("is_live", Boolean, nullable=False),
    PrimaryKeyConstraint("claim_id", "unit_id"),
    # This, and no isolation level, is what makes two claims on one unit impossible.
    Index(
        "uq_claim_units_live",
        "unit_id",
        unique=True,
        sqlite_where=text("is_live"),
        postgresql_where=text("is_live"),
    ),
)

assignments: Final = Table(
    "assignments",
    TABLES,
    Column("incident_id", String, nullable=False),
    Column("unit_id", String, nullable=False),
    Column("agency", String, nullable=False),
    Column("claim_id", String),
    Column("is_open", Boolean, nullable=False),
    Column("assigned_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("body", Text, nullable=False),  # the instant of every status of this unit on this call
    PrimaryKeyConstraint("incident_id", "unit_id"),
    Index("ix_assignments_unit_id", "unit_id", "is_open"),
    Index("ix_assignments_assigned_at", "assigned_at"),
)

overrides: Final = Table(
    "overrides",
    TABLES,
    Column("override_id", String, primary_key=True),
    Column("incident_id", String, nullable=False),
    Column("recommendation_id", String),
    Column("claim_id", String),
    Column("action", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_overrides_at", "at"),
    Index("ix_overrides_incident_id", "incident_id"),
)

idempotency: Final = Table(
    "idempotency",
    TABLES,
    Column("caller", String, nullable=False),
    Column("key", String, nullable=False),
    Column("route", String, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    PrimaryKeyConstraint("caller", "key"),
    Index("ix_idempotency_at", "at"),
)

# -- what is needed to say it all again -----------------------------------------------------------

releases: Final = Table(
    "releases",
    TABLES,
    Column("release_id", String, primary_key=True),
    Column("first_used_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

weight_sets: Final = Table(
    "weight_sets",
    TABLES,
    Column("weights_id", String, primary_key=True),
    Column("first_used_at", BigInteger, nullable=False),
    Column("description", LargeBinary, nullable=False),
)

# -- who, and what happened -----------------------------------------------------------------------

api_keys: Final = Table(
    "api_keys",
    TABLES,
    Column("key_id", String, primary_key=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("label", String, nullable=False),
    Column("roles", Text, nullable=False),  # JSON list
    Column("asserts", Text, nullable=False),  # JSON list of operator roles
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)

instances: Final = Table(
    "instances",
    TABLES,
    Column("instance", String, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    # The head of this instance's chain of audit records.
    Column("audit_count", BigInteger, nullable=False),
    Column("audit_head", LargeBinary, nullable=False),
)

audit: Final = Table(
    "audit",
    TABLES,
    Column("instance", String, nullable=False),
    Column("number", BigInteger, nullable=False),  # from 1, without a gap
    Column("at", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("record", LargeBinary, nullable=False),  # the bytes that were hashed
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("instance", "number"),
    Index("ix_audit_at", "at"),
    Index("ix_audit_subject", "subject"),
)

audit_checkpoints: Final = Table(
    "audit_checkpoints",
    TABLES,
    Column("instance", String, nullable=False),
    Column("number", BigInteger, nullable=False),  # the last record that was pruned
    Column("at", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("instance", "number"),
)

changes: Final = Table(
    "changes",
    TABLES,
    Column("change_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("instance", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("key", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_changes_at", "at"),
)

leases: Final = Table(
    "leases",
    TABLES,
    Column("name", String, primary_key=True),
    Column("instance", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)

change_state: Final = Table(
    "change_state",
    TABLES,
    Column("one", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("head", BigInteger, nullable=False),
)
