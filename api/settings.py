"""Every setting of the service, read once from the environment and passed down.

Each has its row in docs/settings.md; a test fails when one is missing there.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import StartError

ENV_PREFIX: Final = "TANDEM_"
Days = Annotated[int, Field(ge=1, le=36_500)]


class Settings(BaseSettings):
    """One frozen object; `TANDEM_PORT=9000` in the environment sets `port`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    network: Path | None = None
    """Folder written by `tandem network build`; none means the built-in pilot schematic."""
    release: Path | None = None
    """TOML file of zones, policies and mappings (`api.release_file`); none means the pilot's."""
    zones: Path | None = None
    """GeoJSON file of zones in place of those of the release, to try them; none means those."""
    beats: Path | None = None
    """GeoJSON file of police beats (property `beat`); none means that no sector is known."""
    rung: Literal["ROAD", "LAST_GOOD", "STRAIGHT_LINE", "BEAT_ORDER"] = "ROAD"
    """The best rung of the ladder of travel times that may be used."""
    store: str | None = None
    """Where it is kept: a file (SQLite) or a URL (PostgreSQL); nothing means memory only."""
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "main"
    """Name of this process among those that share a store."""
    record_s_max: Annotated[float, Field(gt=0, le=30)] = 1.0
    """Seconds that an answer waits for its record; then it goes out with `recorded: false`."""
    spool: Path | None = None
    """File that keeps recommendations while the store is down; none means a file of that instance
    beside the store, or in the user's state folder where the store is a server."""
    spool_records_max: Annotated[int, Field(ge=0, le=10_000_000)] = 100_000
    """Recommendations that the spool takes; above it the newest are refused."""
    spool_bytes_max: Annotated[int, Field(ge=0, le=100_000_000_000)] = 500_000_000
    """Bytes that the spool may have."""
    claim_s: Annotated[int, Field(ge=10, le=3_600)] = 120
    """Seconds that the CAD has to report confirmed units on their call; then the claim expires."""
    keep_positions_days: Days = 30
    """Days for which it is kept where units were."""
    keep_status_events_days: Days = 1_095
    """Days for which status reports are kept."""
    keep_recommendations_days: Days = 1_095
    """Days for which recommendations are kept, and can be replayed."""
    keep_claims_days: Days = 1_095
    """Days for which ended claims, cleared assignments and overrides are kept."""
    keep_incidents_days: Days = 1_095
    """Days for which a call is kept that nobody touches; not one that is held or alerts."""
    keep_idempotency_days: Days = 7
    """Days for which a retried write gets its first answer."""
    keep_changes_days: Days = 7
    """Days for which listeners can resume the feed of changes."""
    keep_audit_days: Days = 2_555
    """Days for which audit records are kept."""
    police_alone_low_s: Annotated[int, Field(ge=0, le=86_400)] = 1_800
    """Seconds that police would spend on a call without CARE, low end; an assumption."""
    police_alone_high_s: Annotated[int, Field(ge=0, le=86_400)] = 2_700
    """The high end of the same."""
    officers_per_unit: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Officers in a police unit, by which time saved is multiplied; an assumption."""
    event_clients_max: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Listeners of GET /v1/events above which a new one gets 503."""
    pending_age_s_max: Annotated[float, Field(gt=0, le=604_800)] = 14_400.0
    """Seconds after which a call that waits is looked after no more."""
    driving: Path | None = None
    """TOML file of driving figures (`geodata.driving_file`); none means the defaults."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8911
    """TCP port; 0 takes a free one."""
    public_url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:_/\[\]-]{1,200}$")] | None = (
        None
    )
    """Where clients reach the service when a proxy ends TLS before it, for links in `/ogc`."""
    dev: bool = False
    """Development mode: nobody is asked for credentials; on the loopback address only."""
    oidc_issuer: str | None = None
    """The identity provider's `issuer`; none means that API keys alone are taken."""
    oidc_audience: str | None = None
    """What a token's `aud` must name: this service."""
    oidc_jwks: str | None = None
    """File or https address of the provider's public keys."""
    oidc_roles_claim: str = "roles"
    """The claim that lists a person's roles; dots lead into parts, as in `realm_access.roles`."""
    cache_dir: Path | None = None
    """Where compiled kernels are kept; none means the user's cache folder. Read by `geodata`."""
    body_bytes_max: Annotated[int, Field(ge=1_000, le=100_000_000)] = 1_000_000
    """Larger request bodies are refused with 413."""
    body_read_s_max: Annotated[float, Field(gt=0, le=60)] = 5.0
    """A body that takes longer to arrive is refused with 408."""
    shutdown_s_max: Annotated[int, Field(ge=0, le=300)] = 10
    """Seconds that open requests get to finish when the service is told to stop."""
    concurrent_requests_max: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Connections and requests in hand above which uvicorn answers 503."""
    calls_in_hand_max: Annotated[int, Field(ge=1, le=100_000)] = 24
    """Requests in hand, of all kinds, above which calls wait for their turn."""
    calls_waiting_max: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Calls that wait above which one more is refused with 503; those that are urgent for
    themselves."""
    calls_wait_s_max: Annotated[float, Field(gt=0, le=60)] = 0.5
    """Seconds that the first of the line has waited above which calls are refused."""
    feeds_in_hand_max: Annotated[int, Field(ge=1, le=100_000)] = 18
    """Requests in hand or waiting above which writes of the roster are refused with 503; never
    above that of calls in hand."""
    reads_in_hand_max: Annotated[int, Field(ge=1, le=100_000)] = 12
    """The same for reads; never above that of feeds."""
    request_s_max: Annotated[float, Field(gt=0, le=600)] = 10.0
    """A read or a write of the roster that takes longer is answered 503."""
    fix_speed_mps_max: Annotated[float, Field(gt=0, le=1_000)] = 70.0
    """A fix farther away than a unit can have driven at this speed is discarded."""
    fix_jump_m: Annotated[float, Field(ge=0, le=10_000)] = 250.0
    """Metres that satellite noise may add to a move before its speed counts as impossible."""
    roster_writes_waiting_max: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Roster writes in hand above which new ones get 503."""
    batches_waiting_max: Annotated[int, Field(ge=1, le=1_000)] = 8
    """Batches of calls in hand, one of them being decided, above which new ones get 503."""
    studies_folder: Path | None = None
    """Data, scenarios and results of studies that are run by the service; none means no studies."""
    studies_waiting_max: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Studies that wait for the one that runs, above which new ones get 503."""
    studies_workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes of a study."""
    studies_paused: bool = False
    """Whether studies wait and none is begun, while the machine is needed for other things."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least serious log line that is written."""


def read_settings(chosen: Mapping[str, Any] = MappingProxyType({})) -> Settings:
    """Read the environment; values that were chosen by name win over it.

    Raises
    ------
    StartError
        A variable has a value that its setting cannot take.
    """
    try:
        return Settings(**chosen)
    except ValidationError as error:
        said = [
            f"{ENV_PREFIX}{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)
        ]
        raise StartError(
            "The environment holds a setting that cannot be used: " + "; ".join(said) + ".",
            remedy="docs/settings.md lists every setting and what it takes.",
        ) from None
