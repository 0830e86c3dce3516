"""What the API description says of drafts and releases."""

import datetime as dt
from typing import Any, Final

from msgspec.structs import replace

from api.openapi_desk import IDEMPOTENCY_KEY
from api.openapi_roster import BODY_REFUSALS, Described, describe_operations
from api.releases.drafts import Content, Draft, zones_text
from api.releases.publications import Publication, PublicationKind
from api.releases.schemas import (
    ApproveWrite,
    CheckAnswer,
    DiffAnswer,
    DraftAnswer,
    DraftsAnswer,
    DraftWrite,
    ImportAnswer,
    LiveAnswer,
    PublishedAnswer,
    PublishWrite,
    ReleaseAnswer,
    ReleasesAnswer,
    RollbackWrite,
    WithdrawWrite,
    publication_part,
)
from api.releases.writes import draft_answer

DRAFTS: Final = "/v1/drafts"
DRAFT: Final = "/v1/drafts/{name}"
RELEASES: Final = "/v1/releases"

LATER: Final = {
    "503": "No store, or it cannot be reached, or not ready yet; ask again after Retry-After."
}
NO_DRAFT: Final = {"404": "No draft has this name."}
NOT_YOURS: Final = {"403": "It is another person's draft, or it needs another person."}
REFUSED: Final = {"409": "What is kept does not allow it, or the first request is in hand."}
CHANGED: Final = {"412": "If-Match names another version."}
MATCHED: Final = CHANGED | {"428": "If-Match is missing."}
NO_BYTES: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "422": "The body or its kind cannot be taken; see `errors`.",
}
NO_KEY: Final = {"422": "The Idempotency-Key is no key."}
_WITHOUT_BODY: Final = {"get", "delete"}


def _draft(method: str, ending: str, answer: tuple[str, Any, str], **more: Any) -> Described:
    """Return one operation on a draft."""
    status, model, meaning = answer
    return Described(
        path=DRAFT + ending,
        method=method,
        request=more.get("request"),
        answers={status: (meaning, model, more.get("examples", ()))},
        refusals=more.get("refusals", {}) | NO_DRAFT | LATER,
    )


WRITES: Final = BODY_REFUSALS | REFUSED | NOT_YOURS

RELEASE_OPERATIONS: Final = (
    Described(
        path=DRAFTS,
        method="get",
        answers={"200": ("By name", DraftsAnswer, ())},
        refusals=LATER,
    ),
    _draft("get", "", ("200", DraftAnswer, "With its content and its ETag")),
    _draft(
        "put", "", ("201", DraftAnswer, "The draft"),
        request=DraftWrite, refusals=WRITES, examples=("BEGUN",),
    ),
    _draft("delete", "", ("200", DraftAnswer, "As it was"), refusals=REFUSED | NOT_YOURS | NO_KEY),
    _draft(
        "put", "/policy", ("200", DraftAnswer, "The draft"),
        refusals=NO_BYTES | REFUSED | NOT_YOURS | CHANGED,
    ),
    _draft(
        "put", "/zones", ("200", DraftAnswer, "The draft"),
        refusals=NO_BYTES | REFUSED | NOT_YOURS | CHANGED,
    ),
    _draft(
        "post", "/import", ("200", ImportAnswer, "What became of the file"),
        refusals=NO_BYTES | REFUSED | NOT_YOURS | CHANGED,
    ),
    _draft("get", "/check", ("200", CheckAnswer, "Everything that was found")),
    _draft(
        "get", "/diff", ("200", DiffAnswer, "Against the release in force"),
        refusals={"409": "The draft cannot be read."},
    ),
    _draft(
        "post", "/approve", ("200", DraftAnswer, "The draft"),
        request=ApproveWrite,
        examples=("APPROVED",), refusals=WRITES | MATCHED,
    ),
    _draft(
        "post", "/publish", ("200", PublishedAnswer, "The publication"),
        request=PublishWrite,
        examples=("PUBLISHED",), refusals=WRITES | MATCHED,
    ),
    Described(
        path=RELEASES,
        method="get",
        answers={"200": ("The newest first", ReleasesAnswer, ())},
        refusals=LATER,
    ),
    Described(
        path=f"{RELEASES}/live",
        method="get",
        answers={"200": ("What this instance decides by", LiveAnswer, ())},
        refusals=LATER,
    ),
    Described(
        path=f"{RELEASES}/rollback",
        method="post",
        request=RollbackWrite,
        answers={"200": ("The publication", PublishedAnswer, ("ROLLED_BACK",))},
        refusals=WRITES | {"404": "No release has this key."} | LATER,
    ),
    Described(
        path=f"{RELEASES}/{{number}}/withdraw",
        method="post",
        request=WithdrawWrite,
        answers={"200": ("Taken back, now or before", PublishedAnswer, ("WITHDRAWN",))},
        refusals=WRITES | {"404": "No publication has this number."} | LATER,
    ),
    Described(
        path=f"{RELEASES}/{{key}}",
        method="get",
        answers={"200": ("Its file and its zones", ReleaseAnswer, ())},
        refusals={"404": "No release has this key."} | LATER,
    ),
)  # fmt: skip

RELEASE_REQUESTS: Final = (DraftWrite, ApproveWrite, PublishWrite, RollbackWrite, WithdrawWrite)
RELEASE_ANSWERS: Final = (
    DraftAnswer,
    DraftsAnswer,
    ImportAnswer,
    CheckAnswer,
    DiffAnswer,
    PublishedAnswer,
    ReleasesAnswer,
    LiveAnswer,
    ReleaseAnswer,
)

_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'The ETag of the version of the draft that is meant, such as `"night-v3"`; '
    "approving and publishing need it.",
    "schema": {"type": "string", "pattern": "^[ -~]+$"},
}
_QUERY: Final = (
    ("repair", {"type": "boolean", "default": False}, "Take outlines that had to be mended."),
    ("assume_crs", {"type": "string"}, "The system of a file that names none: `EPSG:2926`."),
    ("id_field", {"type": "string", "default": "zone_id"}, "The column that names the zones."),
)
_BODIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "/policy": ("text/plain", {"type": "string"}),
    "/zones": (
        "application/geo+json",
        {
            "type": "object",
            "required": ["type", "features"],
            "properties": {
                "type": {"const": "FeatureCollection"},
                "features": {"type": "array", "items": {"type": "object"}},
            },
        },
    ),
    "/import": ("application/octet-stream", {"type": "string", "format": "binary"}),
}


_AT: Final = dt.datetime(2026, 7, 21, 20, 5, 2, tzinfo=dt.UTC)
_HOUR: Final = dt.timedelta(hours=1)
_TEXT: Final = 'release_id = "any"\nzones_file = "zones.geojson"\n# and so on\n'
_KEY: Final = "rel-2026-07-21-{}@0f1e2d3c4b5a6978"


def examples() -> dict[str, dict[str, Any]]:
    """Return a story: begun, approved, published, rolled back, and one that is taken back."""
    begun = Draft(
        name="night",
        owner="gis-7",
        base_key=_KEY.format(2),
        content=Content(text=_TEXT, zones=zones_text(())),
        version=1,
        note="open until 1",
        created_at=_AT,
        changed_at=_AT,
        editors=("gis-7",),
    )
    approved = replace(begun, approved_by="S12", approved_digest=begun.digest)
    person = {"operator": {"id": "S12", "role": "SUPERVISOR"}}
    why = person | {"reason": "council bill"}
    answered = {
        "BEGUN": ({"base": None, "note": begun.note}, _told(begun)),
        "APPROVED": (person, _told(approved)),
        "PUBLISHED": (why | {"effective_at": None, "replaces": None}, _published(3)),
        "ROLLED_BACK": (
            why | {"release_key": None, "effective_at": None},
            _published(4, kind=PublicationKind.ROLLBACK, release_key=_KEY.format(2)),
        ),
        "WITHDRAWN": (why, _published(5, effective_at=_AT + _HOUR, withdrawn_at=_AT)),
    }
    return {
        name: {"request": request, "answer": answer.model_dump(mode="json")}
        for name, (request, answer) in answered.items()
    }


def _told(draft: Draft) -> DraftAnswer:
    return DraftAnswer.model_validate_json(draft_answer(draft))


def _published(number: int, **more: Any) -> PublishedAnswer:
    told: dict[str, Any] = {
        "number": number,
        "release_key": _KEY.format(number),
        "effective_at": _AT,
        "published_at": _AT,
        "published_by": "S12",
        "kind": PublicationKind.PUBLISH,
        "reason": "council bill",
    }
    made = Publication(**(told | more))
    return PublishedAnswer(publication=publication_part(made, made, frozenset()), scheduled=[])


def describe_releases(paths: dict[str, Any], reference: str) -> None:
    """Complete the operations; `reference` is the place of a model by its name."""
    describe_operations(RELEASE_OPERATIONS, examples(), paths, reference)
    for one in RELEASE_OPERATIONS:
        operation, ending = paths[one.path][one.method], one.path.removeprefix(DRAFT)
        told = [*operation.get("parameters", ())]
        if one.method not in _WITHOUT_BODY:
            told.append(IDEMPOTENCY_KEY)
        if "412" in one.refusals:
            told.append(_IF_MATCH)
        if ending in _BODIES:
            kind, schema = _BODIES[ending]
            operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
        if ending == "/import":
            told += [
                {"name": name, "in": "query", "required": False, "description": said, "schema": of}
                for name, of, said in _QUERY
            ]
        if told:
            operation["parameters"] = told
