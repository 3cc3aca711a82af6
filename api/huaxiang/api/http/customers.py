"""Customers: what the CRM pushes, one by one or as CSV, and what it pulls."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http import schemas
from huaxiang.api.http.answers import Answer, check_if_match, etag_of, respond
from huaxiang.api.http.dependencies import CrmWriter, CustomerReader, ServicesDep, once
from huaxiang.api.http.multipart import SpooledFile, spooled
from huaxiang.api.services import Services
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import Customer, Json
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.crm import put_customer
from huaxiang.profile.crm_import import ImportReport, import_csv
from huaxiang.profile.field_mapping import FieldMapping, parse_mapping
from huaxiang.profile.listing import list_customers
from huaxiang.profile.view import customer as merged_customer
from huaxiang.profile.view import profile

router = APIRouter(prefix="/v1/customers", tags=["customers"])
ExternalId = Annotated[
    str,
    Path(max_length=200, description="The CRM's id; for reading, a phone number or our own id will do."),
]
_IMPORT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "mapping"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV, a header first."},
                        "mapping": {
                            "type": "string",
                            "description": "YAML: which column is which field.",
                            "example": "id: 客户编号\ncolumns:\n  姓名: {field: name}\n",
                        },
                        "dry_run": {"type": "string", "enum": ["true", "false"], "default": "false"},
                    },
                }
            }
        },
    }
}


@router.get("", summary="List customers", responses={200: {"model": schemas.CustomerPage}})
def get_customers(
    request: Request,
    services: ServicesDep,
    caller: CustomerReader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    updated_since: Annotated[datetime | None, Query(examples=["2026-11-01T00:00:00Z"])] = None,
    tag: Annotated[str | None, Query(max_length=64, examples=["intent.purchase_intent"])] = None,
) -> Response:
    """Return customers, those that changed last first; follow ``next_cursor`` for more."""
    if updated_since is not None and updated_since.tzinfo is None:
        raise InvalidInput("updated_since needs an offset, like 2026-11-01T00:00:00Z")
    with transaction(services.sessions) as session:
        page = list_customers(
            session, now(), cursor=cursor, limit=limit, updated_since=updated_since, tag=tag
        )
    items: list[Json] = list(page.items)
    return respond(request, Answer({"items": items, "next_cursor": page.next_cursor}))


@router.post(
    "/import",
    summary="Import customers from a CSV file",
    openapi_extra=_IMPORT_BODY,
    responses={200: {"model": schemas.ImportReport}},
)
async def import_customers(request: Request, services: ServicesDep, caller: CrmWriter) -> Response:
    """Write a row a customer, or with ``dry_run=true`` say what would be written.

    Wrong rows are left out and listed by number and column; the others are written, a few hundred
    in a transaction, so that an import that broke off can be sent again.
    """
    folder = services.settings.data_dir / "incoming"
    async with spooled(request, folder, services.settings.http.max_import_bytes) as file:
        return await run_in_threadpool(_import, request, services, caller, file)


def _import(request: Request, services: Services, caller: Caller, file: SpooledFile) -> Response:
    mapping, dry_run = _import_options(file)
    country = services.settings.default_country

    def work(_session: Session) -> Answer:
        # The import opens its own transactions; this one begins only when its report is stored.
        report = import_csv(services.sessions, file.path, mapping, dry_run=dry_run, country=country)
        return Answer(_report_json(report))

    content = f"{file.sha256} {sorted(file.fields.items())}"
    return once(request, caller, work, content=content)


def _import_options(file: SpooledFile) -> tuple[FieldMapping, bool]:
    unknown = set(file.fields) - {"mapping", "dry_run"}
    if unknown or "mapping" not in file.fields:
        raise InvalidInput("send the parts file, mapping and, if you like, dry_run, and nothing else")
    choice: str | Literal["true", "false"] = file.fields.get("dry_run", "false")
    if choice not in ("true", "false"):
        raise InvalidInput("dry_run is true or false")
    return parse_mapping(file.fields["mapping"], load_catalogue()), choice == "true"


def _report_json(report: ImportReport) -> Json:
    return {
        "dry_run": report.dry_run,
        "encoding": report.encoding,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "conflicts": report.conflicts,
        "errors": [asdict(error) for error in report.errors],
        "ignored_columns": list(report.ignored_columns),
    }


@router.get(
    "/{external_id}", summary="Read a customer's merged fields", responses={200: {"model": schemas.Customer}}
)
def get_customer(
    request: Request, services: ServicesDep, caller: CustomerReader, external_id: ExternalId
) -> Response:
    """Return the merged fields and the keys of the tags. Its ETag serves ``If-Match`` of a PUT."""
    with transaction(services.sessions) as session:
        customer_id = services.customers.find(session, external_id)
        document = customer_json(merged_customer(session, customer_id, now()))
    return respond(request, Answer(document))


@router.put(
    "/{external_id}",
    summary="Write what the CRM knows of a customer",
    responses={200: {"model": schemas.Customer}, 201: {"model": schemas.Customer}},
)
def write_customer(
    request: Request,
    services: ServicesDep,
    caller: CrmWriter,
    external_id: ExternalId,
    document: schemas.CustomerIn,
) -> Response:
    """Create or update a customer. Absent fields stay as they are; null clears what the CRM said.

    With ``If-Match`` it is written only where nothing changed since it was read; with
    ``If-None-Match: *`` only where the CRM id is new.
    """
    told = document.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    if document.fields:
        told["fields"] = dict(document.fields)  # a null in here means something

    def work(session: Session) -> Answer:
        customer_id = _by_crm_id(services, session, external_id)
        before = None
        if customer_id is not None:
            services.customers.lock(session, customer_id)
            before = etag_of(customer_json(merged_customer(session, customer_id, now())))
        check_if_match(request, before)
        written = put_customer(session, external_id, told, country=services.settings.default_country)
        answer = customer_json(written)
        headers = {"ETag": etag_of(answer), "Location": request.url.path}
        return Answer(answer, 201 if customer_id is None else 200, headers)

    return once(request, caller, work)


@router.get(
    "/{external_id}/profile",
    summary="Read a customer's profile with all evidence",
    responses={200: {"model": schemas.Profile}},
)
def get_profile(
    request: Request, services: ServicesDep, caller: CustomerReader, external_id: ExternalId
) -> Response:
    """Return fields, tags, lifecycle, open objections, the agreed next step and the last conversations.

    Everything says where it comes from and when, and what was heard names its recording and second.
    """
    with transaction(services.sessions) as session:
        document = profile(session, services.customers.find(session, external_id), now())
    return respond(request, Answer(document))


def customer_json(customer: Customer) -> dict[str, Json]:
    """Return a customer's merged values without their provenance."""
    return {
        "id": customer.id,
        "external_id": customer.external_id,
        "phones": list(customer.phones),
        "lifecycle": customer.lifecycle,
        "fields": {field.name: field.value for field in customer.fields},
        "tags": sorted({tag.key for tag in customer.tags}),
    }


def _by_crm_id(services: Services, session: Session, external_id: str) -> str | None:
    """Return the customer that has exactly this CRM id."""
    try:
        customer_id = services.customers.find(session, external_id)
    except NotFound:
        return None
    identities = services.customers.identities(session, [customer_id])
    wanted = external_id.strip()
    return customer_id if any(i.kind == "crm_id" and i.value == wanted for i in identities) else None
