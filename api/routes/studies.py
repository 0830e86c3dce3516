"""Studies over HTTP: asked for, watched, ended, and their files; each runs in its own process."""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from api.auth.principal import principal_of
from api.body import read_body
from api.keyed_writes import keyed_of
from api.releases.writes import sent_by
from api.service import Service
from api.studies.jobs import PAGE, Job, StudyJobs
from api.studies.schemas import StudiesAnswer, StudyAnswer, StudyWrite, study_answer

router = APIRouter(tags=["studies"])

STUDIES: Final = "/v1/studies"
ONE_STUDY: Final = "/v1/studies/{study_id}"
CANCEL: Final = "/v1/studies/{study_id}/cancel"
FILE: Final = "/v1/studies/{study_id}/files/{name}"
MEDIA: Final = {
    ".html": "text/html", ".csv": "text/csv", ".json": "application/json",
    ".gpkg": "application/geopackage+sqlite3", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip
ANY_FILE: Final = "application/octet-stream"


@router.get(
    STUDIES,
    summary="The studies",
    operation_id="list_studies",
    response_class=Response,
    responses={200: {"description": "The newest first", "model": StudiesAnswer}},
)
async def list_all(request: Request) -> Response:
    """Answer the studies of this service."""
    service: Service = request.app.state.service
    jobs = await asyncio.to_thread(lambda: service.current_studies().all())
    return _json(StudiesAnswer(studies=tuple(map(study_answer, jobs))))


@router.post(
    STUDIES,
    summary="Begin a study",
    operation_id="begin_study",
    status_code=202,
    response_class=Response,
    responses={202: {"description": "It waits for its turn", "model": StudyAnswer}},
)
async def begin(request: Request) -> Response:
    """Put a study into the line; it runs in a process of its own, behind everything else."""
    service: Service = request.app.state.service
    body = await read_body(request, service.settings)
    by = principal_of(request.scope)
    told, person = sent_by(StudyWrite, body, by)
    keyed = keyed_of(request, body)
    key = None if keyed is None else keyed.key
    job = await asyncio.to_thread(_begun, service.current_studies, told, person.name, key)
    return _json(study_answer(job), status=202)


@router.get(
    ONE_STUDY,
    summary="One study",
    operation_id="get_study",
    response_class=Response,
    responses={200: {"description": "How far it is, and what it found", "model": StudyAnswer}},
)
async def one(study_id: str, request: Request) -> Response:
    """Answer how far a study is."""
    service: Service = request.app.state.service
    job = await asyncio.to_thread(lambda: service.current_studies().one(study_id))
    return _json(study_answer(job))


@router.post(
    CANCEL,
    summary="End a study",
    operation_id="cancel_study",
    response_class=Response,
    responses={200: {"description": "Ended, now or before", "model": StudyAnswer}},
)
async def cancel(study_id: str, request: Request) -> Response:
    """End a study that waits or runs."""
    service: Service = request.app.state.service
    job = await asyncio.to_thread(lambda: service.current_studies().cancel(study_id))
    return _json(study_answer(job))


@router.get(
    FILE,
    summary="A file of a study",
    operation_id="get_study_file",
    response_class=Response,
    responses={200: {"description": f"{PAGE}, a table or the manifest", "content": {ANY_FILE: {}}}},
)
async def file(study_id: str, name: str, request: Request) -> Response:
    """Answer a result file; the page opens in a browser, the others are downloads."""
    service: Service = request.app.state.service
    path = await asyncio.to_thread(lambda: service.current_studies().file(study_id, name))
    kind = "inline" if name == PAGE else "attachment"
    return FileResponse(
        path,
        media_type=MEDIA.get(path.suffix, ANY_FILE),
        filename=name,
        content_disposition_type=kind,
        headers={"content-security-policy": "default-src 'none'; img-src data:; "
                 "style-src 'unsafe-inline'", "x-content-type-options": "nosniff"},
    )  # fmt: skip


def _begun(studies: Callable[[], StudyJobs], told: StudyWrite, by: str, key: str | None) -> Job:
    jobs = studies()
    scenario = told.scenario
    if scenario is None:
        assert told.scenario_file is not None, "a study of no scenario"
        scenario = jobs.scenario_named(told.scenario_file)
    return jobs.add(told.kind, scenario, by, key)


def _json(answer: StudyAnswer | StudiesAnswer, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, media_type="application/json")
