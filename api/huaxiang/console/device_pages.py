"""The recorders: what each sent last, a new one with its key shown once, and the end of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from huaxiang.api.http.dependencies import Administrator
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.list_query import PATH
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.ingest.devices import Device
from huaxiang.ingest.tables import RecordingRow


@dataclass(frozen=True, slots=True)
class Sent:
    """How many recordings a device handed over, and when the last."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One row of the page."""

    id: str
    name: str
    created: str
    seen: str
    sent: str
    last_upload: str
    recordings_url: str
    revoked: str


def device_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/devices``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    def page(request: Request, status: int = 200, **given: str) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            devices = services.devices.list(session)
            sent = sent_by(session, [device.id for device in devices])
        lines = [device_line(device, sent.get(device.id), text, zone) for device in devices]
        shown = {"key": "", "added": "", "name": "", "wrong": "", **given}
        return views.render(request, "devices.html", status=status, section="devices", lines=lines, **shown)

    @router.get("/devices")
    def listing(request: Request, caller: Administrator) -> Response:
        return page(request)

    @router.post("/devices")
    async def add(request: Request, caller: Administrator) -> Response:
        """Register a device; its key stands on the page that answers, and nowhere else."""
        form = await read_form(request)
        check_session_form(request, form, caller)
        text, name = language_of(request), form.get("name", "").strip()
        try:
            device, key = await run_in_threadpool(_add, services, name)
        except (InvalidInput, Conflict) as error:
            wrong = text("devices.taken" if isinstance(error, Conflict) else "devices.unfit")
            return await run_in_threadpool(page, request, error.status, name=name, wrong=wrong)
        return await run_in_threadpool(page, request, 201, key=key, added=device.name)

    @router.get("/devices/{device_id}/revoke")
    def ask(request: Request, caller: Administrator, device_id: str) -> Response:
        """Ask before a key is revoked, which cannot be undone."""
        text = language_of(request)
        with reading(services.sessions) as session:
            device = _find(services, session, device_id)
            sent = sent_by(session, [device.id]).get(device.id)
        line = device_line(device, sent, text, zone)
        return views.render(request, "device_revoke.html", section="devices", line=line)

    @router.post("/devices/{device_id}/revoke")
    async def revoke(request: Request, caller: Administrator, device_id: str) -> Response:
        check_session_form(request, await read_form(request), caller)
        await run_in_threadpool(_revoke, services, device_id)
        return done("/devices", "devices.revoked")

    return router


def sent_by(session: Session, device_ids: Sequence[str]) -> Mapping[str, Sent]:
    """Return what some devices handed over; nothing of one that sent nothing yet."""
    row = RecordingRow
    found = session.execute(
        select(row.source, func.count(), func.max(row.received_at, type_=row.received_at.type))
        .where(row.source.in_(device_ids))
        .group_by(row.source)
    )
    return {source: Sent(count, last) for source, count, last in found}


def device_line(device: Device, sent: Sent | None, text: Texts, zone: tzinfo) -> DeviceLine:
    """Return a row of the page."""
    return DeviceLine(
        id=device.id,
        name=device.name,
        created=local_time(device.created_at, zone),
        seen=local_time(device.last_seen_at, zone) or text("devices.never"),
        sent=str(sent.count) if sent else "0",
        last_upload=local_time(sent.last, zone) if sent else text("devices.nothing"),
        recordings_url=f"{PATH}?{urlencode({'source': device.id})}",
        revoked=local_time(device.revoked_at, zone),
    )


def _add(services: Services, name: str) -> tuple[Device, str]:
    with transaction(services.sessions) as session:
        return services.devices.add(session, name)


def _revoke(services: Services, device_id: str) -> None:
    with transaction(services.sessions) as session:
        services.devices.revoke(session, device_id)


def _find(services: Services, session: Session, device_id: str) -> Device:
    for device in services.devices.list(session):
        if device.id == device_id:
            return device
    raise NotFound("there is no such device")
