"""The static files of the pages, with addresses that change with their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import MutableMapping
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
VENDOR_SCRIPTS = ("htmx.min.js", "wavesurfer.min.js", "echarts.min.js")
_A_YEAR = "public, max-age=31536000, immutable"


class Assets:
    """Gives static files their addresses, and knows which of the vendored ones are missing or changed.

    ``missing`` names the vendored scripts that are not there as ``build.py`` left them; the pages
    work without them, and say so.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._digests: MutableMapping[str, str] = {}
        self.missing = tuple(name for name in VENDOR_SCRIPTS if not self._is_built(name))

    def url(self, name: str) -> str:
        """Return the address of a file under ``static/``."""
        if name not in self._digests:
            self._digests[name] = hashlib.sha256((self._folder / name).read_bytes()).hexdigest()
        return f"/static/{name}?v={self._digests[name][:16]}"

    def _is_built(self, name: str) -> bool:
        manifest, script = self._folder / "vendor" / "manifest.json", self._folder / "vendor" / name
        if not manifest.is_file() or not script.is_file():
            return False
        entry = json.loads(manifest.read_text(encoding="utf-8")).get(name, {})
        return bool(entry.get("sha256") == hashlib.sha256(script.read_bytes()).hexdigest())


class CachedStaticFiles(StaticFiles):
    """Static files that a browser keeps for good when their address carries a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with its caching header."""
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = _A_YEAR if versioned else "no-cache"
        return response
