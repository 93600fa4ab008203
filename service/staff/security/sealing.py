"""Small secrets are sealed with a key that stands outside the database: who steals the rows has nothing."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_keys: dict[str, bytes] = {}


def use(secret_key: str) -> None:
    """From now on this process seals with keys made of the installation's own; called once, by wire()."""
    for purpose in ("seal", "digest"):
        _keys[purpose] = hashlib.sha256(f"ringdesk {purpose}:{secret_key}".encode()).digest()


def seal(content: bytes, whose: int) -> bytes:
    """The content, readable again only here and only as this person's."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_keys["seal"]).encrypt(nonce, content, str(whose).encode())


def opened(sealed: bytes, whose: int) -> bytes | None:
    """What was sealed; None when the installation has another key now."""
    try:
        return AESGCM(_keys["seal"]).decrypt(sealed[:12], sealed[12:], str(whose).encode())
    except InvalidTag:
        return None


def digest(text: str) -> str:
    """A mark by which the text is known again and from which it cannot be guessed without the key."""
    return hmac.new(_keys["digest"], text.encode(), hashlib.sha256).hexdigest()
