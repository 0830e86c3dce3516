"""What is sent and answered about drafts and releases, field by field.

Answers have every key always, instants in UTC.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.answer_schemas import Part, UtcInstant
from api.releases.checks import Found
from api.releases.differences import Difference
from api.releases.drafts import Draft
from api.releases.publications import Publication, PublicationKind
from api.request_schemas import Entry, Instant, OperatorEntry

ReasonText = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]

# -- what is sent ---------------------------------------------------------------------------------


class _By(Entry):
    """Who acts: the operator where the key may assert one, else the key itself."""

    # Unlike a call, a publication with a misspelt member must not pass as one without it.
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    operator: OperatorEntry | None = None


class DraftWrite(_By):
    """PUT /v1/drafts/{name}: a new draft."""

    base: Key | None = None
    """The key of the release that it begins as; null is the one in force."""
    note: ReasonText = ""


class ApproveWrite(_By):
    """POST /v1/drafts/{name}/approve: who approves."""


class PublishWrite(_By):
    """POST /v1/drafts/{name}/publish: since when, and why."""

    effective_at: Instant | None = None
    """With its offset from UTC; null is at once."""
    reason: ReasonText = ""
    replaces: Key | None = None
    """The key of the release in force, where the draft began from another one."""


class RollbackWrite(_By):
    """POST /v1/releases/rollback: to which release, since when, and why."""

    release_key: Key | None = None
    """Null is the one before the one in force first was."""
    effective_at: Instant | None = None
    reason: ReasonText = ""


class WithdrawWrite(_By):
    """POST /v1/releases/{number}/withdraw: why."""

    reason: ReasonText = ""


# -- what is answered -----------------------------------------------------------------------------


class DraftPart(Part):
    """A draft without its content."""

    name: str
    owner: str
    """Who alone changes it."""
    base: str
    """The key of the release that it began as."""
    version: int
    note: str
    created_at: UtcInstant
    changed_at: UtcInstant
    editors: list[str]
    approved_by: str | None
    """Who approved the content as it is now; null when nobody has."""
    digest: str
    """Of the content."""
    zones: int
    """How many."""


class DraftAnswer(Part):
    """A draft with its content."""

    draft: DraftPart
    policy: str
    """The release file (TOML), without zones."""
    zones: dict[str, object]
    """GeoJSON FeatureCollection."""


class DraftsAnswer(Part):
    """All drafts by name."""

    drafts: list[DraftPart]


class FoundPart(Part):
    """One thing that a check has found."""

    weight: str
    part: str
    place: str
    code: str
    detail: str
    remedy: str
    lon: float | None
    lat: float | None


class CheckAnswer(Part):
    """The check of a draft as a whole."""

    name: str
    version: int
    usable: bool
    """Whether it may be published, once it is approved."""
    findings: list[FoundPart]


class ImportAnswer(Part):
    """What became of a GIS file."""

    accepted: bool
    """False: nothing of it was taken."""
    zones: int
    format: str
    crs: str
    findings: list[FoundPart]
    draft: DraftPart
    """As it is now."""


class ZoneChangePart(Part):
    """What becomes of one zone."""

    zone_id: str
    change: Literal["ADDED", "REMOVED", "MOVED", "CHANGED"]
    area_m2: float
    gained_m2: float
    lost_m2: float
    attributes: list[str]


class HandedPart(Part):
    """Streets that another zone wins afterwards; '' is outside all zones."""

    before: str
    after: str
    street_m: float
    area_m2: float


class DiffAnswer(Part):
    """What a draft would change against the release in force."""

    name: str
    version: int
    against: str
    """The key of the release in force."""
    zones: list[ZoneChangePart]
    handed: list[HandedPart]
    street_m: float
    """Metres of all streets that change hands."""
    policies: list[str]
    """In words."""


class PublicationPart(Part):
    """One publication."""

    number: int
    release_key: str
    state: Literal["IN_FORCE", "SCHEDULED", "PAST", "WITHDRAWN"]
    kind: PublicationKind
    effective_at: UtcInstant
    published_at: UtcInstant
    published_by: str
    approved_by: str | None
    draft: str | None
    reason: str
    withdrawn_at: UtcInstant | None


class PublishedAnswer(Part):
    """A publication that was made or taken back."""

    publication: PublicationPart
    scheduled: list[PublicationPart]
    """What is still to be in force after it: POST /v1/releases/{number}/withdraw takes it back."""


class ReleasesAnswer(Part):
    """All publications, the newest first."""

    publications: list[PublicationPart]


class LiveAnswer(Part):
    """What this instance decides by."""

    release_key: str
    release_id: str
    zone_version: int | None
    policy_version: int | None
    publication: PublicationPart | None
    """Null is the release of the settings."""


class ReleaseAnswer(Part):
    """A release that is kept."""

    release_key: str
    release_id: str
    policy: str
    """The release file (TOML) as it was published."""
    zones: dict[str, object] | None
    """GeoJSON; null where the file has them all."""


def draft_part(draft: Draft) -> DraftPart:
    """Return a draft as it is told."""
    return DraftPart(
        name=draft.name,
        owner=draft.owner,
        base=draft.base_key,
        version=draft.version,
        note=draft.note,
        created_at=draft.created_at,
        changed_at=draft.changed_at,
        editors=list(draft.editors),
        approved_by=draft.approved_by if draft.is_approved else None,
        digest=draft.digest,
        zones=draft.n_zones,
    )


def found_part(found: Found) -> FoundPart:
    """Return a finding as it is told."""
    return FoundPart.model_validate(found)


def diff_answer(draft: Draft, against: str, found: Difference) -> DiffAnswer:
    """Return a comparison as it is told, to tenths of a metre."""
    return DiffAnswer(
        name=draft.name,
        version=draft.version,
        against=against,
        zones=[
            ZoneChangePart(
                zone_id=one.zone_id,
                change=one.change,  # type: ignore[arg-type]
                area_m2=round(one.area_m2, 1),
                gained_m2=round(one.gained_m2, 1),
                lost_m2=round(one.lost_m2, 1),
                attributes=list(one.attributes),
            )
            for one in found.zones
        ],
        handed=[
            HandedPart(
                before=one.before,
                after=one.after,
                street_m=round(one.street_m, 1),
                area_m2=round(one.area_m2, 1),
            )
            for one in found.handed
        ],
        street_m=round(found.street_m, 1),
        policies=list(found.policies),
    )


def publication_part(
    one: Publication, in_force: Publication | None, ahead: frozenset[int]
) -> PublicationPart:
    """Return a publication as it is told.

    Parameters
    ----------
    ahead
        Numbers of those that are to be in force.
    """
    state: Literal["IN_FORCE", "SCHEDULED", "PAST", "WITHDRAWN"] = "PAST"
    if one.withdrawn_at is not None:
        state = "WITHDRAWN"
    elif in_force is not None and one.number == in_force.number:
        state = "IN_FORCE"
    elif one.number in ahead:
        state = "SCHEDULED"
    return PublicationPart(
        number=one.number,
        release_key=one.release_key,
        state=state,
        kind=one.kind,
        effective_at=one.effective_at,
        published_at=one.published_at,
        published_by=one.published_by,
        approved_by=one.approved_by,
        draft=one.draft,
        reason=one.reason,
        withdrawn_at=one.withdrawn_at,
    )
