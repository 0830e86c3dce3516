"""Drafts of releases over HTTP: made, changed, checked, compared, approved, published."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answer_schemas import Part
from api.auth.principal import principal_of
from api.body import read_body, read_bytes
from api.desk import Desk
from api.errors import ChangeRefused, InvalidRequest, Problem
from api.idempotency import first_answer
from api.keyed_writes import keyed_of, response_of, write_once
from api.releases.checks import check
from api.releases.differences import differences
from api.releases.draft_rows import list_drafts, read_draft
from api.releases.draft_writes import TEXT_BYTES_MAX, ZONES_BYTES_MAX, no_such_draft
from api.releases.drafts import Draft
from api.releases.importing import FILE_BYTES_MAX, options_of, said_of, zones_of
from api.releases.in_force import NAME as RELEASE
from api.releases.publications import read_publications
from api.releases.publishing import instant_of, key_in_force, now_after, prepare
from api.releases.schemas import (
    CheckAnswer,
    DiffAnswer,
    DraftAnswer,
    DraftsAnswer,
    DraftWrite,
    ImportAnswer,
    PublishedAnswer,
    diff_answer,
    draft_part,
    found_part,
)
from api.releases.writes import (
    Do,
    approving,
    asked_of,
    changing_policy,
    changing_zones,
    deleting,
    draft_answer,
    importing,
    publishing,
    sent_by,
    starting,
)
from api.service import Service

router = APIRouter(tags=["releases"])
Made = TypeVar("Made")

DRAFTS: Final = "/v1/drafts"
ONE_DRAFT: Final = "/v1/drafts/{name}"
POLICY: Final = "/v1/drafts/{name}/policy"
ZONES: Final = "/v1/drafts/{name}/zones"
IMPORT: Final = "/v1/drafts/{name}/import"
CHECK: Final = "/v1/drafts/{name}/check"
DIFF: Final = "/v1/drafts/{name}/diff"
APPROVE: Final = "/v1/drafts/{name}/approve"
PUBLISH: Final = "/v1/drafts/{name}/publish"

LIVE_S_MAX: Final = 1.0
"""Longest wait for the instance that publishes to decide by it, before it answers."""
TEXT_KINDS: Final = frozenset({"text/plain", "application/toml"})
FORM_KINDS: Final = frozenset(
    {"text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""}
)
"""What a web page may send to another site unasked."""


@router.get(
    DRAFTS,
    summary="All drafts",
    operation_id="list_drafts",
    response_class=Response,
    responses={200: {"description": "By name", "model": DraftsAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer all drafts without their content."""
    found = await _read(request, list_drafts)
    parts = await asyncio.to_thread(lambda: [draft_part(draft) for draft in found])
    return _json(DraftsAnswer(drafts=parts))


@router.get(
    ONE_DRAFT,
    summary="One draft",
    operation_id="get_draft",
    response_class=Response,
    responses={200: {"description": "With its content and its ETag", "model": DraftAnswer}},
)
async def get_one(name: str, request: Request) -> Response:
    """Answer a draft: its release file, its zones, and its ETag."""
    draft = await _draft(request, name)
    told = await asyncio.to_thread(draft_answer, draft)
    return Response(told, headers={"etag": draft.etag}, media_type="application/json")


@router.put(
    ONE_DRAFT,
    summary="Begin a draft",
    operation_id="start_draft",
    response_class=Response,
    responses={201: {"description": "The draft", "model": DraftAnswer}},
)
async def start(name: str, request: Request) -> Response:
    """Begin a draft as a release that is kept, by default the one in force; one for each editor."""
    service: Service = request.app.state.service
    body, principal = await read_body(request, service.settings), principal_of(request.scope)
    asked = sent_by(DraftWrite, body, principal)  # before anything is said of the store
    desk = service.current_desk()

    def prepared() -> Do:
        with desk.database.reading() as connection:
            told = read_publications(connection)
            live = key_in_force(told, desk.witness.sources.release, service.now())
            return starting(name, asked, principal, connection, live)

    do = await asyncio.to_thread(prepared)
    return await _written(request, body, do)


@router.put(
    POLICY,
    summary="Put a release file into a draft",
    operation_id="put_draft_policy",
    response_class=Response,
    responses={200: {"description": "The draft", "model": DraftAnswer}},
)
async def put_policy(name: str, request: Request) -> Response:
    """Put a release file (TOML, without zones) into one's own draft; an approval is void.

    The content type is text/plain or application/toml.
    """
    service: Service = request.app.state.service
    _require_kind(_kind(request) in TEXT_KINDS, "text/plain or application/toml")
    body = await read_bytes(request, service.settings, TEXT_BYTES_MAX)
    principal, if_match = principal_of(request.scope), _if_match(request)
    do = await asyncio.to_thread(changing_policy, name, body, principal, if_match)
    return await _written(request, body, do)


@router.put(
    ZONES,
    summary="Put zones into a draft",
    operation_id="put_draft_zones",
    response_class=Response,
    responses={200: {"description": "The draft", "model": DraftAnswer}},
)
async def put_zones(name: str, request: Request) -> Response:
    """Put a GeoJSON FeatureCollection into one's own draft, for all its zones."""
    service: Service = request.app.state.service
    kind = _kind(request)
    is_json = kind == "application/json" or kind.endswith("+json")
    _require_kind(is_json, "application/geo+json")
    body = await read_bytes(request, service.settings, ZONES_BYTES_MAX)
    principal, if_match = principal_of(request.scope), _if_match(request)
    do = await asyncio.to_thread(changing_zones, name, body, principal, if_match)
    return await _written(request, body, do)


@router.post(
    IMPORT,
    summary="Import a GIS file into a draft",
    operation_id="import_into_draft",
    response_class=Response,
    responses={200: {"description": "What became of the file", "model": ImportAnswer}},
)
async def import_file(name: str, request: Request) -> Response:
    """Read a GIS file (docs/zones.md) and put its zones into one's own draft, all or none."""
    service: Service = request.app.state.service
    _require_kind(_kind(request) not in FORM_KINDS, "application/octet-stream")
    body = await read_bytes(request, service.settings, FILE_BYTES_MAX)
    extent = service.current_view().situation.network.bounds
    options = options_of(extent, request.query_params)
    await _draft(request, name)
    read = await asyncio.to_thread(service.file_reading.read, body, options)
    zones = await asyncio.to_thread(zones_of, read)
    principal, if_match = principal_of(request.scope), _if_match(request)
    return await _written(request, body, importing(name, zones, principal, if_match, said_of(read)))


@router.delete(
    ONE_DRAFT,
    summary="Delete a draft",
    operation_id="delete_draft",
    response_class=Response,
    responses={200: {"description": "The draft as it was", "model": DraftAnswer}},
)
async def delete(name: str, request: Request) -> Response:
    """Forget one's own draft; an administrator may forget any."""
    return await _written(request, b"", deleting(name, principal_of(request.scope)))


@router.get(
    CHECK,
    summary="Check a draft as a whole",
    operation_id="check_draft",
    response_class=Response,
    responses={200: {"description": "Everything that was found", "model": CheckAnswer}},
)
async def check_one(name: str, request: Request) -> Response:
    """Check the release file, the zones together, and the zones on the streets."""
    service: Service = request.app.state.service
    draft = await _draft(request, name)
    network = service.current_view().situation.network
    checked = await asyncio.to_thread(check, draft.content, network)
    answer = CheckAnswer(
        name=name,
        version=draft.version,
        usable=checked.is_usable,
        findings=[found_part(one) for one in checked.found],
    )
    return _json(answer, {"etag": draft.etag})


@router.get(
    DIFF,
    summary="What a draft would change",
    operation_id="diff_draft",
    response_class=Response,
    responses={200: {"description": "Against the release in force", "model": DiffAnswer}},
)
async def diff(name: str, request: Request) -> Response:
    """Compare a draft with the release in force: zones, streets that change hands, policies."""
    service: Service = request.app.state.service
    draft, view = await _draft(request, name), service.current_view()

    def compare() -> DiffAnswer:
        checked = check(draft.content, view.situation.network)
        if checked.release is None:
            raise ChangeRefused(
                "The draft cannot be read, so it cannot be compared.",
                remedy="GET /v1/drafts/{name}/check tells what to mend.",
            )
        found = differences(view.release, checked.release, view.situation.network)
        key = view.release_key or service.current_desk().witness.sources.release.key
        return diff_answer(draft, key, found)

    return _json(await asyncio.to_thread(compare), {"etag": draft.etag})


@router.post(
    APPROVE,
    summary="Approve a draft",
    operation_id="approve_draft",
    response_class=Response,
    responses={200: {"description": "The draft", "model": DraftAnswer}},
)
async def approve(name: str, request: Request) -> Response:
    """Approve the content of a draft as somebody who has not worked on it; needs If-Match."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    do = approving(name, body, principal_of(request.scope), _if_match(request))
    return await _written(request, body, do)


@router.post(
    PUBLISH,
    summary="Publish a draft",
    operation_id="publish_draft",
    response_class=Response,
    responses={200: {"description": "The publication", "model": PublishedAnswer}},
)
async def publish(name: str, request: Request) -> Response:
    """Publish an approved draft at once or at an instant, on all instances; needs If-Match.

    The draft ends with it. The answer names what is still scheduled after it.
    """
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    asked = asked_of(body, principal_of(request.scope))
    desk = service.current_desk()
    network = service.current_view().situation.network
    settings_release, keyed = desk.witness.sources.release, keyed_of(request, body)

    def prepared() -> Do:
        with desk.database.reading() as connection:
            first = None if keyed is None else first_answer(connection, keyed)
            if first is not None:
                return lambda _tx: first
            draft = read_draft(connection, name)
            if draft is None:
                raise no_such_draft()
            now = now_after(read_publications(connection), service.now())
            at = instant_of(asked.effective_at, now)
            found = prepare(connection, draft, settings_release, network, at)
        return publishing(name, asked, _if_match(request), found, settings_release)

    do = await asyncio.to_thread(prepared)
    kept = await write_once(desk, keyed, do)
    await live_here(desk)
    return response_of(kept)


async def live_here(desk: Desk) -> None:
    """Wait until this instance decides by what was published, for a second at most."""
    number = desk.wake_releases()
    await asyncio.to_thread(desk.timetable.wait_for, RELEASE, number, LIVE_S_MAX)


async def _written(request: Request, body: bytes, do: Do) -> Response:
    service: Service = request.app.state.service
    kept = await write_once(service.current_desk(), keyed_of(request, body), do)
    return response_of(kept)


async def _read(request: Request, read: Callable[[Any], Made]) -> Made:
    service: Service = request.app.state.service
    desk = service.current_desk()

    def reading() -> Made:
        with desk.database.reading() as connection:
            return read(connection)

    return await asyncio.to_thread(reading)


async def _draft(request: Request, name: str) -> Draft:
    found = await _read(request, lambda connection: read_draft(connection, name))
    if found is None:
        raise no_such_draft()
    return found


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_kind(is_one: bool, wanted: str) -> None:
    if not is_one:
        problem = Problem(
            path="",
            code="CONTENT_TYPE_WRONG",
            detail="the content type is another one",
            remedy=f"Send the header Content-Type: {wanted}.",
        )
        raise InvalidRequest(
            "The content type is another one.", remedy=problem.remedy, problems=(problem,)
        )


def _if_match(request: Request) -> str | None:
    return request.headers.get("if-match")


def _json(answer: Part, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), headers=headers, media_type="application/json")
