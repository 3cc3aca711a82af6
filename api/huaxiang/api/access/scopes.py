"""What a caller may be allowed to do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One permission. ``admin`` includes all others."""

    UPLOAD = "upload"
    CRM = "crm"
    SELLER = "seller"
    MANAGER = "manager"
    METRICS = "metrics"
    ADMIN = "admin"


TOKEN_SCOPES = (Scope.CRM, Scope.MANAGER, Scope.METRICS, Scope.ADMIN)
"""What an API token may be given; uploading is for devices, own calls for sellers who sign in."""

ROLE_SCOPES = {
    "seller": frozenset({Scope.SELLER}),
    "manager": frozenset({Scope.MANAGER}),
    "admin": frozenset({Scope.ADMIN}),
}
