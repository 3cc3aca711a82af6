"""Random secrets: made here, shown once, stored only as SHA-256.

The values have 256 random bits, so a plain hash cannot be searched; passwords, which people choose,
go through argon2 instead.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


def make_secret(prefix: str = "") -> str:
    """Return ``prefix`` and 256 random bits as text that fits a URL or a header."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(value: str) -> str:
    """Return what is stored of a secret: 64 hexadecimal digits."""
    return hashlib.sha256(value.encode()).hexdigest()


def keyed_hash(key: bytes, purpose: str, value: str) -> str:
    """Return an HMAC-SHA-256 of ``value`` for one ``purpose``, as 64 hexadecimal digits."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
