"""Devices: recorders that may upload, each with a key of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Administrator, ServicesDep, once
from huaxiang.api.serialise import time_json
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json

if TYPE_CHECKING:
    from huaxiang.ingest.devices import Device

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.get("", summary="List devices", responses={200: {"model": schemas.Devices}})
def get_devices(request: Request, services: ServicesDep, caller: Administrator) -> Response:
    """Return all devices, revoked ones too; never a key."""
    with transaction(services.sessions) as session:
        items: list[Json] = [device_json(device) for device in services.devices.list(session)]
    return respond(request, Answer({"items": items}))


@router.post(
    "", summary="Register a device", status_code=201, responses={201: {"model": schemas.DeviceCreated}}
)
def add_device(
    request: Request, services: ServicesDep, caller: Administrator, body: schemas.DeviceIn
) -> Response:
    """Register a device and return its key, which is shown only now and stored as a hash.

    An answer stored for ``Idempotency-Key`` would hold the key, so the header is refused here.
    """
    if "idempotency-key" in request.headers:
        raise InvalidInput(
            "a device's key is not stored, so this request cannot be repeated by Idempotency-Key"
        )
    with transaction(services.sessions) as session:
        device, key = services.devices.add(session, body.name)
    document = {**device_json(device), "key": key}
    return respond(request, Answer(document, 201, {"Location": f"/v1/devices/{device.id}"}))


@router.delete("/{device_id}", summary="Revoke a device", responses={200: {"model": schemas.Device}})
def revoke_device(
    request: Request,
    services: ServicesDep,
    caller: Administrator,
    device_id: Annotated[str, Path(max_length=200)],
) -> Response:
    """Revoke a device's key for good; what it uploaded stays."""

    def work(session: Session) -> Answer:
        return Answer(device_json(services.devices.revoke(session, device_id)))

    return once(request, caller, work)


def device_json(device: Device) -> dict[str, Json]:
    """Return a device without its key."""
    return {
        "id": device.id,
        "name": device.name,
        "created_at": time_json(device.created_at),
        "revoked_at": time_json(device.revoked_at),
        "last_seen_at": time_json(device.last_seen_at),
    }
